"""A soft requirement may be passed by who is permitted to, with a reason; a hard one never."""

from __future__ import annotations

from typing import Any

import pytest

from engine.answer import Answer
from engine.errors import InvalidInput
from engine.testing import Story, kept_by, passed, step
from tests.core.tiny import colour, level, soft, tiny, way

WORKFLOW = tiny(
    guards={"full": level >= 50, "green": colour.is_("green")},
    ways=[way("rise", soft("full"), "green")],
)


def asks(
    guards: Any, *, code: str = "urgent", role: str = "chief", retrospective: bool = False,
    **known: Any,
) -> Answer:  # fmt: skip
    story = Story(WORKFLOW, retrospective=retrospective)
    story.sends("told", **known)
    answer = story.sends("rise", role=role, override=guards, code=code)
    story.verify()
    return answer


def test_a_no_is_passed_and_recorded_as_a_no() -> None:
    answer = asks("full", level=40, colour="green")

    assert answer.verdict == "accepted"
    assert passed(answer) == {"full": "no"}


def test_an_unknown_is_passed_and_recorded_as_an_unknown() -> None:
    answer = asks("full", colour="green")

    assert answer.verdict == "accepted"
    assert passed(answer) == {"full": "unknown"}


def test_what_needs_no_passing_is_not_recorded_as_passed() -> None:
    answer = asks("full", level=60, colour="green")

    assert answer.verdict == "accepted"
    assert passed(answer) == {}


@pytest.mark.parametrize("known", [{"colour": "red"}, {}], ids=["no", "unknown"])
def test_a_hard_requirement_is_never_passed(known: dict[str, str]) -> None:
    answer = asks(["full", "green"], level=60, **known)

    assert answer.decision["reason"] == "override-not-permitted"
    assert kept_by(answer) == ("green",)


def test_who_has_not_the_role_passes_nothing() -> None:
    answer = asks("full", role="worker", level=40, colour="green")

    assert answer.decision["reason"] == "override-not-permitted"
    assert kept_by(answer) == ("full",)


def test_a_code_that_is_not_foreseen_passes_nothing() -> None:
    assert asks("full", code="because", level=40, colour="green").refused


def test_a_guard_that_is_not_named_is_not_passed() -> None:
    workflow = tiny(
        guards={"full": level >= 50, "green": colour.is_("green")},
        ways=[way("rise", soft("full"), soft("green"))],
    )
    story = Story(workflow).given(step("told", level=40, colour="red"))
    answer = story.sends("rise", role="chief", override="full", code="urgent")

    assert answer.decision["reason"] == "guard-failed"
    assert kept_by(answer) == ("green",)


def test_an_override_of_a_guard_that_does_not_exist_is_malformed() -> None:
    with pytest.raises(InvalidInput, match="guards"):
        asks("fool", level=40, colour="green")


def test_an_override_does_not_outlive_its_event() -> None:
    story = Story(WORKFLOW).given(step("told", level=40, colour="green"))
    story.sends("rise", role="chief", override="full", code="urgent")
    story.sends("fell")

    assert kept_by(story.sends("rise", role="chief")) == ("full",)


def test_the_override_is_in_the_record_with_its_text_sealed() -> None:
    story = Story(WORKFLOW).given(step("told", level=40, colour="green"))
    story.sends("rise", role="chief", override="full", code="urgent")
    (body,) = story.events("rise")

    assert body["event"]["override"]["code"] == "urgent"
    assert body["event"]["override"]["guards"] == ["full"]
    assert set(body["event"]["override"]["text"]) == {"sha256"}


# --- what was never published -----------------------------------------------------------------


def test_a_retrospective_course_passes_an_unknown_as_not_published_even_a_hard_one() -> None:
    answer = asks(["full", "green"], code="not-published", retrospective=True)

    assert answer.verdict == "accepted"
    assert passed(answer) == {"full": "unknown", "green": "unknown"}


def test_a_retrospective_course_does_not_pass_a_no_as_not_published() -> None:
    answer = asks(["full", "green"], code="not-published", retrospective=True, level=1)

    assert answer.refused
    assert kept_by(answer) == ("full",)


def test_a_course_of_today_passes_nothing_as_not_published() -> None:
    answer = asks(["full", "green"], code="not-published")

    assert answer.refused
    assert set(kept_by(answer)) == {"full", "green"}
