"""Review work: what somebody has to look at, in words, and what was made of a record."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from engine.core.event import REVIEWED
from engine.core.marks import LATE_AFTER
from engine.core.outcome import Reason
from engine.core.review import (
    ACCEPTED,
    ACTED_ON,
    COMMENT,
    ESCALATED,
    QUEUES,
    SIGNED_OFF,
    Item,
    Queue,
    last_sign_off,
)
from engine.pages.records import Book
from engine.permission import Caller, Role
from engine.review import Candidate, guards_of
from engine.service import Place
from engine.telling.entry import Entry
from engine.telling.lexicon import Lexicon
from engine.telling.seen import elapsed
from engine.telling.wording import Tone, Wording, because, either

Texts = Mapping[int, Mapping[str, str]]
"""Free texts, by record and by their place in it."""

NAMES: Mapping[Queue, str] = {
    Queue.OPEN_FINDING: "Open findings",
    Queue.DEVIATION: "Deviations",
    Queue.OVERRIDE: "Overrides",
    Queue.LATE_ENTRY: "Late entries",
    Queue.REFUSAL: "Refusals",
}
TONES: Mapping[Queue, Tone] = {
    Queue.OPEN_FINDING: Tone.DEVIATION,
    Queue.DEVIATION: Tone.DEVIATION,
    Queue.OVERRIDE: Tone.OVERRIDE,
    Queue.LATE_ENTRY: Tone.UNKNOWN,
    Queue.REFUSAL: Tone.NO,
}
MEANINGS: Mapping[str, tuple[str, str]] = {
    ACCEPTED: ("Accepted", "I looked at it, and it stands as it is."),
    ACTED_ON: ("Acted on", "Something was done about it: the comment says what."),
    ESCALATED: ("Escalated", "Somebody else has to look as well: it stays in its queue."),
}
"""What a sign-off says in the name of whoever sends it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What the queues are narrowed to, as it was asked for; an empty text asks for nothing."""

    site: str = ""
    workflow: str = ""

    @property
    def any(self) -> bool:
        """Whether anything was chosen."""
        return any(asdict(self).values())

    def path(self, queue: Queue, **more: str) -> str:
        """The page of a queue with the same choices."""
        said = {"queue": queue.value, **asdict(self), **more}
        return f"/review?{urlencode({name: value for name, value in said.items() if value})}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    """A queue as the line at the top names it, with how many wait in it."""

    name: str
    path: str
    count: str
    empty: bool
    here: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A record that waits to be looked at."""

    path: str
    title: str
    course: str
    site: str
    state: str
    seq: int
    since: str
    zone: str
    age: str
    who: str
    causes: tuple[str, ...]
    tone: Tone
    asked: str
    escalated: str
    mine: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOff:
    """What somebody made of a record, which is a record of its own."""

    seq: int
    outcome: str
    tone: str
    who: str
    role: str
    at: str
    comment: str
    queues: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A queue that a record is in, or was."""

    queue: Queue
    name: str
    why: str
    open: bool
    escalated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """The form as it was filled in, and what is wrong with that."""

    outcome: str = ""
    comment: str = ""
    queue: str = ""
    role: str = ""
    wrong: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What has been made of a record, and whether the one who looks may sign it off.

    `seen` names what the form was made on: the last sign-off of it. `barred` says why there is no
    form, where there is something to look at.
    """

    queues: tuple[Waiting, ...]
    done: tuple[SignOff, ...]
    roles: tuple[str, ...]
    who: str
    seen: int
    barred: str
    filled: Filled

    @property
    def to_sign(self) -> tuple[Waiting, ...]:
        """The queues in which a sign-off would count."""
        return tuple(one for one in self.queues if one.open and one.queue in SIGNED_OFF)


@dataclass(frozen=True, slots=True, kw_only=True)
class Onward:
    """Where somebody goes on who looks through a queue."""

    queue: Queue
    name: str
    back: str
    next: str


def onward(queue: Queue, behind: Candidate | None) -> Onward:
    """The queue, and what is behind a record in it."""
    return Onward(
        queue=queue,
        name=NAMES[queue],
        back=Choices().path(queue),
        next="" if behind is None else path_of(behind),
    )


def path_of(one: Candidate) -> str:
    """The page on which a record of a queue is looked at, and signed off."""
    queue = one.item.queue.value
    return f"/courses/{one.record.course}/records/{one.item.seq}?queue={queue}#review"


def tabs(
    counts: Mapping[Queue, tuple[int, bool]], here: Queue, choices: Choices
) -> tuple[Tab, ...]:
    """Every queue, the most pressing first."""
    return tuple(
        Tab(
            name=NAMES[queue],
            path=choices.path(queue),
            count=f"{count}{'+' if more else ''}",
            empty=not count,
            here=queue is here,
        )
        for queue, (count, more) in counts.items()
    )


def row(one: Candidate, place: Place, caller: Caller, now: datetime) -> Row:
    """A record of a queue in words."""
    lexicon = Lexicon(place.machine)
    wording = Wording.of(place.row, place.machine)
    body, item = json.loads(one.record.body), one.item
    actor = body["event"]["actor"]
    mine = ""
    if item.queue in SIGNED_OFF:
        mine = _barred(caller, actor["id"], [item])
    return Row(
        path=path_of(one),
        title=lexicon.event(one.record.event),
        course=one.record.course,
        site=one.site,
        state=lexicon.state(body["state"][1]),
        seq=item.seq,
        since=wording.instant(item.recorded_at),
        zone=place.row["zone"],
        age=elapsed(now - item.recorded_at),
        who=f"{actor['id']}, {actor['role']}",
        causes=tuple(_causes(one, body, place)),
        tone=TONES[item.queue],
        asked=asked(place, item.queue),
        escalated=item.reviewers[-1] if item.outcome == ESCALATED else "",
        mine=mine,
    )


def asked(place: Place, queue: Queue) -> str:
    """In which roles somebody is asked to look."""
    roles = list(place.machine.workflow.disposers)
    if queue in SIGNED_OFF:
        roles = list(dict.fromkeys([*roles, Role.AUDITOR.value]))
    return either(roles)


def review(
    items: Iterable[Item],
    book: Book,
    seq: int,
    *,
    caller: Caller,
    place: Place,
    comments: Texts,
    filled: Filled,
) -> Review:
    """What has been made of a record of a book, and what its reader may make of it."""
    found = sorted(items, key=lambda item: list(QUEUES).index(item.queue))
    actor = book.entries[seq - 1].body["event"]["actor"]["id"]
    signed = [item for item in found if item.open and item.queue in SIGNED_OFF]
    roles = roles_of(caller, place)
    barred = ""
    if signed:
        barred = _barred(caller, actor, signed)
        if not barred and not roles:
            barred = f"You may look. It is signed off by {asked(place, signed[0].queue)}."
    return Review(
        queues=tuple(
            Waiting(
                queue=item.queue,
                name=NAMES[item.queue],
                why=QUEUES[item.queue],
                open=item.open,
                escalated=item.outcome == ESCALATED,
            )
            for item in found
        ),
        done=tuple(_signed_off(book, seq, comments)),
        roles=roles,
        who=caller.id,
        seen=last_sign_off(found) or 0,
        barred=barred,
        filled=filled,
    )


def roles_of(caller: Caller, place: Place) -> tuple[str, ...]:
    """The roles in which a caller may sign off a record of a course; an auditor's first."""
    known = (Role.AUDITOR.value, *place.machine.workflow.disposers)
    return tuple(role for role in dict.fromkeys(known) if role in caller.claimable)


def sign_offs(entries: Iterable[Entry], seq: int) -> list[int]:
    """The records that sign a record off; their texts are the comments."""
    return [one.seq for one in _reviewing(entries, seq)]


def _reviewing(entries: Iterable[Entry], seq: int) -> Iterator[Entry]:
    for one in entries:
        if one.event == REVIEWED and one.body["event"]["data"]["record"] == seq:
            yield one


def _signed_off(book: Book, seq: int, comments: Texts) -> Iterator[SignOff]:
    for one in _reviewing(book.entries, seq):
        event = one.body["event"]
        data = event["data"]
        queue = data.get("queue")
        yield SignOff(
            seq=one.seq,
            outcome=MEANINGS[data["outcome"]][0],
            tone="unknown" if data["outcome"] == ESCALATED else "yes",
            who=event["actor"]["id"],
            role=event["actor"]["role"],
            at=book.wording.instant(one.recorded_at),
            comment=comments.get(one.seq, {}).get(COMMENT, ""),
            queues="" if queue is None else NAMES[Queue(queue)],
        )


def _barred(caller: Caller, actor: str, items: Iterable[Item]) -> str:
    """Why a caller may not sign off, whatever it is."""
    if caller.id == actor:
        return "You acted in it: somebody else looks at it."
    if any(caller.id in item.reviewers for item in items):
        return "You signed it off already: somebody else looks at it."
    return ""


def _causes(one: Candidate, body: Mapping[str, Any], place: Place) -> Iterator[str]:
    """Why a record is in its queue."""
    decision, event, lexicon = body["decision"], body["event"], Lexicon(place.machine)
    queue = one.item.queue
    if queue is Queue.OPEN_FINDING:
        seqs = [str(differing["record"]) for differing in event["data"]["differing"]]
        records = "record" if len(seqs) == 1 else "records"
        yield f"{records} {either(seqs, 'and')} would have been decided otherwise"
        return
    if queue is Queue.LATE_ENTRY:
        if decision.get("late"):
            yield "something later had been recorded before"
        at, recorded = one.record.at, one.record.recorded_at
        if at is not None and recorded - at > LATE_AFTER and not place.row["retrospective"]:
            yield f"recorded {elapsed(recorded - at)} after it happened"
        return
    guards = guards_of(decision, queue)
    yield from (lexicon.guard(guard) for guard in guards)
    if queue is Queue.OVERRIDE:
        yield f"reason given: {str(event['override']['code']).replace('-', ' ')}"
    elif not guards:
        before = lexicon.state(body["state"][0])
        reason = str(decision.get("reason") or "")
        illegal = reason == Reason.ILLEGAL_TRANSITION
        yield (
            f"not foreseen in the state “{before}”"
            if queue is Queue.DEVIATION or illegal
            else because(reason)
        )
