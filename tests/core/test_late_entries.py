"""What a late entry changes: decisions before it that it would have informed are weighed again."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from structlog.testing import capture_logs

from engine.core.decision import decide
from engine.core.definition import Rule, Variable
from engine.core.encoding import canonical
from engine.core.expression import Constant, Latest, Sustained, Truth, hours
from engine.core.marks import marks
from engine.core.reconsideration import unreconsidered
from engine.core.record import hash_of
from engine.core.redecision import decide_again
from engine.core.snapshot import order
from engine.core.view import Reading
from engine.store.memory import MemoryTransaction
from engine.submission import Desk
from engine.testing import Story
from tests.core.tiny import level, soft, tiny, way

WORKFLOW = tiny(
    guards={"flooded": level > 90, "full": level >= 50},
    ways=[way("rise", soft("full"))],
    rules=[Rule(guard="flooded", action="tell", advice=("pump",))],
)


def refused_for_want_of_it() -> Story:
    """Record 2 says 40 at nine; record 3 is refused for it at half past, and time goes on."""
    story = Story(WORKFLOW, start="2026-03-02 08:00")
    story.sends("told", at="09:00", level=40)
    assert story.sends("rise", at="09:30").refused
    return story.advance(hours=1)


def told_late(story: Story, value: int = 60, at: str = "09:15") -> Any:
    return story.sends("told", at=at, level=value)


def reconsidered(story: Story) -> list[dict[str, Any]]:
    return [body["event"]["data"] for body in story.events("course.reconsidered")]


def findings(story: Story) -> dict[str, tuple[int | None, int, str | None, tuple[int, ...]]]:
    return {
        name: (one.correction, one.record, one.input, one.decisions)
        for name, one in story.snapshot.open_findings.items()
    }


def test_a_late_entry_lists_what_could_have_seen_it_and_what_would_differ() -> None:
    story = refused_for_want_of_it()
    answer = told_late(story)
    (found,) = reconsidered(story)

    assert (answer.seq, answer.revision) == (4, 5)
    assert (found["late_entry"], found["inputs"]) == (4, ["level"])
    assert found["relied"] == [3]
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


def test_what_a_late_entry_would_have_changed_is_an_open_finding_until_disposed_of() -> None:
    story = refused_for_want_of_it()
    told_late(story)
    assert findings(story) == {"5": (None, 4, None, (3,))}
    assert json.loads(story.records[-1].body)["decision"]["messages"] == [
        {"kind": "finding.opened", "about": "4"}
    ]

    acted = story.sends("rise", at="09:20")
    sent = {"finding": 5, "disposition": "acted", "record": acted.seq}
    done = story.sends("course.finding_disposed", role="chief", reason="asked-again", data=sent)
    assert done.verdict == "accepted"
    assert findings(story) == {}
    assert [(one.finding, one.status) for one in story.auditor.findings("course-1")] == [
        (5, "acted")
    ]
    story.verify()


def test_a_late_entry_that_changes_no_decision_says_so_and_leaves_nothing_open() -> None:
    story = refused_for_want_of_it()
    told_late(story, 41)

    assert reconsidered(story)[0]["relied"] == [3]
    assert reconsidered(story)[0]["differing"] == []
    assert findings(story) == {}


def test_a_decision_of_before_its_time_or_with_a_later_value_could_not_have_seen_it() -> None:
    story = Story(WORKFLOW, start="2026-03-02 08:00")
    story.sends("told", at="09:00", level=40)
    assert story.sends("rise", at="09:10").refused
    story.sends("told", at="09:30", level=45)
    assert story.sends("rise", at="09:40").refused
    told_late(story)

    assert reconsidered(story)[0]["relied"] == []
    assert findings(story) == {}


def test_a_window_sees_a_late_entry_behind_a_later_value() -> None:
    low = Sustained("level", "<", Constant(Decimal(30)), Constant(Decimal(2)),
                    Constant(timedelta(minutes=20)), hours(24), Truth.NO, Truth.NO)  # fmt: skip
    workflow = tiny(
        guards={"low_twice": low},
        rules=[Rule(guard="low_twice", action="tell", advice=("fill",))],
    )
    story = Story(workflow, start="2026-03-02 08:00")
    story.sends("told", at="10:00", level=29)
    story.sends("noted", at="10:05")
    told_late(story, 28, at="09:00")

    (found,) = reconsidered(story)
    assert found["relied"] == [2, 3]
    assert [one["record"] for one in found["differing"]] == [2, 3]
    story.verify()


def test_twice_as_many_records_after_its_time_cost_a_late_entry_twice_as_much(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever writes waits for it: readings are not put in order anew for each record."""
    compared = list[int]()

    def counting(reading: Reading) -> tuple[bool, datetime, int]:
        compared.append(1)
        return order(reading)

    def cost(records: int) -> int:
        story = Story(WORKFLOW, start="2026-03-02 08:00")
        story.sends("told", at="08:00", level=1)
        for _ in range(records):
            story.advance(minutes=1).sends("told", level=2)
        compared.clear()
        with monkeypatch.context() as counted:
            counted.setattr("engine.core.hindsight.order", counting)
            told_late(story, at="08:00")
        return len(compared)

    assert cost(80) <= 2 * cost(40) + 40


def test_a_late_entry_weighs_what_could_have_seen_it_however_many_others_came_late(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing is remembered of a value here, so that no other one changes what it changes."""
    decided = list[int]()

    def counting(machine: Any, snapshot: Any, event: Any) -> Any:
        decided.append(1)
        return decide(machine, snapshot, event)

    def cost(late: int) -> int:
        story = Story(WORKFLOW, start="2026-03-02 08:00")
        for _ in range(30):
            story.advance(minutes=10).sends("told", level=2)
        for number in range(late):
            told_late(story, at=story.now - timedelta(minutes=295 - 10 * number))
        with monkeypatch.context() as counted:
            counted.setattr("engine.core.hindsight.decide", counting)
            decided.clear()
            told_late(story, at=story.now - timedelta(minutes=24))
        return len(decided)

    assert cost(20) == cost(10) <= 2 * cost(0)


def test_what_is_told_in_time_or_brings_no_value_is_followed_by_nothing() -> None:
    story = refused_for_want_of_it()
    story.sends("noted", at="09:10")
    story.sends("told", at="09:45", level=60)
    story.sends("told", at="09:45", level={"value": 61, "at": story.at("09:20").isoformat()})

    assert reconsidered(story) == []


@pytest.mark.parametrize("notes", [1, 3])
def test_a_refusal_is_found_behind_what_came_late_and_told_nothing(notes: int) -> None:
    """A refusal moves no course, so that nothing of the course says that it was of a later time."""
    story = refused_for_want_of_it()
    for _ in range(notes):
        story.sends("noted", at="09:05")
    late = told_late(story)

    assert findings(story) == {str(late.seq + 1): (None, late.seq, None, (3,))}
    assert story.auditor.unreconsidered("course-1") == []
    story.verify()


def test_a_refusal_is_found_behind_what_was_told_late_itself() -> None:
    story = refused_for_want_of_it()
    told_late(story, 41, at="09:05")
    story.sends("noted", at="09:10")
    late = told_late(story)

    assert findings(story) == {str(late.seq + 1): (None, late.seq, None, (3,))}
    story.verify()


def test_whether_a_value_is_late_is_looked_for_no_further_than_it_can_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No record can be of a later time that was recorded before, but for how far a clock leads."""
    looked = list[int]()
    reading = MemoryTransaction.record

    def counted(tx: MemoryTransaction, course: str, seq: int) -> Any:
        looked.append(seq)
        return reading(tx, course, seq)

    story = Story(WORKFLOW, start="2026-03-02 08:00")
    for _ in range(50):
        story.advance(minutes=10).sends("noted", at=story.now - timedelta(minutes=2))
    monkeypatch.setattr(MemoryTransaction, "record", counted)
    told_late(story, at=story.now - timedelta(minutes=1))

    assert looked == [51, 50]
    assert reconsidered(story) == []


def test_a_course_that_is_told_after_the_fact_decided_nothing_at_the_time() -> None:
    story = Story(WORKFLOW, start="2026-03-02 08:00", retrospective=True)
    story.sends("told", at="09:00", level=40)
    story.sends("rise", at="09:30")
    told_late(story)

    assert reconsidered(story) == []


def test_what_one_late_entry_changed_is_not_told_again_with_the_next() -> None:
    story = refused_for_want_of_it()
    told_late(story)
    told_late(story, 61, at="09:20")

    assert [one["differing"] != [] for one in reconsidered(story)] == [True, False]
    assert list(findings(story)) == ["5"]
    story.verify()


def test_a_correction_of_what_was_entered_late_replaces_what_the_entry_changed() -> None:
    story = refused_for_want_of_it()
    late = told_late(story)
    story.corrects(late, "level", 41)
    assert findings(story) == {}

    story.corrects(late, "level", 70)
    assert findings(story) == {"9": (8, 4, "level", (3,))}
    assert [(one.finding, one.status) for one in story.auditor.findings("course-1")] == [
        (5, "replaced"),
        (9, "open"),
    ]
    story.verify()


def test_of_a_late_entry_in_error_what_read_its_variable_is_found_and_the_variable_stays() -> None:
    """What a course remembers is for its workflow to derive anew; until then it stands, shown."""
    seen = Variable(name="seen", kind="number")
    workflow = tiny(
        guards={"seen_full": seen >= 50},
        ways=[way("rise", "seen_full")],
        variables=[seen],
        updates={"told": {"seen": Latest("level")}},
    )
    story = Story(workflow, start="2026-03-02 08:00")
    story.sends("told", at="09:00", level=40)
    story.sends("noted", at="09:30")
    late = told_late(story.advance(hours=1))
    rise = story.sends("rise")
    assert rise.verdict == "accepted"
    story.retracts(late, "level")

    (found,) = reconsidered(story)[-1]["differing"]
    assert (found["record"], found["again"]["verdict"]) == (rise.seq, "refused")
    assert story.variables["seen"] == 60
    story.sends("fell")
    after = story.sends("rise")
    playback = story.auditor.playback("course-1")
    assert (after.verdict, list(findings(story))) == ("accepted", [str(after.seq - 2)])
    assert playback.differing() == [rise.seq, after.seq]
    assert playback.believed(after.seq).variables == {"seen": Decimal(40)}
    story.verify()


def test_a_late_entry_that_is_corrected_may_change_what_it_did_not_as_it_was_told() -> None:
    story = refused_for_want_of_it()
    late = told_late(story, 41)
    story.corrects(late, "level", 60)

    assert reconsidered(story)[-1]["differing"][0]["record"] == 3
    story.verify()


def test_a_correction_of_another_reading_does_not_tell_of_the_late_entry() -> None:
    story = refused_for_want_of_it()
    late = told_late(story)
    other = story.sends("told", colour="red")
    story.corrects(other, "colour", "blue")

    assert findings(story) == {"5": (None, late.seq, None, (3,))}
    story.verify()


def test_records_are_marked_with_the_late_entry_that_would_have_decided_them_otherwise() -> None:
    story = refused_for_want_of_it()
    told_late(story)
    found = {seq: one.json() for seq, one in marks(story.records).items()}

    assert found == {3: {"differs_by_late": [4]}, 4: {"reconsidered_by": 5}}


def test_an_auditor_finds_a_late_entry_of_which_less_is_said_than_follows() -> None:
    story = refused_for_want_of_it()
    told_late(story)
    records = story.records
    body = json.loads(records[-1].body)
    body["event"]["data"]["differing"] = []
    changed = canonical(body)
    records[-1] = replace(records[-1], body=changed, hash=hash_of(changed))
    with story.store.transaction("story", write=False) as tx:
        found = list(decide_again(records, lambda d: story.service.setting.registry.machine(d, tx)))

    assert "event.data.differing" in {one.place for one in found}


def test_what_an_engine_of_before_recorded_late_is_decided_as_it_was_until_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    story = refused_for_want_of_it()
    with monkeypatch.context() as before:
        before.setattr(Desk, "_reconsidered", lambda _self, _machine, standing, *_: standing)
        late = told_late(story)
    story.corrects(late, "level", 61)
    assert reconsidered(story)[-1]["differing"] == []
    assert unreconsidered(story.records) == []
    assert story.auditor.unreconsidered("course-1") == [4]
    story.verify()

    assert story.service.reconsider("course-1") == 1
    assert findings(story) == {"7": (None, 4, None, (3,))}
    assert story.auditor.unreconsidered("course-1") == []
    story.verify()


def test_a_late_entry_is_recorded_although_the_records_before_it_cannot_be_weighed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(*_: Any) -> Any:
        raise LookupError("a record that was changed")

    story = refused_for_want_of_it()
    monkeypatch.setattr("engine.submission.reconsider", fails)
    with capture_logs() as lines:
        answer = told_late(story)

    assert (answer.verdict, answer.seq) == ("accepted", 4)
    assert story.auditor.unreconsidered("course-1") == [4]
    told = [one["event"] for one in lines if one["log_level"] == "warning"]
    assert told == ["late_entry_not_weighed"]
