"""What the protocol says below, at and above each of its thresholds, by hand from the paper.

A row names the numbered facts that it is about, says in words what happens, tells it, and says what
must follow. No expectation here was read off the workflow.
"""

from __future__ import annotations

from tests.workflows.thresholds import (
    baseline,
    blood,
    dose,
    events,
    gate,
    heart,
    hold,
    kidney,
    late,
    pressure,
    sequence,
    sides,
    spacing,
    support,
    tolerance,
)
from tests.workflows.thresholds.row import Row

TABLES = {
    "baseline": baseline.ROWS,
    "blood": blood.ROWS,
    "dose": dose.ROWS,
    "events": events.ROWS,
    "gate": gate.ROWS,
    "heart": heart.ROWS,
    "hold": hold.ROWS,
    "kidney": kidney.ROWS,
    "late": late.ROWS,
    "pressure": pressure.ROWS,
    "sequence": sequence.ROWS,
    "sides": sides.ROWS,
    "spacing": spacing.ROWS,
    "support": support.ROWS,
    "tolerance": tolerance.ROWS,
}
ROWS: tuple[Row, ...] = tuple(row for rows in TABLES.values() for row in rows)
