"""Words for decisions: what a clinician reads says what the data says."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine.answer import Answer
from engine.core.machine import Machine
from engine.registry import compiled, stored_form
from engine.telling.explanation import Comparison, Explained
from engine.telling.lexicon import Lexicon
from engine.telling.seen import elapsed
from engine.telling.wording import Tone, Wording, either, plain
from engine.testing import Story
from workflows import instrument_calibration, intralesional_il2

WORDING = Wording(zone=ZoneInfo("America/Los_Angeles"))
SEVEN = {"amount": "7 M[IU]", "split": [{"lesion": 1, "amount": "7 M[IU]"}]}


@pytest.fixture(scope="module")
def il2() -> Machine:
    return compiled(stored_form(intralesional_il2.WORKFLOW))


@pytest.fixture(scope="module")
def gauge() -> Machine:
    return compiled(stored_form(instrument_calibration.WORKFLOW))


def told(machine: Machine, answer: Answer) -> Explained:
    return Lexicon(machine).explained(
        answer.event, answer.decision, state_before=answer.state_before, state=answer.state
    )


def text(machine: Machine, answer: Answer, wording: Wording = WORDING) -> str:
    lexicon = Lexicon(machine)
    states = (lexicon.state(answer.state_before), lexicon.state(answer.state))
    return "\n".join(wording.decision(told(machine, answer), states).lines())


def test_a_refusal_names_guard_value_limit_and_source(il2: Machine):
    answer = Story(il2.workflow).sends("order_test_dose", **SEVEN | {"amount": "8 M[IU]"})
    said = text(il2, answer)

    assert "Dose in all is 8 million international units; must be at most 7 million" in said
    assert "[N10_test_dose_at_most_7]" in said
    assert "paper: Patel et al., Dermatology Online Journal 2014" in said
    assert "N10_test_dose_at_most_7" in said.splitlines()[-2]
    assert "No override passes it." in said


def test_what_is_missing_is_named_with_the_events_that_would_bring_it(il2: Machine):
    said = text(il2, Story(il2.workflow).sends("order_test_dose", **SEVEN))

    assert "Undecided: a requirement could not be weighed." in said
    assert "Metastasis on brain MRI: not recorded; brain_mri_recorded would bring it" in said
    assert "Counselled about vitiligo: not stated; counselling_given" in said


def test_an_inference_and_a_local_decision_are_marked_as_such(il2: Machine):
    decided = told(il2, Story(il2.workflow).sends("order_test_dose", **SEVEN))
    kept = {one["guard"]: one for way in decided["ways"] for one in way["kept_by"]}
    inferred = WORDING.unmet(kept["baseline_pressure_above_80"]).below
    local = WORDING.unmet(kept["LDH_not_raised_at_IV_M1a"]).below
    paper = WORDING.unmet(kept["E27_vitiligo_counselled"]).below

    assert any(s.tone is Tone.OWN and s.text.startswith("INFERRED") for s in inferred)
    assert any(s.tone is Tone.OWN and s.text.startswith("LOCAL DECISION") for s in local)
    assert any(s.tone is Tone.SOURCE and s.text.startswith("paper: ") for s in paper)


def test_what_several_requirements_share_is_told_once(il2: Machine):
    answer = Story(il2.workflow).sends("order_test_dose", **SEVEN)

    assert text(il2, answer).count("May be overridden by clinician or prescriber") == 1


def test_a_rule_tells_the_reading_that_fired_it_and_its_advice(il2: Machine):
    answer = Story(il2.workflow).sends("vital_signs_recorded", heart_rate="140 /min")
    said = text(il2, answer)

    assert "Heart rate is 140 /min, above 130 /min" in said
    assert "(record 2, 2026-03-02 08:00)" in said
    assert "Look for and treat fever" in said


def test_a_deviation_says_what_a_guard_would_have_said_no_to(il2: Machine):
    said = text(il2, Story(il2.workflow).sends("dose_given", amount="7 M[IU]"))

    assert said.startswith("Recorded as a deviation: IL-2 was injected")
    assert "Baseline evaluation → Six hours after the test dose" in said
    assert "[dose_as_ordered]" in said


def test_an_open_question_says_what_it_waits_for(gauge: Machine):
    story = Story(gauge.workflow, retrospective=True)
    for when in ("measurement_recorded", "release_instrument"):
        fields: dict[str, Any] = {"deviation": "3 um", "room_temperature": "20 Cel"}
        story.sends(when, **(fields if when.startswith("measure") else {}))
    answer = story.sends("measurement_recorded", deviation=None)
    said = text(gauge, answer)

    assert "Open question (Withdraw from service): The deviation is above the limit" in said
    assert "not published" in said


def test_only_a_retrospective_course_is_told_of_what_was_not_published(il2: Machine):
    answer = Story(il2.workflow).sends("order_test_dose", **SEVEN)
    retrospective = Wording(
        zone=WORDING.zone, retrospective=True, not_published=il2.workflow.not_published
    )

    assert "not-published" not in text(il2, answer)
    assert "not-published passes what is unknown" in text(il2, answer, retrospective)


def finding(what: str, op: str, value: str, threshold: str, verdict: str) -> dict[str, str]:
    return {"what": what, "op": op, "value": value, "threshold": threshold, "verdict": verdict}


@pytest.mark.parametrize(
    ("found", "needed"),
    [
        (finding("systolic", ">", "70 mm[Hg]", "80 mm[Hg]", "no"), "> 80 mm[Hg]"),
        # Below a "not", the comparison that holds is the one that must not.
        (finding("heart_rate", ">", "140 /min", "130 /min", "yes"), "<= 130 /min"),
        (finding("rhythm", "is one of", "sinus", "atrial_flutter, other", "yes"),
         "none of atrial_flutter, other"),
        (finding("co_managed", "is", "no", "", "no"), "yes"),
        (finding("il2_dose", "is known", "", "", "no"), "known"),
    ],
)  # fmt: skip
def test_what_a_comparison_would_have_to_be_instead(
    il2: Machine, found: dict[str, str], needed: str
):
    assert Lexicon(il2).comparison(found, "no")["needed"] == needed


def test_a_limit_stands_on_the_right_whichever_way_the_guard_was_written(il2: Machine):
    written = finding("max_dose", ">=", "22 M[IU]", "amount = 24 M[IU]", "no")
    compared: Comparison = Lexicon(il2).comparison(written, "no")

    assert (compared["what"], compared["op"], compared["value"]) == ("amount", "<=", "24 M[IU]")
    assert compared["threshold"] == "Highest dose of a visit = 22 M[IU]"


def test_a_window_is_told_with_the_thresholds_of_the_site(il2: Machine):
    lexicon = Lexicon(il2)

    assert lexicon.filled("platelets < platelet_limit over platelet_span") == (
        "platelets < 30 10*3/uL over 24 hours"
    )


def test_only_what_somebody_can_change_is_asked_for(il2: Machine):
    """A low count is answered by a higher one: not by none, and not by one of an earlier day."""
    weighed = {
        "guard": "N06_no_count_awaiting_repetition",
        "verdict": "no",
        "findings": [
            {"what": "platelets", "op": "is known", "verdict": "yes"},
            finding("time of platelets", ">=", "2024-03-21T15:00:00+00:00",
                    "first_injection_at = 2024-03-04T17:30:00+00:00", "yes"),
            finding("platelets", "<", "28 10*3/uL", "platelet_limit = 30 10*3/uL", "yes"),
        ],
    }  # fmt: skip
    unmet = Lexicon(il2).unmet(weighed, "order_dose")
    said = "\n".join(WORDING.unmet(unmet).lines())

    assert "Platelets is 28 \N{MULTIPLICATION SIGN}10³/µL; must be at least 30" in said
    assert "time of platelets" not in said
    assert "must be unknown" not in said
    assert [c["decides"] for c in unmet["comparisons"]] == [False, False, True]
    assert [c["needed"] is None for c in unmet["comparisons"]] == [True, True, False]


@pytest.mark.parametrize(
    ("hours", "said"),
    [(0, "less than a minute"), (0.5, "30 minutes"), (24, "24 hours"),
     (24.25, "24 hours 15 minutes"),
     (72, "3 days"), (100, "4 days 4 hours")],
)  # fmt: skip
def test_lengths_of_time_are_told_as_people_say_them(hours: float, said: str):
    assert elapsed(timedelta(hours=hours)) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("7 M[IU]", "7 million international units"),
        ("120 mm[Hg]", "120 mmHg"),
        ("2026-03-02T16:00:00+00:00", "2026-03-02 08:00"),
        (None, "not known"),
    ],
)
def test_values_are_written_as_people_write_them(value: str | None, said: str):
    assert WORDING.value(value) == said


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"value": "120", "unit": "mm[Hg]"}, "120 mm[Hg]"),
        ({"value": "75", "unit": "mL", "over": {"value": "8", "unit": "h"}}, "75 mL over 8 h"),
        ({"value": None, "reason": "not-published"}, "not published"),
        ({"sha256": "0" * 64}, "(text)"),
        ([{"lesion": "1"}, {"lesion": "2"}], "lesion 1; lesion 2"),
        (True, "yes"),
    ],
)
def test_what_was_sent_is_told_plainly(sent: object, said: str):
    assert plain(sent) == said


def test_a_list_of_choices_reads_as_a_sentence():
    assert [either(names) for names in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "", "a", "a or b", "a, b or c",
    ]  # fmt: skip
