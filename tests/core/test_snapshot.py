"""What is known of a course when an event is decided."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import timedelta

from engine.core.calendar import Recorded
from engine.core.snapshot import NONE, Readings, Snapshot
from engine.testing import Story
from workflows import instrument_calibration


def test_a_snapshot_that_faces_an_event_keeps_everything_else():
    story = Story(instrument_calibration.WORKFLOW, start="2026-03-02 08:00")
    story.sends("measurement_recorded", deviation="3 um", room_temperature="20 Cel")
    before = story.snapshot
    seen = {
        "calendar": Recorded({}),
        "decided_at": before.decided_at + timedelta(hours=1),
        "readings": Readings(lambda _: ()),
        "another_open": True,
    }

    after = before.facing(**seen)

    assert after == replace(before, **seen)
    kept = [f.name for f in fields(Snapshot) if f.name not in seen]
    assert all(getattr(after, name) is getattr(before, name) for name in kept)


def test_what_an_event_leaves_holds_no_readings_of_its_transaction():
    story = Story(instrument_calibration.WORKFLOW, start="2026-03-02 08:00")
    with story.store.transaction(story.service.tenant, write=False) as tx:
        stored = tx.row(story.course) or b""

    left = story.service.setting.recent.of(stored).snapshot

    assert left is not None
    assert left.readings is NONE
