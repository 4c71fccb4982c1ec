"""What another protocol would have decided of recorded courses; nothing is written of them."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter

from engine.core.encoding import Json
from engine.core.setting import Set
from engine.core.what_if import Policy
from engine.core.wire import IDENTIFIER, NAME, WORKFLOW, members, shown, unless, word
from engine.errors import InvalidInput, NotFound
from engine.log_entry import Logged
from engine.service import Place
from engine.web import formalities, suppositions
from engine.web.bodies import Body
from engine.web.callers import Desk, LogReader
from engine.web.canonical import CanonicalResponse
from engine.web.problems import Problem
from engine.web.responses import PROBLEMS
from engine.web.suppositions import LONGEST, MOST_COURSES, MOST_PARAMETERS, MOST_RECORDS
from engine.what_if import Amendment, Answered, Courses, Question, Supposing

router = APIRouter(tags=["records"])


@router.post(
    "/what-if",
    response_model=suppositions.WhatIfAnswer,
    responses=PROBLEMS["write_one"],
    openapi_extra=formalities.sent(suppositions.WhatIfRequest),
)
def what_if(*, desk: LogReader, body: Body) -> CanonicalResponse:
    """Which decisions of these courses would be different, and what cannot be judged.

    Nothing is written, but who asked about which courses is in the access log. The answer is that
    of `regimen what-if --json`, which asks any number of courses.
    """
    asked = members(body, "", ("courses", "parameters", "definition", "policy"), ("courses",))
    names = _courses(asked["courses"])
    parameters = _parameters(asked.get("parameters", {}))
    definition = asked.get("definition")
    policy = _policy(asked.get("policy", Policy.FOLLOW_RECORDED.value))
    if not parameters and definition is None:
        raise InvalidInput("parameters", "what is to be otherwise: parameters, or a definition")
    places = [_place(desk, name, n) for n, name in enumerate(names)]
    if sum(int(place.row["seq"]) for place in places) > MOST_RECORDS:
        expected = (
            f"courses with at most {MOST_RECORDS} records in all; `regimen what-if` asks more"
        )
        raise InvalidInput("courses", expected)
    service = desk.service
    courses = Courses(store=service.store, registry=service.setting.registry, tenant=service.tenant)
    other = None
    if definition is not None:
        wanted = word(definition, "definition", WORKFLOW, "a name, name@version or digest")
        other = courses.definition(service.workflow(wanted).digest)
    amendment = Amendment(definition=other, settings=parameters)
    answer = Answered(
        policy=policy,
        definition=None if other is None else other.digest,
        settings=_changes(amendment, places),
    )
    _note(desk, names)
    supposing = Supposing(Question(amendment=amendment, policy=policy))
    for name in names:
        answer.add(courses.of(name, supposing))
    return CanonicalResponse(answer.json())


def _courses(sent: object) -> list[str]:
    if not isinstance(sent, list) or not 1 <= len(sent) <= MOST_COURSES:
        expected = f"1 to {MOST_COURSES} courses; `regimen what-if` asks any number"
        raise InvalidInput("courses", expected, found=unless(sent, list))
    names = [
        word(one, f"courses.{n}", IDENTIFIER, "the name of a course") for n, one in enumerate(sent)
    ]
    if len(set(names)) < len(names):
        raise InvalidInput("courses", "each course once")
    return names


def _parameters(sent: object) -> dict[str, str]:
    if not isinstance(sent, dict) or len(sent) > MOST_PARAMETERS:
        expected = f"at most {MOST_PARAMETERS} values by the name of a parameter"
        raise InvalidInput("parameters", expected, found=unless(sent, dict))
    for name, value in sent.items():
        word(name, "parameters", NAME, "names of parameters")
        if not isinstance(value, str) or not 1 <= len(value) <= LONGEST:
            expected = 'a text such as "50" or "50 10*3/uL"'
            raise InvalidInput(f"parameters.{name}", expected, found=unless(value, str))
    return sent


def _policy(sent: object) -> Policy:
    if not isinstance(sent, str) or sent not in set(Policy):
        raise InvalidInput("policy", f"one of {', '.join(Policy)}", found=shown(sent))
    return Policy(sent)


def _place(desk: Desk, course: str, number: int) -> Place:
    """Raises Problem for one that is not there, or not for this caller: it is not told which."""
    try:
        return desk.place(course)
    except NotFound:
        errors: list[Json] = [{"field": f"courses.{number}", "expected": "a course of yours"}]
        raise Problem("not-found", errors=errors) from None


def _changes(amendment: Amendment, places: Sequence[Place]) -> tuple[Set, ...]:
    machines = {place.machine.digest: place.machine for place in places}
    try:
        return amendment.changes(list(machines.values()))
    except InvalidInput as wrong:
        if wrong.field not in amendment.settings and wrong.field not in ("parameter", "--set"):
            raise
        inside = f".{wrong.field}" if wrong.field in amendment.settings else ""
        raise InvalidInput(f"parameters{inside}", wrong.expected, found=wrong.found) from wrong


def _note(desk: Desk, courses: Sequence[str]) -> None:
    """It is asked of many at once, so it is noted whoever asks."""
    if desk.office.access is not None:
        about = {"what": "what-if", "courses": list(courses)}
        desk.office.access.log.note(desk.caller, Logged.READ, about)
