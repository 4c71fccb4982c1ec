"""What an auditor asks, on a course and on the file that was exported of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.bundle.reading import read_bundle
from engine.core.encoding import canonical, instant_text
from engine.errors import InvalidInput, NotFound
from engine.testing import Story
from workflows import instrument_calibration


@pytest.fixture
def story() -> Story:
    told = Story(instrument_calibration.WORKFLOW, start="2026-03-02 08:00")
    told.sends("measurement_recorded", deviation="30 um", room_temperature="20 Cel")
    told.sends("release_instrument")
    told.advance(minutes=10).sends("measurement_recorded", deviation="3 um")
    told.sends("release_instrument")
    return told


def test_a_bundle_is_verified_and_decided_again_without_a_database(story: Story) -> None:
    bundle = read_bundle(story.auditor.export("course-1"))

    assert bundle.verify() is None
    assert bundle.decide_again() == []
    assert len(bundle.records) == 5


def test_a_bundle_holds_no_free_text(story: Story) -> None:
    story.sends("release_instrument", reason={"code": "x", "text": "a name that must not travel"})

    assert b"must not travel" not in story.auditor.export("course-1")
    assert story.auditor.verify("course-1") is None


def test_a_changed_bundle_names_the_first_bad_record(story: Story) -> None:
    raw = json.loads(story.auditor.export("course-1"))
    raw["records"][1]["body"] = raw["records"][1]["body"].replace('"30"', '"3"')
    fault = read_bundle(canonical(raw)).verify()

    assert fault is not None
    assert (fault.seq, fault.kind) == (2, "content")


@pytest.mark.parametrize(
    ("emptied", "said"), [("records", "1: gap"), ("definitions", "1: definition")]
)
def test_a_bundle_from_which_everything_was_taken_is_not_whole(
    story: Story, emptied: str, said: str
) -> None:
    raw = json.loads(story.auditor.export("course-1"))
    raw[emptied] = []

    assert said in str(read_bundle(canonical(raw)).verify())


@pytest.mark.parametrize(
    ("record", "name", "field"),
    [(99, "deviation", "record"), (2, "deviaton", "input"), (1, "deviation", "input"),
     (3, "deviation", "input")],
)  # fmt: skip
def test_nothing_is_said_to_rely_on_what_is_not_there(
    story: Story, record: int, name: str, field: str
) -> None:
    with pytest.raises(InvalidInput) as raised:
        story.auditor.relied_on("course-1", record, name)

    assert raised.value.field == field


def test_a_definition_that_lacks_its_digest_is_refused(story: Story) -> None:
    raw = json.loads(story.auditor.export("course-1"))
    raw["definitions"][0]["semantic"] = raw["definitions"][0]["semantic"].replace('"5"', '"50"')

    with pytest.raises(InvalidInput, match=r"definitions\[0\].digest"):
        read_bundle(canonical(raw))


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b'{"kind":"regimen-bundle"}', b"\xff"])
def test_what_is_no_bundle_is_said_to_be_none(data: bytes) -> None:
    with pytest.raises(InvalidInput):
        read_bundle(data)


def test_the_decisions_that_saw_a_wrong_reading_are_listed_until_it_is_corrected(
    story: Story,
) -> None:
    wrong = story.sends("measurement_recorded", deviation="4 um")
    story.sends("measurement_recorded", room_temperature="20 Cel", deviation="2 um")
    story.corrects(wrong, "deviation", "6 um")
    earlier = story.auditor.relied_on("course-1", 2, "deviation")

    assert [(r.seq, r.verdict, r.guards) for r in earlier] == [
        (3, "refused", ("deviation_within_limit",))
    ]


def test_a_correction_leaves_the_old_value_readable_and_marked(story: Story) -> None:
    wrong = story.answers[1]
    story.corrects(wrong, "deviation", "31 um")

    assert story.events("measurement_recorded")[0]["event"]["data"]["deviation"]["value"] == "30"
    assert story.events("course.corrected")[0]["event"]["data"]["record"] == wrong.seq
    assert story.verify()


def test_an_unknown_course_is_not_found(story: Story) -> None:
    with pytest.raises(NotFound):
        story.auditor.verify("course-9")


@pytest.mark.parametrize(
    ("event", "role", "data"),
    [
        ("course.erased", "records", {}),
        ("course.legal_hold_placed", "records", {"hold": "case-7"}),
        ("course.reviewed", "auditor", {"record": 3, "outcome": "accepted"}),
    ],
)
def test_what_is_no_decision_on_treatment_relied_on_no_reading(
    story: Story, event: str, role: str, data: dict[str, Any]
) -> None:
    story.sends("measurement_recorded", deviation="3 um", reason={"text": "as ever"})
    relied = story.auditor.relied_on("course-1", 2, "deviation")
    story.advance(hours=1).sends(event, role=role, data=data, reason="asked-for")

    assert story.auditor.relied_on("course-1", 2, "deviation") == relied


def test_a_signature_relied_on_no_reading(story: Story) -> None:
    relied = story.auditor.relied_on("course-1", 2, "deviation")
    data = {
        "record": 2, "hash": story.records[1].hash, "printed_name": "Dr N", "meaning": "reviewed",
        "proof": {"kind": "host", "by": "metrologist-1", "at": instant_text(story.clock.now())},
    }  # fmt: skip
    story.sends("course.signed", data=data)

    assert story.auditor.relied_on("course-1", 2, "deviation") == relied


def test_what_a_scheduling_system_told_relied_on_no_reading(story: Story) -> None:
    story.sends("course.booked", data={"booking": "b-1", "visit": "recalibration",
                                       "start": "2026-03-20T09:00:00-07:00"})  # fmt: skip

    assert [one.seq for one in story.auditor.relied_on("course-1", 2, "deviation")] == [3]
