"""Worklists: what a row says, and the choices that a page keeps in its address."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from urllib.parse import urlencode

from engine.core.proposal import Proposal
from engine.findings import Piece, finding
from engine.item import Item
from engine.listing import Listing
from engine.telling.lexicon import Lexicon
from engine.telling.wording import either
from engine.telling.wording import why as why_of
from engine.worklist import Page

Lexicons = Callable[[str], Lexicon]
"""What gives the words of a course's definition."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What a list is narrowed to, as it was asked for; an empty text asks for nothing."""

    site: str = ""
    workflow: str = ""
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
    why: tuple[tuple[Piece, ...], ...]


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


def glance(kind: Listing, title: str, page: Page, choices: Choices, lexicon: Lexicons) -> Glance:
    """The beginning of a list."""
    return Glance(
        kind=kind.value,
        title=title,
        rows=tuple(row(item, lexicon(item.course)) for item in page.items),
        more=page.cursor is not None,
        path=f"/worklists/{kind.value}{choices.query()}",
    )


def row(item: Item, lexicon: Lexicon) -> Row:
    """What is shown of an item, by the titles of its course's definition."""
    window = item.window
    number = "" if item.number is None else f" {item.number}"
    return Row(
        course=item.course,
        site=item.site,
        state=lexicon.state(item.state),
        visit="" if item.visit is None else f"{_words(item.visit)}{number}",
        window="" if window is None else f"{window.earliest} to {window.latest}",
        when=_when(item),
        booked=bool(item.booked),
        due="" if item.due is None else item.due.value,
        why=tuple(_why(item, lexicon)),
    )


def _why(item: Item, lexicon: Lexicon) -> Iterator[tuple[Piece, ...]]:
    """Why it is on the list; what names rules, inputs and events, by their titles."""
    if item.conflicts or not (item.lacking or item.findings or item.unsigned):
        yield from ((Piece(_capital(part)),) for part in item.why.split("; ") if part)
        return
    for lacking in item.lacking:
        inputs = (f"{lexicon.called(name)} ({why_of(flaw)})" for name, flaw in lacking.inputs)
        yield (Piece(f"“{lexicon.guard(lacking.rule)}” waits for: {', '.join(inputs)}"),)
    for one in item.findings:
        what = one.what
        title = None if what.input is None else lexicon.called(what.input)
        said = {"finding": one.finding, "correction": what.correction, "record": what.record,
                "title": title, "decisions": list(what.decisions)}  # fmt: skip
        first, *rest = finding(said)
        yield (replace(first, text=_capital(first.text)), *rest)
    for waiting in item.unsigned:
        owed = " and ".join(
            f"{one.meaning.replace('_', ' ')} by {one.by or f'another ({either(one.roles)})'}"
            for one in waiting.owed
        )
        yield (
            Piece(f"Record {waiting.record}", waiting.record),
            Piece(f" {lexicon.event(waiting.event)} waits to be signed: {owed}"),
            Piece(f" since {waiting.since:%Y-%m-%d}", aside=True),
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
