"""Whole courses as they were left: each step goes on from what reading its row would give."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.core.machine import Machine
from engine.core.row import SECTIONS, sections
from engine.recent import Left, Standing
from tests.workflows.courses import COURSES


@pytest.mark.parametrize("course", COURSES)
def test_what_a_step_leaves_is_what_its_row_gives(course: str, monkeypatch: pytest.MonkeyPatch):
    kept: list[Standing] = []
    keep = Left.keep

    def noting(left_by: Left, left: Standing, **instead: Any) -> None:
        kept.append(left)
        keep(left_by, left, **instead)

    monkeypatch.setattr(Left, "keep", noting)
    story = COURSES[course]().fork()
    story.sends("symptoms_reviewed", new_symptoms=False)
    (machine,) = _machines(story)

    assert kept
    for left in kept:
        assert left.snapshot is not None
        read = sections(machine, json.loads(left.stored))
        for name in SECTIONS:
            assert getattr(left.snapshot, name) == read[name], (left.row["seq"], name)


def _machines(story: Any) -> list[Machine]:
    registry = story.service.setting.registry
    with story.store.transaction(story.service.tenant, write=False) as tx:
        return [registry.machine(d.digest, tx) for d in tx.definitions()]
