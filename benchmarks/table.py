"""The page: what was measured, where and when, and how to read it."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime

from benchmarks.measure import Figure
from engine.store.drivers import driver
from tests.postgres import find_binaries

HEAD = (
    "| what | floor | measured | ratio | wanted | reached |",
    "|---|--:|--:|--:|--:|---|",
)


def line(figure: Figure) -> str:
    """One figure as a line of the table."""
    reached = "yes" if figure.reached else "**no**"
    cells = (figure.what, figure.floor, figure.measured, figure.ratio, figure.wanted, reached)
    return f"| {' | '.join(cells)} |"


def page(figures: Iterable[Figure], *, seconds: float, quick: bool) -> str:
    """The table with its machine and its date, as `docs/benchmarks.md` keeps it."""
    lines = "\n".join((*HEAD, *map(line, figures)))
    how = "make bench" if not quick else "python -m benchmarks --quick"
    return f"""# Benchmarks

Measured on {datetime.now(UTC):%Y-%m-%d} with `{how}` in {seconds:.0f} s, on {machine()}.

{lines}

How to read it:

- The *floor* is what a raw driver (sqlite3, psycopg) does in the same seconds with the same bytes,
  statement by statement: read the course, move it if nobody else did, insert the record, insert a
  message, commit. SQLite with WAL and `synchronous=FULL`, PostgreSQL with fsync: what is
  acknowledged is on the disk. Both are measured in turns, and the best turn of each is told, for
  the machine is shared and its disk is noisy: compare ratios, not rates.
- The engine does more in a step: it reads the event strictly, weighs every guard in scope, explains
  what it found, chains the record, and keeps readings, timers and visits.
- *Replay* proves the chain and folds the records to the row; its floor hashes and parses them.
  What waits for nothing is timed by the processor, for one core.
- The *small workflow* is the calibration of an instrument, one threshold behind each step;
  `intralesional_il2` is a whole patient's course of 152 events from baseline to maintenance.
- Of growth, the columns are what a step takes of the processor in one place and in the other, the
  lower quartile of each.
"""


def machine() -> str:
    """What was measured on."""
    asked = (str(find_binaries() / "postgres"), "--version")
    said = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    return (
        f"{os.cpu_count()} cores ({platform.machine()}, {platform.system()}), "
        f"Python {platform.python_version()}, SQLite {driver().sqlite_version}, "
        f"PostgreSQL {said.split()[-1]}"
    )
