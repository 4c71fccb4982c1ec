"""Worklists: what a row says, and the choices that a page keeps in its address."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from urllib.parse import urlencode

from engine.core.proposal import Proposal
from engine.item import Item
from engine.listing import Listing
from engine.worklist import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What a list is narrowed to, as it was asked for; an empty text asks for nothing."""

    site: str = ""
    day: str = ""
    as_of: str = ""
    soon_days: str = ""

    @property
    def any(self) -> bool:
        """Whether anything was chosen."""
        return any(asdict(self).values())

    def query(self, **more: str) -> str:
        """The same choices for another page, with `?` before them where there are any."""
        said = urlencode({name: value for name, value in {**asdict(self), **more}.items() if value})
        return f"?{said}" if said else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An item: the course, the visit with its window, when it takes place, and why it is here."""

    course: str
    site: str
    state: str
    visit: str
    window: str
    when: str
    booked: bool
    due: str
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """The beginning of a list, and where the rest of it is."""

    kind: str
    title: str
    rows: tuple[Row, ...]
    more: bool
    path: str

    @property
    def count(self) -> str:
        """How many there are, as far as anybody counted."""
        return f"{len(self.rows)}{'+' if self.more else ''}"


def glance(kind: Listing, title: str, page: Page, choices: Choices) -> Glance:
    """The beginning of a list."""
    return Glance(
        kind=kind.value,
        title=title,
        rows=tuple(map(row, page.items)),
        more=page.cursor is not None,
        path=f"/worklists/{kind.value}{choices.query()}",
    )


def row(item: Item) -> Row:
    """What is shown of an item."""
    window = item.window
    number = "" if item.number is None else f" {item.number}"
    return Row(
        course=item.course,
        site=item.site,
        state=_words(item.state),
        visit="" if item.visit is None else f"{_words(item.visit)}{number}",
        window="" if window is None else f"{window.earliest} to {window.latest}",
        when=_when(item),
        booked=bool(item.booked),
        due="" if item.due is None else item.due.value,
        why=tuple(_capital(part) for part in item.why.split("; ") if part),
    )


def _when(item: Item) -> str:
    if item.booked:
        return ", ".join(f"{one.on} ({one.booking.status})" for one in item.booked)
    if isinstance(item.proposal, Proposal):
        return str(item.proposal.on)
    return ""


def _words(name: str) -> str:
    return name.replace("_", " ")


def _capital(said: str) -> str:
    return said[:1].upper() + said[1:]
