"""E02 and the events of Table 3 that have no number: what each of them asks for."""

from __future__ import annotations

from functools import cache, partial

from engine.testing import Part, Story, step
from tests.workflows.il2 import (
    adverse,
    after_dose,
    after_test_dose,
    assessing,
    at_baseline,
    day_of_visit,
    escalating,
    in_dose_hold,
    in_maintenance,
    in_tail,
    on_day_of_visit,
    orders,
    until,
    visit,
    vital_signs,
    waits,
)
from tests.workflows.thresholds.row import (
    Expectation,
    advises,
    ends_in,
    fires,
    granted,
    has,
    not_fired,
    recorded,
    refused,
    row,
    softly,
)


def reaction(**what: object) -> Part:
    return step("topical_reaction_reported", **what)


def nothing_moves(state: str = "observing_dose") -> Expectation:
    return ends_in(state)


def medication(**what: object) -> partial[Part]:
    nothing = {"purpose": "other", "steroid": False, "alcohol_based": False}
    return partial(step, "order_medication", **{**nothing, **what})


@cache
def _second_visit() -> Story:
    return escalating().given(visit("10 M[IU]", on="2026-03-05"), until("2026-03-09 09:00"),
                              day_of_visit)  # fmt: skip


def second_visit() -> Story:
    """7 and 10 were tolerated; the morning of the second visit."""
    return _second_visit().fork()


ROWS = (
    # --- E02: neurotoxicity, any --------------------------------------------------------------
    *(
        row("E02", f"{term} of grade 1", after_dose, adverse(term, 1),
            then=(ends_in("il2_discontinued"), fires("E02"), has(stopped_by="E02")))
        for term in ("confusion", "delirium", "encephalopathy", "other_neurotoxicity")
    ),
    row("E02", "after the test dose", after_test_dose, adverse("confusion", 2),
        then=ends_in("il2_discontinued")),
    row("E02", "while tolerance is assessed", assessing, adverse("confusion", 2),
        then=ends_in("il2_discontinued")),
    row("E02", "during a hold", in_dose_hold, adverse("delirium", 2),
        then=ends_in("il2_discontinued")),
    row("E02", "a confusion of yesterday, told late by the patient, acts now", on_day_of_visit,
        adverse("confusion", 1, role="patient", at="2026-03-04 22:00"),
        then=(ends_in("il2_discontinued"), fires("E02"))),
    row("E02", "before any injection: a consult", at_baseline, adverse("confusion", 1),
        then=(ends_in("baseline"), fires("E02"))),
    row("E02", "in the tail: a restart must override it", in_tail, adverse("confusion", 1),
        then=(ends_in("tail"), fires("E02"), has(stop_rule_open=True))),
    row("E02", "in maintenance", in_maintenance, adverse("confusion", 1),
        then=(ends_in("maintenance"), fires("E02"), has(stop_rule_open=True))),
    row("E02", "nausea is no neurotoxicity", after_dose, adverse("nausea", 2),
        then=(nothing_moves(), not_fired("E02"))),
    # --- E06: fever, chills, myalgias; no temperature is a threshold --------------------------
    row("E06", "41 degrees are no threshold of the paper", after_dose,
        vital_signs(temperature="41"), then=(nothing_moves(), not_fired("E06"))),
    row("E06", "38.0 degrees neither", after_dose, vital_signs(temperature="38.0"),
        then=(nothing_moves(), not_fired("E06"))),
    *(
        row("E06", f"{term} is reported", after_dose, adverse(term, 1),
            then=(nothing_moves(), fires("E06"), advises("acetaminophen", "325 to 650", "blanket")))
        for term in ("fever", "chills", "myalgia")
    ),
    row("E06", "fever is reported in the tail", in_tail, adverse("fever", 1),
        then=(ends_in("tail"), fires("E06"))),
    # --- E07: nausea, vomiting ----------------------------------------------------------------
    *(
        row("E07", f"{term} is reported", after_dose, adverse(term, 1),
            then=(nothing_moves(), fires("E07"),
                  advises("ondansetron", "4 to 8 mg", "histamine-2", "avoid steroids")))
        for term in ("nausea", "vomiting")
    ),
    row("E07", "a steroid against nausea", after_dose,
        medication(purpose="nausea", steroid=True)(), then=refused),
    softly("E07", "a steroid against nausea, with a reason", after_dose,
           medication(purpose="nausea", steroid=True), kept="E07_no_steroid"),
    row("E07", "something else against nausea", after_dose, medication(purpose="nausea")(),
        then=granted),
    # --- E08, E11 -----------------------------------------------------------------------------
    row("E08", "diarrhea", after_dose, adverse("diarrhea", 1),
        then=(nothing_moves(), fires("E08"), advises("loperamide", "2 to 4 mg", "16 mg"))),
    row("E11", "peripheral edema", after_dose, adverse("peripheral_edema", 1),
        then=(nothing_moves(), fires("E11"), advises("compression stockings"))),
    row("E11", "severe peripheral edema", after_dose, adverse("peripheral_edema", 3),
        then=(fires("E11"), advises("diuretics", "hypotension"))),
    # --- E13: skin ----------------------------------------------------------------------------
    row("E13", "an infection of the skin", after_dose, adverse("skin_infection", 2),
        then=(nothing_moves(), fires("E13"),
              advises("doxycycline", "trimethoprim-sulfamethoxazole", "culture"))),
    row("E13", "an ulcer with concern of infection", after_dose,
        reaction(ulcer=True, infection_concern=True),
        then=(nothing_moves(), fires("E13"), advises("doxycycline"))),
    row("E13", "an ulcer without concern of infection is expected", after_dose,
        reaction(ulcer=True, infection_concern=False),
        then=(nothing_moves(), advises("expected"), not_fired("E13_concern_of_infection"))),
    # --- E14, E15: topicals -------------------------------------------------------------------
    row("E14", "an ulcer that is unacceptably large", after_dose,
        reaction(ulcer=True, unacceptably_large=True),
        then=(nothing_moves(), fires("E14"), advises("reduce"))),
    row("E14", "an intolerable inflammation", after_dose, reaction(inflammation="intolerable"),
        then=(nothing_moves(), fires("E14"), advises("reduce"))),
    row("E14", "an inflammation as expected", after_dose, reaction(inflammation="as_expected"),
        then=(nothing_moves(), not_fired("E14", "E15"))),
    row("E15", "an inflammation that is not intense", after_dose,
        reaction(inflammation="not_intense"),
        then=(nothing_moves(), fires("E15"), advises("occlusion"))),
    row("E14", "topicals are reduced from seven nights to five", escalating,
        step("topicals_reduced"), then=has(topical_nights="5")),
    row("E14", "then to three", escalating, step("topicals_reduced"), step("topicals_reduced"),
        then=has(topical_nights="3")),
    row("E14", "then paused", escalating, *[step("topicals_reduced")] * 3,
        then=has(topical_nights="0")),
    row("E14", "and restored upward", escalating, *[step("topicals_reduced")] * 2,
        step("topicals_restored"), then=has(topical_nights="5")),
    # --- E16, E17 -----------------------------------------------------------------------------
    row("E16", "cholestasis: a note", after_dose, adverse("cholestasis", 2),
        then=(nothing_moves(), fires("E16"), advises("reversible"))),
    *(
        row("E17", f"{term}", after_dose, adverse(term, 1),
            then=(nothing_moves(), fires("E17"),
                  advises("emollient", "antihistamine", "steroid", "alcohol")))
        for term in ("rash", "pruritus")
    ),
    softly("E17 E07", "a steroid on the skin", after_dose, medication(purpose="skin", steroid=True),
           kept="E17_no_steroid_on_skin E07_no_steroid"),
    softly("E17", "an alcohol-based product on the skin", after_dose,
           medication(purpose="skin", alcohol_based=True), kept="E17_no_alcohol_on_skin"),
    row("E17", "an emollient", after_dose, medication(purpose="skin")(), then=granted),
    # --- E22: restart -------------------------------------------------------------------------
    row("E22", "a restart without any finding", in_maintenance, until("2026-06-01 09:00"),
        step("request_restart", finding="recurrent"), then=refused),
    *(
        row("E22", f"a restart after a finding that is {finding}", in_maintenance,
            until("2026-06-01 09:00"), step("lesion_finding_reported", finding=finding),
            step("request_restart", finding=finding), then=(granted, ends_in("restart_baseline")))
        for finding in ("persistent", "recurrent", "new_cutaneous")
    ),
    *(
        row("E22 E19", f"a restart after {finding} metastases alone", in_maintenance,
            until("2026-06-01 09:00"), step("lesion_finding_reported", finding=finding),
            step("request_restart", finding="new_cutaneous"), then=refused)
        for finding in ("lymph_node", "visceral", "brain")
    ),
    softly("E22 E19", "a restart after a brain metastasis and a new cutaneous one", in_maintenance,
           until("2026-06-01 09:00"), step("lesion_finding_reported", finding="brain"),
           step("lesion_finding_reported", finding="new_cutaneous"),
           partial(step, "request_restart", finding="new_cutaneous"),
           kept="E19_no_distant_progression"),
    softly("E22", "a restart 83 days after the test dose", in_maintenance,
           until("2026-05-24 09:00"), step("lesion_finding_reported", finding="persistent"),
           partial(step, "request_restart", finding="persistent"),
           kept="E22_twelve_weeks_since_test_dose"),
    row("E22", "a restart 84 days after the test dose", in_maintenance, until("2026-05-25 09:00"),
        step("lesion_finding_reported", finding="persistent"),
        step("request_restart", finding="persistent"), then=granted),
    softly("E22", "a restart before the tail is over", in_tail, until("2026-04-10 09:00"),
           step("lesion_finding_reported", finding="new_cutaneous"),
           partial(step, "request_restart", finding="new_cutaneous"),
           kept="E22_tail_is_over E22_twelve_weeks_since_test_dose"),
    row("E22", "a new lesion during the escalation is no restart", escalating,
        step("lesion_finding_reported", finding="new_cutaneous"),
        step("request_restart", finding="new_cutaneous"), then=refused),
    # --- E24, E25 -----------------------------------------------------------------------------
    row("E24", "an event of grade 3 is beyond the office", after_dose, adverse("vomiting", 3),
        then=(recorded, fires("E24"), advises("inpatient", "primary care"))),
    row("E24", "an event of grade 1 is not", after_dose, adverse("vomiting", 1),
        then=not_fired("E24")),
    row("E25", "IL-2 is ended early and topicals go on: imiquimod alone is not recommended",
        escalating, step("end_il2", continue_topicals=True, reason="patient-wish"),
        then=(granted, ends_in("tail"), fires("E25"), advises("not recommended"))),
    row("E25", "after a discontinuation the tail needs a clinician's word", after_dose,
        adverse("confusion", 1), waits(hours=6), step("symptoms_reviewed"),
        then=ends_in("il2_discontinued")),
    row("E25", "after a discontinuation a clinician continues the topicals", after_dose,
        adverse("confusion", 1), step("confirm_topicals", continue_topicals=True),
        then=(granted, ends_in("tail"), fires("E25"))),
    row("E25", "after a discontinuation a clinician ends the topicals", after_dose,
        adverse("confusion", 1), step("confirm_topicals", continue_topicals=False),
        then=(granted, ends_in("follow_up"))),
    # --- a toxicity is open until a clinician closes it ---------------------------------------
    softly("E24", "a dose while a toxicity is open", second_visit, adverse("rigor", 3),
           partial(orders, "7 M[IU]"), kept="no_open_toxicity"),
    row("E24", "a dose after a clinician has closed the toxicity", second_visit,
        adverse("rigor", 3), step("toxicity_resolved"), orders("7 M[IU]"), then=granted),
)  # fmt: skip
