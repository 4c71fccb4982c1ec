"""Observations as events: what is mapped, and what is refused by the name of its element."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from engine.core.forms import Forms
from engine.errors import InvalidInput
from engine.fhir import observation
from engine.fhir.observation import Sent, event_for
from tests.fhir.resources import UCUM, loinc, pressure, quantity
from tests.fhir.resources import observation as observed
from workflows.instrument_calibration import WORKFLOW as INSTRUMENT
from workflows.intralesional_il2 import WORKFLOW as IL2
from workflows.intralesional_il2.inputs import INPUTS


def sent(body: dict[str, Any], role: str = "nurse", workflow: Any = IL2) -> Sent:
    """What a first version becomes."""
    observation.course(body)
    actor = {"id": "somebody", "role": role}
    return observation.sent(body, workflow=workflow, patient="of-C-1", told=(), actor=actor)


def event(body: dict[str, Any], role: str = "nurse") -> Any:
    (made,) = sent(body, role).events
    Forms(IL2).parse(made)  # the engine takes it
    return made


def refused(body: dict[str, Any], role: str = "nurse", workflow: Any = IL2) -> InvalidInput:
    with pytest.raises(InvalidInput) as wrong:
        sent(body, role, workflow)
    return wrong.value


def test_a_laboratory_value_is_the_reading_of_the_input_that_has_its_code():
    made = event(observed(), "laboratory")

    assert made["event"] == "labs_recorded"
    assert made["at"] == "2026-03-02T14:10:00Z"
    assert made["data"] == {"creatinine": {"value": "1.1", "unit": "mg/dL"}}
    assert made["actor"] == {"id": "somebody", "role": "laboratory"}


@pytest.mark.parametrize("one", [i for i in INPUTS if i.loinc], ids=lambda one: one.name)
def test_every_input_that_has_a_code_is_brought_by_it(one: Any):
    value: dict[str, Any] = {"valueQuantity": None}
    match one.kind:
        case "quantity":
            value["valueQuantity"] = quantity(Decimal(one.low) + 1, one.unit)
        case "number":
            value["valueInteger"] = 1
        case "yesno":
            value["valueBoolean"] = True
        case "code":
            coding = {"system": "urn:x-regimen:code", "code": one.codes[0]}
            value["valueCodeableConcept"] = {"coding": [coding]}
    if one.interval:
        start, end = "2026-03-02T05:00:00-08:00", "2026-03-02T06:00:00-08:00"
        value |= {"effectivePeriod": {"start": start, "end": end}, "effectiveDateTime": None}
    made = event(observed(one.loinc, **value))
    (reading,) = Forms(IL2).parse(made).readings

    assert (reading.input, reading.flaw) == (one.name, None)


def test_a_unit_is_kept_as_it_was_sent_and_converted_by_the_engine():
    made = event(observed("777-3", valueQuantity=quantity(30000, "/uL")))
    (reading,) = Forms(IL2).parse(made).readings

    assert made["data"] == {"platelets": {"value": "30000", "unit": "/uL"}}
    assert reading.value == Decimal(30)


def test_the_digits_that_were_written_arrive():
    made = event(observed(valueQuantity=quantity(Decimal("3.05"), "mg/dL")))

    assert made["data"]["creatinine"]["value"] == "3.05"


def test_urine_is_measured_over_its_period():
    period = {"start": "2026-03-08T01:30:00-08:00", "end": "2026-03-08T03:30:00-07:00"}
    made = event(
        observed(
            "9187-6",
            effectiveDateTime=None,
            effectivePeriod=period,
            issued=None,
            valueQuantity=quantity(50, "mL"),
        )
    )

    # The clocks went forward in between: one hour, not two.
    assert made["at"] == "2026-03-08T10:30:00Z"
    assert made["data"]["urine_output"]["over"] == {"value": "3600000000", "unit": "us"}


def test_both_parts_of_a_blood_pressure_are_one_event():
    made = event(pressure(121, 79))

    assert made["event"] == "vital_signs_recorded"
    assert made["data"] == {
        "systolic": {"value": "121", "unit": "mm[Hg]"},
        "diastolic": {"value": "79", "unit": "mm[Hg]"},
    }


def test_a_part_without_a_value_is_left_out_and_named():
    parts = pressure()["component"]
    del parts[1]["valueQuantity"]
    parts[1]["dataAbsentReason"] = {"text": "not audible"}
    found = sent(pressure(component=parts))

    assert found.events[0]["data"] == {"systolic": {"value": "130", "unit": "mm[Hg]"}}
    assert found.left_out == ("Observation.component[1]",)


def test_a_role_that_may_not_report_it_is_told_so():
    wrong = refused(observed("8867-4", valueQuantity=quantity(72, "/min")), "laboratory")

    assert wrong.field == "Observation.code"
    assert "laboratory" in wrong.expected


def test_a_report_that_needs_more_than_was_measured_is_not_chosen():
    # An electrocardiogram brings a heart rate too, but not without its rhythm.
    chosen = event_for(IL2, ["heart_rate"], "nurse")
    assert chosen is not None
    assert chosen.name == "vital_signs_recorded"
    assert event_for(IL2, ["il2_dose", "heart_rate"], "nurse") is None


@pytest.mark.parametrize(
    ("body", "element"),
    [
        (observed(status="preliminary"), "Observation.status"),
        (observed(status="registered"), "Observation.status"),
        (observed(status="cancelled"), "Observation.status"),
        (observed(status="unknown"), "Observation.status"),
        (observed(status="entered-in-error"), "Observation.id"),
        (observed("1234-5"), "Observation.code.coding[0].code"),
        (observed(code={"text": "creatinine"}), "Observation.code.coding"),
        (
            observed(code={"coding": [{"system": "http://snomed.info/sct", "code": "1"}]}),
            "Observation.code.coding",
        ),
        (observed(valueQuantity=quantity(1, "mol/L")), "Observation.valueQuantity.code"),
        (observed(valueQuantity=quantity(1, "MG/DL")), "Observation.valueQuantity.code"),
        (observed(valueQuantity={"value": 1, "unit": "mg/dL"}), "Observation.valueQuantity.system"),
        (
            observed(valueQuantity={"value": 1, "system": UCUM}),
            "Observation.valueQuantity.code",
        ),
        (
            observed(valueQuantity={"system": UCUM, "code": "mg/dL"}),
            "Observation.valueQuantity.value",
        ),
        (
            observed(valueQuantity={**quantity(1, "mg/dL"), "comparator": "<"}),
            "Observation.valueQuantity.comparator",
        ),
        (
            observed(valueQuantity=quantity(Decimal("1E+999999"), "mg/dL")),
            "Observation.valueQuantity.value",
        ),
        (observed(valueQuantity=None, valueString="1.1"), "Observation.valueQuantity"),
        (
            observed(valueQuantity=None, dataAbsentReason={"text": "lost"}),
            "Observation.dataAbsentReason",
        ),
        (observed(effectiveDateTime=None), "Observation.effectiveDateTime"),
        (observed(effectiveDateTime="2026-03-02"), "Observation.effectiveDateTime"),
        (observed(effectiveDateTime="2026-03-02T06:10:00"), "Observation.effectiveDateTime"),
        (observed(effectiveDateTime=1234567890), "Observation.effectiveDateTime"),
        (observed(issued="2026-03-02T06:09:59-08:00"), "Observation.issued"),
        (observed("9187-6"), "Observation.effectivePeriod.start"),
        (observed(basedOn=None), "Observation.basedOn"),
        (observed(basedOn=[{"reference": "Patient/1"}]), "Observation.basedOn"),
        (
            observed(subject={"identifier": {"system": "urn:x-regimen:patient", "value": "x"}}),
            "Observation.subject.identifier.value",
        ),
        (observed(id=None), "Observation.id"),
        (observed(meta=None), "Observation.meta.versionId"),
        (
            observed(modifierExtension=[{"url": "u", "valueBoolean": True}]),
            "Observation.modifierExtension",
        ),
        (observed(colour="red"), "Observation.colour"),
        (observed(resourceType="Patient"), "resourceType"),
        (observed("85354-9"), "Observation.code.coding[0].code"),
        (observed(component=[{"code": loinc("8480-6")}]), "Observation.component"),
        (pressure(code=loinc("55284-4")), "Observation.code.coding[0].code"),
        (
            pressure(component=[{"code": loinc("2160-0"), "valueQuantity": quantity(1, "mg/dL")}]),
            "Observation.component[0].code",
        ),
        (
            pressure(component=[{"code": loinc("8480-6"), "valueQuantity": quantity(1, "kg")}]),
            "Observation.component[0].valueQuantity.code",
        ),
        (
            pressure(
                component=2 * [{"code": loinc("8480-6"), "valueQuantity": quantity(1, "mm[Hg]")}]
            ),
            "Observation.component[1].code",
        ),
        (
            pressure(component=[{"code": loinc("8480-6"), "dataAbsentReason": {"text": "-"}}]),
            "Observation.component",
        ),
        (
            observed("89247-1", valueQuantity=quantity(1, "kg")),
            "Observation.valueQuantity.code",
        ),
        (observed("58410-2", valueQuantity=None, valueString="yes"), "Observation.valueBoolean"),
        (
            observed(
                "42148-7",
                valueQuantity=None,
                valueCodeableConcept={"coding": [{"system": "urn:x-regimen:code", "code": "fine"}]},
            ),
            "Observation.valueCodeableConcept.coding[0].code",
        ),
    ],
)  # fmt: skip
def test_what_has_no_mapping_is_refused_by_the_name_of_its_element(
    body: dict[str, Any], element: str
):
    assert refused(body).field == element


def test_a_refusal_repeats_no_value():
    wrong = refused(observed(code={"coding": [{"system": "http://loinc.org", "code": "Jane Doe"}]}))

    assert "Jane" not in str(wrong)


def test_a_workflow_without_codes_takes_no_observation():
    wrong = refused(observed(), "technician", INSTRUMENT)

    assert wrong.field == "Observation.code.coding[0].code"
    assert "no codes" in wrong.expected


def test_two_inputs_of_one_code_are_never_guessed_between():
    twice = tuple(replace(i, loinc="2160-0") if i.name == "bilirubin" else i for i in IL2.inputs)
    codes = [i.loinc for i in IL2.inputs if i.loinc]

    assert len(codes) == len(set(codes))
    assert len({i.loinc for i in twice if i.loinc}) == len(codes) - 1
    assert refused(observed(), workflow=replace(IL2, inputs=twice)).field.endswith("coding[0].code")
