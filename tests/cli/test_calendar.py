"""`regimen calendar`, as the operator of a service runs it."""

from __future__ import annotations

import pytest

from engine.cli.exits import Exit
from tests.cli.conftest import Regimen


def test_a_calendar_is_shared_listed_and_revoked(gauges: Regimen, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("REGIMEN_ACTOR", "kim")
    made = gauges("calendar", "create", "role", "scheduler", "--site", "north", "--json").json()
    listed = gauges("calendar", "list", "--json").json()["calendars"]
    revoked = gauges("calendar", "revoke", made["id"])

    assert made["path"].startswith(f"/v1/calendars/{made['id']}.")
    assert listed == [{name: value for name, value in made.items() if name != "path"}]
    assert (listed[0]["sites"], listed[0]["created_by"]) == (["north"], "kim")
    assert revoked.out == f"Revoked {made['id']}.\n"
    assert gauges("calendar", "list", "--json").json()["calendars"][0]["revoked_at"] is not None


def test_a_person_reads_of_whom_a_calendar_is_and_whether_it_is_revoked(
    gauges: Regimen, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("REGIMEN_ACTOR", "kim")
    assert gauges("calendar", "list").out == "There is none.\n"
    role = gauges("calendar", "create", "role", "scheduler", "--site", "north", "--json").json()
    whole = gauges("calendar", "create", "role", "clinician", "--json").json()
    revoked = gauges("calendar", "revoke", role["id"], "--json").json()
    _, first, second = [line.split() for line in gauges("calendar", "list").out.splitlines()]

    assert first == [role["id"], "role", "scheduler", "north", role["created_at"], "kim",
                     revoked["revoked_at"]]  # fmt: skip
    assert second == [whole["id"], "role", "clinician", "every", whole["created_at"], "kim"]


def test_the_path_alone_is_on_stdout(regimen: Regimen):
    ran = regimen("calendar", "create", "site", "north")

    assert ran.out.startswith("/v1/calendars/")
    assert ran.out.count("\n") == 1
    assert "not shown again" in ran.err
    assert ran.out.strip().rpartition(".ics")[0].rpartition(".")[2] not in ran.err


def test_what_is_not_there_is_told(gauges: Regimen):
    course = gauges("calendar", "create", "course", "GAR-Z")
    calendar = gauges("calendar", "revoke", "0000")
    role = gauges("calendar", "create", "role", "auditor")

    assert (course.code, calendar.code, role.code) == (Exit.BAD, Exit.BAD, Exit.BAD)
    assert "scheduler, clinician, prescriber" in role.err
    assert "that of a calendar" in calendar.err
