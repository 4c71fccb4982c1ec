"""What every command shares: options, exit codes, errors that say what to do."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import GAUGES, Regimen
from tests.somebody import as_somebody, library


@pytest.mark.parametrize(
    "arguments",
    [["--db", "other.db", "verify"], ["verify", "--db", "other.db"],
     ["--db", "wrong.db", "verify", "--db", "sqlite:///other.db"]],
    ids=["before", "after", "the later one stands"],
)  # fmt: skip
def test_the_database_is_named_before_or_after_the_command(regimen: Regimen, arguments: list[str]):
    assert regimen("apply", GAUGES, "--db", "other.db").code == 0

    ran = regimen(*arguments)
    assert ran.code == 0
    assert "2 courses" in ran.out
    assert [path.name for path in Path().glob("*.db")] == ["other.db"]


def test_the_environment_names_the_database(regimen: Regimen, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("REGIMEN_DATABASE_URL", "sqlite:///named.db")

    assert regimen("apply", GAUGES).code == 0
    assert Path("named.db").exists()


def test_each_tenant_has_courses_of_its_own(gauges: Regimen):
    assert gauges("--tenant", "other", "apply", GAUGES).code == 0
    assert gauges("verify", "gauge-1", "--tenant", "third").code == 2
    assert gauges("verify", "gauge-1", "--tenant", "other").code == 0


@pytest.mark.parametrize(
    ("database", "message"),
    [
        ("mysql://host/db", "found a URL of mysql"),
        (":memory:", "found one in memory, which nobody sees again"),
        ("postgresql://host:port/db", "a URL whose port is a number"),
        (" ", "found nothing"),
        ("", "found nothing"),
        ("sqlite:///", "found a URL that names no file"),
        ("sqlite:///?timeout=1", "found a URL that names no file"),
    ],
)
def test_a_database_that_cannot_be_is_named_with_what_was_expected(
    regimen: Regimen, database: str, message: str
):
    for command in ("verify", "migrate", "demo"):
        ran = regimen(command, "--db", database)
        assert ran.code == 2
        assert "--db: expected " in ran.err
        assert message in ran.err
    assert not list(Path().iterdir())


def test_a_server_that_cannot_be_reached_says_so(regimen: Regimen):
    for command in (["verify"], ["migrate"], ["apply", GAUGES]):
        ran = regimen("--db", "postgresql://u:secret@127.0.0.1:1/db?connect_timeout=1", *command)
        assert ran.code == 2
        assert "the database cannot be used" in ran.err
        assert "secret" not in ran.err


@pytest.mark.parametrize("command", [["verify"], ["apply", GAUGES], ["tick"]])
def test_a_database_without_tables_says_what_to_run(regimen: Regimen, command: list[str]):
    with closing(sqlite3.connect("regimen.db")) as connection:
        connection.execute("CREATE TABLE hosts (name TEXT)")
    ran = regimen(*command)

    assert ran.code == 2
    assert "run `regimen migrate`" in ran.err


def test_what_to_run_names_the_database_that_was_named(regimen: Regimen):
    with closing(sqlite3.connect("my courses.db")) as connection:
        connection.execute("CREATE TABLE hosts (name TEXT)")

    assert (
        "run `regimen --db 'my courses.db' migrate`"
        in regimen("verify", "--db", "my courses.db").err
    )
    assert "`regimen --db new.db migrate` make it" in regimen("--db", "new.db", "verify").err


def test_what_to_run_names_no_password(regimen: Regimen, postgres_url: str):
    if "@" not in postgres_url.partition("?")[0]:
        postgres_url = postgres_url.replace("//", "//postgres:secret@", 1)
    ran = regimen("verify", "--db", postgres_url)

    assert ran.code == 2
    assert "secret" not in ran.err


def test_a_file_that_is_no_database_says_so(regimen: Regimen):
    Path("regimen.db").write_text("This is a letter, and no database at all.\n" * 100)

    for command in (["verify"], ["migrate"]):
        ran = regimen(*command)
        assert ran.code == 2
        assert "file is not a database" in ran.err


def test_a_folder_that_is_not_there_says_so(regimen: Regimen):
    ran = regimen("migrate", "--db", "nowhere/courses.db")

    assert ran.code == 2
    assert "make its folder" in ran.err


def test_a_folder_is_named_as_one(regimen: Regimen):
    Path("clinic.db").mkdir()

    for command in (["verify"], ["migrate"], ["apply", GAUGES]):
        ran = regimen("--db", "clinic.db", *command)
        assert ran.code == 2
        assert "clinic.db is a folder: name a file" in ran.err


UNNOTED = "This is not in the access log, which cannot be written from here.\n"


@pytest.mark.parametrize(
    "command", [["verify"], ["replay"], ["show", "gauge-1"], ["log", "gauge-1"], ["due"]]
)
def test_what_only_asks_reads_a_file_where_nothing_may_be_written(
    gauges: Regimen, command: list[str]
):
    with library() as folder:
        path = folder / "clinic.db"
        shutil.copy("regimen.db", path)
        before = gauges("--db", str(path), *command)
        folder.chmod(0o555)

        with as_somebody():
            after = gauges("--db", str(path), *command)
            tried = gauges("--db", str(path), "tick")

    assert before.code == 0
    assert (after.code, after.out) == (before.code, before.out)
    looks = command[0] in ("verify", "replay")  # which the access log would tell of
    assert after.err == before.err + (UNNOTED if looks else "")
    assert tried.code == 2
    assert "make the file and its folder writable" in tried.err


def test_a_database_is_migrated_once_and_again_without_effect(regimen: Regimen):
    first, second = regimen("migrate", "--json").json(), regimen("migrate", "--json").json()

    assert (first["before"], first["changed"]) == (None, True)
    assert (second["before"], second["after"]) == (first["after"], first["after"])
    assert not second["changed"]
    assert regimen("migrate").out.startswith("Nothing to migrate")
    assert regimen("verify").code == 0


def test_a_database_of_a_newer_engine_is_left_alone(gauges: Regimen):
    with closing(sqlite3.connect("regimen.db")) as connection:
        connection.execute("UPDATE regimen_alembic_version SET version_num = '9999'")
        connection.commit()

    for command in (["verify"], ["migrate"], ["apply", GAUGES]):
        ran = gauges(*command)
        assert ran.code == 2
        assert "install the newer engine" in ran.err


def test_an_auditor_of_a_server_asks_and_cannot_write(regimen: Regimen, postgres_url: str):
    made = regimen("migrate", "--db", postgres_url, "--app-role=clinic", "--auditor-role=auditor")
    assert "Gave clinic its rights.\nGave auditor its rights." in made.out
    join = "&" if "?" in postgres_url else "?"
    clinic = f"{postgres_url}{join}options=-crole%3Dclinic"
    assert regimen("apply", "--db", clinic, GAUGES).code == 0
    auditor = f"{postgres_url}{join}options=-crole%3Dauditor%20-csearch_path%3Dregimen_audit"

    assert regimen("verify", "--db", auditor).code == 0
    assert regimen("replay", "--re-decide", "--db", auditor).code == 0
    refused = regimen("migrate", "--db", clinic, "--auditor-role=another")
    assert refused.code == 2
    assert "migrate as its owner" in refused.err


def test_a_file_knows_no_roles(regimen: Regimen):
    ran = regimen("migrate", "--app-role=clinic")

    assert ran.code == 2
    assert "expected a PostgreSQL database" in ran.err


def test_an_error_is_one_json_document_where_json_was_asked_for(gauges: Regimen):
    ran = gauges("verify", "gauge-9", "--json")

    assert ran.code == 2
    assert ran.json()["error"]["kind"] == "NotFound"


def test_a_command_that_does_not_exist_is_bad_usage(regimen: Regimen):
    assert regimen("verfy").code == 2
    assert regimen("apply").code == 2
    assert regimen("due", "--soon", "many").code == 2


def test_the_version_is_told(regimen: Regimen):
    ran = regimen("--version")

    assert ran.code == 0
    assert ran.out.strip()


def test_help_loads_no_database_library(regimen: Regimen):
    asked = (
        "import sys; sys.argv = ['regimen', '--help']\n"
        "from engine.cli import main\n"
        "try: main()\n"
        "except SystemExit as ended: assert not ended.code\n"
        "print([m for m in ('sqlalchemy', 'alembic', 'workflows') if m in sys.modules])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", asked],
        check=True, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip

    assert ran.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("form", ["json", "console"])
def test_log_lines_go_to_stderr_in_the_form_that_was_chosen(
    regimen: Regimen, monkeypatch: pytest.MonkeyPatch, form: str
):
    monkeypatch.setenv("REGIMEN_LOG", form)
    monkeypatch.setenv("REGIMEN_LOG_LEVEL", "info")
    ran = regimen("apply", GAUGES, "--json")

    assert ran.json()["applied"] == 4
    lines = [line for line in ran.err.splitlines() if "event_decided" in line]
    assert len(lines) == 6
    if form == "json":
        told = json.loads(lines[0])
        assert (told["course"], told["verdict"], told["seq"]) == ("gauge-1", "accepted", 1)
    for clinical in ("Cel", "in_service", "caliper", "findings"):
        assert clinical not in ran.err


def test_workflows_are_found_in_the_folder_where_the_command_runs(
    regimen: Regimen, monkeypatch: pytest.MonkeyPatch
):
    Path("lies_here").mkdir()
    Path("lies_here/__init__.py").write_text("from workflows import ALL as ALL\n")
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv("REGIMEN_WORKFLOWS", "lies_here")

    assert "intralesional_il2@2" in regimen("workflow", "list").out
    monkeypatch.setenv("REGIMEN_WORKFLOWS", "lies_nowhere")
    assert "packages that can be imported, from this folder" in regimen("workflow", "list").err


@pytest.mark.parametrize("text", ["x = 1 / 0", "def ("])
def test_a_package_that_cannot_be_imported_says_where_it_is_wrong(
    regimen: Regimen, monkeypatch: pytest.MonkeyPatch, text: str
):
    name = f"wrong_{len(text)}"
    Path(f"{name}.py").write_text(f"\n{text}\n")
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv("REGIMEN_WORKFLOWS", name)
    ran = regimen("workflow", "list")

    assert ran.code == 2
    assert f"{name}.py:2: " in ran.err


COMMAND = (sys.executable, "-c", "from engine.cli import main; main()")
HERE = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
on_a_full_disk = pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device here")


def test_who_closes_a_pipe_hears_nothing_more(gauges: Regimen):
    reader, writer = os.pipe()
    os.close(reader)
    ran = subprocess.run(
        [*COMMAND, "log", "gauge-1"], stdout=writer, stderr=subprocess.PIPE, check=False, env=HERE
    )
    os.close(writer)

    assert (ran.returncode, ran.stderr) == (-signal.SIGPIPE, b"")


@on_a_full_disk
def test_an_answer_that_cannot_be_written_is_an_error_that_says_so(gauges: Regimen):
    with Path("/dev/full").open("wb") as full:
        ran = subprocess.run(
            [*COMMAND, "log", "gauge-1"], stdout=full, stderr=subprocess.PIPE, check=False, env=HERE
        )

    assert ran.returncode == 2
    assert ran.stderr == b"Error: the answer cannot be written: No space left on device\n"


@on_a_full_disk
def test_a_log_that_cannot_be_written_keeps_no_answer_back(gauges: Regimen):
    told = {**HERE, "REGIMEN_LOG_LEVEL": "debug"}
    with Path("/dev/full").open("wb") as full:
        ran = subprocess.run(
            [*COMMAND, "demo", "--db", "other.db"],
            stdout=subprocess.PIPE, stderr=full, check=False, env=told,
        )  # fmt: skip

    assert ran.returncode == 0, ran.stdout


def test_a_pipe_is_as_wide_as_columns_says(gauges: Regimen, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "60")

    assert max(map(len, gauges("show", "gauge-1").out.splitlines())) <= 60
    monkeypatch.delenv("COLUMNS")
    assert max(map(len, gauges("show", "gauge-1").out.splitlines())) == 120
