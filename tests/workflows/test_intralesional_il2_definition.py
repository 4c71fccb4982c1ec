"""The definition by itself: well formed, complete against the protocol, and cited."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from engine.core.blueprint import prose_json, semantic_json, workflow_digest, workflow_from
from engine.core.check import check
from engine.core.definition import Kind, Provenance, Workflow
from engine.core.machine import Machine
from workflows import ALL
from workflows.intralesional_il2 import WORKFLOW
from workflows.intralesional_il2.parameters import SLOT_DAYS

NUMERIC = [f"N{n:02}" for n in range(1, 20)]
EVENTS = [f"E{n:02}" for n in range(1, 30)]
DECISIONS = [f"7.{n}" for n in range(1, 36)]
GUARDS = {guard.name: guard for guard in WORKFLOW.guards}
RULES = {rule.guard: rule for rule in WORKFLOW.rules}
EVENT = {event.name: event for event in WORKFLOW.events}
PARAMETER = {parameter.name: parameter for parameter in WORKFLOW.parameters}

# Which rows of the paper's Table 3 are carried by which guards.
TABLE_3 = {
    "Hypotension": "E04_hypotension_reported",
    "Sinus tachycardia": "N01_sinus_tachycardia_sustained",
    "Supraventricular tachycardia": "E01_svt_or_af_reported",
    "Fever/ chills": "E06_fever_chills_or_myalgia",
    "Nausea": "E07_nausea_or_vomiting",
    "Diarrhea": "E08_diarrhea",
    "Dyspnea": "N03_spo2_below_90",
    "Peripheral edema": "E11_peripheral_edema",
    "Acute Kidney Injury or Oliguria": "N05_creatinine_above_3",
    "Anemia": "N08_hematocrit_below_28",
    "Thrombocytopenia": "N07_platelets_below_20",
    "Infection or Cutaneous Ulcerations": "E13_skin_infection",
    "Transient Cholestasis": "E16_cholestasis",
    "Elevated Cardiac Enzymes": "E03_cardiac_enzymes_elevated",
    "Neurotoxicity": "E02_neurotoxicity_reported",
    "Rash or Pruritus": "E17_rash_or_pruritus",
}
DISCONTINUE = {
    "E01_svt_or_af_on_ecg",
    "E01_svt_or_af_reported",
    "E02_neurotoxicity_reported",
    "E03_myocardial_dysfunction",
    "N01_sinus_tachycardia_sustained",
    "N04_urine_below_10_sustained",
    "N05_creatinine_above_3",
    "N06_platelets_below_30_sustained",
}


def _cited(workflow: Workflow) -> list[str]:
    things = (workflow.events, workflow.guards, workflow.advice, workflow.parameters)
    return [one.cite.source for group in things for one in group if one.cite is not None]


def test_the_workflow_is_among_those_that_come_with_the_engine():
    assert WORKFLOW in ALL


def test_check_finds_no_problem():
    assert check(WORKFLOW) == ()


def test_every_tree_compiles():
    machine = Machine(WORKFLOW, workflow_digest(WORKFLOW), "")

    assert set(machine.guards) == set(GUARDS)


def test_it_is_stored_and_read_back_without_loss():
    assert workflow_from(semantic_json(WORKFLOW), prose_json(WORKFLOW)) == WORKFLOW


@pytest.mark.parametrize("number", NUMERIC + EVENTS)
def test_every_numbered_fact_of_the_protocol_is_a_cited_guard(number: str):
    found = [guard for guard in WORKFLOW.guards if guard.name.startswith(f"{number}_")]

    assert found
    assert all(guard.cite.text and guard.title for guard in found)


@pytest.mark.parametrize("number", DECISIONS)
def test_every_decision_on_what_the_paper_leaves_open_is_cited(number: str):
    assert f"Decision {number}" in _cited(WORKFLOW)


@pytest.mark.parametrize(("row", "guard"), TABLE_3.items(), ids=TABLE_3.values())
def test_every_row_of_table_3_has_a_guard_that_quotes_it(row: str, guard: str):
    cite = GUARDS[guard].cite

    assert f"Table 3, {row}" in cite.source
    assert cite.provenance is Provenance.PAPER


def test_only_the_discontinue_set_discontinues_and_only_enzymes_hold():
    by_action = {
        action: {rule.guard for rule in WORKFLOW.rules if rule.action == action}
        for action in ("discontinue", "hold")
    }

    assert by_action == {"discontinue": DISCONTINUE, "hold": {"E03_cardiac_enzymes_elevated"}}


def test_stop_rules_watch_every_state_from_the_first_injection_on():
    wanted = {state.name for state in WORKFLOW.states} - {"baseline"}

    for name in (*DISCONTINUE, "E03_cardiac_enzymes_elevated"):
        assert set(WORKFLOW.expand(RULES[name].places)) == wanted, name


def test_precedence_is_discontinue_hold_expedite_consult_manage_advise():
    ranks = sorted((action.rank, action.name) for action in WORKFLOW.actions)

    assert [name for _, name in ranks][:6] == [
        "discontinue",
        "hold",
        "expedite",
        "consult",
        "manage",
        "advise",
    ]


def test_every_state_of_treatment_leads_to_discontinuation_and_to_a_hold():
    machine = Machine(WORKFLOW, "", "")
    treated = [s for s in WORKFLOW.states if s.stage in ("test_dose", "dose_escalation")]

    assert treated
    for state in treated:
        assert machine.target("discontinue", state.name) == "il2_discontinued"
        if not state.name.endswith("_hold"):
            assert machine.target("hold", state.name) in ("test_dose_hold", "dose_hold")


def test_no_rule_moves_a_course_after_il2_or_before_it():
    machine = Machine(WORKFLOW, "", "")
    quiet = [s.name for s in WORKFLOW.states if s.stage not in ("test_dose", "dose_escalation")]

    for state in quiet:
        assert [a.name for a in WORKFLOW.actions if machine.target(a.name, state)] == []


def test_a_dose_that_was_given_is_taken_in_every_state():
    machine = Machine(WORKFLOW, "", "")

    for state in WORKFLOW.states:
        ways = machine.steps("dose_given", state.name)
        assert any(step.transition.deviation and not step.needs for step in ways), (
            f"nothing takes an unforeseen dose in {state.name}"
        )


def test_what_is_observed_is_taken_in_every_state():
    machine = Machine(WORKFLOW, "", "")
    observed = (
        "vital_signs_recorded",
        "electrocardiogram_recorded",
        "echocardiogram_recorded",
        "labs_recorded",
        "cardiac_enzymes_recorded",
        "urine_output_recorded",
        "adverse_event_reported",
        "emergency_visit_reported",
        "pet_ct_recorded",
        "brain_mri_recorded",
        "vasopressor_given",
        "fluid_given",
        "topical_reaction_reported",
        "lesion_finding_reported",
    )

    for event in observed:
        assert EVENT[event].kind is Kind.REPORT
        for state in WORKFLOW.states:
            assert any(not s.needs for s in machine.steps(event, state.name)), (event, state.name)


def test_every_open_state_can_be_left_by_death_withdrawal_loss_transfer_and_the_clinician():
    machine = Machine(WORKFLOW, "", "")
    exits = (
        "death_reported",
        "withdrawal_reported",
        "contact_lost",
        "transfer_reported",
        "follow_up_ended",
    )

    for state in WORKFLOW.states:
        if not state.closed:
            assert all(machine.accepts(event, state.name) for event in exits), state.name


def test_death_is_correctable_and_loss_reversible():
    machine = Machine(WORKFLOW, "", "")

    assert machine.accepts("exit_corrected", "died")
    assert machine.accepts("contact_regained", "lost_to_follow_up")


def test_no_closed_state_has_a_timer_or_a_visit():
    machine = Machine(WORKFLOW, "", "")

    for state in WORKFLOW.states:
        if state.closed:
            assert machine.alarms(state.name) == ()
            assert machine.visits(state.name) == ()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("test_dose", "7 M[IU]"),
        ("max_dose", "22 M[IU]"),
        ("min_test_dose", "3 M[IU]"),
        ("heart_rate_limit", "130 /min"),
        ("svt_limit", "150 /min"),
        ("spo2_limit", "90 %"),
        ("urine_limit", "80 mL"),
        ("creatinine_limit", "3 mg/dL"),
        ("platelet_limit", "30 10*3/uL"),
        ("transfusion_platelets", "20 10*3/uL"),
        ("hematocrit_limit", "28 %"),
        ("goal_low", "80 mm[Hg]"),
        ("goal_middle", "85 mm[Hg]"),
        ("goal_high", "90 mm[Hg]"),
        ("fluid_warning", "1 L"),
        ("fluid_limit", "1.5 L"),
    ],
)
def test_a_threshold_has_the_value_that_is_printed(name: str, value: str):
    assert str(PARAMETER[name].value) == value


@pytest.mark.parametrize(
    ("name", "stricter", "looser"),
    [
        ("heart_rate_limit", "120 /min", "131 /min"),
        ("creatinine_limit", "2.5 mg/dL", "3.1 mg/dL"),
        ("platelet_limit", "50 10*3/uL", "29 10*3/uL"),
        ("max_dose", "18 M[IU]", "23 M[IU]"),
        ("test_dose", "5 M[IU]", "8 M[IU]"),
        ("urine_limit", "160 mL", "79 mL"),
    ],
)
def test_a_site_may_make_a_printed_limit_stricter_but_not_looser(
    name: str, stricter: str, looser: str
):
    def parsed(text: str):
        number, unit = text.split()
        return type(PARAMETER[name].value)(Decimal(number), unit)

    changed = WORKFLOW.with_parameters(**{name: parsed(stricter)})

    assert check(changed) == ()
    with pytest.raises(ValueError, match=name):
        WORKFLOW.with_parameters(**{name: parsed(looser)})


def test_every_parameter_lies_within_its_bounds_and_is_cited():
    for parameter in WORKFLOW.parameters:
        assert parameter.cite is not None, parameter.name
        for bound, holds in ((parameter.low, "__ge__"), (parameter.high, "__le__")):
            if bound is not None:
                assert getattr(parameter.value, holds)(bound), parameter.name


def test_every_input_has_a_range_or_codes_and_no_reading_expires_by_itself():
    for source in WORKFLOW.inputs:
        assert source.title, source.name
        assert source.max_age is None, source.name
        if source.kind in ("quantity", "number"):
            assert source.low is not None, source.name
            assert source.high is not None, source.name
            assert source.low < source.high
        if source.kind == "code":
            assert len(source.codes) > 1


def test_ranges_are_physical_possibility_and_not_limits_of_treatment():
    inputs = {source.name: source for source in WORKFLOW.inputs}

    for name, real in (("systolic", "45"), ("platelets", "4"), ("il2_dose", "42")):
        assert inputs[name].low <= Decimal(real) <= inputs[name].high


def test_visits_are_three_and_four_days_apart_in_turn():
    gaps = [later - earlier for earlier, later in zip((0, *SLOT_DAYS), SLOT_DAYS, strict=False)]

    assert gaps == [3, 4] * 6
    assert SLOT_DAYS[7] == 28


def test_every_request_says_how_old_its_time_may_be_and_has_a_way():
    ways = {transition.event for transition in WORKFLOW.transitions}

    for event in WORKFLOW.events:
        if event.kind is Kind.REQUEST:
            assert event.max_age is not None, event.name
            assert event.name in ways, event.name


def test_only_clinicians_and_prescribers_may_override():
    for transition in WORKFLOW.transitions:
        for requirement in transition.requires:
            if requirement.soft:
                assert set(requirement.roles) == {"clinician", "prescriber"}
                assert requirement.codes


def test_the_ceiling_and_the_split_can_never_be_overridden():
    hard = {
        requirement.guard
        for transition in WORKFLOW.transitions
        if transition.name == "order_dose"
        for requirement in transition.requires
        if not requirement.soft
    }

    assert {"N11_dose_at_most_22", "N11_few_comorbidities_above_19", "N10_split_adds_up"} <= hard


def test_no_text_uses_an_ambiguous_word():
    said = [
        *(advice.text for advice in WORKFLOW.advice),
        *(guard.title for guard in WORKFLOW.guards),
        *(parameter.title for parameter in WORKFLOW.parameters),
    ]

    assert [text for text in said if re.search(r"biweekly|\bM?IU\b|\bU\b", text)] == []
