"""Guards see every reading that they may, and what they do not look at is not loaded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from engine.core.definition import Rule
from engine.core.encoding import instant_text
from engine.core.expression import Constant, Sustained, Truth, hours
from engine.core.lookback import Deep, readings_for
from engine.core.machine import Machine
from engine.core.snapshot import Readings
from engine.core.view import Reading
from engine.registry import compiled, stored_form
from engine.testing import Story, fired, kept_by
from tests.core.tiny import level, tiny, way

LOW_TWICE = Sustained(
    "level", "<", Constant(Decimal(30)), Constant(Decimal(2)), Constant(hours(1)), hours(12),
    Truth.NO, Truth.NO,
)  # fmt: skip
WORKFLOW = tiny(
    guards={"low_twice": LOW_TWICE, "full": level >= 50},
    ways=[way("rise", "full")],
    rules=[Rule(guard="low_twice", action="halt")],
)
MACHINE: Machine = compiled(stored_form(WORKFLOW))
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LEVELS = [
    Reading("level", Decimal(10 * n), NOON + timedelta(hours=n), NOON.date(), n) for n in (1, 2, 3)
]


class Log:
    """The readings of a course on a disk, and how often somebody went there."""

    def __init__(self) -> None:
        self.asked: list[Deep] = []

    def load(self, deep: Deep) -> dict[str, Sequence[Reading]]:
        self.asked.append(deep)
        return dict.fromkeys(deep, LEVELS)

    def readings(self) -> Readings:
        body = {
            "format": 1, "id": "e9", "course": "c", "event": "noted",
            "at": instant_text(NOON + timedelta(hours=4)), "actor": {"id": "a", "role": "chief"},
        }  # fmt: skip
        event = MACHINE.forms.parse(body)
        return readings_for(MACHINE, {"level": LEVELS[-1]}, event, self.load)


def test_the_latest_reading_is_at_hand() -> None:
    log = Log()
    seen = log.readings().get("level")

    assert seen
    assert seen[-1] == LEVELS[-1]
    assert next(iter(reversed(seen))) == LEVELS[-1]
    assert log.asked == []


def test_a_reading_that_follows_is_put_behind_the_others_without_looking_at_them() -> None:
    log = Log()
    new = Reading("level", Decimal(40), NOON + timedelta(hours=4), NOON.date(), 4)
    seen = log.readings().adding([new], new.at).get("level")

    assert seen[-1] == new
    assert log.asked == []
    assert list(seen) == [*LEVELS, new]


def test_what_lies_before_is_loaded_once_and_within_the_horizon() -> None:
    log = Log()
    readings = log.readings()

    assert list(readings.get("level")) == LEVELS
    assert list(reversed(readings.get("level"))) == LEVELS[::-1]
    assert len(readings.get("level")) == 3
    assert readings.adding((), None).get("level")[0] == LEVELS[0]
    assert log.asked == [{"level": NOON - timedelta(hours=8)}]


def test_a_late_event_sees_nothing_that_came_after_it() -> None:
    log = Log()
    late = NOON + timedelta(hours=2, minutes=30)

    assert log.readings().adding((), late).get("level") == LEVELS[:2]


def test_a_run_reaches_beyond_the_latest_reading() -> None:
    story = Story(WORKFLOW)
    story.sends("told", level=20)
    story.advance(hours=2)
    answer = story.sends("told", level=25)

    assert fired(answer) == ("low_twice",)
    story.verify()


def test_a_correction_back_in_time_leaves_another_reading_the_latest() -> None:
    story = Story(WORKFLOW, start="2026-03-02 08:00")
    story.sends("told", level=20)
    story.advance(minutes=10)
    wrong = story.sends("told", level=90)
    earlier = {"value": 90, "at": "2026-03-02T15:55:00Z"}
    story.corrects(wrong, "level", earlier)
    answer = story.sends("rise")

    assert kept_by(answer) == ("full",)
    assert answer.decision["attempts"][0]["kept_by"][0]["findings"][0]["value"] == "20"
    story.verify()
