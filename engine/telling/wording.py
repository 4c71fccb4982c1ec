"""Words for decisions and findings: the one place where data becomes sentences.

What comes out are lines with lines below them, still without colour or width; `ink` draws them. No
sentence here knows a workflow: titles, citations and units come from the course's own definition.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from engine.core.encoding import Json, instant_from
from engine.core.machine import Machine
from engine.core.outcome import Reason
from engine.telling.deciding import TIMES
from engine.telling.explanation import (
    Advised,
    Cited,
    Comparison,
    Explained,
    Lack,
    Question,
    Told,
    Unmet,
    Way,
)
from engine.telling.units import written


class Tone(StrEnum):
    """What kind of line it is; `ink` gives each a mark and a colour."""

    PLAIN = "plain"
    HEAD = "head"
    QUIET = "quiet"
    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"
    DEVIATION = "deviation"
    OVERRIDE = "override"
    RULE = "rule"
    ADVICE = "advice"
    SOURCE = "source"
    OWN = "own"
    """A source that is an inference or a local decision: shown as such, wherever it is shown."""


@dataclass(frozen=True, slots=True)
class Said:
    """A line, what is told beside it in small, and what is told below it."""

    text: str
    tone: Tone = Tone.PLAIN
    below: tuple[Said, ...] = ()
    aside: str = ""

    def lines(self, depth: int = 0) -> list[str]:
        """The lines as plain text, indented."""
        aside = f"  [{self.aside}]" if self.aside else ""
        own = [f"{'  ' * depth}{self.text}{aside}"]
        return own + [line for said in self.below for line in said.lines(depth + 1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """Sentences for one course: times are those of its site's wall.

    `quoting` is how long a citation may be before it is cut; `called` gives the title of an event
    for whoever does not send it, else its name is said.
    """

    zone: ZoneInfo
    retrospective: bool = False
    not_published: str | None = None
    quoting: int | None = None
    called: Callable[[str], str] | None = None

    @classmethod
    def of(
        cls,
        row: Mapping[str, Any],
        machine: Machine,
        *,
        called: Callable[[str], str] | None = None,
    ) -> Wording:
        """The wording of a course, from its row and the definition that it is pinned to."""
        return cls(
            zone=ZoneInfo(row["zone"]),
            retrospective=row["retrospective"],
            not_published=machine.workflow.not_published,
            called=called,
        )

    def decision(self, told: Explained, states: tuple[str, str], *, would: bool = False) -> Said:
        """A decision with everything that it rests on; `states` are titles, before and after.

        `would` tells of an event that was only tried.
        """
        before, after = states
        below: list[Said] = []
        if told["verdict"] == "refused":
            below += self._refusal(told, before)
        else:
            moved = f"{before} → {after}" if before != after else f"stays: {after}"
            below.append(Said(moved, Tone.PLAIN))
            if told["verdict"] == "deviation":
                below += self._deviation(told)
            below += [self.overridden(one) for one in told["overridden"]]
            below += [self.rule(one) for one in told["rules"]]
            below += [self._advice(one) for one in told["advice"]]
            below += [self.question(one) for one in told["questions"]]
        late = ", entered late" if told["late"] else ""
        verdict = (WOULD if would else VERDICTS)[told["verdict"]]
        head = f"{verdict}{late}: {told['title']}"
        return Said(head, _TONES[told["verdict"]], tuple(below), told["event"])

    def unmet(self, one: Unmet) -> Said:
        """A requirement that is not met: why, on what it rests, who may override it."""
        below = (*self._why(one), self._source(one["citation"]), Said(self._override(one)))
        return Said(one["title"], _weighed(one), below, one["guard"])

    def kept(self, kept_by: Sequence[Unmet]) -> list[Said]:
        """Requirements that are not met; what several have in common is told once."""
        said: list[Said] = []
        told_source: Cited | None = None
        for one in kept_by:
            again = one["citation"] == told_source
            told_source = one["citation"]
            source = Said("as above", Tone.SOURCE) if again else self._source(told_source)
            said.append(Said(one["title"], _weighed(one), (*self._why(one), source), one["guard"]))
        overrides: dict[str, list[str]] = {}
        for one in kept_by:
            overrides.setdefault(self._override(one), []).append(one["guard"])
        ranked = sorted(overrides.items(), key=lambda item: len(item[1]))
        for n, (override, guards) in enumerate(ranked, start=1):
            others = n == len(ranked) > 1 and len(guards) > 1
            whose = f"The {len(guards)} others" if others else ", ".join(guards)
            said.append(Said(f"{whose}: {override}" if len(ranked) > 1 else override))
        return said

    def overridden(self, one: Unmet) -> Said:
        """A requirement that was passed by an override, and as what."""
        said = "was not met" if one["verdict"] == "no" else "could not be weighed"
        head = f"Passed by override although it {said}: {one['title']}"
        below = (*self._why(one), self._source(one["citation"]))
        return Said(head, Tone.OVERRIDE, below, one["guard"])

    def rule(self, one: Told) -> Said:
        """A rule that holds, what it asks for, and the advice.

        Of what it compared, the readings are told, where there are any.
        """
        moved = "; this moved the course" if one["moved"] else ""
        compared = [c for c in one["comparisons"] if c["op"] != "is known"]
        readings = [c for c in compared if c["record"] and not c["what"].startswith(TIMES)]
        below = [Said(self._compared(c)) for c in readings or compared]
        below += [self._advice(advice) for advice in one["advice"]]
        if one["citation"] not in [advice["citation"] for advice in one["advice"]]:
            below.append(self._source(one["citation"]))
        head = f"{one['action_title']}: {one['title']}{moved}"
        return Said(head, Tone.RULE, tuple(below), one["rule"])

    def question(self, one: Question) -> Said:
        """A rule that could not be weighed, and what it waits for."""
        below = [Said(f"waits for {self.lack(lack)}") for lack in one["waits_for"]]
        head = f"Open question ({one['action']}): {one['title']}"
        return Said(head, Tone.UNKNOWN, tuple(below), one["rule"])

    def lack(self, one: Lack) -> str:
        """What is missing, why, and which event would bring it."""
        why = self._unusable(one)
        brought = one["why"] not in ("not-sent", "undated") and one["sent_by"]
        events = one["sent_by"]
        if self.called is not None:
            events = [f"“{self.called(name)}”" for name in events]
        how = f"; {either(events)} would bring it" if brought else ""
        return f"{one['title']}: {why}{how}"

    def _unusable(self, one: Lack) -> str:
        why = _WHY.get(one["why"], one["why"])
        record = f" (record {one['record']})" if one["record"] is not None else ""
        if one["why"] == "impossible" and one["value"] is not None:
            range_ = f", possible is {self.value(one['range'])}" if one["range"] else ""
            return f"{self.value(one['value'])} is physically impossible{range_}{record}"
        if one["max_age"] is not None:
            age = f"{one['age']} old, " if one["age"] is not None else ""
            return f"{age}may be at most {one['max_age']}{record}: {why}"
        return why

    def short(self, one: Unmet) -> str:
        """A requirement that is not met, in half a line."""
        if one["verdict"] == "no":
            return f"not met: {one['title']}"
        names = [lack["title"] for lack in one["missing"]]
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        tail = f" (waits for {names[0]}{more})" if names else ""
        return f"unknown: {one['title']}{tail}"

    def instant(self, at: datetime | str | None) -> str:
        """A time on the site's wall, to the minute."""
        if at is None:
            return "not published"
        instant = instant_from(at) if isinstance(at, str) else at
        return instant.astimezone(self.zone).strftime("%Y-%m-%d %H:%M")

    def value(self, said: str | None) -> str:
        """A value of a finding: times on the wall, units as people write them."""
        if said is None:
            return "not known"
        return _INSTANT.sub(lambda found: self.instant(_utc(found.group())), written(said))

    def _refusal(self, told: Explained, before: str) -> list[Said]:
        reason = told["reason"] or ""
        said = [Said(because(reason) + _how_old(told))]
        if reason == Reason.ILLEGAL_TRANSITION:
            possible = either(told["possible_in"]) or "no state"
            return [Said(f"Not foreseen in the state “{before}”; it is in: {possible}.")]
        ways = told["ways"]
        return said + [line for way in ways for line in self._way(way, among=len(ways))]

    def _way(self, way: Way, *, among: int) -> list[Said]:
        kept = self.kept(way["kept_by"])
        if among == 1:
            return kept
        where = f" to “{way['target_title']}”" if way["target"] else ""
        return [Said(f"The way “{way['transition']}”{where} is closed by:", below=tuple(kept))]

    def _deviation(self, told: Explained) -> list[Said]:
        if told["another_open"]:
            return [
                Said("What happened is recorded; the course stays closed."),
                Said("The patient has another open course of this workflow: end one of the two."),
            ]
        said = [Said("What happened is recorded; the course goes to the safe side.")]
        foreseen = [way for way in told["ways"] if not way["deviation"]]
        if not foreseen:
            said.append(Said("This state does not foresee it."))
        for one in (one for way in foreseen for one in way["kept_by"]):
            below = (*self._why(one), self._source(one["citation"]))
            said.append(Said(one["title"], _weighed(one), below, one["guard"]))
        return said

    def _why(self, one: Unmet) -> list[Said]:
        weighed = [c for c in one["comparisons"] if c["verdict"] != "unknown" and c["decides"]]
        # Why something is not known says more than that it is not; it is told once.
        reasoned = {lack["title"] for lack in one["missing"] if lack["why"] != "missing"}
        weighed = [c for c in weighed if c["op"] != "is known" or c["title"] not in reasoned]
        compared = [self._compared(c) for c in weighed]
        reasons = list(dict.fromkeys(compared))
        # A comparison that says "not known" already says what is missing.
        said = {c["title"] for c in weighed if c["op"] == "is known"}
        reasons += [self.lack(lack) for lack in one["missing"] if lack["title"] not in said]
        if len(reasons) < 2:
            return [Said(reason) for reason in reasons]
        asks = Said(f"asks: {self.value(one['condition'])}", Tone.QUIET)
        alternatives = [Said("one of these would do:")] if one["any_will_do"] and compared else []
        return [asks, *alternatives, *map(Said, reasons)]

    def _compared(self, one: Comparison) -> str:
        title = one["title"]
        needed = f"; must be {self._limit(one['needed'])}" if one["needed"] else ""
        taken = f" ({self._taken(one)})" if one["record"] is not None else ""
        if one["op"] == "window":
            return f"{title}: {self.value(one['value'])}{taken}"
        if one["op"] == "is known":
            return f"{title} is {'known' if one['verdict'] == 'yes' else 'not known'}"
        if needed or one["op"] == "is":
            return f"{title} is {self.value(one['value'])}{taken}{needed}"
        said = self._limit(f"{one['op']} {one['threshold']}")
        return f"{title} is {self.value(one['value'])}, {said}{taken}"

    def _limit(self, said: str) -> str:
        """`<= max_dose = 22 M[IU]` as `at most 22 million international units (max_dose)`."""
        op, _, limit = said.partition(" ")
        name, told, value = limit.partition(" = ")
        words = _OPERATORS.get(op, op)
        words = f"{words} " if words else ""
        if not told:
            return f"{words}{self.value(limit)}"
        found = None if value == "None" else value
        return f"{words}{self.value(found)} ({name})"

    def _taken(self, one: Comparison) -> str:
        at = f", {self.instant(one['at'])}" if one["at"] else ""
        return f"record {one['record']}{at}"

    def _advice(self, one: Advised) -> Said:
        below = (self._source(one["citation"]),) if one["citation"] is not None else ()
        return Said(one["text"], Tone.ADVICE, below)

    def _source(self, cited: Cited) -> Said:
        own = cited["provenance"] in ("inferred", "local")
        kind = PROVENANCE.get(cited["provenance"], cited["provenance"])
        text = cited["text"]
        if self.quoting is not None and len(text) > self.quoting:
            text = f"{text[: self.quoting].rsplit(' ', 1)[0]} …"
        quoted = text if own else f"“{text}”"
        return Said(f"{kind}: {cited['source']}: {quoted}", Tone.OWN if own else Tone.SOURCE)

    def _override(self, one: Unmet) -> str:
        unpublished = (
            self.retrospective and one["verdict"] == "unknown" and self.not_published is not None
        )
        told = []
        if one["soft"]:
            told.append(
                f"May be overridden by {either(one['roles'])}, with one of: "
                f"{', '.join(one['codes'])}."
            )
        elif not unpublished:
            told.append("No override passes it.")
        if unpublished:
            told.append(f"In a retrospective course, {self.not_published} passes what is unknown.")
        return " ".join(told)


def either(names: Sequence[str], word: str = "or") -> str:
    """`a`, `a or b`, `a, b or c`."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} {word} {names[-1]}"


def plain(value: Json) -> str:
    """A value as it was sent: `120 mm[Hg]`, `yes`, `not published`."""
    if isinstance(value, dict):
        if value.keys() == {"sha256"}:
            return "(text)"
        if "value" in value and value["value"] is None:
            return str(value.get("reason", "not known")).replace("-", " ")
        if "value" in value:
            over = f" over {plain(value['over'])}" if "over" in value else ""
            return f"{plain(value['value'])} {value.get('unit', '')}".strip() + over
        return ", ".join(f"{name} {plain(part)}" for name, part in value.items())
    if isinstance(value, list):
        return "; ".join(plain(part) for part in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "unset" if value is None else str(value)


def why(flaw: str) -> str:
    """Why something could not be used."""
    return _WHY.get(flaw, flaw)


def day(on: date) -> str:
    """A date with its day of the week: people plan by both."""
    return on.strftime("%a %Y-%m-%d")


VERDICTS = {"accepted": "Accepted", "deviation": "Recorded as a deviation", "refused": "Refused"}
WOULD = {
    "accepted": "Would be accepted",
    "deviation": "Would be recorded as a deviation",
    "refused": "Would be refused",
}
PROVENANCE = {
    "paper": "paper",
    "published": "another publication",
    "inferred": "INFERRED, not printed in the source",
    "local": "LOCAL DECISION",
}
_TONES = {"accepted": Tone.YES, "deviation": Tone.DEVIATION, "refused": Tone.NO}


def because(reason: str) -> str:
    """The reason of a refusal as a sentence; one that names its state is for `Wording` to tell."""
    return _REASONS.get(reason, reason.replace("-", " "))


_REASONS = {
    Reason.NO_SUCH_FINDING.value: "No such finding is open: somebody has disposed of it already.",
    Reason.GUARD_FAILED.value: "A requirement is not met.",
    Reason.UNDECIDED.value: "Undecided: a requirement could not be weighed.",
    Reason.OVERRIDE_NOT_PERMITTED.value: "The override names a guard that it may not pass.",
    Reason.TOO_OLD.value: "Its time lies further back than this request allows.",
    Reason.UNSIGNED.value: "All else would be granted, but it lacks a signature: sign it first.",
    Reason.ALTERED.value: "It is not what was signed beforehand.",
    Reason.SAME_SIGNER.value: "Another person has to sign, and somebody who has not signed yet.",
    Reason.NOT_A_SIGNER.value: "Nobody asks this person for a signature that means this.",
    Reason.LEGAL_HOLD.value: "A legal hold is in force: nothing may be erased.",
    Reason.NO_SUCH_HOLD.value: "There is no legal hold of that name.",
}
_WHY = {
    "missing": "not recorded",
    "stale": "too old",
    "impossible": "physically impossible as recorded",
    "entered-in-error": "entered in error",
    "not-published": "not published",
    "unset": "not stated",
    "not-sent": "not sent with the event",
    "undated": "has no time",
    "incomplete": "too few readings, or not covered throughout",
}
_OPERATORS = {
    "<": "below",
    "<=": "at most",
    ">": "above",
    ">=": "at least",
    "==": "",
    "!=": "other than",
}
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)")


def _how_old(told: Explained) -> str:
    """How far back the time of a request lies, and may lie."""
    if told["max_age"] is None:
        return ""
    found = f"; it lies {told['age']} back" if told["age"] is not None else ""
    return f" At most {told['max_age']}{found}."


def _utc(said: str) -> str:
    return said.replace("+00:00", "Z")


def _weighed(one: Unmet) -> Tone:
    return Tone.NO if one["verdict"] == "no" else Tone.UNKNOWN
