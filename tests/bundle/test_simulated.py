"""The stand-alone verifier agrees with the engine on simulated courses, decisions included.

`python -m benchmarks.standalone --courses 5000 --seeds 101 202` asks the same of ten thousand.
"""

from __future__ import annotations

import pytest

from benchmarks.standalone import Agreement, agreement


@pytest.mark.parametrize(
    ("workflow", "courses", "seed"),
    [("intralesional_il2", 10, 7), ("instrument_calibration", 20, 8)],
)
def test_every_decision_of_simulated_courses_is_weighed_alike(
    workflow: str, courses: int, seed: int
) -> None:
    """In every tenth course a decision is altered too, and that is refused in its place."""
    found = Agreement()
    for found in agreement(courses, seed, workflow):
        assert found.wrong == []

    assert found.courses == courses
    assert found.records > 100
    assert found.forged == found.refused == courses // 10
