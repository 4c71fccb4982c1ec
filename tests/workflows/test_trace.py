"""The page on hazards: each control is there, and each guard is traced to tests of both sides."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.workflows import trace

ROOT = Path(__file__).parents[2]
HAZARDS = trace.PAGE.read_text().partition("<!-- hazards -->")[2].partition("<!-- end of")[0]
CONTROLS = re.findall(r"\| `([\w/.]+)` \| `([\w/.:]+)` \|$", HAZARDS, re.MULTILINE)


@pytest.fixture(scope="module")
def found() -> Any:
    """The trace, made in a process where nothing was told before."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.workflows.trace", "--json"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_page_has_the_trace_that_the_tests_give(found: Any) -> None:
    assert trace.in_page(trace.PAGE.read_text()) == found["table"], (
        "write it anew: python -m tests.workflows.trace"
    )


def test_every_guard_is_tried_on_both_of_its_sides(found: Any) -> None:
    """Or it is known why not; never one that stands for a sentence of the paper, or is inferred."""
    assert set(found["one_sided"]) == set(trace.ONE_SIDE)
    assert set(found["one_sided"].values()) == {"local"}


def test_every_hazard_names_its_control_and_its_test() -> None:
    rows = [line for line in HAZARDS.splitlines() if line.startswith("| ")][1:]

    assert len(CONTROLS) == len(rows) >= 20


@pytest.mark.parametrize(("code", "test"), CONTROLS, ids=[test for _, test in CONTROLS])
def test_what_a_control_names_is_there(code: str, test: str) -> None:
    path, _, name = test.partition("::")

    assert (ROOT / code).exists()
    assert not name or re.search(rf"^def {name}\(", (ROOT / path).read_text(), re.MULTILINE)
    assert (ROOT / path).is_file()
