"""Records as people read them: what was sent, what became of it and why, and what proves it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from engine.core.encoding import Json
from engine.core.event import ADOPTED, ENROLLED, SIGNED
from engine.core.history import Fault
from engine.core.ledger import Inclusion
from engine.core.record import Record
from engine.telling.entry import Entry
from engine.telling.lexicon import Lexicon
from engine.telling.marks import VERDICT_TONES
from engine.telling.seen import NOTHING_SEEN, Lacked, Seen
from engine.telling.sent import corrected, lateness, sent
from engine.telling.wording import Said, Tone, Wording, plain

BEGINNINGS = (ENROLLED, ADOPTED)
FEW = 3
"""How many requirements a refusal names in one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A member of what was sent; `struck` is the record that corrects it, and `how` says how."""

    name: str
    value: str
    struck: int | None = None
    how: str = ""
    impossible: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A signature of a record: who gave it, when, what it means, and whether it still holds.

    `name` is the printed name, unless it was erased; `proof` is how it was proved who signed.
    """

    seq: int
    name: str
    actor: str
    role: str
    meaning: str
    at: str
    proof: str
    holds: bool
    late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Worded:
    """A free text of a record, by what it is; `None` where it was erased."""

    name: str
    text: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """The place of a record in the ledger's tree, and whether its proof leads to the root."""

    index: int
    size: int
    holds: bool
    written_down: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One record. `why` says in a line what kept a refused one out."""

    seq: int
    at: str
    recorded: str
    event: str
    title: str
    actor: str
    role: str
    verdict: str
    why: str
    tone: Tone
    before: str
    after: str
    moved: bool
    notes: tuple[str, ...]
    sent: tuple[Sent, ...]
    said: Said | None
    signed: tuple[Signed, ...]
    unsigned: tuple[str, ...]
    hash: str
    prev: str
    sealed: Sealed | None
    texts: tuple[Worded, ...]
    body: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proofs:
    """The ledger's word on some records of a course, under one root.

    `written` is how many records the newest checkpoint covers, `None` without one.
    """

    size: int
    root: bytes
    written: int | None
    inclusions: Mapping[int, Inclusion]

    def of(self, record: Record) -> Sealed | None:
        """The place of a record in the tree; `None` while it is not sealed."""
        found = self.inclusions.get(record.seq)
        if found is None:
            return None
        return Sealed(
            index=found.index,
            size=self.size,
            holds=found.holds(record.hash, self.size, self.root),
            written_down=self.written is not None and found.index < self.written,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """Whether the stored bytes of a whole course still have their hashes and follow each other."""

    records: int
    fault: str

    @classmethod
    def of(cls, records: Sequence[Record], fault: Fault | None) -> Chain:
        """What a verification found."""
        return cls(records=len(records), fault="" if fault is None else str(fault))


@dataclass(frozen=True, kw_only=True)
class Book:
    """All records of a course, to be shown some at a time."""

    records: Sequence[Record]
    entries: Sequence[Entry]
    lexicon: Lexicon
    wording: Wording
    lacking: Lacked = field(default_factory=dict)
    proofs: Proofs | None = None
    texts: Mapping[int, Mapping[str, str]] = field(default_factory=dict)

    def line(self, seq: int, *, whole: bool = False) -> Line:
        """One record of the course; `whole` with the bytes that were hashed."""
        entry, record = self.entries[seq - 1], self.records[seq - 1]
        event = entry.body["event"]
        before, after = entry.states
        said = self._said(entry)
        return Line(
            seq=seq,
            at=_at(entry, self.wording),
            recorded=self.wording.instant(entry.recorded_at),
            event=entry.event,
            title=self.lexicon.event(entry.event),
            actor=str(event["actor"]["id"]),
            role=entry.role,
            verdict=entry.verdict,
            why=self._refusal(entry, said),
            tone=VERDICT_TONES.get(entry.verdict, Tone.PLAIN),
            before=self.lexicon.state(before),
            after=self.lexicon.state(after),
            moved=entry.moved,
            notes=tuple(_notes(entry, self.lexicon)),
            sent=tuple(self._sent(entry)),
            said=said,
            signed=tuple(self._signed(entry)),
            unsigned=tuple(map(_spoken, entry.signed.missing)),
            hash=record.hash,
            prev=record.prev_hash,
            sealed=None if self.proofs is None else self.proofs.of(record),
            texts=tuple(self._texts(entry)),
            body=_pretty(record.body) if whole else "",
        )

    def _refusal(self, entry: Entry, said: Said | None) -> str:
        if entry.verdict != "refused":
            return ""
        kept = [
            w["guard"] for a in entry.body["decision"].get("attempts", ()) for w in a["kept_by"]
        ]
        titles = [self.lexicon.guard(name) for name in dict.fromkeys(kept)]
        more = f" and {len(titles) - FEW} more" if len(titles) > FEW else ""
        if titles:
            return f"not met or not known: {'; '.join(titles[:FEW])}{more}"
        return said.below[0].text if said is not None and said.below else ""

    def _said(self, entry: Entry) -> Said | None:
        if entry.states[0] is None:
            return None
        before, after = entry.states
        age = None if entry.at is None else entry.recorded_at - entry.at
        lacking = self.lacking.get(entry.seq, {})
        seen = Seen(at=entry.at, age=age, lacking=lacking) if lacking or age else NOTHING_SEEN
        told = self.lexicon.explained(
            entry.event, entry.body["decision"], state_before=before, state=after, seen=seen
        )
        states = (self.lexicon.state(before), self.lexicon.state(after))
        return self.wording.decision(told, states)

    def _sent(self, entry: Entry) -> Iterable[Sent]:
        event, said_of = entry.body["event"], sent(entry)
        if entry.event in BEGINNINGS:
            begun = {name: event[name] for name in ("workflow", "site", "zone")}
            said_of = begun | dict(event.get("data") or {})
        fields = self.lexicon.bound(entry.event)
        impossible = self.lexicon.impossible(event)
        for name, value in said_of.items():
            of_input = fields.get(name, name)
            said = self.wording.value(plain(value))
            if entry.event not in BEGINNINGS:  # a zone and a workflow are names, and no words
                said = said.replace("_", " ")
            wrong = of_input in impossible
            range_ = self.wording.value(self.lexicon.range_of(of_input)) if wrong else ""
            struck = entry.corrected.get(of_input)
            yield Sent(
                name=self.lexicon.called(name),
                value=said,
                struck=struck,
                how="" if struck is None else corrected(entry, struck),
                impossible=range_ or ("not as measured" if wrong else ""),
            )

    def _texts(self, entry: Entry) -> Iterable[Worded]:
        """The free texts that came with it, those that were erased among them."""
        kept = self.texts.get(entry.seq, {})
        event = {**entry.body["event"], "data": _but_the_act(entry)}
        for place in _places(event):
            *_, holder, name = ("", *place)
            called = _TEXTS.get(place) or self.lexicon.called(name if name != "text" else holder)
            yield Worded(name=called, text=kept.get(".".join(place)))

    def _signed(self, entry: Entry) -> Iterable[Signed]:
        """The signatures of a record, and those that its event had before it was sent."""
        for one in entry.signed.given:
            yield Signed(
                seq=one.seq,
                name=self.texts.get(one.seq, {}).get("data.printed_name", ""),
                actor=one.actor,
                role=one.role,
                meaning=_spoken(one.meaning),
                at=self.wording.instant(one.at),
                proof=_spoken(one.proof),
                holds=one.holds,
                late=one.late,
            )


_TEXTS: Mapping[tuple[str, ...], str] = {
    ("reason", "text"): "Reason",
    ("override", "text"): "Reason of the override",
    ("data", "printed_name"): "Printed name",
}


def _but_the_act(entry: Entry) -> Mapping[str, Json]:
    """The data without the event that was signed beforehand: its texts are of its own record."""
    data: Mapping[str, Json] = entry.body["event"].get("data") or {}
    return {name: value for name, value in data.items() if entry.event != SIGNED or name != "event"}


def _places(value: Json, *place: str) -> Iterable[tuple[str, ...]]:
    """Where in an event free texts were: a record has their digests."""
    if isinstance(value, dict):
        if value.keys() == {"sha256"}:
            yield place
            return
        for name, part in value.items():
            yield from _places(part, *place, name)
    elif isinstance(value, list):
        for n, part in enumerate(value):
            yield from _places(part, *place, str(n))


def signatures(entries: Iterable[Entry]) -> list[int]:
    """The records that are signatures; their texts are the printed names."""
    return [entry.seq for entry in entries if entry.event == SIGNED]


def _at(entry: Entry, wording: Wording) -> str:
    if entry.at is not None:
        return wording.instant(entry.at)
    at = entry.body["event"]["at"]
    return plain(at) if isinstance(at, dict) else "not published"


def _notes(entry: Entry, lexicon: Lexicon) -> Iterable[str]:
    event = entry.body["event"]
    if late := lateness(entry):
        yield late
    if entry.body["decision"].get("another_open"):
        yield "stays closed: another course is open"
    if entry.corrects is not None:
        yield f"corrects record {entry.corrects}"
    for guard in entry.overridden:
        yield f"override ({event['override']['code']}): {lexicon.guard(guard)}"
    if entry.moved_by is not None:
        yield f"moved by the rule: {lexicon.guard(entry.moved_by)}"
    if code := (event.get("reason") or {}).get("code"):
        yield f"reason: {_spoken(code)}"
    for seq in entry.marks.differs_by:
        yield f"would differ with correction {seq}"
    for seq in entry.marks.differs_by_late:
        yield f"would differ with late entry {seq}"
    for seq in entry.marks.addenda:
        yield f"addendum in {seq}"


def _spoken(code: str) -> str:
    return code.replace("-", " ").replace("_", " ")


def _pretty(body: bytes) -> str:
    return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
