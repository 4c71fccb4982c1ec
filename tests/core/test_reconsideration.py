"""What a correction changes: later decisions are weighed again, and what differs stays open."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from engine.core.definition import Rule, Variable
from engine.core.encoding import canonical
from engine.core.expression import Latest
from engine.core.record import hash_of
from engine.core.redecision import decide_again
from engine.errors import InvalidInput, NotPermitted, UnknownEvent
from engine.submission import Desk
from engine.testing import Story
from tests.core.tiny import level, soft, tiny, way

SEEN = Variable(name="seen", kind="number")
WORKFLOW = tiny(
    guards={"flooded": level > 90, "full": level >= 50},
    ways=[way("rise", soft("full"))],
    rules=[Rule(guard="flooded", action="tell", advice=("pump",))],
)
"""The chief may pass `full`, so it is the chief who disposes of findings."""


def refused_for_a_typing_error() -> tuple[Story, Any]:
    """Record 2 says 40 and should have said 60; record 3 is refused for it."""
    story = Story(WORKFLOW)
    wrong = story.sends("told", level=40)
    assert story.sends("rise").refused
    return story, wrong


def reconsidered(story: Story) -> list[dict[str, Any]]:
    return [body["event"]["data"] for body in story.events("course.reconsidered")]


def findings(story: Story) -> dict[str, tuple[int, int, str, tuple[int, ...]]]:
    return {
        name: (one.correction, one.record, one.input, one.decisions)
        for name, one in story.snapshot.open_findings.items()
    }


def disposes(story: Story, finding: int = 5, **how: Any) -> Any:
    how = {"disposition": "accepted", **how}
    sent = {"role": "chief", "reason": "no-harm", "data": {"finding": finding, **how}}
    return story.sends("course.finding_disposed", **sent)


def test_a_correction_lists_what_relied_on_the_reading_and_what_would_differ() -> None:
    story, wrong = refused_for_a_typing_error()
    story.corrects(wrong, "level", 60)
    (found,) = reconsidered(story)

    assert (found["correction"], found["record"], found["input"]) == (4, 2, "level")
    assert found["relied"] == [2, 3]
    assert found["differing"] == [
        {
            "record": 3,
            "event": "rise",
            "recorded": {"verdict": "refused", "state": "low"},
            "again": {"verdict": "accepted", "state": "high", "transition": "rise"},
            "guards": {"full": ["no", "yes"]},
        }
    ]
    story.verify()


def test_what_would_differ_is_an_open_finding_of_the_course() -> None:
    story, wrong = refused_for_a_typing_error()
    story.corrects(wrong, "level", 60)

    assert findings(story) == {"5": (4, 2, "level", (3,))}
    assert json.loads(story.records[-1].body)["decision"]["messages"] == [
        {"kind": "finding.opened", "about": "4"}
    ]
    story.verify()


def test_a_correction_that_changes_no_decision_says_so_and_leaves_nothing_open() -> None:
    story, wrong = refused_for_a_typing_error()
    story.corrects(wrong, "level", 41)

    assert reconsidered(story)[0]["relied"] == [2, 3]
    assert reconsidered(story)[0]["differing"] == []
    assert findings(story) == {}
    assert "open_findings" not in story.auditor.replay("course-1")


def test_a_course_that_was_never_corrected_has_no_member_for_it() -> None:
    story, _ = refused_for_a_typing_error()

    assert "open_findings" not in story.auditor.replay("course-1")


def test_the_record_that_brought_the_wrong_value_is_weighed_again_too() -> None:
    story = Story(WORKFLOW)
    wrong = story.sends("told", level=95)
    story.corrects(wrong, "level", 9)

    (found,) = reconsidered(story)[0]["differing"]
    assert found["record"] == 2
    assert found["recorded"]["fired"] == ["flooded"]
    assert "fired" not in found["again"]


def test_a_decision_that_read_a_variable_made_of_the_wrong_value_is_found() -> None:
    story = Story(
        tiny(
            guards={"seen_full": SEEN >= 50},
            ways=[way("rise", "seen_full")],
            variables=[SEEN],
            updates={"told": {"seen": Latest("level")}},
        )
    )
    wrong = story.sends("told", level=40)
    story.sends("told", colour="red")
    assert story.sends("rise").refused
    story.corrects(wrong, "level", 60)

    assert [one["record"] for one in reconsidered(story)[0]["differing"]] == [4]


def test_what_a_reading_that_came_after_it_decided_did_not_rely_on_it() -> None:
    story = Story(WORKFLOW)
    wrong = story.sends("told", at="09:00", level=40)
    story.sends("told", at="09:10", level=60)
    assert not story.sends("rise").refused
    story.corrects(wrong, "level", 45)

    assert reconsidered(story)[0]["relied"] == [2]


def test_what_another_correction_changed_is_not_told_twice() -> None:
    story = Story(WORKFLOW)
    wrong = story.sends("told", level=40)
    other = story.sends("told", colour="red")
    assert story.sends("rise").refused
    story.corrects(wrong, "level", 60)
    story.corrects(other, "colour", "blue")

    assert [[one["record"] for one in found["differing"]] for found in reconsidered(story)] == [
        [4],
        [],
    ]


def test_a_later_correction_of_the_same_reading_replaces_what_the_first_one_found() -> None:
    story, wrong = refused_for_a_typing_error()
    first = story.corrects(wrong, "level", 60)
    story.corrects(first, "level", 61)
    assert findings(story) == {"7": (6, 2, "level", (3,))}

    story.corrects(wrong, "level", 41)
    assert findings(story) == {}
    story.verify()


def test_a_reading_entered_in_error_is_reconsidered_as_if_it_had_never_been_taken() -> None:
    story = Story(WORKFLOW)
    story.sends("told", at="09:00", level=60)
    wrong = story.sends("told", at="09:10", level=40)
    assert story.sends("rise").refused
    sent = story.sends("course.entered_in_error", reason="wrong-course",
                       data={"record": wrong.seq, "input": "level"})  # fmt: skip

    assert not sent.refused
    assert story.snapshot.latest["level"].value == 60
    assert [one["record"] for one in reconsidered(story)[0]["differing"]] == [4]
    story.verify()


def test_the_answer_to_a_correction_is_the_corrections_and_expects_the_course_as_it_is() -> None:
    story, wrong = refused_for_a_typing_error()
    answer = story.corrects(wrong, "level", 60)

    assert (answer.event, answer.seq, answer.revision) == ("course.corrected", 4, 5)
    assert not story.sends("rise", expecting=answer.revision).refused


def test_a_finding_is_accepted_with_a_reason_and_is_open_no_more() -> None:
    story, wrong = refused_for_a_typing_error()
    story.corrects(wrong, "level", 60)

    assert disposes(story).verdict == "accepted"
    assert findings(story) == {}
    assert "open_findings" not in story.auditor.replay("course-1")
    story.verify()


def test_a_finding_that_was_acted_on_names_the_record_that_acted() -> None:
    story, wrong = refused_for_a_typing_error()
    story.corrects(wrong, "level", 60)
    acted = story.sends("rise")

    assert disposes(story, disposition="acted", record=acted.seq).verdict == "accepted"
    story.verify()


@pytest.mark.parametrize(
    ("how", "field"),
    [
        ({"disposition": "acted"}, "data.record"),
        ({"disposition": "accepted", "record": 4}, "data.record"),
        ({"disposition": "ignored"}, "data.disposition"),
        ({"disposition": "acted", "record": 3}, "data.record"),
        ({"disposition": "acted", "record": 99}, "data.record"),
        ({"finding": 0}, "data.finding"),
    ],
)
def test_a_disposal_that_names_no_act_is_malformed(how: dict[str, Any], field: str) -> None:
    story, wrong = refused_for_a_typing_error()
    story.corrects(wrong, "level", 60)

    with pytest.raises(InvalidInput) as raised:
        disposes(story, **how)
    assert raised.value.field == field


def test_what_was_refused_cannot_have_acted() -> None:
    story = Story(WORKFLOW)
    wrong = story.sends("told", level=95)
    story.corrects(wrong, "level", 9)
    refused = story.sends("rise")

    with pytest.raises(InvalidInput, match="this one was refused"):
        disposes(story, 4, disposition="acted", record=refused.seq)


def test_a_finding_that_is_not_open_cannot_be_disposed_of() -> None:
    story, wrong = refused_for_a_typing_error()
    story.corrects(wrong, "level", 60)
    disposes(story)
    again = disposes(story)

    assert (again.verdict, again.decision["reason"]) == ("refused", "no-such-finding")
    story.verify()


def test_a_disposal_without_a_reason_is_malformed() -> None:
    story, wrong = refused_for_a_typing_error()
    story.corrects(wrong, "level", 60)

    with pytest.raises(InvalidInput, match="reason"):
        disposes(story, reason=None)


def test_only_who_is_trusted_to_pass_a_requirement_disposes_of_findings() -> None:
    story, wrong = refused_for_a_typing_error()
    story.corrects(wrong, "level", 60)

    with pytest.raises(NotPermitted):
        story.sends("course.finding_disposed", role="worker", reason="no-harm",
                    data={"finding": 5, "disposition": "accepted"})  # fmt: skip


def test_nobody_but_the_engine_says_what_a_correction_changes() -> None:
    story, _ = refused_for_a_typing_error()
    data = {"correction": 2, "record": 2, "input": "level", "relied": [], "differing": []}

    with pytest.raises(UnknownEvent, match="course.reconsidered"):
        story.sends("course.reconsidered", data=data)


def test_an_auditor_finds_a_reconsideration_that_says_less_than_follows() -> None:
    story, wrong = refused_for_a_typing_error()
    story.corrects(wrong, "level", 60)
    records = story.records
    body = json.loads(records[-1].body)
    body["event"]["data"]["differing"] = []
    changed = canonical(body)
    records[-1] = replace(records[-1], body=changed, hash=hash_of(changed))
    with story.store.transaction("story", write=False) as tx:
        found = list(decide_again(records, lambda d: story.service.setting.registry.machine(d, tx)))

    assert "event.data.differing" in {one.place for one in found}


def test_a_dry_run_of_a_correction_writes_nothing() -> None:
    story, _ = refused_for_a_typing_error()
    before = len(story.records)
    body = {
        "format": 1, "id": "dry", "course": "course-1", "event": "course.corrected",
        "at": story.now.isoformat(), "actor": {"id": "w", "role": "worker"},
        "reason": {"code": "typing-error"}, "data": {"record": 2, "input": "level", "value": 60},
    }  # fmt: skip
    answer = story.service.dry_run(body)

    assert answer.event == "course.corrected"
    assert len(story.records) == before


def test_what_an_engine_of_before_recorded_is_weighed_when_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    story, wrong = refused_for_a_typing_error()
    with monkeypatch.context() as before:
        before.setattr(Desk, "_reconsidered", lambda _self, _machine, standing, *_: standing)
        story.corrects(wrong, "level", 60)
    assert story.auditor.unreconsidered("course-1") == [4]
    assert findings(story) == {}
    story.sends("noted")

    assert story.service.reconsider("course-1") == 1
    assert findings(story) == {"6": (4, 2, "level", (3,))}
    assert story.auditor.unreconsidered("course-1") == []
    assert story.service.reconsider("course-1") == 0
    story.verify()


def test_a_correction_is_recorded_although_the_records_before_it_cannot_be_weighed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(*_: Any) -> Any:
        raise LookupError("a record that was changed")

    story, wrong = refused_for_a_typing_error()
    monkeypatch.setattr("engine.submission.reconsider", fails)
    with capture_logs() as lines:
        answer = story.corrects(wrong, "level", 60)

    assert (answer.verdict, answer.seq) == ("accepted", 4)
    assert story.snapshot.latest["level"].value == 60
    assert story.auditor.unreconsidered("course-1") == [4]
    told = {
        "event": "correction_not_weighed",
        "log_level": "warning",
        "course": "course-1",
        "seq": 4,
    }
    assert told in lines
