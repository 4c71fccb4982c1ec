"""Records that were touched are found, and the first bad one is named with what is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from engine.core.encoding import canonical
from engine.core.history import replay, verify
from engine.core.record import Record, hash_of
from engine.core.redecision import decide_again
from engine.testing import Story
from workflows import instrument_calibration

Records = list[Record]


@pytest.fixture(scope="module")
def story() -> Story:
    told = Story(instrument_calibration.WORKFLOW, start="2026-03-02 08:00")
    told.sends("measurement_recorded", deviation="3 um", room_temperature="20 Cel")
    told.sends("release_instrument")
    told.advance(days=3).sends("measurement_recorded", deviation="4 um")
    told.sends("release_instrument")
    told.advance(days=400)
    told.sends("measurement_recorded", deviation="9 um", at="2026-03-04 12:00")
    return told


def faults(records: Records) -> tuple[int, str] | None:
    found = verify(records, course="course-1", tenant="story")
    return None if found is None else (found.seq, found.kind)


def altered(record: Record, change: Callable[[dict[str, object]], object]) -> Record:
    """A record whose bytes were changed and hashed again, as somebody with the disk would."""
    body = json.loads(record.body)
    change(body)
    written = canonical(body)
    return replace(record, body=written, hash=hash_of(written))


def test_a_whole_course_has_no_fault_and_adds_up_to_its_row(story: Story) -> None:
    assert faults(story.records) is None
    story.verify()


def test_a_changed_byte_is_a_fault_of_content(story: Story) -> None:
    records = story.records
    records[2] = replace(records[2], body=records[2].body.replace(b'"accepted"', b'"refused!"'))

    assert faults(records) == (3, "content")


def test_a_changed_record_that_was_hashed_again_breaks_the_link_after_it(story: Story) -> None:
    records = story.records
    records[2] = altered(records[2], lambda body: body.update(engine="9"))

    assert faults(records) == (4, "link")


@pytest.mark.parametrize("column", ["event_id", "event", "verdict"])
def test_a_column_that_says_other_than_the_bytes_is_a_fault(story: Story, column: str) -> None:
    records = story.records
    records[1] = replace(records[1], **{column: "other"})

    assert faults(records) == (2, "column")


def test_a_changed_time_column_is_a_fault(story: Story) -> None:
    records = story.records
    records[1] = replace(records[1], at=records[4].at)

    assert faults(records) == (2, "column")


def test_a_missing_record_is_a_gap(story: Story) -> None:
    records = story.records
    del records[2]

    assert faults(records) == (4, "gap")


def test_a_first_record_that_is_missing_is_a_gap(story: Story) -> None:
    assert faults(story.records[1:]) == (2, "gap")


def test_two_records_in_each_others_place_are_out_of_order(story: Story) -> None:
    records = story.records
    records[2], records[3] = replace(records[3], seq=3), replace(records[2], seq=4)

    assert faults(records) == (3, "order")


def test_a_record_of_another_course_is_out_of_place(story: Story) -> None:
    found = verify(story.records, course="course-2", tenant="story")

    assert found is not None
    assert (found.seq, found.kind) == (1, "order")


def test_a_record_said_to_be_recorded_before_its_predecessor_is_out_of_order(story: Story) -> None:
    records = story.records
    earlier = records[0].recorded_at
    last = records[-1]
    records[-1] = replace(
        altered(last, lambda body: body.update(recorded_at="2001-01-01T00:00:00Z")),
        recorded_at=earlier.replace(year=2001, month=1, day=1, hour=0),
    )

    assert faults(records) == (last.seq, "order")


def test_bytes_that_are_no_record_are_a_fault_of_content(story: Story) -> None:
    records = story.records
    records[1] = replace(records[1], body=b"[]", hash=hash_of(b"[]"))

    assert faults(records) == (2, "content")


def test_bytes_that_are_nested_without_end_are_a_fault_of_content(story: Story) -> None:
    records, deep = story.records, b"[" * 100_000 + b"]" * 100_000
    records[1] = replace(records[1], body=deep, hash=hash_of(deep))

    assert faults(records) == (2, "content")


@pytest.mark.parametrize(
    ("said", "instead"),
    [
        (b'"format":1', b'"format":2'),
        (b'"format":1', b'"format":true'),
        (b'"format":1', b'"format":1,"format":1'),
        (b'"format":1', b'"format":1,"more":NaN'),
        (b'"format":1', b'"format":1,"more":1.5'),
        (b'"civil":', b'"civil":[],"other":'),
    ],
)
def test_a_last_record_hashed_anew_that_readers_may_read_in_two_ways_is_a_fault_of_content(
    story: Story, said: bytes, instead: bytes
) -> None:
    records = story.records
    before, _, after = records[-1].body.rpartition(said)
    written = before + instead + after
    records[-1] = replace(records[-1], body=written, hash=hash_of(written))

    assert said in records[0].body
    assert faults(records) == (len(records), "content")


def test_a_cut_tail_is_not_found_by_the_chain_alone(story: Story) -> None:
    """The reason why a checkpoint has to be held outside."""
    assert faults(story.records[:-1]) is None


def test_every_difference_is_listed_and_not_the_first_alone(story: Story) -> None:
    records = story.records
    machine = story.service.setting.registry.machine(
        json.loads(records[0].body)["workflow"], story.store.transaction("story").__enter__()
    )

    def forget(body: dict[str, object]) -> None:
        body["decision"] = {"verdict": "accepted"}

    records[2] = altered(records[2], forget)
    records[4] = altered(records[4], forget)
    found = list(decide_again(records, lambda _: machine))

    assert {difference.seq for difference in found} == {3, 5}


def test_a_replay_needs_no_definition(story: Story) -> None:
    row = replay(story.records)

    assert row is not None
    assert row["seq"] == len(story.records)
    assert row["state"] == story.state
