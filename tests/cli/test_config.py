"""`regimen config check`: what it finds, what it advises, and what it exits with."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from engine import bootstrap
from engine.environment import PREFIX
from engine.settings import VARIABLES, Settings, problems_of
from tests.cli.conftest import Regimen
from tests.postgres import Server, find_binaries, fresh_database, own_server

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def durable_server() -> Iterator[Server]:
    """A server that keeps what it acknowledges, as a real one does."""
    with own_server(find_binaries(), fsync=True) as server:
        yield server


@pytest.fixture
def durable_url(durable_server: Server) -> Iterator[str]:
    with fresh_database(durable_server) as url:
        bootstrap.migrate(Settings(database_url=url))
        yield url


def found(regimen: Regimen, *arguments: str) -> tuple[int, dict[str, tuple[str, str]]]:
    ran = regimen("config", "check", "--json", *arguments)
    return ran.code, {one["what"]: (one["how"], one["why"]) for one in ran.json()["found"]}


def test_a_migrated_file_is_fit_to_serve(regimen: Regimen):
    regimen("migrate")
    code, checks = found(regimen)

    assert code == 0
    assert checks["migrations"][0] == checks["guards of the history"][0] == "well"
    assert checks["tokens"] == ("advice", checks["tokens"][1])
    assert "regimen token create" in checks["tokens"][1]
    assert "✓ guards of the history: all in place" in regimen("config", "check").out


def test_a_database_that_is_not_there_is_a_fault_and_is_not_made(regimen: Regimen, tmp_path: Path):
    code, checks = found(regimen)

    assert code == 1
    assert checks["database"] == ("fault", "there is none at regimen.db yet: run `regimen migrate`")
    assert not (tmp_path / "regimen.db").exists()


def test_tables_that_are_not_there_are_a_fault(regimen: Regimen, postgres_url: str):
    code, checks = found(regimen, "--db", postgres_url)

    assert code == 1
    assert checks["migrations"][0] == "fault"
    assert "run `regimen migrate`" in checks["migrations"][1]


def test_a_server_that_is_not_there_is_a_fault_and_shows_no_password(regimen: Regimen):
    url = "postgresql://user:secret@127.0.0.1:1/courses?connect_timeout=2"
    ran = regimen("config", "check", "--db", url)

    assert ran.code == 1
    assert "✗ database: " in ran.out
    assert "secret" not in ran.out + ran.err


def test_every_wrong_setting_is_named_at_once(regimen: Regimen, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("REGIMEN_LOG", "loud")
    monkeypatch.setenv("REGIMEN_THREADS", "none")
    monkeypatch.setenv("REGIMEN_OIDC_ISSUER", "http://id.example.org")
    monkeypatch.setenv("REGIMEN_OIDC_AUDIENCE", "regimen")
    monkeypatch.setenv("REGIMEN_OIDC_JWKS_URL", "https://id.example.org/keys")
    monkeypatch.setenv("REGIMEN_THREDS", "4")
    ran = regimen("config", "check", "--json")

    assert ran.code == 2
    assert [one["variable"] for one in ran.json()["settings"]] == [
        "REGIMEN_LOG", "REGIMEN_OIDC_ISSUER", "REGIMEN_THREADS",
        "REGIMEN_THREDS",
    ]  # fmt: skip


def test_what_is_missing_is_named_as_well_as_what_is_wrong():
    wrong = problems_of({"REGIMEN_SKEW": "x", "REGIMEN_OIDC_ISSUER": "https://id.example.org"})

    assert [one.field for one in wrong] == ["REGIMEN_OIDC_AUDIENCE", "REGIMEN_SKEW"]


def test_a_role_that_lacks_a_right_is_a_fault_and_one_with_too_many_gets_advice(
    regimen: Regimen, durable_url: str
):
    engine = create_engine(durable_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("DROP ROLE IF EXISTS narrow"))
        connection.execute(text("CREATE ROLE narrow LOGIN"))
    owner_code, owner = found(regimen, "--db", durable_url)
    as_narrow = make_url(durable_url).set(username="narrow").render_as_string()
    assert regimen("migrate", "--db", durable_url, "--app-role", "narrow").code == 0
    app_code, app = found(regimen, "--db", as_narrow)
    with engine.connect() as connection:
        connection.execute(text("REVOKE INSERT ON regimen_records FROM narrow"))
        connection.execute(text("REVOKE UPDATE (salt, text) ON regimen_texts FROM narrow"))
    short_code, short = found(regimen, "--db", as_narrow)
    with engine.connect() as connection:
        connection.execute(text("DROP OWNED BY narrow"))
        connection.execute(text("DROP ROLE narrow"))
    engine.dispose()

    assert (owner_code, owner["role"][0]) == (0, "advice")
    assert (app_code, app["role"]) == (0, ("well", "appends, and changes no history"))
    assert (short_code, short["role"][0]) == (1, "fault")
    assert "INSERT on regimen_records" in short["role"][1]
    assert "UPDATE (salt, text) on regimen_texts" in short["role"][1]


def test_a_server_that_may_forget_is_a_fault(regimen: Regimen, durable_url: str, postgres_url: str):
    bootstrap.migrate(Settings(database_url=postgres_url))
    forgets_code, forgets = found(regimen, "--db", postgres_url)
    keeps_code, keeps = found(regimen, "--db", durable_url)
    loose = (
        make_url(durable_url)
        .update_query_dict({"options": "-c synchronous_commit=off"})
        .render_as_string()
    )
    loose_code, loosely = found(regimen, "--db", loose)

    assert (forgets_code, forgets["durability"][0]) == (1, "fault")
    assert "fsync" in forgets["durability"][1]
    assert (keeps_code, keeps["durability"][0]) == (0, "advice")
    assert (loose_code, loosely["durability"][0]) == (1, "fault")


def test_keys_of_an_identity_provider_are_had_or_missed(
    regimen: Regimen, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    regimen("migrate")
    keys = tmp_path / "keys.json"
    keys.write_text('{"keys": []}')
    monkeypatch.setenv("REGIMEN_OIDC_ISSUER", "https://id.example.org")
    monkeypatch.setenv("REGIMEN_OIDC_AUDIENCE", "regimen")
    monkeypatch.setenv("REGIMEN_OIDC_JWKS_FILE", str(keys))
    code, checks = found(regimen)

    assert (code, checks["identity provider"][0]) == (1, "fault")
    assert "no key of the set can verify" in checks["identity provider"][1]


def test_the_settings_of_the_page_are_those_that_there_are():
    rows = [
        name
        for page in ("operate.md", "access.md")
        for name in re.findall(r"^\| `REGIMEN_(\w+)` \|", (DOCS / page).read_text(), re.MULTILINE)
    ]

    assert sorted(rows) == sorted(VARIABLES)


def test_each_variable_is_read_by_somebody():
    for name in VARIABLES:
        # It is no database, no name, no number, no address, and not even printable.
        assert problems_of({PREFIX + name: "\x07://"}), name
