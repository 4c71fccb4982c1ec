"""N12 to N18: fluids and drugs that manage a toxicity, each with its limit."""

from __future__ import annotations

from functools import partial
from typing import Any

from engine.testing import Part, step
from tests.workflows.il2 import after_dose, gives, in_tail, until, vital_signs, waits
from tests.workflows.thresholds.row import (
    advises,
    fires,
    firmly,
    granted,
    not_fired,
    recorded,
    refused,
    row,
    softly,
)

HYPOTENSIVE = vital_signs(85)
NORMAL = vital_signs(120)
EDEMA = step("chest_x_ray_recorded", pulmonary_edema=True)


def order(event: str, **what: Any) -> Any:
    return partial(step, event, **what)


def fluid(litres: str) -> Any:
    return order("order_fluid", volume=f"{litres} L")


def fluid_given(litres: str) -> Part:
    return step("fluid_given", volume=f"{litres} L")


def loperamide(mg: str) -> Any:
    return order("order_loperamide", dose=f"{mg} mg")


def loperamide_given(mg: str) -> Part:
    return step("loperamide_given", dose=f"{mg} mg")


def acetaminophen(mg: str, **more: Any) -> Any:
    return order("order_acetaminophen", dose=f"{mg} mg", **more)


def acetaminophen_given(mg: str) -> Part:
    return step("acetaminophen_given", dose=f"{mg} mg")


ROWS = (
    # --- N12: fluid, in the episode: warn above 1 L, strongly above 1.5 L ---------------------
    row("N12", "1 L for a hypotensive patient", after_dose, HYPOTENSIVE, fluid("1")(),
        then=(granted, not_fired("N12"))),
    row("N12", "1.1 L for a hypotensive patient", after_dose, HYPOTENSIVE, fluid("1.1")(),
        then=(granted, fires("N12_fluid_ordered_above_1_L"), advises("more than 1 L"),
              not_fired("N12_fluid_ordered_above_1_5_L"))),
    row("N12", "1.5 L for a hypotensive patient", after_dose, HYPOTENSIVE, fluid("1.5")(),
        then=(granted, fires("N12_fluid_ordered_above_1_L"),
              not_fired("N12_fluid_ordered_above_1_5_L"))),
    row("N12", "1.6 L for a hypotensive patient: a strong warning, never a refusal", after_dose,
        HYPOTENSIVE, fluid("1.6")(),
        then=(granted, fires("N12_fluid_ordered_above_1_5_L"), advises("strong warning"))),
    softly("N12", "1.6 L for a patient who is not hypotensive", after_dose, NORMAL, fluid("1.6"),
           kept="N12_fluid_at_most_1_5_L"),
    row("N12", "1.5 L for a patient who is not hypotensive", after_dose, NORMAL, fluid("1.5")(),
        then=granted),
    row("N12", "1600 mL for a hypotensive patient", after_dose, HYPOTENSIVE,
        step("order_fluid", volume="1600 mL"),
        then=(granted, fires("N12_fluid_ordered_above_1_5_L"))),
    row("N12", "0.1 L more after 1 L was given in the episode", after_dose, HYPOTENSIVE,
        fluid_given("1"), fluid("0.1")(), then=(granted, fires("N12_fluid_ordered_above_1_L"))),
    row("N12", "0.5 L more after 1 L was given in the episode", after_dose, HYPOTENSIVE,
        fluid_given("1"), fluid("0.5")(),
        then=(granted, not_fired("N12_fluid_ordered_above_1_5_L"))),
    row("N12", "0.6 L more after 1 L was given in the episode", after_dose, HYPOTENSIVE,
        fluid_given("1"), fluid("0.6")(),
        then=(granted, fires("N12_fluid_ordered_above_1_5_L"))),
    row("N12", "1.6 L were infused: recorded, with a strong warning", after_dose, HYPOTENSIVE,
        fluid_given("1.6"), then=(recorded, fires("N12_fluid_given_above_1_5_L"))),
    row("N12", "1.6 L were infused in the tail: recorded", in_tail, fluid_given("1.6"),
        then=recorded),
    row("N12", "1.0 L was infused", after_dose, HYPOTENSIVE, fluid_given("1"),
        then=(recorded, not_fired("N12"))),
    row("N12", "1.1 L were infused in two portions", after_dose, HYPOTENSIVE, fluid_given("0.6"),
        waits(minutes=30), fluid_given("0.5"), then=(recorded, fires("N12_fluid_given_above_1_L"))),
    row("N12", "the next dose begins another episode", after_dose, fluid_given("1.4"),
        until("2026-03-09 09:00"), gives("10 M[IU]"), HYPOTENSIVE, fluid("0.5")(),
        then=(granted, not_fired("N12_fluid_ordered_above_1_L"))),
    # --- N13: loperamide, 16 mg a day, 2 to 4 mg after an episode -----------------------------
    row("N13", "2 mg", after_dose, loperamide("2")(), then=granted),
    row("N13", "4 mg", after_dose, loperamide("4")(), then=granted),
    row("N13", "1.9 mg", after_dose, loperamide("1.9")(), then=refused),
    row("N13", "4.1 mg", after_dose, loperamide("4.1")(), then=refused),
    row("N13", "4 mg after 12 that day: 16 in all", after_dose, *[loperamide_given("4")] * 3,
        loperamide("4")(), then=granted),
    row("N13", "2 mg after 14 that day: 16 in all", after_dose, *[loperamide_given("4")] * 3,
        loperamide_given("2"), loperamide("2")(), then=granted),
    firmly("N13", "4 mg after 12.1 that day: 16.1 in all", after_dose,
           *[loperamide_given("4")] * 3, loperamide_given("0.1"), loperamide("4"),
           kept="N13_loperamide_at_most_16_mg_a_day"),
    firmly("N13", "2 mg after 16 that day", after_dose, *[loperamide_given("4")] * 4,
           loperamide("2"), kept="N13_loperamide_at_most_16_mg_a_day"),
    row("N13", "4 mg on the day after 16", after_dose, *[loperamide_given("4")] * 4,
        until("2026-03-06 00:01"), loperamide("4")(), then=granted),
    row("N13", "20 mg taken on a day: recorded", after_dose, *[loperamide_given("4")] * 5,
        then=recorded),
    # --- N14, N15: vasopressors ---------------------------------------------------------------
    row("N14", "phenylephrine 0.1", after_dose, HYPOTENSIVE,
        step("order_phenylephrine", rate="0.1 ug/kg/min"), then=granted),
    row("N14", "phenylephrine 0.09", after_dose, HYPOTENSIVE,
        step("order_phenylephrine", rate="0.09 ug/kg/min"), then=refused),
    row("N14", "phenylephrine 2.0", after_dose, HYPOTENSIVE,
        step("order_phenylephrine", rate="2.0 ug/kg/min"), then=granted),
    row("N14", "phenylephrine 2.1", after_dose, HYPOTENSIVE,
        step("order_phenylephrine", rate="2.1 ug/kg/min"), then=refused),
    row("N14", "phenylephrine 2.1 was given: recorded", after_dose, HYPOTENSIVE,
        step("vasopressor_given", drug="phenylephrine", rate="2.1 ug/kg/min"), then=recorded),
    row("N15", "dopamine 2", after_dose, step("order_dopamine", rate="2 ug/kg/min"), then=granted),
    row("N15", "dopamine 1.9", after_dose, step("order_dopamine", rate="1.9 ug/kg/min"),
        then=refused),
    row("N15", "dopamine 2.1", after_dose, step("order_dopamine", rate="2.1 ug/kg/min"),
        then=refused),
    # --- N16: ondansetron ---------------------------------------------------------------------
    row("N16", "ondansetron 4 mg", after_dose, step("order_ondansetron", dose="4 mg"),
        then=granted),
    row("N16", "ondansetron 8 mg every 8 hours", after_dose,
        step("order_ondansetron", dose="8 mg", hours_between=8), then=granted),
    row("N16", "ondansetron 3.9 mg", after_dose, step("order_ondansetron", dose="3.9 mg"),
        then=refused),
    softly("N16", "ondansetron 12 mg with a reason", after_dose,
           order("order_ondansetron", dose="12 mg"), kept="N16_ondansetron_4_to_8_mg"),
    row("N16", "ondansetron 8.1 mg", after_dose, step("order_ondansetron", dose="8.1 mg"),
        then=refused),
    row("N16", "ondansetron 8 mg every 7 hours", after_dose,
        step("order_ondansetron", dose="8 mg", hours_between=7), then=refused),
    # --- N17: acetaminophen, 325 to 650 mg every 4 to 6 hours, 4 g a day ----------------------
    row("N17", "325 mg", after_dose, acetaminophen("325")(), then=granted),
    row("N17", "650 mg every 4 hours", after_dose, acetaminophen("650", hours_between=4)(),
        then=granted),
    row("N17", "650 mg every 6 hours", after_dose, acetaminophen("650", hours_between=6)(),
        then=granted),
    row("N17", "324 mg", after_dose, acetaminophen("324")(), then=refused),
    softly("N17", "651 mg: the narrower of the paper's two ranges is the default", after_dose,
           acetaminophen("651"), kept="N17_acetaminophen_325_to_650_mg"),
    softly("N17", "1000 mg, as the paper's prose has it", after_dose, acetaminophen("1000"),
           kept="N17_acetaminophen_325_to_650_mg"),
    row("N17", "650 mg every 3 hours", after_dose, acetaminophen("650", hours_between=3)(),
        then=refused),
    softly("N17", "650 mg, 3 hours 59 minutes after the last", after_dose,
           acetaminophen_given("650"), waits(hours=3, minutes=59), acetaminophen("650"),
           kept="N17_acetaminophen_4_hours_apart"),
    row("N17", "650 mg, 4 hours after the last", after_dose, acetaminophen_given("650"),
        waits(hours=4), acetaminophen("650")(), then=granted),
    row("N17", "650 mg an hour after the last, of which an older one is entered then", after_dose,
        waits(hours=5), acetaminophen_given("650"), waits(hours=1),
        step("acetaminophen_given", dose="650 mg", at="2026-03-05 10:00"), acetaminophen("650")(),
        then=refused),
    row("N17", "650 mg after 3350 that day: 4 g in all", after_dose,
        *[acetaminophen_given("650")] * 5, acetaminophen_given("100"), waits(hours=4),
        acetaminophen("650")(), then=granted),
    firmly("N17", "650 mg after 3351 that day: above 4 g", after_dose,
           *[acetaminophen_given("650")] * 5, acetaminophen_given("101"), waits(hours=4),
           acetaminophen("650"), kept="N17_acetaminophen_at_most_4_g_a_day"),
    row("N17", "650 mg on the day after 4 g", after_dose, *[acetaminophen_given("1000")] * 4,
        until("2026-03-06 00:01"), acetaminophen("650")(), then=granted),
    # --- N18: furosemide, morphine, nitroglycerin ---------------------------------------------
    *(
        row("N18", f"{event} {dose}", after_dose, NORMAL, EDEMA, step(event, **{field: dose}),
            then=granted if good else refused)
        for event, field, dose, good in (
            ("order_furosemide", "dose", "80 mg", True),
            ("order_furosemide", "dose", "81 mg", False),
            ("order_morphine", "dose", "1 mg", True),
            ("order_morphine", "dose", "0.9 mg", False),
            ("order_morphine", "dose", "3 mg", True),
            ("order_morphine", "dose", "3.1 mg", False),
            ("order_nitroglycerin", "rate", "5 ug/min", True),
            ("order_nitroglycerin", "rate", "4.9 ug/min", False),
            ("order_nitroglycerin", "rate", "200 ug/min", True),
            ("order_nitroglycerin", "rate", "200.1 ug/min", False),
        )
    ),
)  # fmt: skip
