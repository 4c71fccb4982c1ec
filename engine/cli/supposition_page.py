"""How an answer of `what-if` looks in a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rich.console import Console
from rich.table import Table

from engine.cli.notes import records_text
from engine.core.encoding import Json
from engine.core.machine import Machine
from engine.core.supposition import Why
from engine.core.what_if import Policy
from engine.telling.supposing import MEANING, cannot

SHOWN = 15
"""How many lines of a table are shown to a person, the most telling first."""


def page(out: Console, answer: Mapping[str, Json], machines: Iterable[Machine]) -> None:
    """Everything that a person needs to see first; the rest is in the JSON."""
    meaning = MEANING[Policy(answer["policy"])]
    out.print(f"Policy {answer['policy']}: {meaning}.", soft_wrap=True)
    for one in answer["parameters"]:
        out.print(f"  {one['parameter']}: {one['before']} → {one['after']}", soft_wrap=True)
    if answer["definition"] is not None:
        out.print(f"  definition: {answer['definition']}", soft_wrap=True)
    out.print(
        f"{_courses_text(answer['courses'])}, {records_text(answer['records'])}, "
        f"{answer['judged']} judged: {_courses_text(answer['diverged'])} "
        f"{'diverges' if answer['diverged'] == 1 else 'diverge'}, "
        f"{answer['decisions_flipped']} decisions would be different.",
        style="bold",
        soft_wrap=True,
    )
    for workflow, courses in answer["of_another_workflow"].items():
        told = _courses_text(courses)
        out.print(f"Not asked: {told} of {workflow}, which it does not concern.")
    if answer["decisions"]:
        out.print(_decisions(answer["decisions"]))
    if answer["guards"]:
        out.print(_guards(answer["guards"], machines))
    if answer.get("by_course"):
        _courses(out, answer["by_course"])
    _not_judged(out, answer)
    for one in answer["unreadable"]:
        out.print(f"{one['course']}: {one['what']}", style="red", soft_wrap=True)


def _courses_text(number: int) -> str:
    return "1 course" if number == 1 else f"{number} courses"


def _decisions(decisions: Sequence[Json]) -> Table:
    table = Table("Decisions as recorded", "Now", "Times", box=None)
    table.columns[2].justify = "right"
    for one in decisions[:SHOWN]:
        table.add_row(one["recorded"], one["again"], str(one["times"]))
    if len(decisions) > SHOWN:
        table.add_row(f"and {len(decisions) - SHOWN} more: --json", "", "", style="dim")
    return table


def _guards(guards: Sequence[Json], machines: Iterable[Machine]) -> Table:
    titles = {name: guard.title for m in machines for name, guard in m.guards.items()}
    table = Table("Guard", "Name", "Weighed", "Now", "Decisions", "Courses", box=None)
    table.columns[4].justify = table.columns[5].justify = "right"
    lines = [(guard, flip) for guard in guards for flip in guard["flips"]]
    for guard, flip in lines[:SHOWN]:
        table.add_row(
            titles.get(guard["guard"], guard["guard"]),
            f"{guard['guard']} ({guard['use']})",
            flip["recorded"],
            flip["again"],
            str(flip["times"]),
            str(guard["courses"]),
        )
    if len(lines) > SHOWN:
        table.add_row(f"and {len(lines) - SHOWN} more: --json", *[""] * 5, style="dim")
    return table


def _courses(out: Console, courses: Sequence[Json]) -> None:
    """The first difference of each course; of one or two courses all of them."""
    whole = len(courses) <= 2
    lines = [
        f"  {course['course']} {_told(one)}"
        for course in courses
        for one in (course["divergences"] if whole else course["divergences"][:1])
    ]
    if lines:
        out.print("All differences" if whole else "The first difference of each course")
    for line in lines[:SHOWN]:
        out.print(line, soft_wrap=True)
    if len(lines) > SHOWN:
        out.print(f"  and {len(lines) - SHOWN} more: --json", style="dim")


def _told(one: Json) -> str:
    """One difference on one line."""
    place = f"after record {one['seq']}" if one["recorded"] is None else f"record {one['seq']}"
    recorded, again = _said(one["recorded"]), _said(one["again"])
    if not one["judged"]:
        again = f"{again}, not judged"
    said = recorded if recorded == again else f"{recorded}, now {again}"
    return f"{place}, {one['event']}: {said}; {_in_what(one)}"


def _said(outcome: Json) -> str:
    if outcome is None:
        return "no such timer in the record"
    if outcome["verdict"] == "refused":
        return f"refused ({outcome['reason']})"
    return f"{outcome['verdict']} → {outcome['state']}" if outcome["moved"] else outcome["verdict"]


def _in_what(divergence: Json) -> str:
    """The guards that turned; else what else differs."""
    turned = [f"{f['guard']} {f['recorded']} → {f['again']}" for f in divergence["flips"]]
    turned += [f"remembers another {name}" for name in divergence["remembered"]]
    turned += [f"{w['name']}: {w['recorded']} → {w['again']}" for w in divergence["waits"]]
    turned += [f"advises {name}" for name in divergence["advice_gained"]]
    turned += [f"no longer advises {name}" for name in divergence["advice_lost"]]
    told = ", ".join(turned[:3]) or ", ".join(divergence["aspects"])
    return told if len(turned) <= 3 else f"{told} and {len(turned) - 3} more"


def _not_judged(out: Console, answer: Mapping[str, Json]) -> None:
    not_judged = answer["not_judged"]
    if not_judged["for_want_of_data"]:
        lacks = ", ".join(
            f"{one['lacks']} for {one['guard']} ({one['times']})"
            for one in not_judged["lacking"][:5]
        )
        out.print(
            f"Not judged: {not_judged['for_want_of_data']} decisions that were accepted, since "
            f"nobody recorded {lacks}.",
            soft_wrap=True,
        )
    for why, times in not_judged["records"].items():
        out.print(f"Not judged: {times} records, since {cannot(Why(why), times)}.", soft_wrap=True)
    if answer["timers_only_here"]:
        out.print(
            f"{answer['timers_only_here']} timers would have come that are not in the records.",
            soft_wrap=True,
        )
