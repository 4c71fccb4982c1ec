"""The access log as a chain: each entry names the hash of the one before it.

Whoever edits, deletes, inserts or reorders entries breaks a link, unless they compute the rest of
the chain anew; who cuts its end off leaves a chain that agrees. Both take a position and a hash
that were noted elsewhere, and show when those are held against the log.

What was written before there was a chain has no position: the first link names the hash of all of
it, so that a change there is found as well.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from engine.core.encoding import Json, canonical, instant_text
from engine.core.record import GENESIS
from engine.log_entry import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """An entry in its place of a tenant's chain, from 1 on."""

    entry: Entry
    position: int
    prev_hash: str
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """What is wrong, first of all, with the chain: `position` is 0 for what precedes it."""

    position: int
    kind: str
    what: str

    def __str__(self) -> str:
        return f"entry {self.position}: {self.kind}: {self.what}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far a log goes: its last position and hash, and how many entries precede the chain.

    The position and the hash, noted elsewhere, show later that nothing was cut off.
    """

    position: int
    head: str
    before: int
    flaw: Flaw | None = None


def linked(entry: Entry, position: int, prev_hash: str) -> Link:
    """An entry put behind the one whose hash is given."""
    said = canonical({"position": position, "prev": prev_hash, **_said(entry)})
    hashed = hashlib.sha256(said).hexdigest()
    return Link(entry=entry, position=position, prev_hash=prev_hash, hash=hashed)


def before(entries: Iterable[Entry]) -> tuple[str, int]:
    """The hash of what was written before there was a chain, in its order, and how many those are.

    Where there is nothing it is what the first record of a course names, too.
    """
    hashed, number = GENESIS, 0
    for entry in entries:
        said = canonical({"prev": hashed, **_said(entry)})
        hashed, number = hashlib.sha256(said).hexdigest(), number + 1
    return hashed, number


def standing(
    unchained: Iterable[Entry], links: Iterable[Link], noted: tuple[int, str] | None = None
) -> Standing:
    """How far a log goes, and the first thing that is wrong with it.

    `noted` is a position with its hash that was kept elsewhere.
    """
    unreadable = "an entry cannot be read: it is none that was written here"
    try:
        anchor, number = before(unchained)
    except (ValueError, TypeError):
        flaw = Flaw(position=0, kind="content", what=unreadable)
        return Standing(position=0, head=GENESIS, before=0, flaw=flaw)
    position, head = 0, anchor
    try:
        for link, wrong in _flaws(links, anchor, noted):
            if wrong is not None:
                return Standing(position=position, head=head, before=number, flaw=wrong)
            position, head = link.position, link.hash
    except (ValueError, TypeError):
        flaw = Flaw(position=position + 1, kind="content", what=unreadable)
        return Standing(position=position, head=head, before=number, flaw=flaw)
    if noted is not None and noted[0] > position:
        what = f"the log ends at {position}: what was noted of it is not there any more"
        flaw = Flaw(position=noted[0], kind="gap", what=what)
        return Standing(position=position, head=head, before=number, flaw=flaw)
    return Standing(position=position, head=head, before=number)


def _flaws(
    links: Iterable[Link], anchor: str, noted: tuple[int, str] | None
) -> Iterator[tuple[Link, Flaw | None]]:
    position, head = 0, anchor
    for link in links:
        yield link, _flaw(link, position, head, noted)
        position, head = link.position, link.hash


def _flaw(link: Link, position: int, head: str, noted: tuple[int, str] | None) -> Flaw | None:
    def flaw(kind: str, what: str) -> Flaw:
        return Flaw(position=link.position, kind=kind, what=what)

    if link.position != position + 1:
        return flaw("gap", f"expected entry {position + 1}")
    if linked(link.entry, link.position, link.prev_hash).hash != link.hash:
        return flaw("content", "the entry does not have the stored hash")
    if link.prev_hash != head:
        what = "it does not follow the entry before it"
        if position == 0:
            what = "the entries from before the chain are not what they were"
        return flaw("link", what)
    if noted is not None and noted[0] == link.position and noted[1] != link.hash:
        return flaw("head", "its hash is not the one that was noted")
    return None


def _said(entry: Entry) -> dict[str, Json]:
    return {
        "tenant": entry.tenant,
        "at": instant_text(entry.at),
        "id": entry.id,
        "actor": entry.actor,
        "action": entry.action.value,
        "outcome": entry.outcome,
        "about": dict(entry.about),
    }
