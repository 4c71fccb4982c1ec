"""What is said of records: retractions, addenda, late entries, and their marks."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from engine.core.encoding import canonical
from engine.core.history import verify
from engine.core.marks import entered_late, marks
from engine.core.reconsideration import unreconsidered
from engine.core.record import GENESIS, Record, hash_of
from engine.core.redecision import decide_again
from engine.errors import InvalidInput, NotPermitted
from engine.testing import Story
from tests.core.tiny import level, tiny, way

WORKFLOW = tiny(guards={"full": level >= 50}, ways=[way("rise", "full")])


def said(story: Story, event: str, data: dict[str, Any], **how: Any) -> Any:
    return story.sends(event, data=data, **{"reason": "looked-again", **how})


def test_an_addendum_adds_erasable_text_to_a_record_and_changes_no_value() -> None:
    story = Story(WORKFLOW)
    told = story.sends("told", level=40)
    before = story.snapshot
    answer = said(story, "course.addendum", {"record": told.seq, "text": "The gauge was wet."})
    after = story.snapshot

    assert answer.verdict == "accepted"
    assert b"wet" not in story.records[-1].body
    with story.store.transaction("story", write=False) as tx:
        assert tx.texts("course-1", answer.seq)["data.text"][1] == "The gauge was wet."
    assert after == replace(
        before, seq=answer.seq, revision=answer.seq, calendar=after.calendar,
        decided_at=after.decided_at,
    )  # fmt: skip
    story.verify()


def test_when_something_is_said_of_a_record_is_not_when_treatment_happened() -> None:
    story = Story(WORKFLOW)
    told = story.sends("told", at="09:00", level=60)
    story.until("12:00")
    said(story, "course.addendum", {"record": told.seq, "text": "More."})

    assert story.snapshot.last_at == story.at("09:00")
    assert not story.sends("told", at="09:30", level=61).decision.get("late")


@pytest.mark.parametrize("event", ["course.addendum", "course.late_entry"])
@pytest.mark.parametrize("record", [0, 9])
def test_what_is_said_of_a_record_that_is_not_there_is_malformed(event: str, record: int) -> None:
    story = Story(WORKFLOW)
    data = {"record": record, **({"text": "More."} if event == "course.addendum" else {})}

    with pytest.raises(InvalidInput) as raised:
        said(story, event, data)
    assert raised.value.field == "data.record"


@pytest.mark.parametrize(
    ("event", "data"),
    [
        ("course.addendum", {"record": 2, "text": "More."}),
        ("course.entered_in_error", {"record": 2, "input": "level"}),
        ("course.late_entry", {"record": 2}),
    ],
)
def test_nothing_is_said_of_a_record_without_a_reason(event: str, data: dict[str, Any]) -> None:
    story = Story(WORKFLOW)
    story.sends("told", level=40)

    with pytest.raises(InvalidInput) as raised:
        story.sends(event, data=data)
    assert raised.value.field == "reason"


def test_an_addendum_without_words_is_malformed() -> None:
    story = Story(WORKFLOW)

    with pytest.raises(InvalidInput, match=r"data\.text"):
        said(story, "course.addendum", {"record": 1, "text": "  "})


def test_nobody_says_of_records_what_a_role_that_is_not_there_would_say() -> None:
    story = Story(WORKFLOW)

    with pytest.raises((NotPermitted, InvalidInput)):
        said(story, "course.addendum", {"record": 1, "text": "More."}, role="stranger")


def test_a_retraction_has_no_value() -> None:
    story = Story(WORKFLOW)
    wrong = story.sends("told", level=40)

    with pytest.raises(InvalidInput, match="data"):
        said(story, "course.entered_in_error",
             {"record": wrong.seq, "input": "level", "value": 60})  # fmt: skip


def test_a_retraction_is_what_a_correction_in_error_always_was() -> None:
    one, other = Story(WORKFLOW), Story(WORKFLOW)
    for story in (one, other):
        story.sends("told", at="09:00", level=60)
    one.retracts(one.sends("told", at="09:10", level=40), "level")
    other.corrects(other.sends("told", at="09:10", level=40), "level")

    assert one.snapshot.latest == other.snapshot.latest
    assert one.sends("rise").verdict == other.sends("rise").verdict == "accepted"
    one.verify()
    other.verify()


def test_a_report_that_comes_a_day_later_is_taken_and_marked_as_late() -> None:
    story = Story(WORKFLOW)
    at = story.now
    story.advance(hours=25)
    late = story.sends("told", at=at, level=60)
    story.sends("told", at=story.now - timedelta(hours=23), level=61)

    assert late.verdict == "accepted"
    assert story.auditor.late_entries("course-1") == {late.seq: None}


def test_a_report_of_what_happened_before_something_recorded_is_a_late_entry() -> None:
    story = Story(WORKFLOW)
    story.sends("told", at="09:30", level=60)
    late = story.sends("told", at="09:00", level=61)
    why = said(story, "course.late_entry", {"record": late.seq})

    assert story.auditor.late_entries("course-1") == {late.seq: why.seq}
    story.verify()


def test_only_what_was_entered_late_is_given_a_reason_for_it() -> None:
    story = Story(WORKFLOW)
    told = story.sends("told", level=60)

    with pytest.raises(InvalidInput, match="entered late, and this was not"):
        said(story, "course.late_entry", {"record": told.seq})


def test_of_a_course_that_is_told_after_the_fact_only_the_order_is_late() -> None:
    story = Story(WORKFLOW, retrospective=True, start="2020-01-01 09:00")
    story.until("2020-03-01 09:00")
    story.sends("told", at="2020-01-05 09:00", level=60)
    late = story.sends("told", at="2020-01-04 09:00", level=61)

    assert story.auditor.late_entries("course-1") == {late.seq: None}


def test_marks_say_what_later_records_say_of_earlier_ones() -> None:
    story = Story(WORKFLOW)
    wrong = story.sends("told", level=40)
    refused = story.sends("rise")
    first = story.corrects(wrong, "level", 60)
    again = story.retracts(first, "level")
    more = said(story, "course.addendum", {"record": refused.seq, "text": "More."})
    found = {seq: one.json() for seq, one in marks(story.records).items()}

    assert found[wrong.seq] == {"corrected_by": {"level": first.seq}}
    assert found[first.seq] == {
        "corrected_by": {"level": again.seq},
        "retracted_by": [again.seq],
        "corrects": wrong.seq,
        "reconsidered_by": first.seq + 1,
    }
    assert found[again.seq] == {"corrects": first.seq, "reconsidered_by": again.seq + 1}
    assert found[refused.seq] == {"addenda": [more.seq], "differs_by": [first.seq]}


def test_the_findings_of_a_course_are_listed_with_what_became_of_them() -> None:
    story = Story(WORKFLOW)
    wrong = story.sends("told", level=40)
    story.sends("rise")
    first = story.corrects(wrong, "level", 60)
    again = story.corrects(wrong, "level", 61)
    done = said(story, "course.finding_disposed",
                {"finding": again.seq + 1, "disposition": "accepted"})  # fmt: skip
    found = [(one.finding, one.status, one.by) for one in story.auditor.findings("course-1")]

    assert found == [
        (first.seq + 1, "replaced", again.seq + 1),
        (again.seq + 1, "accepted", done.seq),
    ]


def without_reconsiderations(records: list[Record]) -> list[Record]:
    """The log as an engine of before would have written it: chained anew."""
    left, head = list[Record](), GENESIS
    for record in records:
        if record.event == "course.reconsidered":
            continue
        body = json.loads(record.body)
        body["seq"], body["prev"] = len(left) + 1, head
        made = canonical(body)
        head = hash_of(made)
        left.append(replace(record, seq=body["seq"], prev_hash=body["prev"], hash=head, body=made))
    return left


def test_a_log_of_an_engine_that_did_not_reconsider_is_decided_again_alike() -> None:
    story = Story(WORKFLOW)
    wrong = story.sends("told", level=40)
    story.sends("rise")
    story.corrects(wrong, "level", 60)
    old = without_reconsiderations(story.records)
    machine = story.service.setting.registry
    with story.store.transaction("story", write=False) as tx:
        assert verify(old, course="course-1", tenant="story") is None
        assert list(decide_again(old, lambda digest: machine.machine(digest, tx))) == []
    assert unreconsidered(old) == [4]
    assert story.auditor.unreconsidered("course-1") == []


def test_what_the_engine_sends_is_never_a_late_entry() -> None:
    story = Story(WORKFLOW)
    wrong = story.sends("told", at="09:00", level=40)
    story.until("2026-03-05 09:00")
    story.corrects(wrong, "level", 60)

    assert [r.event for r in story.records if entered_late(r, retrospective=False)] == []
