"""Review work in the browser: the queues in words, and a sign-off by a form."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from starlette.testclient import TestClient

from engine.core.event import REVIEWED
from engine.core.wire import TEXT_LIMIT
from engine.log_entry import Logged
from engine.permission import Role
from engine.store.sql import SqlStore
from tests.web.doors import COURSE, Doors

HTML = {"Accept": "text/html"}
OWN = {"Origin": "https://testserver", "Sec-Fetch-Site": "same-origin"}


@pytest.fixture(scope="module")
def house(database: SqlStore) -> Doors:
    """A course whose records from 2 on are refused requests."""
    house = Doors(database, "reviewing")
    began = house.ask(house.token(Role.CLINICIAN), "POST", "/v1/courses", house.enrolment(COURSE))
    assert began.status_code == 201, began.text
    return house


@pytest.fixture
def doors(house: Doors) -> Doors:
    house.log.flush()
    house.clock.advance(hours=1)
    house.began = house.clock.now()
    return house


@pytest.fixture
def refused(doors: Doors) -> int:
    """The record of a request that was refused."""
    body = doors.event("release_hold", reason={"code": "clinician-decision"})
    path = f"/v1/courses/{COURSE}/events"
    answer = doors.ask(doors.token(Role.CLINICIAN), "POST", path, body, headers={"If-Match": "*"})
    assert answer.status_code == 409, answer.text
    return int(answer.json()["seq"])


def browser(doors: Doors, *roles: Role, **choices: Any) -> TestClient:
    """A client that signed in and follows nothing by itself."""
    client = TestClient(
        doors.app, base_url="https://testserver", follow_redirects=False, headers=HTML,
        raise_server_exceptions=False,
    )  # fmt: skip
    token = doors.token(*roles, **choices)
    assert client.post("/sign-in", data={"token": token}, headers=OWN).status_code == 303
    client.id = f"token:{token.split('_')[1]}"  # type: ignore[attr-defined]  # who it is
    return client


def page(client: TestClient, seq: int, query: str = "?queue=refusal") -> str:
    answer = client.get(f"/courses/{COURSE}/records/{seq}{query}")
    assert answer.status_code == 200, answer.text
    return answer.text


def form(shown: str) -> dict[str, str]:
    """What a form sends of itself."""
    hidden = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', shown)
    assert ("seen", "0") in hidden or any(name == "seen" for name, _ in hidden), shown
    return dict(hidden)


def send(client: TestClient, seq: int, data: dict[str, str], **more: Any) -> Any:
    more.setdefault("headers", OWN)
    return client.post(f"/courses/{COURSE}/records/{seq}", data=data, **more)


def sign_offs(doors: Doors, seq: int) -> list[Any]:
    found = doors.services[doors.tenant].records(COURSE)
    return [
        one for one in found if one.event == REVIEWED and f'"record":{seq}'.encode() in one.body
    ]


def test_a_queue_says_in_words_what_waits_who_is_asked_and_since_when(doors: Doors, refused: int):
    shown = browser(doors, Role.AUDITOR).get("/review?queue=refusal").text
    row = shown.split(f"records/{refused}?queue=refusal")[1].split("</tr>")[0]

    assert "Release the hold for cardiac enzymes" in row
    assert "not foreseen in the state “" in row
    assert "illegal" not in row
    assert "clinician, prescriber or auditor" in row
    assert "2026-03-02" in row
    assert "less than a minute" in row


def test_a_time_of_a_queue_says_of_which_zone_it_is(doors: Doors, refused: int):
    shown = browser(doors, Role.AUDITOR).get("/review?queue=refusal").text
    zone = doors.services[doors.tenant].place(COURSE).row["zone"]

    assert f"Times are those of the site, {zone}." in shown


def test_counts_and_rows_are_those_of_the_site_and_workflow_that_were_chosen(
    doors: Doors, refused: int
):
    client = browser(doors, Role.AUDITOR)

    assert f"record {refused}" in client.get("/review?queue=refusal&site=north").text
    assert f"record {refused}" in client.get("/review?workflow=intralesional_il2").text
    for chosen in ("site=south", "workflow=instrument_calibration"):
        shown = client.get(f"/review?queue=refusal&{chosen}").text
        assert "<b>0</b> Refusals" in shown
        assert COURSE not in shown


def test_without_a_name_the_most_pressing_queue_that_has_something_is_shown(
    doors: Doors, refused: int
):
    assert refused
    shown = browser(doors, Role.CLINICIAN).get("/review").text

    assert re.search(r'aria-current="page"><b>\d+</b> Refusals', shown)


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.CLINICIAN, Role.PRESCRIBER], ids=str)
def test_a_record_is_signed_off_by_its_form(doors: Doors, refused: int, role: Role):
    client = browser(doors, role)
    sent = form(page(client, refused)) | {"outcome": "accepted", "comment": "Read, and right."}
    answer = send(client, refused, sent)

    assert answer.status_code == 303, answer.text
    assert answer.headers["location"] == f"/courses/{COURSE}/records/{refused}?queue=refusal#review"
    (made,) = sign_offs(doors, refused)
    assert f'"actor":{{"id":"{client.id}","role":"{role}"}}'.encode() in made.body
    assert b"Read, and right" not in made.body
    shown = page(client, refused)
    assert "“Read, and right.”" in shown
    assert 'class="sign-off' not in shown
    assert f"records/{refused}?" not in client.get("/review?queue=refusal").text


def test_a_sign_off_changes_no_revision_and_an_auditors_is_in_no_other_log(
    doors: Doors, refused: int
):
    client = browser(doors, Role.AUDITOR)
    sent = form(page(client, refused)) | {"outcome": "accepted"}
    doors.log.flush()
    before = doors.services[doors.tenant].place(COURSE).row["revision"]
    entries = len(doors.log.entries(doors.tenant, limit=10_000))

    assert send(client, refused, sent).status_code == 303
    assert doors.services[doors.tenant].place(COURSE).row["revision"] == before
    assert len(doors.log.entries(doors.tenant, limit=10_000)) == entries


def test_the_same_form_sent_again_is_made_once(doors: Doors, refused: int):
    client = browser(doors, Role.AUDITOR)
    sent = form(page(client, refused)) | {"outcome": "accepted"}
    first = send(client, refused, sent)
    doors.clock.advance(seconds=1)
    again = send(client, refused, sent)

    assert (first.status_code, again.status_code) == (303, 303)
    assert first.headers["location"] == again.headers["location"]
    assert len(sign_offs(doors, refused)) == 1


def test_the_same_form_sent_twice_at_once_is_made_once(doors: Doors, refused: int):
    client = browser(doors, Role.AUDITOR)
    sent = form(page(client, refused)) | {"outcome": "accepted"}
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: send(client, refused, sent), range(4)))

    assert [one.status_code for one in answers] == [303] * 4
    assert len(sign_offs(doors, refused)) == 1


def test_what_somebody_else_signed_off_meanwhile_is_shown_before_anything_is_recorded(
    doors: Doors, refused: int
):
    first, second = browser(doors, Role.AUDITOR), browser(doors, Role.CLINICIAN)
    old = form(page(second, refused))
    escalated = form(page(first, refused)) | {"outcome": "escalated"}
    assert send(first, refused, escalated).status_code == 303
    stale = send(second, refused, old | {"outcome": "accepted", "comment": "I <read> it."})

    assert stale.status_code == 409
    assert "since you opened this page" in stale.text
    assert "<b>Escalated</b>" in stale.text
    assert "I &lt;read&gt; it.</textarea>" in stale.text
    assert 'value="accepted" required checked' in stale.text
    assert len(sign_offs(doors, refused)) == 1
    anew = form(stale.text) | {"outcome": "accepted", "comment": "I <read> it."}
    assert send(second, refused, anew).status_code == 303
    assert len(sign_offs(doors, refused)) == 2


def test_what_somebody_else_signs_off_at_the_same_moment_is_shown_and_nothing_is_recorded(
    doors: Doors, refused: int, monkeypatch: pytest.MonkeyPatch
):
    first, second = browser(doors, Role.AUDITOR), browser(doors, Role.CLINICIAN)
    escalated = form(page(first, refused)) | {"outcome": "escalated"}
    accepted = form(page(second, refused)) | {"outcome": "accepted"}
    service = doors.services[doors.tenant]
    submit = service.submit

    def late(body: Any, **more: Any) -> Any:
        monkeypatch.setattr(service, "submit", submit)
        assert send(first, refused, escalated).status_code == 303
        return submit(body, **more)

    monkeypatch.setattr(service, "submit", late)
    stale = send(second, refused, accepted)

    assert stale.status_code == 409
    assert "since you opened this page" in stale.text
    assert len(sign_offs(doors, refused)) == 1


def test_whoever_acted_gets_no_form_and_signs_nothing_off(doors: Doors):
    client = browser(doors, Role.CLINICIAN)
    actor = {"id": client.id, "role": "clinician"}
    body = doors.event("release_hold", reason={"code": "clinician-decision"}, actor=actor)
    token = doors.token(Role.CLINICIAN)
    path = f"/v1/courses/{COURSE}/events"
    seq = doors.ask(token, "POST", path, body, headers={"If-Match": "*"}).json()["seq"]
    shown = page(client, seq)

    assert "You acted in it: somebody else looks at it." in shown
    assert 'class="sign-off' not in shown
    answer = send(client, seq, {"seen": "0", "outcome": "accepted"})
    assert answer.status_code == 409
    assert "You acted in it" in answer.text
    assert not sign_offs(doors, seq)


def test_nobody_signs_off_twice_and_is_told_so(doors: Doors, refused: int):
    client = browser(doors, Role.AUDITOR)
    assert send(client, refused, form(page(client, refused)) | {"outcome": "escalated"}).is_redirect
    shown = page(client, refused)

    assert "You signed it off already" in shown
    seen = str(sign_offs(doors, refused)[0].seq)
    answer = send(client, refused, {"seen": seen, "outcome": "accepted"})
    assert answer.status_code == 409
    assert "You signed it off already" in answer.text
    assert len(sign_offs(doors, refused)) == 1


@pytest.mark.parametrize(
    ("filled", "said"),
    [
        ({}, "one of the three"),
        ({"outcome": "fine"}, "one of the three"),
        ({"outcome": "acted-on"}, "needs a comment"),
        ({"outcome": "acted-on", "comment": "  \r\n "}, "needs a comment"),
        ({"outcome": "accepted", "comment": "x" * (TEXT_LIMIT + 1)}, "is too long"),
    ],
)
def test_a_form_that_says_too_little_is_shown_again(
    doors: Doors, refused: int, filled: dict[str, str], said: str
):
    client = browser(doors, Role.AUDITOR)
    answer = send(client, refused, form(page(client, refused)) | filled)

    assert answer.status_code == 422
    assert said in answer.text
    assert 'role="alert"' in answer.text
    assert not sign_offs(doors, refused)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://testserver", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://testserver", "Sec-Fetch-Site": "same-site"},
    ],
    ids=["none", "foreign", "null", "cross-site", "same-site"],
)
def test_a_form_of_another_origin_signs_nothing_off(
    doors: Doors, refused: int, headers: dict[str, str]
):
    client = browser(doors, Role.AUDITOR)
    sent = form(page(client, refused)) | {"outcome": "accepted"}

    assert send(client, refused, sent, headers=headers).status_code == 403
    assert not sign_offs(doors, refused)


def test_whoever_has_no_session_any_more_signs_in_and_comes_back_to_the_record(
    doors: Doors, refused: int
):
    client = browser(doors, Role.AUDITOR)
    sent = form(page(client, refused)) | {"outcome": "accepted"}
    client.cookies.clear()
    answer = send(client, refused, sent)

    assert answer.status_code == 303
    assert answer.headers["location"] == f"/sign-in?next=/courses/{COURSE}/records/{refused}"
    assert not sign_offs(doors, refused)


@pytest.mark.parametrize(
    "role", [one for one in Role if one not in (Role.AUDITOR, Role.CLINICIAN, Role.PRESCRIBER)]
)
def test_a_role_that_may_not_sign_off_does_not(doors: Doors, refused: int, role: Role):
    client = browser(doors, role, **({"actor_roles": ["nurse"]} if role is Role.SERVICE else {}))
    answer = send(client, refused, {"seen": "0", "outcome": "accepted"})

    assert answer.status_code == 403, answer.text
    assert not sign_offs(doors, refused)


@pytest.mark.parametrize("role", ["prescriber", "engine", "administrator", "nurse"])
def test_nobody_signs_off_in_a_role_that_they_do_not_hold(doors: Doors, refused: int, role: str):
    client = browser(doors, Role.AUDITOR)
    sent = form(page(client, refused)) | {"outcome": "accepted", "role": role}

    assert send(client, refused, sent).status_code == 403
    assert not sign_offs(doors, refused)


def test_nothing_at_a_site_of_others_is_signed_off_or_shown(doors: Doors, refused: int):
    client = browser(doors, Role.AUDITOR, sites=["south"])

    assert COURSE not in client.get("/review?queue=refusal").text
    assert send(client, refused, {"seen": "0", "outcome": "accepted"}).status_code == 404
    assert not sign_offs(doors, refused)
    denied = [e for e in doors.denials() if e.action is Logged.DENIED]
    assert denied[-1].about["course"] == COURSE


def test_a_record_that_is_in_no_queue_has_nothing_to_sign(doors: Doors):
    client = browser(doors, Role.AUDITOR)

    assert "What do you make of it" not in page(client, 1)
    answer = send(client, 1, {"seen": "0", "outcome": "accepted"})
    assert answer.status_code == 404


def test_whoever_looks_through_a_queue_is_led_to_the_next_of_it(doors: Doors, refused: int):
    client = browser(doors, Role.AUDITOR)
    body = doors.event("release_hold", reason={"code": "clinician-decision"})
    path = f"/v1/courses/{COURSE}/events"
    doors.ask(doors.token(Role.CLINICIAN), "POST", path, body, headers={"If-Match": "*"})
    shown = page(client, refused)

    assert f'href="/courses/{COURSE}/records/{refused + 1}?queue=refusal#review"' in shown
    assert "Next in refusals" in shown
    assert "Next in" not in page(client, refused + 1)
    assert "Next in" not in page(client, refused, "")
