"""Every page of a tenant that has everything, on each database: what it says and what it cannot do.

Signatures that hold and that are lacking, an override, a correction with an open finding, an erased
text, a legal hold, a hold of treatment and a checkpoint; and texts everywhere that would be markup.
"""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from typing import Any

import pytest

from engine import bootstrap
from engine.access import operator
from engine.core.encoding import parse
from engine.errors import UnknownWorkflow
from engine.ledger import Ledger
from engine.packages import courses_of
from engine.permission import Role
from engine.service import Service
from engine.store.sql import SqlStore
from tests.pages.hostile import HOSTILE, WORKFLOW, told
from tests.web.doors import HERE, Doors

COURSE, ERASED, DEMO = "gauge-7", "gauge-8", "DEMO-constructed"
PATIENT = "patient-of-gauge-7"
DIFFERENCE = "/workflows/signed_calibration/difference?since=instrument_calibration"
WHAT_IF = f"/courses/{COURSE}/what-if?policy=follow-new&set.deviation_limit=1&show=every"
HTML = {"Accept": "text/html"}
PARAMETER = re.compile(r"\{(\w+)(?::\w+)?\}")
ADDRESS = re.compile(r'(?:href|src|action)="([^"]*)"')


@pytest.fixture(scope="module")
def house(database: SqlStore) -> Doors:
    house = Doors(database, "pages")
    service = house.services[house.tenant]
    with database.transaction(house.tenant) as tx:
        service.setting.registry.install((WORKFLOW,), tx)
    for course in (COURSE, ERASED):
        told(service, course)
    (demo,) = [one for one in courses_of(["workflows"]) if one.name == f"{DEMO}.jsonl"]
    service.submit_many([parse(line) for line in demo.read_text("utf-8").splitlines()])
    privacy = bootstrap.privacy(service)
    privacy.erase(operator(house.tenant), ERASED, id="x1", basis="gdpr-17-1-b")
    privacy.place_hold(operator(house.tenant), COURSE, id="h1", hold="case-7", reason="litigation")
    ledger = bootstrap.ledger(HERE, service)
    ledger.checkpoint()
    office = house.app.state.office
    house.app.state.office = replace(office, ledgers=lambda _: ledger)
    return house


def paths(house: Doors) -> list[str]:
    """Every page that shows something, with each of the courses."""
    found = []
    for route in house.routes:
        ours = not route.path.startswith(("/v1", "/metrics"))
        if route.method != "GET" or route.action is None or not ours:
            continue
        for course, seq in ((COURSE, 2), (COURSE, 3), (ERASED, 2), (DEMO, 12)):
            values = {"course": course, "seq": str(seq), "kind": "open_findings",
                      "workflow": "signed_calibration", "queue": "refusal"}  # fmt: skip
            if all(one in values for one in PARAMETER.findall(route.path)):
                found.append(PARAMETER.sub(lambda m: values[m[1]], route.path))  # noqa: B023
    return list(dict.fromkeys(found))


@pytest.fixture(scope="module")
def shown(house: Doors) -> dict[str, Any]:
    """The answer of every page to an auditor, or to a clinician where it is none for auditors."""
    auditor, clinician = house.token(Role.AUDITOR), house.token(Role.CLINICIAN)
    found = {}
    for path in (*paths(house), "/audit?weigh=yes", DIFFERENCE, WHAT_IF):
        answer = house.ask(auditor, "GET", path, headers=HTML)
        if answer.status_code == 403:
            answer = house.ask(clinician, "GET", path, headers=HTML)
        assert answer.status_code == 200, (path, answer.text)
        found[path] = answer
    assert len(found) > 25
    return found


def test_no_page_may_be_kept_framed_or_run_what_is_written_in_it(shown: dict[str, Any]):
    for path, answer in shown.items():
        assert answer.headers["cache-control"] == "no-store", path
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        if answer.headers["content-type"].startswith("text/html"):
            assert "script-src 'self';" in answer.headers["content-security-policy"]
            assert "unsafe" not in answer.headers["content-security-policy"]


def test_no_text_of_anybody_becomes_markup(shown: dict[str, Any]):
    pages = {path: a.text for path, a in shown.items() if "html" in a.headers["content-type"]}
    for path, page in pages.items():
        tags = re.findall(r"<script[^>]*>", page)
        assert all("src=" in tag for tag in tags), path
        assert len(tags) <= 2, path
        assert "<script>alert" not in page, path
        assert not re.search(r"<[^>]*\son\w+=", page), path
        assert not re.search(r"<[^>]*\sstyle=", page), path
    assert "&lt;script&gt;alert(1)" in pages[f"/courses/{COURSE}/records/2"]


def test_no_address_in_a_page_has_a_pseudonym_or_a_text(shown: dict[str, Any]):
    for path, answer in shown.items():
        if "html" in answer.headers["content-type"]:
            addresses = [unescape(one) for one in ADDRESS.findall(answer.text)]
            assert addresses
            for address in addresses:
                assert PATIENT not in address, path
                assert "alert" not in address, path
                assert address.startswith(("/", "?", "#")), (path, address)
                assert not address.startswith("//"), (path, address)


def test_an_auditor_finds_signatures_what_is_lacking_the_hash_and_the_proof(
    house: Doors, shown: dict[str, Any]
):
    second, third = (shown[f"/courses/{COURSE}/records/{n}"].text for n in (2, 3))
    records = house.services[house.tenant].records(COURSE)

    assert "Dr ann" in second
    assert "proved by host" in second
    assert "✓ sealed as" in second
    assert records[1].hash in second
    assert "unsigned: measured, verified" in third
    assert "the text was erased" in shown[f"/courses/{ERASED}/records/2"].text
    dossier = shown[f"/courses/{COURSE}/dossier"].text
    for said in ("is unsigned", "Open finding", "holds: ", PATIENT, "of the ledger"):
        assert said in dossier, said
    course = shown[f"/courses/{COURSE}"].text
    for said in ("Waits for signatures", "Overrides", "Open findings", "case-7", PATIENT,
                 "believed now: 9 µm"):  # fmt: skip
        assert said in course, said
    assert "believed now" not in shown[f"/courses/{DEMO}"].text
    assert "First difference" in shown[WHAT_IF].text
    assert "every decision comes out as recorded" in shown["/audit?weigh=yes"].text


def test_the_list_of_courses_calls_states_by_their_titles(house: Doors, shown: dict[str, Any]):
    service, page = house.services[house.tenant], unescape(shown["/courses"].text)
    for course in (COURSE, ERASED, DEMO):
        status = service.status(course)
        title = status.machine.states[status.row["state"]].title
        row = page.split(f'href="/courses/{course}">')[1].split("</tr>")[0]

        assert title
        assert f'data-label="State">{title}' in row


def test_a_course_whose_definition_is_gone_is_in_the_list_all_the_same(
    house: Doors, monkeypatch: pytest.MonkeyPatch
):
    def gone(_: Service, name: str) -> None:
        raise UnknownWorkflow(name, ())

    state = house.services[house.tenant].status(DEMO).row["state"]
    monkeypatch.setattr(Service, "workflow", gone)
    answer = house.ask(house.token(Role.CLINICIAN), "GET", "/courses", headers=HTML)

    assert answer.status_code == 200
    assert f'data-label="State">{state.replace("_", " ")}' in answer.text


def test_a_token_of_another_tenant_sees_no_course_of_this_one(house: Doors, shown: dict[str, Any]):
    stranger = house.token(Role.AUDITOR, tenant=house.other)
    for path in shown:
        answer = house.ask(stranger, "GET", path, headers=HTML)
        if path.startswith("/courses/"):
            assert answer.status_code == 404, path
        for mine in (PATIENT, HOSTILE, "&lt;script&gt;", "Dr ann"):
            assert mine not in answer.text, path


@pytest.mark.parametrize(
    "hostile",
    ["/courses/%3Cscript%3Ealert(1)%3C/script%3E", "/courses?course=%22%3E%3Cscript%3E",
     "/courses/gauge-7?from=%3Cscript%3E", "/worklists?site=%22onload=%22x",
     "/sign-in?next=javascript:alert(1)", "/sign-in?next=%22%3E%3Cscript%3Ealert(1)"],
)  # fmt: skip
def test_what_is_in_an_address_becomes_no_markup_either(house: Doors, hostile: str):
    answer = house.ask(house.token(Role.AUDITOR), "GET", hostile, headers=HTML)

    assert answer.status_code < 500
    assert "<script>" not in answer.text
    assert 'href="javascript' not in answer.text
    assert 'onload="x' not in answer.text


def test_a_tree_that_is_not_that_of_its_checkpoint_is_told_of_on_the_page(
    house: Doors, monkeypatch: pytest.MonkeyPatch
):
    auditor = house.token(Role.AUDITOR)
    assert "it has the root of the checkpoint" in house.ask(auditor, "GET", "/audit").text
    monkeypatch.setattr(Ledger, "root", lambda *_: bytes(32))

    assert "✗ it has another root" in house.ask(auditor, "GET", "/audit").text
