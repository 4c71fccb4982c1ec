"""Measures every figure that the design wants, prints them as a table, and may write it down."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import growth, history, http, ledger, server, table, worklist, writing
from benchmarks.measure import Figure, Run

FIGURES: dict[str, Callable[[Run], Iterator[Figure]]] = {
    "writing": writing.figures,
    "server": server.figures,
    "history": history.figures,
    "growth": growth.figures,
    "ledger": ledger.figures,
    "worklist": worklist.figures,
    "http": http.figures,
}
PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"


def main() -> int:
    asked = _asked()
    began = time.perf_counter()
    folder = Path(tempfile.mkdtemp(prefix="regimen-bench-", dir=asked.folder))
    found: list[Figure] = []
    try:
        for name in asked.only or FIGURES:
            for figure in FIGURES[name](Run(folder=folder, quick=asked.quick)):
                found.append(figure)
                print(table.line(figure), file=sys.stderr, flush=True)
    finally:
        shutil.rmtree(folder)
    page = table.page(found, seconds=time.perf_counter() - began, quick=asked.quick)
    print(page)
    if asked.write:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(page)
    return 0


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer turns, rough figures")
    parser.add_argument("--only", action="append", choices=FIGURES, help="one part; repeatable")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md")
    parser.add_argument("--folder", type=Path, help="where to write; the disk that is measured")
    return parser.parse_args()


sys.exit(main())
