"""`regimen migrate`, `backup` and `openapi`, as an operator runs them."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import GAUGES, Regimen


def test_a_database_is_migrated_once_and_it_is_said_from_what_to_what(regimen: Regimen):
    first, again = regimen("migrate"), regimen("migrate")
    told = regimen("migrate", "--json").json()

    assert (first.code, again.code) == (0, 0)
    assert first.out == f"Migrated from nothing to {told['after']}.\n"
    assert again.out == f"Nothing to migrate: the database is at {told['after']}.\n"
    assert told == {"before": told["after"], "after": told["after"], "changed": False, "roles": []}


def test_roles_are_given_their_rights_and_named(regimen: Regimen, postgres_url: str):
    ran = regimen("--db", postgres_url, "migrate", "--app-role", "app_of_cli",
                  "--auditor-role", "auditor_of_cli")  # fmt: skip

    assert ran.code == 0, ran
    assert ran.out.splitlines()[1:] == [
        "Gave app_of_cli its rights.",
        "Gave auditor_of_cli its rights.",
    ]


def test_a_role_is_of_postgresql_alone(regimen: Regimen):
    ran = regimen("migrate", "--app-role", "app")

    assert ran.code == 2
    assert "PostgreSQL" in ran.err


def test_a_copy_is_told_with_the_command_that_proves_it(gauges: Regimen):
    ran = gauges("backup", "copy.db")
    proved = gauges("--db", "copy.db", "verify")

    assert ran.out == "Copied to copy.db. Prove it: regimen --db copy.db verify\n"
    assert proved.code == 0
    assert "gauge-1: 5 records, whole" in proved.out
    assert gauges("backup", "other.db", "--json").json() == {
        "file": "other.db",
        "bytes": Path("other.db").stat().st_size,
    }


def test_nothing_is_copied_over_a_file_that_is_there_or_from_none(regimen: Regimen):
    none = regimen("backup", "copy.db")
    regimen("apply", GAUGES)
    Path("copy.db").write_text("what somebody keeps")
    over = regimen("backup", "copy.db")

    assert (none.code, over.code) == (2, 2)
    assert "there is none at" in none.err
    assert Path("copy.db").read_text() == "what somebody keeps"


def test_the_document_has_the_events_of_the_workflows_that_are_offered(regimen: Regimen):
    ran = regimen("openapi")

    assert ran.code == 0
    assert ran.json()["openapi"].startswith("3.1.")
    assert "/v1/worklists/{kind}" in ran.json()["paths"]
    assert "measurement_recorded" in ran.out
    assert not Path("regimen.db").exists()
