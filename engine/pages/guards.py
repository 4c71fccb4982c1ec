"""What each guard came to in courses, of late and before, and whether one has stopped firing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from engine.core.encoding import instant_from
from engine.core.machine import Machine
from engine.counted import Report
from engine.guard_rates import Use
from engine.guard_report import PARTS
from engine.silence import Tone
from engine.telling.lexicon import Lexicon
from engine.telling.seen import elapsed

WIDE = 240
"""How wide a bar is drawn."""
LATER, EARLIER = 1, 0
"""The periods, as they are counted."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a bar: from where on, how wide, and what it is."""

    x: float
    width: float
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What a guard came to in the courses of one period, each course once."""

    courses: int
    acted: int = 0
    overridden: int = 0
    undecided: int = 0
    quiet: int = 0

    @property
    def not_asked(self) -> int:
        """In how many courses nobody asked."""
        return max(self.courses - self.acted - self.overridden - self.undecided - self.quiet, 0)

    @property
    def asked(self) -> int:
        """In how many courses it was asked."""
        return self.courses - self.not_asked

    def pieces(self) -> tuple[Piece, ...]:
        """The same as parts of a bar; what was not asked is left empty."""
        found, x = [], 0.0
        for kind in PARTS:
            width = WIDE * getattr(self, kind) / self.courses if self.courses else 0.0
            if width:
                found.append(Piece(round(x, 1), round(max(width, 1.5), 1), kind))
            x += width
        return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """One guard: of late, and before."""

    title: str
    name: str
    rule: bool
    action: str
    later: Share
    earlier: Share

    @property
    def said(self) -> str:
        """The picture in words."""
        acted = "fired" if self.rule else "kept it closed"
        told = [
            f"{when} in {share.acted} of {share.courses} courses it {acted}"
            f"{'' if self.rule else f', overridden in {share.overridden}'}, "
            f"undecided in {share.undecided}, not asked in {share.not_asked}"
            for when, share in (("of late", self.later), ("before", self.earlier))
        ]
        return "; ".join(told)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """A rule that has stopped firing, or of which there is too little to tell."""

    workflow: str
    title: str
    name: str
    before: tuple[int, int]
    after: tuple[int, int]
    undecided: int
    chance: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A definition that courses followed in either period."""

    label: str
    digest: str
    here: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Guards:
    """The whole page. `alarms` is `None` for who sees some sites only: they are of every site."""

    counted: str
    age: str
    since: str
    level: str
    versions: tuple[Version, ...]
    courses: tuple[int, int]
    rules: tuple[Guard, ...]
    requirements: tuple[Guard, ...]
    alarms: tuple[Alarm, ...] | None
    unsure: tuple[Alarm, ...]
    tones: Mapping[str, int]


@dataclass(slots=True)
class _Sum:
    """Counts of a definition over the sites that somebody may see."""

    courses: list[int] = field(default_factory=lambda: [0, 0])
    guards: dict[tuple[str, str], list[list[int]]] = field(default_factory=dict)

    def add(self, site: Mapping[str, Any]) -> None:
        for period, number in enumerate(site["courses"]):
            self.courses[period] += number
        for use, name, *periods in site["guards"]:
            parts = self.guards.setdefault((use, name), [[0] * len(PARTS), [0] * len(PARTS)])
            for mine, more in zip(parts, periods, strict=True):
                mine[:] = [one + other for one, other in zip(mine, more, strict=True)]


def guards(
    report: Report,
    machines: Mapping[str, Machine],
    *,
    chosen: str,
    sites: frozenset[str] | None,
    now: datetime,
) -> Guards:
    """The page of a report, for who sees some sites, of one definition or the most followed."""
    sums: dict[str, _Sum] = {}
    for digest, one in report.document["definitions"].items():
        for site, counts in one["sites"].items():
            if digest in machines and (sites is None or site in sites):
                sums.setdefault(digest, _Sum()).add(counts)
    by_courses = sorted(sums, key=lambda digest: -sum(sums[digest].courses))
    here = chosen if chosen in sums else next(iter(by_courses), "")
    found = sums.get(here, _Sum())
    told = list(_guards(found, machines[here])) if here else []
    rules = report.document["rules"] if sites is None else []
    by_name = {machine.workflow.name: Lexicon(machine) for machine in machines.values()}
    return Guards(
        counted=f"{report.at:%Y-%m-%d %H:%M} UTC",
        age=elapsed(now - report.at),
        since=f"{instant_from(report.document['since']):%Y-%m-%d}",
        level=report.document["level"],
        versions=tuple(
            Version(label=machines[digest].workflow.label, digest=digest, here=digest == here)
            for digest in by_courses
        ),
        courses=(found.courses[LATER], found.courses[EARLIER]),
        rules=_ordered(one for one in told if one.rule),
        requirements=_ordered(one for one in told if not one.rule),
        alarms=None if sites is not None else tuple(_alarms(rules, Tone.ALARM, by_name)),
        unsure=tuple(_alarms(rules, Tone.TOO_LITTLE, by_name)),
        tones={tone: sum(one["tone"] == tone for one in rules) for tone in Tone},
    )


def _guards(found: _Sum, machine: Machine) -> Iterator[Guard]:
    """Every guard of a definition, those that nobody asked too."""
    lexicon = Lexicon(machine)
    actions = {rule.guard: rule.action for rule in machine.workflow.rules}
    needed = {r.guard for t in machine.workflow.transitions for r in t.requires}
    for use, names in ((Use.RULE, actions), (Use.REQUIREMENT, needed)):
        for name in names:
            parts = found.guards.get((use.value, name), [[0] * len(PARTS), [0] * len(PARTS)])
            yield Guard(
                title=lexicon.guard(name),
                name=name,
                rule=use is Use.RULE,
                action=lexicon.action(actions[name]) if use is Use.RULE else "",
                later=_share(found.courses, parts, LATER),
                earlier=_share(found.courses, parts, EARLIER),
            )


def _share(courses: Sequence[int], parts: Sequence[Sequence[int]], period: int) -> Share:
    return Share(courses=courses[period], **dict(zip(PARTS, parts[period], strict=True)))


def _ordered(found: Iterable[Guard]) -> tuple[Guard, ...]:
    """Those that did most of late first, then those that did before."""

    def did(one: Guard) -> tuple[int, ...]:
        return tuple(
            -getattr(share, kind)
            for share in (one.later, one.earlier)
            for kind in ("acted", "overridden", "undecided", "quiet")
        )

    return tuple(sorted(found, key=lambda one: (*did(one), one.title)))


def _alarms(
    rules: Iterable[Mapping[str, Any]], tone: Tone, lexicons: Mapping[str, Lexicon]
) -> Iterator[Alarm]:
    for one in rules:
        if one["tone"] != tone:
            continue
        lexicon = lexicons.get(one["workflow"])
        yield Alarm(
            workflow=one["workflow"],
            title=one["rule"] if lexicon is None else lexicon.guard(one["rule"]),
            name=one["rule"],
            before=(one["before"]["fired"], one["before"]["courses"]),
            after=(one["after"]["fired"], one["after"]["courses"]),
            undecided=one["after"]["undecided"],
            chance=one["chance"],
        )
