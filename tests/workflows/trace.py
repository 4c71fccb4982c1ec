"""From each statement of the protocol to its guards, and from each guard to the tests of its sides.

A guard has two sides: where it says yes, and where it does not. The rows of `thresholds` are told
once more, and what each guard was weighed to in them is written down; where they try one side
only, the tests of courses are asked for the other. `python -m tests.workflows.trace` writes the
table into the page: in a process of its own, since what stories share is told once in each.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from inspect import signature
from pathlib import Path
from types import ModuleType
from typing import Any

import structlog

from engine.core import decision
from engine.core.definition import Guard
from engine.core.sheet import SheetRow, sheet
from engine.core.weighing import truth
from tests.workflows import (
    test_attestation,
    test_corrections,
    test_courses,
    test_exits,
    test_no_way_around,
    test_site_parameters,
)
from tests.workflows.thresholds import TABLES
from workflows.intralesional_il2 import WORKFLOW

PAGE = Path(__file__).parents[2] / "docs" / "hazards.md"
BEGIN, END = "<!-- trace -->\n", "<!-- end of the trace -->"
FACT = re.compile(r"[NE]\d\d")
PAPER = "Patel et al., Dermatology Online Journal 2014"

ASKED_BY_A_TIMER = "a timer asks when its day has come, and at no other time"
LAST_WAY = "asked last, when every other way is closed"
ONE_SIDE: Mapping[str, str] = {
    "tail_has_ended": ASKED_BY_A_TIMER,
    "tail_is_running": ASKED_BY_A_TIMER,
    "maintenance_has_ended": ASKED_BY_A_TIMER,
    "maintenance_is_running": ASKED_BY_A_TIMER,
    "labs_of_the_day": "only where a site sets `labs_each_visit`",
    "window_is_over": "only where a site sets `discontinue_unresolved_hold`",
    "topicals_do_not_continue": LAST_WAY,
    "il2_ended_otherwise": LAST_WAY,
    "withdrawal_from_topicals": LAST_WAY,
    "course_stands_in_follow_up": LAST_WAY,
    "emergency_visit_since_dose": "its own event says what it asks",
    "stop_rule_in_an_earlier_round": "an advice in a later round; no test tells one after a stop",
}
"""Why a guard is tried on one side only."""

OTHERS: tuple[ModuleType, ...] = (
    test_attestation,
    test_corrections,
    test_courses,
    test_exits,
    test_no_way_around,
    test_site_parameters,
)
"""Tests of courses, whose guards are listened to as well."""


@dataclass
class Sides:
    """In which rows a guard said what, and in which tests of courses besides."""

    said: dict[str, set[tuple[str, int]]] = field(default_factory=lambda: defaultdict(set))
    besides: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def count(self, *words: str) -> int:
        return len(set[tuple[str, int]]().union(*(self.said[word] for word in words)))

    @property
    def both(self) -> bool:
        """Whether the guard was tried on both of its sides."""
        return not self.missing

    @property
    def missing(self) -> tuple[str, ...]:
        """What would be the other side."""
        yes, other = self.tried("yes"), self.tried("no") or self.tried("unknown")
        return () if yes and other else ("no", "unknown") if yes else ("yes",)

    def tried(self, word: str) -> bool:
        return bool(self.said[word] or self.besides[word])


@cache
def evidence() -> Mapping[str, Sides]:
    """What every guard was weighed to, row by row."""
    found: dict[str, Sides] = {guard.name: Sides() for guard in WORKFLOW.guards}
    for table, rows in TABLES.items():
        for number, row in enumerate(rows):
            # What stories share is told once, whoever asks for it first: it is nobody's evidence.
            story = row.begins()
            with _listening() as heard:
                replace(row, begins=lambda story=story: story).tell()
            for guard, said in heard:
                found[guard].said[said].add((table, number))
    for module in OTHERS:
        with _listening() as heard:
            for test in _tests(module):
                test()
        for guard, said in dict.fromkeys(heard):
            if guard in found:  # a test may be of a workflow of its own
                found[guard].besides[said].append(module.__name__.rpartition(".")[2])
    return found


def table() -> str:
    """The trace as a table of Markdown, in the order of the definition."""
    rows = {row.guard: row for row in sheet(WORKFLOW)}
    said = [_statement(rows[guard.name]) for guard in WORKFLOW.guards]
    lines = [
        "| Fact | Statement | Guard | Provenance | What is compared | Yes | No | Unknown | Tests |",
        "|---|---|---|---|---|--:|--:|--:|---|",
        *(
            _line(g, rows[g.name], evidence()[g.name], "as above" if now == before else now)
            for g, now, before in zip(WORKFLOW.guards, said, ["", *said], strict=False)
        ),
    ]
    return "\n".join(lines) + "\n"


def one_sided() -> dict[str, str]:
    """The guards that no row tries on both sides, with their provenance."""
    return {
        guard.name: "" if guard.cite is None else guard.cite.provenance.value
        for guard in WORKFLOW.guards
        if not evidence()[guard.name].both
    }


def in_page(page: str) -> str:
    """The table as a page has it."""
    return page.partition(BEGIN)[2].partition(END)[0]


def _statement(row: SheetRow) -> str:
    return f"{row.source.removeprefix(PAPER + ', ')}: {row.citation}"


def _line(guard: Guard, row: SheetRow, sides: Sides, statement: str) -> str:
    fact = FACT.match(guard.name)
    cells = (
        fact[0] if fact else "",
        statement,
        f"`{guard.name}`",
        row.provenance,
        row.threshold or row.what,
        str(sides.count("yes")),
        str(sides.count("no")),
        str(sides.count("unknown")),
        ", ".join(
            [*_tables(fact[0] if fact else None, sides), *_besides(sides)]
            or [ONE_SIDE.get(guard.name, "")]
        )
        + (f" (one side: {ONE_SIDE[guard.name]})" if guard.name in ONE_SIDE else ""),
    )
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _tables(fact: str | None, sides: Sides) -> Iterator[str]:
    """The tables with rows about the guard: those that name its fact, else of its rarer side."""
    weighed = set[tuple[str, int]]().union(*sides.said.values())
    both = sides.said["yes"], sides.said["no"] | sides.said["unknown"]
    rarer = min(filter(None, both), key=len, default=set[tuple[str, int]]())
    for name, rows in TABLES.items():
        told = {number for table, number in weighed if table == name}
        about = {n for n in told if fact in rows[n].of}
        if fact is None or not any(fact in row.of for rows in TABLES.values() for row in rows):
            about = {number for table, number in rarer if table == name}
        if about:
            yield f"{name} {len(about)}"


def _besides(sides: Sides) -> Iterator[str]:
    """The tests of courses that try the side which no row does."""
    lacking = [word for word in ("yes", "no", "unknown") if not sides.said[word]]
    if "yes" in lacking:
        yield from sides.besides["yes"]
    elif {"no", "unknown"} <= set(lacking):
        yield from dict.fromkeys(sides.besides["no"] + sides.besides["unknown"])


def _tests(module: ModuleType) -> Iterator[Callable[[], object]]:
    """The tests of a module that need nothing to be given to them, in their order."""
    for name, test in vars(module).items():
        if name.startswith("test_") and callable(test) and not signature(test).parameters:
            yield test


@contextmanager
def _listening() -> Iterator[list[tuple[str, str]]]:
    """What guards are weighed to while a block runs, as the decision weighs them."""
    heard: list[tuple[str, str]] = []
    deciding: Any = decision._Deciding
    weigh, watch = deciding._weigh, deciding._watch

    def weighing(self: Any, step: Any) -> bool | None:
        for need in step.needs:
            answer, _ = self._answer(need.code)
            heard.append((need.requirement.guard, truth(answer).value))
        found: bool | None = weigh(self, step)
        return found

    def watching(self: Any, state: str) -> Any:
        found = watch(self, state)
        heard.extend((one.rule, "yes") for one in found.fired)
        heard.extend((name, "no") for name in found.no)
        heard.extend((name, "unknown") for name in found.unknown)
        return found

    deciding._weigh, deciding._watch = weighing, watching
    try:
        yield heard
    finally:
        deciding._weigh, deciding._watch = weigh, watch


def main() -> None:
    """Write the table into the page; with `--json`, print what there is to say instead."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    if sys.argv[1:] == ["--json"]:
        sys.stdout.write(json.dumps({"table": table(), "one_sided": one_sided()}))
        return
    page = PAGE.read_text()
    before, _, rest = page.partition(BEGIN)
    PAGE.write_text(before + BEGIN + table() + END + rest.partition(END)[2])


if __name__ == "__main__":
    main()
