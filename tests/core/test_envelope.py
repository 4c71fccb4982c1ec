"""An event is read once and strictly; what is wrong with it is told, never what it holds."""

from __future__ import annotations

import copy
import hashlib
import itertools
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.definition import (
    Citation,
    Event,
    Field,
    Guard,
    Input,
    Kind,
    State,
    Variable,
    Workflow,
)
from engine.core.encoding import canonical, parse
from engine.core.envelope import parse_enrolment, timer_event
from engine.core.forms import Forms
from engine.core.sealing import same_body, seal
from engine.errors import InvalidInput, UnknownEvent

PLATELETS = Input(name="platelets", kind="quantity", unit="10*3/uL", low=Decimal(0),
                  high=Decimal(5000), max_age=timedelta(days=7))  # fmt: skip
WORKFLOW = Workflow(
    name="clinic",
    version="1",
    title="A made-up clinic",
    initial="waiting",
    states=(State(name="waiting", stage="before"), State(name="running", stage="during")),
    inputs=(
        PLATELETS,
        Input(name="rhythm", kind="code", codes=("sinus", "svt")),
        Input(name="pain", kind="number", low=Decimal(0), high=Decimal(10)),
        Input(name="consented", kind="yesno"),
        Input(name="born", kind="date"),
        Input(name="urine", kind="quantity", unit="mL", interval=True),
    ),
    variables=(
        Variable(name="dose", kind="quantity", unit="mg"),
        Variable(name="started", kind="date"),
    ),
    events=(
        Event(
            name="report_status",
            kind=Kind.REPORT,
            roles=("nurse", "clinician"),
            fields=(
                Field(name="platelets", input="platelets"),
                Field(name="rhythm", input="rhythm"),
                Field(name="pain", input="pain"),
                Field(name="consented", input="consented"),
                Field(name="born", input="born"),
                Field(name="urine", input="urine"),
                Field(name="slot", kind="number", low=Decimal(1), high=Decimal(8)),
                Field(name="given", kind="quantity", unit="mL"),
                Field(name="arrived", kind="instant"),
                Field(name="note", kind="text"),
                Field(
                    name="sites",
                    kind="list",
                    members=(
                        Field(name="size", kind="quantity", unit="mm", required=True),
                        Field(name="remark", kind="text"),
                    ),
                ),
            ),
        ),
        Event(
            name="request_dose",
            kind=Kind.REQUEST,
            roles=("clinician",),
            fields=(Field(name="amount", kind="quantity", unit="mg", required=True),),
            reason_codes=("planned", "catch-up"),
            reason_required=True,
        ),
        Event(name="dose_due", kind=Kind.REPORT, roles=("engine",), timer=True),
    ),
    guards=(Guard(name="enough-platelets", condition=Decimal(50) < PLATELETS, title="enough",
                  cite=Citation(source="made up", text="made up")),),
    roles=("nurse", "clinician"),
)  # fmt: skip
FORMS = Forms(WORKFLOW)
AT = datetime(2009, 3, 2, 17, tzinfo=UTC)


def envelope(event: str = "report_status", **members: Any) -> dict[str, Any]:
    return {
        "format": 1,
        "id": "e-1",
        "course": "GAR-Z",
        "event": event,
        "at": "2009-03-02T09:00:00-08:00",
        "actor": {"id": "n-7", "role": "nurse"},
    } | members


def status(**data: Any) -> dict[str, Any]:
    return envelope(data=data)


def first(event: str = "course.enrolled", **members: Any) -> dict[str, Any]:
    enrolment = {"workflow": "clinic@1", "patient": "P-1", "site": "LA"}
    return envelope(event, **enrolment, zone="America/Los_Angeles", **members)


def problem(body: object) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        FORMS.parse(body)
    return caught.value


def test_the_time_is_kept_in_utc() -> None:
    assert FORMS.parse(envelope()).at == AT


def test_optional_members_may_be_absent() -> None:
    event = Forms(WORKFLOW).parse(envelope())

    assert (event.data, event.readings, event.reason, event.override) == ({}, (), None, None)
    assert event.expected_revision is None


def test_a_quantity_is_converted_to_the_unit_of_its_input() -> None:
    event = FORMS.parse(status(platelets={"value": "31000", "unit": "/mm3"}))

    assert event.data == {"platelets": Decimal(31)}
    assert [(r.input, r.value, r.at) for r in event.readings] == [("platelets", Decimal(31), AT)]


def test_every_kind_is_typed() -> None:
    event = FORMS.parse(status(
        rhythm="svt", pain=3, consented=True, born="1970-02-28", slot="2", note="better",
        given={"value": "0.5", "unit": "L"}, arrived="2009-03-02T16:00:00Z",
        sites=[{"size": {"value": "1.2", "unit": "cm"}, "remark": "left"}],
        urine={"value": "80", "unit": "mL", "over": {"value": "2", "unit": "h"}},
    ))  # fmt: skip

    assert event.data == {
        "rhythm": "svt", "pain": Decimal(3), "consented": True, "born": date(1970, 2, 28),
        "slot": Decimal(2), "given": Decimal(500), "urine": Decimal(80),
        "arrived": datetime(2009, 3, 2, 16, tzinfo=UTC), "sites": [{"size": Decimal(12)}],
    }  # fmt: skip
    assert {r.input: r.over for r in event.readings}["urine"] == timedelta(hours=2)


def test_a_reading_may_have_been_taken_before_the_event() -> None:
    event = FORMS.parse(status(consented={"value": True, "at": "2009-03-01T09:00:00Z"}))

    assert event.readings[0].at == datetime(2009, 3, 1, 9, tzinfo=UTC)


def test_an_impossible_reading_is_kept_but_no_guard_sees_it() -> None:
    event = FORMS.parse(status(platelets={"value": "-1", "unit": "10*3/uL"}))

    assert (event.readings[0].value, event.readings[0].flaw) == (Decimal(-1), "impossible")
    assert event.data == {"platelets": None}


def test_what_was_not_published_is_said_so_and_is_unknown() -> None:
    gap = {"value": None, "reason": "not-published"}
    event = FORMS.parse(envelope(at=gap, data={"platelets": gap, "given": gap}))

    assert event.at is None
    assert event.data == {"platelets": None, "given": None}
    assert [(r.value, r.at, r.flaw) for r in event.readings] == [(None, None, "not-published")]


@pytest.mark.parametrize(
    ("value", "precision"), [("2009", "year"), ("2009-03", "month"), ("2009-03-02", "day")]
)
def test_a_time_coarser_than_an_instant_stays_in_the_body_only(value: str, precision: str) -> None:
    event = FORMS.parse(envelope(at={"value": value, "precision": precision}))

    assert event.at is None
    assert event.body["at"] == {"value": value, "precision": precision}


@pytest.mark.parametrize(
    ("data", "field", "said"),
    [
        ({"platelets": "31"}, "data.platelets", "found a string"),
        ({"platelets": {"value": 31, "unit": "10*3/uL"}}, "data.platelets.value", "found a number"),
        ({"platelets": {"value": True, "unit": "10*3/uL"}}, "data.platelets.value", "a boolean"),
        ({"platelets": {"value": "3,1", "unit": "10*3/uL"}}, "data.platelets.value", "decimal"),
        ({"platelets": {"value": "31"}}, "data.platelets.unit", "'10*3/uL'"),
        ({"platelets": {"value": "31", "unit": "mg/dL"}}, "data.platelets.unit", "found 'mg/dL'"),
        ({"platelets": {"value": "31", "unit": 3}}, "data.platelets.unit", "found a number"),
        ({"platelets": {"value": "1", "unit": "10*99/uL"}}, "data.platelets.unit", "10*3/uL"),
        ({"platelets": {"unit": "10*3/uL"}}, "data.platelets.value", "absent"),
        ({"platelets": {"value": None}}, "data.platelets.reason", "not-published"),
        ({"platelets": None}, "data.platelets", "found null"),
        ({"platelets": {"value": "1", "unit": "10*3/uL", "lab": 1}}, "data.platelets.lab", "only"),
        ({"platelets": {"value": "1", "unit": "10*3/uL", "at": "2009-03-02T18:00:00Z"}},
         "data.platelets.at", "not after"),
        ({"given": {"value": "1", "unit": "mL", "at": "2009-03-01T18:00:00Z"}},
         "data.given.at", "no such member"),
        ({"urine": {"value": "80", "unit": "mL"}}, "data.urine.over", "how long"),
        ({"urine": {"value": "80", "unit": "mL", "over": {"value": "0", "unit": "h"}}},
         "data.urine.over.value", "above zero"),
        ({"rhythm": "afib"}, "data.rhythm", "one of sinus, svt, found 'afib'"),
        ({"pain": 3.5}, "data.pain", "found a number"),
        ({"pain": False}, "data.pain", "found a boolean"),
        ({"pain": 2**53}, "data.pain", "decimal string"),
        ({"consented": 1}, "data.consented", "true or false, found a number"),
        ({"born": "1970-02-29"}, "data.born", "a date"),
        ({"born": "19700228"}, "data.born", "a date"),
        ({"slot": 9}, "data.slot", "from 1 up to 8"),
        ({"arrived": "2009-03-02T16:00:00"}, "data.arrived", "zone"),
        ({"note": ""}, "data.note", "a text"),
        ({"note": "\x00"}, "data.note", "a text"),
        ({"note": "\ud800"}, "data.note", "a text"),
        ({"note": "x" * 4001}, "data.note", "4000"),
        ({"note": {"sha256": "0" * 64}}, "data.note", "found an object"),
        ({"sites": {}}, "data.sites", "an array"),
        ({"sites": [{}] * 201}, "data.sites", "at most 200"),
        ({"sites": [{"size": {"value": "1", "unit": "mm"}}, {}]}, "data.sites.1.size", "absent"),
        ({"haemoglobin": 3}, "data.haemoglobin", "only: arrived"),
    ],
)  # fmt: skip
def test_a_malformed_field_is_named_with_what_was_expected(
    data: dict[str, Any], field: str, said: str
) -> None:
    found = problem(status(**data))

    assert found.field == field
    assert said in str(found)


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"format": 2}, "format"),
        ({"format": True}, "format"),
        ({"id": ""}, "id"),
        ({"id": "x" * 65}, "id"),
        ({"id": "timer:dose:4"}, "id"),
        ({"course": "Maria Müller"}, "course"),
        ({"at": "2009-03-02T09:00:00"}, "at"),
        ({"at": "0001-01-01T00:00:00+14:00"}, "at"),
        ({"at": {"value": "2009-13", "precision": "month"}}, "at.value"),
        ({"at": {"value": "2009-03", "precision": "hour"}}, "at.precision"),
        ({"actor": {"id": "n-7", "role": "visitor"}}, "actor.role"),
        ({"actor": {"id": "n-7", "role": "engine"}}, "actor.role"),
        ({"actor": {"id": "n-7"}}, "actor.role"),
        ({"actor": {"id": "n-7", "role": "nurse", "name": "Maria"}}, "actor.name"),
        ({"reason": {}}, "reason"),
        ({"override": {"code": "urgent"}}, "override.guards"),
        ({"override": {"code": "urgent", "guards": []}}, "override.guards"),
        ({"override": {"code": "urgent", "guards": ["enough-platelets"] * 2}}, "override.guards"),
        ({"override": {"code": "urgent", "guards": ["enough-money"]}}, "override.guards"),
        ({"expected_revision": "12"}, "expected_revision"),
        ({"expected_revision": True}, "expected_revision"),
        ({"seq": 3}, "seq"),
        ({"data": []}, "data"),
    ],
)
def test_a_malformed_envelope_is_named(members: dict[str, Any], field: str) -> None:
    assert problem(envelope(**members)).field == field


@pytest.mark.parametrize("name", ["format", "id", "course", "event", "at", "actor"])
def test_a_missing_member_is_named(name: str) -> None:
    body = envelope()
    del body[name]

    assert problem(body).field == name


def test_an_unknown_event_is_told_with_the_known_ones() -> None:
    found = problem(envelope("report_statsu"))

    assert isinstance(found, UnknownEvent)
    assert "report_status, request_dose, found 'report_statsu'" in str(found)
    assert "course.corrected" in str(found)
    assert "dose_due" not in str(found)


def test_a_required_field_and_reason_must_be_there() -> None:
    amount = {"amount": {"value": "5", "unit": "mg"}}

    assert problem(envelope("request_dose", reason={"code": "planned"})).field == "data.amount"
    assert problem(envelope("request_dose", data=amount)).field == "reason.code"
    assert problem(envelope("request_dose", data=amount, reason={"code": "mood"})).field == (
        "reason.code"
    )
    assert FORMS.parse(envelope("request_dose", data=amount, reason={"code": "planned"}))


def test_a_body_too_large_to_keep_is_refused() -> None:
    sites = [{"size": {"value": "1", "unit": "mm"}, "remark": "ü" * 2000}] * 20

    assert problem(status(sites=sites)).field == "body"


def test_a_body_that_was_kept_is_read_again_however_long_the_digests_of_its_short_texts() -> None:
    remark = Field(name="remark", kind="text")
    names = [f"part_{number}" for number in range(5)]
    fields = tuple(Field(name=name, kind="list", members=(remark,)) for name in names)
    survey = Event(name="survey", kind=Kind.REPORT, roles=("nurse",), fields=fields)
    forms = Forms(replace(WORKFLOW, events=(survey,)))
    body = envelope("survey", data={name: [{"remark": "none"}] * 200 for name in names})
    sealed, texts = seal(forms.parse(body), lambda: "salt")

    assert len(texts) == 1000
    assert len(canonical(sealed.body)) > 64 * 1024
    assert forms.reread(sealed.body).id == sealed.id


SECRET = "Maria Müller, 12345678"


@pytest.mark.parametrize(
    "body",
    [
        envelope(SECRET),
        envelope(**{SECRET: 1}),
        envelope(id=SECRET),
        envelope(at=SECRET),
        envelope(actor={"id": SECRET, "role": "nurse"}),
        envelope(actor={"id": "n", "role": SECRET}),
        envelope(reason={"code": SECRET}),
        envelope(reason={"text": [SECRET]}),
        status(**{SECRET: 1}),
        *(status(**{name: SECRET}) for name in ("platelets", "rhythm", "pain", "born", "arrived")),
        status(platelets={"value": SECRET, "unit": "10*3/uL"}),
        status(platelets={"value": "12345678", "unit": "12345678"}),
        status(platelets={"value": "12345678", "unit": SECRET}),
        status(rhythm="12345678"),
        status(slot="12345678"),
        status(note=[SECRET]),
        status(sites=[SECRET]),
    ],
)
def test_no_error_repeats_what_may_be_a_reading_a_text_or_a_person(body: dict[str, Any]) -> None:
    said = str(problem(body))

    assert "Maria" not in said
    assert "12345678" not in said


def test_a_timer_sends_the_same_event_for_the_same_arming() -> None:
    event = timer_event(WORKFLOW, "GAR-Z", "dose", "dose_due", due=AT, armed_seq=4)

    assert (event.id, event.at, event.actor.role) == ("timer:dose:4", AT, "engine")
    assert event.timer == "dose"
    assert FORMS.reread(parse(canonical(event.body))) == event


def test_only_a_timer_sends_the_event_of_a_timer() -> None:
    assert "comes from a timer" in str(problem(envelope("dose_due")))
    with pytest.raises(UnknownEvent):
        timer_event(WORKFLOW, "GAR-Z", "dose", "report_status", due=AT, armed_seq=4)


def corrected(**data: Any) -> dict[str, Any]:
    return envelope("course.corrected", reason={"code": "typing-error"}, data=data)


def test_a_correction_has_the_type_of_its_input() -> None:
    body = corrected(record=3, input="platelets", value={"value": "310000", "unit": "/mm3"})
    found = FORMS.parse(body).correction

    assert found is not None
    assert (found.record, found.input, found.value) == (3, "platelets", Decimal(310))
    assert (found.at, found.flaw, found.entered_in_error) == (None, None, False)


def test_a_correction_may_correct_when_a_reading_was_taken() -> None:
    value = {"value": "svt", "at": "2009-03-01T09:00:00Z"}
    found = FORMS.parse(corrected(record=3, input="rhythm", value=value)).correction

    assert found is not None
    assert found.at == datetime(2009, 3, 1, 9, tzinfo=UTC)


def test_what_was_entered_in_error_has_no_value() -> None:
    found = FORMS.parse(corrected(record=3, input="pain", entered_in_error=True)).correction

    assert found is not None
    assert found.entered_in_error
    assert problem(corrected(record=3, input="pain", entered_in_error=True, value=3)).field == (
        "data.value"
    )


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"record": 3, "input": "pain"}, "data.value"),
        ({"record": 0, "input": "pain", "value": 3}, "data.record"),
        ({"record": 3, "input": "hope", "value": 3}, "data.input"),
        ({"record": 3, "input": "pain", "value": 3, "note": "x"}, "data.note"),
        ({"input": "pain", "value": 3}, "data.record"),
    ],
)
def test_a_malformed_correction_is_named(data: dict[str, Any], field: str) -> None:
    assert problem(corrected(**data)).field == field


def test_a_correction_says_why_and_overrides_nothing() -> None:
    body = corrected(record=3, input="pain", value=3)
    del body["reason"]

    assert problem(body).field == "reason"
    override = {"code": "urgent", "guards": ["enough-platelets"]}
    assert problem(corrected(record=3, input="pain", value=3) | {"override": override}).field == (
        "override"
    )


def test_an_enrolment_names_workflow_patient_site_and_zone() -> None:
    event, enrolment = parse_enrolment(first())

    assert (event.name, event.at) == ("course.enrolled", AT)
    assert (enrolment.workflow, enrolment.patient, enrolment.site) == ("clinic@1", "P-1", "LA")
    assert (enrolment.zone, enrolment.retrospective) == ("America/Los_Angeles", False)
    assert FORMS.attested(event, enrolment) == {}


def test_an_adopted_course_brings_its_state_round_and_variables() -> None:
    event, enrolment = parse_enrolment(first("course.adopted", data={
        "state": "running", "round": 2,
        "variables": {"dose": {"value": "0.5", "unit": "g"}, "started": None},
    }))  # fmt: skip

    assert (enrolment.state, enrolment.round) == ("running", 2)
    assert FORMS.attested(event, enrolment) == {"dose": Decimal(500)}


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"state": "flying"}, "data.state"),
        ({"state": "running", "variables": {"dose": "5"}}, "data.variables.dose"),
        ({"state": "running", "variables": {"hope": "5"}}, "data.variables.hope"),
    ],
)
def test_what_an_adoption_attests_is_checked_by_its_workflow(
    data: dict[str, Any], field: str
) -> None:
    event, enrolment = parse_enrolment(first("course.adopted", data=data))
    with pytest.raises(InvalidInput) as caught:
        FORMS.attested(event, enrolment)

    assert caught.value.field == field


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (first("report_status"), "event"),
        (first() | {"zone": "GMT+1 hour"}, "zone"),
        (first() | {"zone": "../etc/passwd"}, "zone"),
        (first() | {"zone": 1.5}, "zone"),
        (first() | {"patient": "Maria Müller"}, "patient"),
        (first() | {"workflow": "clinic@"}, "workflow"),
        (first() | {"retrospective": "yes"}, "retrospective"),
        (first() | {"data": {"state": "running"}}, "data.state"),
        (first() | {"at": {"value": None, "reason": "not-published"}}, "at"),
        (first() | {"override": {"code": "x", "guards": ["y"]}}, "override"),
        (first("course.adopted"), "data"),
        (first("course.adopted", data={"state": "running", "round": 0}), "data.round"),
        (first("course.adopted", data={"state": "running", "variables": {"a": [1]}}),
         "data.variables.a"),
    ],
)  # fmt: skip
def test_a_malformed_enrolment_is_named(body: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_enrolment(body)

    assert caught.value.field == field


def test_only_a_retrospective_course_may_begin_at_an_unpublished_time() -> None:
    gap = {"value": None, "reason": "not-published"}
    event, enrolment = parse_enrolment(first() | {"at": gap, "retrospective": True})

    assert event.at is None
    assert enrolment.retrospective


def with_texts() -> dict[str, Any]:
    return envelope(
        reason={"code": "worried", "text": "she looks unwell"},
        override={"code": "urgent", "guards": ["enough-platelets"], "text": "no other day"},
        data={
            "note": "slept badly",
            "pain": 3,
            "sites": [
                {"size": {"value": "1", "unit": "mm"}},
                {"size": {"value": "2", "unit": "mm"}, "remark": "left arm"},
            ],
        },
    )


def salts() -> Any:
    numbers = itertools.count(1)
    return lambda: f"{next(numbers):032x}"


def test_sealing_leaves_digests_in_the_body_and_hands_over_the_texts() -> None:
    body = with_texts()
    sent = copy.deepcopy(body)
    sealed, texts = seal(FORMS.parse(body), salts())

    assert {t.path: t.text for t in texts} == {
        "reason.text": "she looks unwell", "override.text": "no other day",
        "data.note": "slept badly", "data.sites.1.remark": "left arm",
    }  # fmt: skip
    for text in texts:
        assert text.sha256 == hashlib.sha256((text.salt + text.text).encode()).hexdigest()
        assert text.text not in repr(sealed)
    assert sealed.body["data"]["note"] == {"sha256": texts[2].sha256}
    assert sealed.data["pain"] == 3
    assert body == sent


def test_sealing_twice_or_without_texts_changes_nothing() -> None:
    sealed, _ = seal(FORMS.parse(with_texts()), salts())
    plain = FORMS.parse(envelope())

    assert seal(sealed, salts()) == (sealed, ())
    assert seal(plain, salts()) == (plain, ())


def test_a_recorded_event_is_read_again_as_it_was_decided() -> None:
    sealed, _ = seal(FORMS.parse(with_texts()), salts())

    assert FORMS.reread(parse(canonical(sealed.body))) == sealed


def recorded() -> tuple[dict[str, Any], dict[str, tuple[str, str | None]]]:
    sealed, texts = seal(FORMS.parse(with_texts()), salts())
    return parse(canonical(sealed.body)), {t.path: (t.salt, t.text) for t in texts}


def test_the_same_body_sent_again_is_recognised() -> None:
    body, texts = recorded()

    assert same_body(with_texts(), body, texts)


@pytest.mark.parametrize(
    "change",
    [
        {"at": "2009-03-02T17:00:00Z"},
        {"reason": {"code": "worried", "text": "she looks well"}},
        {"reason": {"code": "worried"}},
        {"data": {"pain": 3}},
        {"expected_revision": 1},
        {"format": True},
    ],
)
def test_another_body_is_told_apart(change: dict[str, Any]) -> None:
    body, texts = recorded()

    assert not same_body(with_texts() | change, body, texts)


@pytest.mark.parametrize("row_kept", [True, False])
def test_an_erased_text_is_taken_for_any_when_all_else_is_equal(row_kept: bool) -> None:
    body, texts = recorded()
    del texts["data.note"]
    if row_kept:
        texts["data.note"] = ("", None)
    sent = with_texts()
    sent["data"]["note"] = "who knows"

    assert same_body(sent, body, texts)
    sent["data"]["pain"] = 4
    assert not same_body(sent, body, texts)


WORDS = ["31", "mL", "mm", "h", "2009-03-02T09:00:00Z", "not-published", "svt", "nurse"]
MEMBERS = [
    "value", "unit", "at", "over", "reason", "precision", "id", "role", "code", "text", "guards",
    "record", "input", "size", "state", "variables", "sha256",
]  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(WORDS),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(MEMBERS) | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=8,
)
FIELDS = [f.name for f in WORKFLOW.events[0].fields]
BODIES = JSON | st.builds(
    lambda body, odd, data: body | odd | ({"data": data} if data else {}),
    st.sampled_from([envelope(), with_texts(), first(), first("course.adopted"),
                     corrected(record=3, input="pain", value=3)]),
    st.dictionaries(st.sampled_from([*envelope(), "reason", "override", "zone", "workflow"]), JSON,
                    max_size=2),
    st.dictionaries(st.sampled_from([*FIELDS, "record", "input", "value", "state", "variables"]),
                    JSON, max_size=3),
)  # fmt: skip


@settings(max_examples=600, deadline=None)
@given(body=BODIES)
def test_anything_that_json_can_say_is_an_event_or_is_refused_as_input(body: object) -> None:
    for read in (FORMS.parse, FORMS.reread, parse_enrolment):
        try:
            read(body)
        except InvalidInput:
            continue


AMOUNTS = st.decimals(0, 10**6, places=3).map(lambda d: f"{d:f}")
GOOD = st.fixed_dictionaries(
    {},
    optional={
        "platelets": st.builds(lambda v, u: {"value": v, "unit": u}, AMOUNTS,
                               st.sampled_from(["10*3/uL", "/mm3", "10*9/L"])),
        "rhythm": st.sampled_from(["sinus", "svt"]),
        "pain": st.integers(-5, 15) | AMOUNTS,
        "born": st.dates(date(1900, 1, 1), date(2100, 1, 1)).map(date.isoformat),
        "note": st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"),
                        min_size=1).filter(str.strip),
        "sites": st.lists(st.fixed_dictionaries(
            {"size": st.builds(lambda v: {"value": v, "unit": "cm"}, AMOUNTS)},
            optional={"remark": st.just("hard")}), max_size=3),
    },
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(data=GOOD)
def test_what_is_well_formed_is_read_sealed_and_read_again_alike(data: dict[str, Any]) -> None:
    event = FORMS.parse(json.loads(json.dumps(status(**data))))
    sealed, texts = seal(event, salts())

    assert FORMS.reread(parse(canonical(sealed.body))) == sealed
    assert same_body(event.body, sealed.body, {t.path: (t.salt, t.text) for t in texts})
