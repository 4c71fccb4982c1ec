"""Every route with every role, and with tokens of another tenant and of another site.

The routes are those of the application: a new one is walked too. One without a permission, or with
a parameter that nobody filled in here, fails.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from engine.access import DAYS, operator
from engine.bootstrap import webhooks
from engine.core.schema import event_schema
from engine.feed import Feed
from engine.messages import Page
from engine.permission import Action, Caller, Denied, How, Role, Why
from engine.store.sql import SqlStore
from tests.fhir.resources import appointment, patient, pressure
from tests.web.doors import COURSE, HERE, HOOKS, OPEN, PATIENT, Doors, Route
from workflows import ALL

SIGN_OFF = "POST /courses/{course}/records/{seq}"
REVIEW = "POST /v1/courses/{course}/reviews"
"""The same by a program. What the walk sends names a record that is in no queue."""
ASKED = "POST /v1/what-if"
"""A question that is too long for an address: it is sent, and changes nothing."""
PARAMETER = re.compile(r"\{(\w+)(?::\w+)?\}")


@pytest.fixture(scope="module")
def house(database: SqlStore) -> Doors:
    """Made once: a course at the north site of one tenant, and nothing in the other."""
    house = Doors(database, "home")
    clinician = house.token(Role.CLINICIAN)
    began = house.ask(clinician, "POST", "/v1/courses", house.enrolment(COURSE))
    assert began.status_code == 201, began.text
    return house


@pytest.fixture
def doors(house: Doors) -> Doors:
    """The house a while later, so that denials are no longer counted, and a token to revoke."""
    house.log.flush()
    house.clock.advance(hours=1)
    house.log.flush()  # what the test before was denied again
    house.began = house.clock.now()
    house.victim = house.token(Role.CLINICIAN).split("_")[1]
    hooks = webhooks(HERE, house.services[house.tenant])
    for one in hooks.endpoints():
        hooks.remove(one.id)
    house.endpoint = hooks.register(HOOKS)[0].id  # and what was said so far has its position
    house.calendar = house.shared()
    return house


def filled(doors: Doors, route: Route) -> tuple[str, Any]:
    """A path with things that are there, and a body that would change something."""
    values = {
        "course": COURSE,
        "seq": "1",
        "workflow": "intralesional_il2",
        "event": "course.booked",
        "token": doors.victim,
        "site": "north",
        "kind": "missed",
        "queue": "refusal",
        "endpoint": doors.endpoint,
        "letter": f"{doors.endpoint}_1",
        "calendar": doors.calendar,
        "id": "B-1",
        "hold": "case-1",
    }

    def value(found: re.Match[str]) -> str:
        assert found[1] in values, f"{route}: say here what stands for {{{found[1]}}}"
        return values[found[1]]

    number = next(doors.numbers)
    start = "2026-03-09T09:00:00-08:00"
    booked = {"booking": "B-1", "visit": "escalation_visit", "start": start}
    bodies = {
        "/v1/courses": doors.enrolment(f"C-{number}", patient=f"P-{number}"),
        "/v1/tokens": {"name": "made", "roles": ["clinician"]},
        "/v1/sites/{site}/calendar": {"format": 1, "zone": "UTC", "open": ["monday"]},
        "/v1/endpoints": {"url": HOOKS},
        "/v1/what-if": {"courses": [COURSE], "parameters": {"tolerated_grade": "1"}},
        "/v1/calendar-feeds": {"scope": "site", "subject": "north"},
        **formal(number),
        **fhir(doors, number),
    }
    body = bodies.get(route.path) or doors.event("course.booked", data=booked)
    return PARAMETER.sub(value, route.path), body


def formal(number: int) -> dict[str, Any]:
    """Signatures, erasures and legal holds."""
    signer = {"id": "somebody", "role": "clinician"}
    what = {"record": 1, "hash": "0" * 64, "meaning": "reviewed", "printed_name": "Dr Somebody"}
    return {
        "/v1/courses/{course}/signatures": {"id": f"s{number}", "actor": signer, **what},
        "/v1/courses/{course}/reviews": {
            "id": f"w{number}", "actor": signer | {"role": "auditor"}, "record": 1,
            "outcome": "accepted",
        },
        "/v1/courses/{course}/erasures": {"id": f"x{number}", "basis": "gdpr-17-1-b"},
        "/v1/courses/{course}/legal-holds": {"id": f"h{number}", "hold": "case-1", "reason": "x"},
        "/v1/courses/{course}/legal-holds/{hold}/release": {"id": f"r{number}", "reason": "x"},
    }  # fmt: skip


def fhir(doors: Doors, number: int) -> dict[str, Any]:
    """Resources that would be recorded."""
    meta = {"versionId": f"{number}", "lastUpdated": doors.clock.now().isoformat()}
    booked = appointment(
        course=COURSE, visit="escalation_visit", meta=meta, participant=[{"status": "accepted"}]
    )
    found = pressure(130, 80, course=COURSE, subject=patient(PATIENT), meta=meta, issued=None)
    return {
        "/v1/fhir/Appointment": booked,
        "/v1/fhir/Appointment/{id}": booked,
        "/v1/fhir/Observation": found,
        "/v1/fhir/Observation/{id}": found | {"id": "B-1"},
    }


def kind(answer: Any) -> str:
    """Which problem it is, told as such or as FHIR tells it."""
    body = answer.json()
    if "issue" in body:
        return str(body["issue"][0]["details"]["coding"][0]["code"])
    return str(body["type"].removeprefix("/v1/problems/"))


def walk(doors: Doors, token: str | None, *, only: str = "") -> dict[Route, Any]:
    """The answer of every route that needs something."""
    found = {}
    for route in doors.routes:
        if route.action is not None and only in route.path:
            path, body = filled(doors, route)
            found[route] = doors.ask(token, route.method, path, body)
            doors.log.flush()  # so that each denial is a row of its own, however many routes
    return found


def test_every_route_needs_a_permission_or_is_known_to_be_open(doors: Doors):
    assert {route.path for route in doors.routes if route.action is None} == OPEN
    assert len([route for route in doors.routes if route.action is not None]) >= 15


@pytest.mark.parametrize(
    "credential",
    [None, "", "rgm_0000000000000000_" + "a" * 43, "eyJhbGciOiJub25lIn0.e30.", "x" * 5000],
    ids=["none", "empty", "unknown", "unsigned", "long"],
)
def test_no_route_answers_nobody(doors: Doors, credential: str | None):
    before = doors.stored(without=("regimen_access_log",))
    for route, answer in walk(doors, credential).items():
        assert answer.status_code == 401, f"{route}: {answer.text}"
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert kind(answer) == "unauthenticated"
        assert PATIENT not in answer.text

    assert doors.stored(without=("regimen_access_log",)) == before


@pytest.mark.parametrize(
    ("course", "patient", "why"),
    [("ELSEWHERE", PATIENT, "the patient has an open course"), (COURSE, "P-9", "exists already")],
)
def test_who_begins_a_course_that_another_site_has_learns_that_there_is_one_and_no_more(
    doors: Doors, course: str, patient: str, why: str
):
    south = doors.token(Role.CLINICIAN, sites=["south"])
    body = doors.enrolment(course, patient=patient, site="south")
    answer = doors.ask(south, "POST", "/v1/courses", body)
    said = answer.json()

    assert (answer.status_code, said["type"]) == (409, "/v1/problems/conflict")
    assert set(said) == {"course", "detail", "retriable", "status", "title", "type"}
    assert (said["course"], why in said["detail"]) == (course, True)
    assert not {"north", PATIENT, doors.victim} & set(answer.text.split('"'))
    assert (COURSE in answer.text) == (course == COURSE)


def test_of_two_credentials_neither_is_taken(doors: Doors):
    good = f"Bearer {doors.token(Role.CLINICIAN)}"
    both = [("Authorization", good), ("Authorization", "Bearer rgm_0_0")]

    assert doors.client.get("/v1/caller", headers=both[:1]).status_code == 200
    for sent in (both, both[::-1], [both[0], both[0]]):
        assert doors.client.get("/v1/caller", headers=sent).status_code == 401


def test_nobody_is_told_so_before_anything_that_was_sent_is_read(doors: Doors):
    for route in doors.routes:
        if route.action is not None and route.method == "POST":
            path, _ = filled(doors, route)
            for content in (b"no JSON", b"{" * 5000, b" " * 1_000_000):
                assert doors.client.post(path, content=content).status_code == 401, route


def test_an_expired_and_a_revoked_token_are_told_no_more_than_any_other(doors: Doors):
    over, revoked = doors.token(Role.CLINICIAN, days=1), doors.token(Role.CLINICIAN, days=DAYS)
    administrator = doors.token(Role.ADMINISTRATOR)
    name = revoked.split("_")[1]
    assert doors.ask(administrator, "DELETE", f"/v1/tokens/{name}").json()["status"] == "revoked"
    doors.clock.advance(days=1)
    said = {
        json.dumps(answer.json(), sort_keys=True)
        for token in (over, revoked, f"{revoked[:-1]}-", "rgm_1_2")
        for answer in walk(doors, token, only="/courses").values()
    }

    assert len(said) == 1
    assert {entry.about["why"] for entry in doors.denials()} == {
        "expired",
        "revoked",
        "wrong-secret",
        "unknown-token",
    }


@pytest.mark.parametrize("role", Role, ids=str)
def test_a_role_gets_what_the_table_gives_it_and_nothing_else(doors: Doors, role: Role):
    token = doors.token(role)
    caller = doors.access.tokens.identify(token)
    assert isinstance(caller, Caller)
    for route, answer in walk(doors, token).items():
        assert route.action is not None
        assert answer.status_code != 401, f"{route}: {answer.text}"
        assert answer.status_code < 500, f"{route}: {answer.text}"
        if not caller.may(route.action):
            assert answer.status_code == 403, f"{route}: {answer.text}"
            assert kind(answer) == "not-permitted"
            assert PATIENT not in answer.text
        elif route.method == "GET":
            assert answer.status_code == 200, f"{route}: {answer.text}"


@pytest.mark.parametrize(
    "path", ["/v1/feed", "/v1/feed/stream?after=0", "/v1/courses?changed_since=0"]
)
def test_an_auditor_who_reads_the_feed_gives_no_message_its_position(doors: Doors, path: str):
    """It is shown what has one; whoever else reads, or a worker, gives the others theirs."""
    auditor, clinician = doors.token(Role.AUDITOR), doors.token(Role.CLINICIAN)
    name = f"C-{next(doors.numbers)}"
    began = doors.ask(clinician, "POST", "/v1/courses", doors.enrolment(name, patient=f"P-{name}"))
    assert began.status_code == 201, began.text
    before = doors.stored(without=("regimen_access_log",))
    seen = doors.ask(auditor, "GET", path)

    assert seen.status_code == 200
    assert COURSE in seen.text
    assert name not in seen.text
    assert doors.stored(without=("regimen_access_log",)) == before
    assert name in doors.ask(clinician, "GET", path).text
    assert name in doors.ask(auditor, "GET", path).text


def test_an_auditor_changes_nothing_and_everything_that_it_reads_is_logged(doors: Doors):
    token = doors.token(Role.AUDITOR)
    before = doors.stored(without=("regimen_access_log",))
    answers = walk(doors, token)

    assert doors.stored(without=("regimen_access_log",)) == before
    refused = {str(route) for route, answer in answers.items() if answer.status_code == 403}
    # Of a sign-off, which is no change of a course, what was sent here is no form of ours.
    assert refused == {str(r) for r in answers if r.method != "GET"} - {ASKED, REVIEW}
    signing = {str(r): answers[r] for r in answers if r.action is Action.WRITE_REVIEWS}
    assert set(signing) == {SIGN_OFF, REVIEW}
    assert (signing[REVIEW].status_code, kind(signing[REVIEW])) == (422, "invalid")
    entries = doors.log.entries(doors.tenant, since=doors.began, limit=1000)
    read = [entry.about["what"] for entry in entries if entry.action.value == "read"]
    asked = [r for r in answers if r.method == "GET" or str(r) == ASKED]
    assert sorted(read) == sorted(
        ["what-if", *(route.action.value for route in asked if route.action)]
    )
    (what_if,) = [entry for entry in entries if entry.about.get("what") == "what-if"]
    assert what_if.about["courses"] == [COURSE]


@pytest.mark.parametrize("role", Role, ids=str)
def test_nothing_of_a_tenant_is_seen_or_changed_by_another(doors: Doors, role: Role):
    token = doors.token(role, tenant=doors.other)
    before = doors.stored()
    for route, answer in walk(doors, token).items():
        if "{course}" in route.path or "{token}" in route.path:
            assert answer.status_code in (403, 404), f"{route}: {answer.text}"
        elif route.action is not Action.READ_ACCESS_LOG:  # which tells what itself asked for
            assert COURSE not in answer.text, route
            assert doors.victim not in answer.text, route
        assert PATIENT not in answer.text, route
        assert answer.status_code < 500, route

    assert doors.stored() == before


@pytest.mark.parametrize("role", Role, ids=str)
def test_nothing_of_a_site_is_seen_or_changed_by_another(doors: Doors, role: Role):
    token = doors.token(role, sites=["south"])
    before = doors.stored(without=("regimen_access_log",))
    for route, answer in walk(doors, token).items():
        if "{course}" in route.path:
            assert answer.status_code in (403, 404), f"{route}: {answer.text}"
            assert "north" not in answer.text, route
        elif route.path == "/v1/courses" and route.method == "POST":
            assert answer.status_code == 403, answer.text
        elif route.action not in (Action.READ_ACCESS_LOG, Action.MANAGE_TOKENS):
            assert COURSE not in answer.text, route
        assert PATIENT not in answer.text, route

    assert doors.stored(without=("regimen_access_log",)) == before
    new = doors.denials()
    assert {entry.about["why"] for entry in new} <= {
        "role-may-not",
        "outside-its-sites",
        "auditor-changes-nothing",
    }
    assert [e for e in new if e.about.get("course") == COURSE]


def test_what_is_at_another_site_looks_as_if_it_were_not_there(doors: Doors):
    south = doors.token(Role.CLINICIAN, sites=["south"])
    there = doors.ask(south, "GET", f"/v1/courses/{COURSE}")
    not_there = doors.ask(south, "GET", "/v1/courses/NO-COURSE")

    assert there.status_code == not_there.status_code == 404
    assert there.text.replace(COURSE, "NO-COURSE") == not_there.text


def sent(doors: Doors, token: str, name: str, actor: dict[str, str], **data: Any) -> Any:
    body = doors.event(name, actor=actor, data=data)
    path = f"/v1/courses/{COURSE}/events"
    return doors.ask(token, "POST", path, body, headers={"If-Match": "*"})


BOOKING = {"booking": "B-1", "visit": "escalation_visit", "start": "2026-03-09T09:00:00-08:00"}


@pytest.mark.parametrize("where", ["events", "events/dry-run"])
def test_a_role_that_the_caller_does_not_hold_is_not_taken_nor_tried(doors: Doors, where: str):
    before = doors.stored(without=("regimen_access_log", "regimen_tokens"))
    for role, claimed in (
        (Role.CLINICIAN, "prescriber"),
        (Role.SCHEDULER, "clinician"),
        (Role.PRESCRIBER, "nurse"),
        (Role.CLINICIAN, "engine"),
    ):
        body = doors.event("course.booked", actor={"id": "a", "role": claimed}, data=BOOKING)
        answer = doors.ask(doors.token(role), "POST", f"/v1/courses/{COURSE}/{where}", body)

        assert answer.status_code == 403, answer.text
        assert answer.json()["type"] == "/v1/problems/role-not-held"
    assert doors.stored(without=("regimen_access_log", "regimen_tokens")) == before
    assert {e.about["role"] for e in doors.denials()} == {
        *("prescriber", "clinician", "nurse", "engine")
    }


def test_a_scheduler_books_and_sees_no_finding(doors: Doors):
    scheduler, actor = doors.token(Role.SCHEDULER), {"id": "desk-1", "role": "scheduler"}
    answer = sent(doors, scheduler, "course.booked", actor, **BOOKING)

    assert answer.status_code == 201, answer.text
    assert set(answer.json()["decision"]) <= {"verdict", "conflicts", "reason"}
    seen = doors.ask(doors.token(Role.CLINICIAN), "GET", answer.headers["Location"])
    assert seen.json()["record"]["event"]["actor"] == actor


@pytest.mark.parametrize("status", ["final", "corrected", "entered-in-error"])
@pytest.mark.parametrize("claimed", ["scheduler", "laboratory"])
def test_a_scheduler_learns_nothing_of_a_reading_by_telling_of_it(
    doors: Doors, claimed: str, status: str
):
    """Whether what it guessed was measured, by whom, or anything at all: the answer is the same."""

    def told(token: str, who: str, version: int, **more: Any) -> tuple[int, str]:
        path = f"/v1/fhir/Observation?role={who}"
        meta = {"versionId": str(version), "lastUpdated": doors.clock.now().isoformat()}
        body = pressure(course=COURSE, **{"subject": patient(PATIENT), "meta": meta, **more})
        answer = doors.ask(token, "POST", path, json.loads(json.dumps(body, default=float)))
        return answer.status_code, answer.text

    name = f"O-{next(doors.numbers)}"
    said = told(doors.token(Role.SERVICE), "nurse", 1, id=name)
    assert said[0] == 201, said[1]
    scheduler = doors.token(Role.SCHEDULER)
    guesses = [
        {"id": name},
        {"id": name, "component": pressure(131, 80)["component"]},
        {"id": name, "subject": patient("somebody-else")},
        {"id": name, "effectiveDateTime": "2026-03-02T06:11:00-08:00"},
    ]
    answers = {told(scheduler, claimed, 2, status=status, **guess) for guess in guesses}

    assert len(answers) == 1
    assert {code for code, _ in answers} == {403}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("course.corrected", {"record": 1, "input": "weight", "entered_in_error": True}),
        ("course.visit_ceased", {"visit": "maintenance_cycle"}),
        ("course.visit_omitted", {"visit": "maintenance_cycle", "number": 1}),
        ("course.visit_resumed", {"visit": "maintenance_cycle"}),
        ("stage_recorded", None),
    ],
)
def test_a_scheduler_sends_nothing_else(doors: Doors, name: str, data: dict[str, Any] | None):
    if data is None:
        data = event_schema(ALL[0], name)["examples"][0]["data"]
    actor = {"id": "desk-1", "role": "scheduler"}
    before = doors.stored(without=("regimen_access_log", "regimen_tokens"))
    for token in (doors.token(Role.SCHEDULER), doors.token(Role.SERVICE)):
        assert sent(doors, token, name, actor, **data).status_code == 403

    assert doors.stored(without=("regimen_access_log", "regimen_tokens")) == before


class SignedIn:
    """An identity provider that knows one person."""

    def __init__(self, tenant: str) -> None:
        self.caller = Caller(
            tenant=tenant,
            id="oidc:1",
            roles=frozenset({Role.CLINICIAN}),
            sites=None,
            how=How.OIDC,
        )
        self.away = False

    def identify(self, text: str) -> Caller | Denied:
        if self.away:
            return Denied(why=Why.NO_KEYS)
        return self.caller if text == "good" else Denied(why=Why.SIGNATURE)


def test_whoever_signed_in_acts_as_itself_and_learns_who_it_is(doors: Doors):
    doors.access.gate._provider = provider = SignedIn(doors.tenant)
    itself = doors.ask("good", "GET", "/v1/caller").json()
    mine = sent(
        doors, "good", "course.booked", {"id": itself["id"], "role": "clinician"}, **BOOKING
    )
    other = sent(doors, "good", "course.booked", {"id": "N-7", "role": "clinician"}, **BOOKING)

    assert (itself["how"], itself["claimable"]) == ("oidc", ["clinician"])
    assert "read:records" in itself["may"]
    assert (mine.status_code, other.status_code) == (201, 403)
    assert doors.ask("bad", "GET", "/v1/caller").status_code == 401
    provider.away = True
    gone = doors.ask("good", "GET", "/v1/caller")
    assert (gone.status_code, gone.headers["Retry-After"]) == (503, "30")


def test_an_administrator_creates_lists_and_revokes_tokens_over_http(doors: Doors):
    admin = doors.token(Role.ADMINISTRATOR)
    asked = {"name": "desk", "roles": ["scheduler"], "sites": ["north"], "expires_days": 7}
    made = doors.ask(admin, "POST", "/v1/tokens", asked)
    document = made.json()

    assert made.status_code == 201, made.text
    assert made.headers["Cache-Control"] == "no-store"
    own = doors.ask(document["text"], "GET", "/v1/caller").json()
    assert (own["roles"], own["sites"], own["id"]) == (
        *(["scheduler"], ["north"]),
        f"token:{document['id']}",
    )
    listed = doors.ask(admin, "GET", "/v1/tokens", params={"limit": 500})
    assert document["text"].split("_", 2)[2] not in listed.text
    assert document["id"] in {one["id"] for one in listed.json()["tokens"]}
    gone = doors.ask(admin, "DELETE", made.headers["Location"])
    assert (gone.json()["status"], gone.json()["revoked_by"]) == (
        "revoked",
        doors.ask(admin, "GET", "/v1/caller").json()["id"],
    )
    assert doors.ask(document["text"], "GET", "/v1/caller").status_code == 401
    assert doors.ask(admin, "DELETE", "/v1/tokens/0000").status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"roles": ["clinician"]}, "name"),
        ({"name": "x"}, "roles"),
        ({"name": "x", "roles": "clinician"}, "roles"),
        ({"name": "x", "roles": [1]}, "roles"),
        ({"name": "x", "roles": ["root"]}, "roles"),
        ({"name": "x", "roles": ["auditor", "service"]}, "roles"),
        ({"name": "x", "roles": ["clinician"], "sites": []}, "sites"),
        ({"name": "x", "roles": ["clinician"], "actor_roles": ["nurse"]}, "actor_roles"),
        ({"name": "x", "roles": ["clinician"], "expires_days": 366}, "expires_days"),
        ({"name": "x", "roles": ["clinician"], "expires_days": True}, "expires_days"),
        ({"name": "Jane Doe", "roles": ["clinician"]}, "name"),
        ({"name": "x", "roles": ["clinician"], "secret": "mine"}, "secret"),
    ],
)
def test_a_wrong_token_names_its_member(doors: Doors, body: dict[str, Any], field: str):
    answer = doors.ask(doors.token(Role.ADMINISTRATOR), "POST", "/v1/tokens", body)

    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"] == field


def test_an_administrator_of_one_site_manages_no_tokens(doors: Doors):
    limited = doors.token(Role.ADMINISTRATOR, sites=["north"])

    assert doors.ask(limited, "GET", "/v1/tokens").status_code == 403
    asked = {"name": "desk", "roles": ["administrator"]}
    assert doors.ask(limited, "POST", "/v1/tokens", asked).status_code == 403


def test_tokens_and_the_access_log_come_in_pages(doors: Doors):
    admin = doors.token(Role.ADMINISTRATOR)
    for _ in range(5):
        doors.clock.advance(seconds=1)
        doors.token(Role.SCHEDULER)
    for path, member in (("/v1/tokens", "tokens"), ("/v1/access-log", "entries")):
        kept = doors.access.tokens.list if member == "tokens" else doors.log.entries
        whole = [one.id for one in kept(doors.tenant, limit=100_000)]
        parts, cursor = [], None
        while True:
            asked = {"limit": 7, **({"cursor": cursor} if cursor else {})}
            page = doors.ask(admin, "GET", path, params=asked).json()
            parts += page[member]
            cursor = page["next"]
            if cursor is None:
                break
        assert [one["id"] for one in parts] == whole
        assert len(whole) >= 7
        for wrong in ("x", "2026-03-02T00:00:00Z", "2026-03-02T00:00:00Z,a b", ",a"):
            answer = doors.ask(admin, "GET", path, params={"cursor": wrong})
            assert answer.json()["errors"][0]["field"] == "cursor"


def test_the_access_log_is_read_from_a_time_on(doors: Doors):
    admin = doors.token(Role.ADMINISTRATOR)
    doors.clock.advance(hours=1)
    doors.ask(None, "GET", "/v1/courses")
    since = doors.clock.now().isoformat()
    found = doors.ask(admin, "GET", "/v1/access-log", params={"since": since}).json()["entries"]

    assert [(one["actor"], one["about"]) for one in found] == [("nobody", {"why": "no-credential"})]
    wrong = doors.ask(admin, "GET", "/v1/access-log", params={"since": "yesterday"})
    assert wrong.json()["errors"][0]["field"] == "since"


def test_a_change_of_an_endpoint_or_a_site_is_in_the_log_with_who_made_it(doors: Doors):
    token = doors.token(Role.ADMINISTRATOR)
    who = token.split("_")[1]
    made = doors.ask(token, "POST", "/v1/endpoints", {"url": HOOKS}).json()["id"]
    doors.ask(token, "POST", f"/v1/endpoints/{made}/disable")
    doors.ask(token, "POST", f"/v1/endpoints/{made}/enable")
    doors.ask(token, "POST", f"/v1/endpoints/{made}/rotate", {})
    doors.ask(token, "DELETE", f"/v1/endpoints/{made}")
    calendar = {"format": 1, "zone": "UTC", "open": ["monday"]}
    doors.ask(token, "PUT", "/v1/sites/north/calendar", calendar)

    found = doors.log.entries(doors.tenant, since=doors.began, limit=100)
    told = sorted(str(one.action) for one in found if who in str(one.actor))
    assert told == [
        *("endpoint.changed", "endpoint.changed", "endpoint.changed"),
        *("endpoint.created", "endpoint.removed", "site.changed"),
    ]


def test_a_stream_ends_at_the_next_look_when_its_token_is_revoked(
    doors: Doors, monkeypatch: pytest.MonkeyPatch
):
    token = doors.token(Role.SCHEDULER)
    page, looked = Feed.page, list[int]()

    def looking(feed: Feed, after: int, *how: Any) -> Page:
        looked.append(after)
        doors.access.tokens.revoke(operator(doors.tenant), token.split("_")[1])
        return page(feed, after, *how)

    monkeypatch.setattr(Feed, "page", looking)
    monkeypatch.setattr(doors.app.state.office.streams, "looks", 5)
    answer = doors.ask(token, "GET", "/v1/feed/stream", params={"after": 0})

    assert (answer.status_code, looked) == (200, [0])


@pytest.mark.parametrize("role", Role, ids=str)
def test_a_page_in_a_browser_keeps_out_whom_the_table_keeps_out(doors: Doors, role: Role):
    """Nobody is sent to sign in, and who may not is told so as a page that names nothing."""
    html = {"Accept": "text/html"}
    pages = [r for r in doors.routes if r.action and not r.path.startswith(("/v1", "/metrics"))]
    assert len(pages) >= 12
    here, elsewhere = doors.token(role), doors.token(role, sites=["south"])
    caller = doors.access.tokens.identify(here)
    assert isinstance(caller, Caller)
    for route in pages:
        path, _ = filled(doors, route)
        nobody = doors.client.get(path, headers=html, follow_redirects=False)
        assert (nobody.status_code, nobody.text) == (303, ""), route
        answer = doors.ask(here, "GET", path, headers=html)
        allowed = caller.may(route.action)
        assert answer.status_code == (200 if allowed else 403), f"{route}: {answer.text}"
        assert allowed or PATIENT not in answer.text
        other = doors.ask(elsewhere, "GET", path, headers=html)
        if "{course}" in route.path:
            assert other.status_code in (403, 404), route
        assert PATIENT not in other.text, route
        assert "'none'" in other.headers["content-security-policy"]
