"""The log as a table of comma-separated values: a line for each step, the names in the first."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from typing import TextIO

from engine.mining.happening import Case, Happening, Of
from engine.mining.log import Told

COLUMNS = (
    *("case_id", "activity", "timestamp", "lifecycle", "resource", "role", "event", "verdict"),
    *("step", "state_before", "state_after", "round", "record", "happened_at", "late"),
    *("overridden", "rules", "patient", "site", "workflow", "definition", "status"),
)


class Table:
    """A table on its way out; with `values` its last column holds what events brought."""

    def __init__(self, out: TextIO, *, happened: bool = False, values: bool = False) -> None:
        self._out = csv.writer(out, lineterminator="\n")
        self._happened = happened
        self._values = values
        self.courses = 0
        self.events = 0

    def write(self, cases: Iterable[tuple[Case, Iterable[Told]]]) -> None:
        """The whole table."""
        self._out.writerow([*COLUMNS, *(("values",) if self._values else ())])
        for case, told in cases:
            self.courses += 1
            for one, _ in told:
                if one.of is not Of.ASIDE:
                    self._line(case, one)

    def _line(self, case: Case, one: Happening) -> None:
        when = one.at if self._happened else one.recorded_at
        if when is None:
            return
        self.events += 1
        line = [
            *(case.course, one.activity, when, one.lifecycle, one.actor, one.role, one.event),
            *(one.verdict, one.of.value, one.before or "", one.after, one.round, one.record),
            *(one.at or "", "yes" if one.late else "no"),
            *(" ".join(one.overridden), " ".join(one.rules), case.patient, case.site),
            *(case.workflow.label, case.digest, case.status),
        ]
        if self._values:
            line.append("; ".join(f"{name}={value}" for name, value in one.values.items()))
        self._out.writerow(line)
