"""Who may do what, role by role, and what an event may claim."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.core.event import ARRANGEMENTS, BOOKINGS, CUSTODY, DEFERRED, REVIEWED, SIGNED
from engine.permission import (
    PERMISSIONS,
    ROLES,
    Action,
    Caller,
    How,
    Role,
    Why,
    denial_of_event,
    meanings,
    needed_for,
    table,
)

PAGE = Path(__file__).parent.parent / "docs" / "access.md"

BEGINNINGS = ("course.enrolled", "course.adopted", "course.corrected")


def caller(
    *roles: Role,
    sites: frozenset[str] | None = None,
    how: How = How.TOKEN,
    actor_roles: tuple[str, ...] = (),
) -> Caller:
    return Caller(
        tenant="clinic",
        id="token:1",
        roles=frozenset(roles),
        sites=sites,
        how=how,
        actor_roles=frozenset(actor_roles),
    )


def sent(who: Caller, event: str, role: str, actor: str = "N-7") -> Why | None:
    return denial_of_event(who, event=event, actor=actor, role=role)


def test_every_action_and_every_role_is_in_the_tables():
    assert set(PERMISSIONS) == set(Action)
    assert set(ROLES) == set(Role)


def test_what_writes_says_so():
    assert {action for action in Action if not action.value.startswith(("read:", "try:"))} == {
        action for action, permission in PERMISSIONS.items() if permission.changes
    }


@pytest.mark.parametrize(
    "beside", [(), tuple(role for role in Role if role is not Role.AUDITOR)], ids=["alone", "all"]
)
@pytest.mark.parametrize("action", [a for a in Action if PERMISSIONS[a].changes], ids=str)
def test_an_auditor_signs_off_and_changes_nothing_else_whatever_else_it_holds(
    action: Action, beside: tuple[Role]
):
    expected = None if action is Action.WRITE_REVIEWS else Why.AUDITOR
    assert caller(Role.AUDITOR, *beside).denied(action) is expected


def test_an_auditor_signs_off_as_an_auditor_alone():
    for who in (caller(Role.AUDITOR), caller(*Role, actor_roles=("nurse",))):
        assert sent(who, REVIEWED, "auditor") is None
        for role in ("clinician", "prescriber", "nurse", "engine", "administrator"):
            assert sent(who, REVIEWED, role) is Why.CLAIMED_ROLE


@pytest.mark.parametrize("event", [*BOOKINGS, *ARRANGEMENTS, *BEGINNINGS, "request_dose"])
@pytest.mark.parametrize("role", ["auditor", "clinician", "scheduler", "engine", ""])
def test_an_auditor_sends_no_event_in_no_role(event: str, role: str):
    for who in (caller(Role.AUDITOR), caller(*Role, actor_roles=("nurse", role))):
        assert sent(who, event, role) is Why.AUDITOR


@pytest.mark.parametrize("event", [*BOOKINGS, DEFERRED, "confirm_appointment"])
def test_a_scheduler_sends_bookings_deferrals_and_what_its_workflow_permits(event: str):
    assert sent(caller(Role.SCHEDULER), event, "scheduler") is None


@pytest.mark.parametrize(
    "event", [*BEGINNINGS, *(a for a in ARRANGEMENTS if a != DEFERRED), "course.migrated"]
)
def test_a_scheduler_sends_no_other_event_of_the_engine(event: str):
    assert sent(caller(Role.SCHEDULER), event, "scheduler") is Why.ROLE


@pytest.mark.parametrize("event", BEGINNINGS)
def test_whoever_claims_to_be_a_scheduler_may_do_what_a_scheduler_may(event: str):
    """A workflow lets every role of its own correct: a claim must not widen what it names."""
    both = caller(Role.SCHEDULER, Role.CLINICIAN)
    backend = caller(Role.SERVICE, actor_roles=("scheduler", "clinician"))

    for who in (both, backend):
        assert sent(who, event, "scheduler") is Why.ROLE
        assert sent(who, event, "clinician") is None


@pytest.mark.parametrize("held", [Role.SCHEDULER, Role.CLINICIAN, Role.PRESCRIBER], ids=str)
def test_a_role_is_claimed_by_who_holds_it_and_by_nobody_else(held: Role):
    for claimed in ("scheduler", "clinician", "prescriber", "nurse", "administrator", "engine"):
        expected = None if claimed == held else Why.CLAIMED_ROLE
        assert sent(caller(held), "course.booked", claimed) is expected


def test_a_service_claims_what_its_token_lists_and_nothing_else():
    backend = caller(Role.SERVICE, actor_roles=("nurse", "metrologist"))

    assert backend.claimable == {"nurse", "metrologist"}
    assert sent(backend, "bloods_taken", "nurse") is None
    assert sent(backend, "bloods_taken", "clinician") is Why.CLAIMED_ROLE
    assert sent(backend, "bloods_taken", "service") is Why.CLAIMED_ROLE


def test_a_list_of_actor_roles_is_worth_nothing_without_the_role_of_a_service():
    assert caller(Role.CLINICIAN, actor_roles=("nurse",)).claimable == {"clinician"}


@pytest.mark.parametrize("who", [caller(*Role), caller(Role.SERVICE, actor_roles=("engine",))])
def test_nobody_claims_the_role_of_the_engine(who: Caller):
    assert "engine" not in who.claimable


@pytest.mark.parametrize("claimed", ["administrator", "auditor"])
def test_a_service_that_lists_a_role_that_writes_nothing_writes_nothing_with_it(claimed: str):
    assert sent(caller(Role.SERVICE, actor_roles=(claimed,)), "observed", claimed) is Why.ROLE


def test_an_administrator_sees_no_course_and_sends_nothing():
    administrator = caller(Role.ADMINISTRATOR)

    for action in (Action.READ_COURSES, Action.READ_RECORDS, Action.READ_VISITS, Action.READ_FEED):
        assert administrator.denied(action) is Why.ROLE
    assert sent(administrator, "course.booked", "administrator") is Why.ROLE


def test_a_scheduler_sees_no_record():
    assert caller(Role.SCHEDULER).denied(Action.READ_RECORDS) is Why.ROLE
    assert caller(Role.SCHEDULER).denied(Action.READ_COURSES) is Why.ROLE
    assert caller(Role.SCHEDULER).may(Action.READ_VISITS)


def test_who_signed_in_acts_as_itself_alone():
    person = caller(Role.CLINICIAN, how=How.OIDC)

    assert sent(person, "request_dose", "clinician", actor="token:1") is None
    assert sent(person, "request_dose", "clinician", actor="N-7") is Why.CLAIMED_ACTOR


@pytest.mark.parametrize("action", [a for a in Action if PERMISSIONS[a].whole], ids=str)
def test_what_concerns_the_whole_tenant_takes_every_site(action: Action):
    role = next(iter(PERMISSIONS[action].roles))

    assert caller(role).may(action)
    assert caller(role, sites=frozenset({"north"})).denied(action) is Why.SITE


def test_a_scope_of_sites_holds_those_sites_and_an_empty_one_none():
    assert caller(Role.CLINICIAN).sees("north")
    assert caller(Role.CLINICIAN, sites=frozenset({"north"})).sees("north")
    assert not caller(Role.CLINICIAN, sites=frozenset({"north"})).sees("south")
    assert not caller(Role.CLINICIAN, sites=frozenset()).sees("north")


def test_an_event_of_the_engine_that_does_not_exist_yet_is_no_schedulers():
    assert needed_for("course.invented") is Action.WRITE_COURSES


@pytest.mark.parametrize("event", CUSTODY)
def test_custody_of_the_records_is_for_those_who_keep_them(event: str):
    assert needed_for(event) is Action.MANAGE_CUSTODY
    for role in Role:
        keeps = role in (Role.ADMINISTRATOR, Role.RECORDS)
        assert caller(role).may(Action.MANAGE_CUSTODY) is keeps


def test_who_treats_may_sign_in_a_role_of_their_own():
    assert sent(caller(Role.PRESCRIBER), SIGNED, "prescriber") is None
    assert sent(caller(Role.PRESCRIBER), SIGNED, "clinician") is Why.CLAIMED_ROLE
    for role in (Role.SCHEDULER, Role.ADMINISTRATOR, Role.RECORDS):
        assert sent(caller(role), SIGNED, role.value) is Why.ROLE


@pytest.mark.parametrize(("mark", "lines"), [("roles", meanings), ("table", table)])
def test_the_page_for_the_operator_says_what_the_code_does(
    mark: str, lines: Callable[[], Iterator[str]]
):
    part = re.search(f"<!-- {mark} -->\n\n(.*?)\n\n<!-- end -->", PAGE.read_text(), re.DOTALL)

    assert part is not None
    assert part[1].split("\n") == list(lines())
