"""What an event looks like, as JSON Schema 2020-12, for those who build the sender.

The schema says what `Forms` accepts as far as JSON Schema can; bounds of decimal strings and
units that convert are told in words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, TypeAlias

from engine.core.amendment import ACCEPTED, ACTED
from engine.core.appointment import LONGEST, MEMBERS
from engine.core.definition import Workflow
from engine.core.entry import Entry, entry
from engine.core.event import (
    ADDENDUM,
    ADOPTED,
    AMENDMENTS,
    ARRANGEMENTS,
    CEASED,
    CORRECTED,
    DISPOSED,
    ENROLLED,
    FORMAT,
    OMITTED,
    OWN,
    RETRACTED,
    REVIEWED,
    REVIEWERS,
)
from engine.core.quantity import decimal_text
from engine.core.review import ACCEPTED as REVIEW_ACCEPTED
from engine.core.review import ACTED_ON, OUTCOMES, SIGNED_OFF
from engine.core.wire import (
    EXACT,
    IDENTIFIER,
    LIST_LIMIT,
    NAME,
    NOT_PUBLISHED,
    PRECISIONS,
    TEXT_LIMIT,
)
from engine.errors import UnknownEvent

Schema: TypeAlias = dict[str, Any]

FIRST = (ENROLLED, ADOPTED)
"""How a course begins; these belong to the engine."""

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def event_schema(workflow: Workflow, event_name: str) -> Schema:
    """The envelope of one event that callers may send, with an example; the engine's own too.

    Raises UnknownEvent for every other name.
    """
    sendable = {event.name: event for event in workflow.events if not event.timer}
    if event_name == CORRECTED:
        return _correction(workflow)
    if event_name == REVIEWED:
        return _review(workflow)
    if event_name in AMENDMENTS:
        return _amendment(workflow, event_name)
    if event_name in MEMBERS:
        return _scheduling(workflow, event_name)
    if event_name in FIRST:
        return _beginning(workflow, event_name)
    if event_name not in sendable:
        raise UnknownEvent(event_name, (*FIRST, *sendable, *OWN))
    event = sendable[event_name]
    inputs = {i.name: i for i in workflow.inputs}
    entries = {f.name: entry(f, inputs) for f in event.fields}
    titles = {f.name: f.title or (inputs[f.input].title if f.input else "") for f in event.fields}
    data = _data(entries, titles)
    reason = _reason(event.reason_codes, required=event.reason_required)
    required = [*(["data"] if data["required"] else []),
                *(["reason"] if event.reason_required else [])]  # fmt: skip
    example = {"data": {name: _example(known) for name, known in entries.items()}}
    if event.reason_required:
        example["reason"] = {"code": (*event.reason_codes, "a-code")[0]}
    guards = sorted(guard.name for guard in workflow.guards)
    members = {"data": data, "reason": reason, "override": _override(guards)}
    return _envelope(event_name, event.title, sorted(event.roles), members, required, example)


def _beginning(workflow: Workflow, name: str) -> Schema:
    """How a course begins: enrolled at the start, or adopted in an attested state."""
    entries = {v.name: entry(v, {}) for v in workflow.variables}
    titles = {v.name: v.title for v in workflow.variables}
    data = _object({}, [])
    example: Schema = {"workflow": workflow.label, "patient": "patient-1", "site": "north",
                       "zone": "America/Los_Angeles"}  # fmt: skip
    if name == ADOPTED:
        attested = {
            name: ({"title": titles[name]} if titles[name] else {}) | _attested(known)
            for name, known in entries.items()
        }
        members: dict[str, Schema] = {
            "state": {"enum": [state.name for state in workflow.states]},
            "round": {"type": "integer", "minimum": 1, "exclusiveMaximum": EXACT},
            "variables": _object(attested, [])
            | {"description": "what nobody attests is unknown, and opens no door"},
        }
        data = _object(members, ["state"])
        shown = {name: _example(known) for name, known in entries.items()}
        example["data"] = {"state": workflow.initial, "round": 1, "variables": shown}
    outside = {
        "workflow": {"type": "string", "description": "a name, name@version or digest"},
        "patient": _pattern(IDENTIFIER) | {"title": "a pseudonym"},
        "site": _pattern(IDENTIFIER),
        "zone": {"type": "string", "description": "the site's IANA time zone"},
        "retrospective": {"type": "boolean", "title": "told after the fact; marked so for life"},
        "data": data,
        "reason": _reason((), required=False),
    }
    title = "A course begins" if name == ENROLLED else "A course that began elsewhere goes on here"
    required = ["workflow", "patient", "site", "zone", *(["data"] if name == ADOPTED else [])]
    made = _envelope(name, title, sorted(workflow.roles), outside, required, example)
    del made["properties"]["expected_revision"]  # there is none before the first record
    return made


def _attested(known: Entry) -> Schema:
    value = _VALUES[known.kind] if known.kind != "code" else {"enum": list(known.codes)}
    if known.kind == "quantity":
        words = f"{known.unit!r}, or a UCUM unit that converts to it"
        unit = {"type": "string", "maxLength": 80, "description": words}
        value = _object({"value": value, "unit": unit}, ["value", "unit"])
    return {"anyOf": [value, {"type": "null"}]}


def _correction(workflow: Workflow) -> Schema:
    data = _object(
        {
            "record": {"type": "integer", "minimum": 1, "title": "the record that was wrong"},
            "input": {"enum": [i.name for i in workflow.inputs]},
            "value": {"title": "what is right, written as a field of this input is"},
            "entered_in_error": {"type": "boolean", "title": "it should never have been there"},
        },
        ["record", "input"],
    )
    data["oneOf"] = [
        {"required": ["value"], "properties": {"entered_in_error": {"const": False}}},
        {"required": ["entered_in_error"],
         "properties": {"entered_in_error": {"const": True}, "value": False}},
    ]  # fmt: skip
    roles = sorted({role for event in workflow.events if not event.timer for role in event.roles}
                   | set(workflow.roles))  # fmt: skip
    members = {"data": data, "reason": _reason((), required=False)}
    example: Schema = {"reason": {"code": "typing-error"}}
    if workflow.inputs:
        named = workflow.inputs[0].name
        example["data"] = {"record": 1, "input": named, "entered_in_error": True}
    return _envelope(CORRECTED, TITLES[CORRECTED], roles, members, ["data", "reason"], example)


def _amendment(workflow: Workflow, name: str) -> Schema:
    """What is said of a record that is there already; the reason is never left out."""
    record: Schema = {"type": "integer", "minimum": 1, "exclusiveMaximum": EXACT,
                      "title": "the record that is meant"}  # fmt: skip
    members: dict[str, Schema] = {"record": record}
    example: Schema = {"record": 1}
    roles, code = set(workflow.roles), "late-entry"
    if name == RETRACTED:
        inputs = [i.name for i in workflow.inputs]
        members["input"] = {"enum": inputs} if inputs else {"not": {}}
        example["input"] = (*inputs, "input")[0]
        code = "wrong-course"
    elif name == ADDENDUM:
        members["text"], example["text"], code = _TEXT, "In words.", "more-is-known"
    elif name == DISPOSED:
        members = {
            "finding": record | {"title": "the record that raised it"},
            "disposition": {"enum": [ACCEPTED, ACTED]},
            "record": record | {"title": "the record that acted"},
        }
        example = {"finding": 1, "disposition": ACCEPTED}
        roles, code = set(workflow.disposers), "no-harm"
    data = _object(members, [n for n in members if n != "record" or name != DISPOSED])
    if name == DISPOSED:
        data["oneOf"] = [
            {"properties": {"disposition": {"const": ACCEPTED}, "record": False}},
            {"properties": {"disposition": {"const": ACTED}}, "required": ["record"]},
        ]
    made = {"data": data, "reason": _reason((), required=False)}
    example = {"data": example, "reason": {"code": code}}
    return _envelope(name, TITLES[name], sorted(roles), made, ["data", "reason"], example)


def _review(workflow: Workflow) -> Schema:
    """What somebody else made of a record: a comment where something was done about it."""
    data = _object(
        {
            "record": {"type": "integer", "minimum": 1, "exclusiveMaximum": EXACT,
                       "title": "the record that was looked at"},
            "outcome": {"enum": list(OUTCOMES)},
            "queue": {"enum": [queue.value for queue in SIGNED_OFF],
                      "title": "only there; else in every queue that it is in"},
            "comment": _TEXT,
        },
        ["record", "outcome"],
    )  # fmt: skip
    done = {"properties": {"outcome": {"const": ACTED_ON}}}
    data |= {"if": done, "then": {"required": ["comment"]}}
    roles = sorted({*workflow.disposers, *REVIEWERS})
    members = {"data": data, "reason": _reason((), required=False)}
    example = {"data": {"record": 1, "outcome": REVIEW_ACCEPTED}}
    return _envelope(REVIEWED, TITLES[REVIEWED], roles, members, ["data"], example)


def _scheduling(workflow: Workflow, name: str) -> Schema:
    """What a scheduling system tells of a booking, or asks of a visit."""
    visits = [visit.name for visit in workflow.visits]
    members: Mapping[str, Schema] = {
        "booking": _pattern(IDENTIFIER) | {"title": "the scheduling system's own identifier"},
        "visit": {"enum": visits} if visits else {"not": {}},
        "number": {"type": "integer", "minimum": 0, "exclusiveMaximum": EXACT,
                   "title": "which of the visit's series"},
        "start": _INSTANT,
        "minutes": {"type": "integer", "minimum": 1, "maximum": LONGEST},
        "until": _DATE,
    }  # fmt: skip
    example = {
        "booking": "booking-1",
        "visit": (*visits, "visit")[0],
        "number": 1,
        "start": "2026-01-07T09:00:00-08:00",
        "minutes": 60,
        "until": "2026-01-08",
    }
    known, required = MEMBERS[name]
    data = _object({member: members[member] for member in known}, list(required))
    asks = name in ARRANGEMENTS
    roles = workflow.arrangers if name in (OMITTED, CEASED) else ()
    made: Schema = {"data": {member: example[member] for member in known}}
    if asks:
        made["reason"] = {"code": "patient-preference"}
    return _envelope(
        name,
        TITLES[name],
        sorted(roles or workflow.roles),
        {"data": data, "reason": _reason((), required=False)},
        ["data", *(["reason"] if asks else [])],
        made,
    )


def _envelope(  # noqa: PLR0917  # the parts of one envelope, in their order
    name: str, title: str, roles: list[str], members: Mapping[str, Schema], required: list[str],
    example: Schema,
) -> Schema:  # fmt: skip
    head = {"format": FORMAT, "id": "a-unique-id", "course": "GAR-Z", "event": name,
            "at": "2026-01-05T09:00:00-08:00",
            "actor": {"id": "somebody", "role": roles[0] if roles else "role"}}  # fmt: skip
    properties = {
        "format": {"const": FORMAT},
        "id": _pattern(IDENTIFIER) | {"title": "unique in the course: sent again, it acts once"},
        "course": _pattern(IDENTIFIER),
        "event": {"const": name},
        "at": _AT | {"title": "when it happened, never in the future"},
        "actor": _object({"id": _pattern(IDENTIFIER), "role": {"enum": roles}}, ["id", "role"]),
        **members,
        "expected_revision": {"type": "integer", "minimum": 0, "exclusiveMaximum": EXACT},
    }
    made = _object(properties, [*head, *required])
    return {"$schema": DIALECT, "title": title or name} | made | {"examples": [head | example]}


def _data(entries: Mapping[str, Entry], titles: Mapping[str, str]) -> Schema:
    properties = {}
    for name, known in entries.items():
        title = {"title": titles[name]} if titles.get(name) else {}
        properties[name] = title | _field(known)
    return _object(properties, [name for name, known in entries.items() if known.required])


def _field(known: Entry) -> Schema:
    if known.kind == "text":
        return _TEXT
    if known.kind == "list":
        return {"type": "array", "maxItems": LIST_LIMIT, "items": _data(known.members, {})}
    bounds, sort = known.bounds(), "possible" if known.input is not None else "allowed"
    told = {"description": f"{sort}: {bounds}"} if bounds else {}
    value = _VALUES[known.kind] if known.kind != "code" else {"enum": list(known.codes)}
    members: Schema = {"value": value}
    if known.kind == "quantity":
        words = f"{known.unit!r}, or a UCUM unit that converts to it"
        members["unit"] = {"type": "string", "maxLength": 80, "description": words}
    if known.interval:
        members["over"] = _OVER
    required = list(members)
    gap = dict(_GAP)
    if "at" in known.known:
        members["at"] = gap["at"] = _AT
    forms = [_object(members, required), _object(gap, ["value", "reason"])]
    if known.kind != "quantity" and not known.interval:
        forms.insert(0, value)
    return told | {"anyOf": forms}


def _example(known: Entry) -> Any:  # noqa: ANN401  # JSON
    if known.kind == "list":
        return [{name: _example(member) for name, member in known.members.items()}]
    inside = max(bound for bound in (known.low, _ONE) if bound is not None)
    value = decimal_text(inside if known.high is None else min(inside, known.high))
    plain = {"quantity": value, "number": value, "yesno": True, "date": "2026-01-05",
             "instant": "2026-01-05T08:30:00-08:00", "text": "In words.",
             "code": known.codes[0] if known.codes else ""}[known.kind]  # fmt: skip
    over = {"over": {"value": "1", "unit": "h"}} if known.interval else {}
    if known.kind == "quantity":
        return {"value": plain, "unit": known.unit} | over
    return {"value": plain} | over if over else plain


def _reason(codes: Iterable[str], *, required: bool) -> Schema:
    listed = list(codes)
    code = {"enum": listed} if listed else _pattern(NAME)
    made = _object({"code": code, "text": _TEXT}, ["code"] if required else [])
    return made | {"minProperties": 1}


def _override(guards: list[str]) -> Schema:
    named = {"type": "array", "items": {"enum": guards}, "minItems": 1, "maxItems": LIST_LIMIT,
             "uniqueItems": True}  # fmt: skip
    return _object({"code": _pattern(NAME), "guards": named, "text": _TEXT}, ["code", "guards"])


def _object(properties: Mapping[str, Schema], required: list[str]) -> Schema:
    return {"type": "object", "properties": dict(properties), "required": required,
            "additionalProperties": False}  # fmt: skip


def _pattern(shape: re.Pattern[str]) -> Schema:
    return {"type": "string", "pattern": f"^(?:{shape.pattern})$"}


TITLES: Mapping[str, str] = {
    "course.corrected": "A reading that was recorded wrongly",
    "course.entered_in_error": "A reading that should never have been there",
    "course.addendum": "More is said of a record",
    "course.late_entry": "Why a record was entered late",
    "course.finding_disposed": "What was made of an open finding",
    "course.reviewed": "Somebody else looked at a record",
    "course.booked": "A visit was booked",
    "course.moved": "A booking was moved",
    "course.cancelled": "A booking was cancelled",
    "course.no_show": "Nobody came to a booking",
    "course.arrived": "The patient arrived for a booking",
    "course.fulfilled": "A booking is over",
    "course.visit_deferred": "A visit is not wanted before a day of its window",
    "course.visit_omitted": "One visit of a series is not wanted",
    "course.visit_ceased": "No visit of a series is wanted any more",
    "course.visit_resumed": "A visit is wanted after all",
}
"""What the engine's own events are called."""

_ONE = Decimal(1)
_DECIMAL: Schema = {
    "type": "string", "pattern": r"^-?[0-9]+(?:\.[0-9]+)?$", "maxLength": 32,
    "description": "a decimal of at most 30 digits",
}  # fmt: skip
_INSTANT: Schema = {"type": "string", "format": "date-time"}
_DATE: Schema = {"type": "string", "format": "date"}
_TEXT: Schema = {
    "type": "string", "minLength": 1, "maxLength": TEXT_LIMIT, "pattern": r"\S",
    "description": "free text: it can be erased, and no guard reads it",
}  # fmt: skip
_GAP: Schema = {"value": {"type": "null"}, "reason": {"const": NOT_PUBLISHED}}
_NULL = _object(_GAP, ["value", "reason"])
_COARSE = _object(
    {"value": {"type": "string", "pattern": "^[0-9]{4}(?:-[0-9]{2}){0,2}$"},
     "precision": {"enum": list(PRECISIONS)}},
    ["value", "precision"],
)  # fmt: skip
_AT: Schema = {"anyOf": [_INSTANT, _NULL, _COARSE]}
_OVER = _object({"value": _DECIMAL, "unit": {"type": "string"}}, ["value", "unit"])
COMMON: Mapping[str, Schema] = {
    "decimal": _DECIMAL,
    "instant": _INSTANT,
    "date": _DATE,
    "text": _TEXT,
    "not-published": _NULL,
    "coarse-time": _COARSE,
    "when": _AT,
    "over": _OVER,
    "identifier": _pattern(IDENTIFIER),
}
"""What many events have, by a name under which a document may keep it once."""

_VALUES: Mapping[str, Schema] = {
    "quantity": _DECIMAL,
    "number": {"anyOf": [_DECIMAL, {"type": "integer", "exclusiveMinimum": -EXACT,
                                    "exclusiveMaximum": EXACT}]},
    "yesno": {"type": "boolean"},
    "date": _DATE,
    "instant": _INSTANT,
}  # fmt: skip
