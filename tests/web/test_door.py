"""Signing in to the pages and out, and what a foreign page cannot do with them."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from engine.access import operator
from engine.pages.press import assets
from engine.permission import Role
from engine.store.sql import SqlStore
from engine.web.sessions import IDLE, WHOLE
from tests.web.doors import Doors

HTML = {"Accept": "text/html"}
OWN = {"Origin": "https://testserver", "Sec-Fetch-Site": "same-origin"}


@pytest.fixture(scope="module")
def doors(database: SqlStore) -> Doors:
    return Doors(database, "door")


@pytest.fixture
def browser(doors: Doors) -> TestClient:
    """A client that keeps cookies and follows nothing by itself."""
    return TestClient(
        doors.app,
        base_url="https://testserver",
        follow_redirects=False,
        headers=HTML,
        raise_server_exceptions=False,
    )


def signed_in(browser: TestClient, token: str, **more: str):
    return browser.post("/sign-in", data={"token": token, **more}, headers=OWN)


def test_whoever_has_no_session_is_sent_to_sign_in_and_comes_back(browser, doors):
    asked = browser.get("/worklists?day=2026-03-02")

    assert asked.status_code == 303
    assert asked.headers["location"] == "/sign-in?next=/worklists%3Fday%3D2026-03-02"
    came = signed_in(browser, doors.token(Role.CLINICIAN), next="/worklists?day=2026-03-02")
    assert (came.status_code, came.headers["location"]) == (303, "/worklists?day=2026-03-02")
    assert browser.get("/worklists").status_code == 200


def test_the_cookie_is_not_the_token_and_no_program_nor_other_site_gets_it(browser, doors):
    token = doors.token(Role.CLINICIAN)
    said = signed_in(browser, token).headers["set-cookie"]

    assert said.startswith("__Host-regimen=")
    for word in ("HttpOnly", "Secure", "SameSite=strict", "Path=/", "Max-Age=28800"):
        assert word in said
    assert "domain" not in said.lower()
    for part in token.split("_", 2)[1:]:
        assert part not in said


def test_nobody_is_signed_in_by_a_token_that_nobody_has(browser, doors):
    wrong = signed_in(browser, "rgm_0000000000000000_" + "a" * 43)

    assert wrong.status_code == 401
    assert "Nobody is known by this token" in wrong.text
    assert "set-cookie" not in wrong.headers
    assert browser.get("/worklists").status_code == 303
    assert [e.about["why"] for e in doors.denials()][-1] == "unknown-token"


@pytest.mark.parametrize("path", ["/sign-in", "/sign-out"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://testserver.evil.example"},
        {"Origin": "https://testserver", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://testserver", "Sec-Fetch-Site": "same-site"},
    ],
    ids=["none", "foreign", "null", "prefix", "cross-site", "same-site"],
)
def test_a_form_of_another_origin_signs_nobody_in_nor_out(browser, doors, path, headers):
    signed_in(browser, doors.token(Role.CLINICIAN))
    answer = browser.post(path, data={"token": doors.token(Role.AUDITOR)}, headers=headers)

    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers
    assert browser.get("/worklists").status_code == 200


def test_signing_out_ends_the_session_for_a_copy_of_the_cookie_too(browser, doors):
    signed_in(browser, doors.token(Role.CLINICIAN))
    copied = dict(browser.cookies)
    out = browser.post("/sign-out", headers=OWN)

    assert (out.status_code, out.headers["location"]) == (303, "/sign-in")
    browser.cookies.clear()
    browser.cookies.update(copied)
    assert browser.get("/worklists").status_code == 303


def test_signing_in_again_ends_the_session_before_it(browser, doors):
    signed_in(browser, doors.token(Role.CLINICIAN))
    before = dict(browser.cookies)
    signed_in(browser, doors.token(Role.SCHEDULER))

    assert before != dict(browser.cookies)
    browser.cookies.clear()
    browser.cookies.update(before)
    assert browser.get("/worklists").status_code == 303


def test_a_session_ends_without_requests_and_after_a_day_of_work(browser, doors):
    token = doors.token(Role.CLINICIAN)
    signed_in(browser, token)
    doors.clock.advance(seconds=IDLE.total_seconds() - 1)
    assert browser.get("/worklists").status_code == 200
    doors.clock.advance(seconds=IDLE.total_seconds())
    assert browser.get("/worklists").status_code == 303

    signed_in(browser, token)
    for _ in range(int(WHOLE / IDLE * 2) - 1):
        doors.clock.advance(seconds=IDLE.total_seconds() / 2)
        assert browser.get("/worklists").status_code == 200
    doors.clock.advance(seconds=IDLE.total_seconds() / 2)
    assert browser.get("/worklists").status_code == 303


def test_a_revoked_token_opens_no_page_any_more(browser, doors):
    token = doors.token(Role.CLINICIAN)
    signed_in(browser, token)
    assert browser.get("/worklists").status_code == 200
    doors.access.tokens.revoke(operator(doors.tenant), token.split("_")[1])

    assert browser.get("/worklists").status_code == 303


@pytest.mark.parametrize("to", ["//evil.example/", "https://evil.example", "/\\evil.example", "x"])
def test_nobody_is_sent_on_to_an_address_of_others(browser, doors, to):
    assert signed_in(browser, doors.token(Role.CLINICIAN), next=to).headers["location"] == "/"


def test_over_plain_http_only_this_machine_may_sign_in(doors):
    token = {"token": doors.token(Role.CLINICIAN)}
    for host, status in (("testserver", 403), ("127.0.0.1:8000", 303), ("localhost", 303)):
        client = TestClient(doors.app, base_url=f"http://{host}", follow_redirects=False)
        answer = client.post("/sign-in", data=token, headers={"Origin": f"http://{host}"})

        assert answer.status_code == status, host
        assert "Secure" not in answer.headers.get("set-cookie", "")


def test_behind_a_proxy_that_speaks_https_the_cookie_is_secure(doors):
    client = TestClient(doors.app, base_url="http://127.0.0.1:8000", follow_redirects=False)
    headers = {"Origin": "https://clinic.example", "Host": "clinic.example"}
    answer = client.post("/sign-in", data={"token": doors.token(Role.CLINICIAN)}, headers=headers)

    assert answer.headers["set-cookie"].startswith("__Host-regimen=")


def test_a_form_that_is_too_large_or_none_is_refused(browser):
    assert signed_in(browser, "x" * 30_000).status_code == 413
    assert browser.post("/sign-in", json={"token": "x"}, headers=OWN).status_code == 415


def test_who_may_not_see_a_page_is_told_so_as_a_page(browser, doors):
    signed_in(browser, doors.token(Role.ADMINISTRATOR))
    answer = browser.get("/worklists")

    assert answer.status_code == 403
    assert "The caller may not do this" in answer.text
    assert ">Worklists<" not in answer.text


def test_every_page_lets_in_nothing_but_our_own_files(browser, doors):
    signed_in(browser, doors.token(Role.CLINICIAN))
    page = browser.get("/worklists")

    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert page.headers["cache-control"] == "no-store"
    assert "<script>" not in page.text
    assert "style=" not in page.text


def test_a_file_is_found_by_its_digest_alone_and_may_be_kept(browser):
    for asset in assets().values():
        found = browser.get(asset.path)
        assert found.content == asset.content
        assert "immutable" in found.headers["cache-control"]
    assert browser.get(f"/assets/0000/{asset.name}").status_code == 404
