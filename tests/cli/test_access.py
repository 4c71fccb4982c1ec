"""`regimen token` and `regimen access-log`, as the operator of a service runs them."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine import bootstrap
from engine.access import HOW_TO_BEGIN
from engine.permission import Action, Caller, Denied
from engine.settings import Settings
from engine.store.sql import open_store
from tests.cli.conftest import Regimen

CREATE = ("token", "create", "--name", "ward-3")


def identified(text: str) -> Caller | Denied:
    """What the service would make of a token."""
    settings = Settings(database_url="sqlite:///regimen.db")
    store = open_store(settings.database_url)
    found = bootstrap.access(settings, store).gate.identify(f"Bearer {text}")
    store.close()
    return found


def test_the_first_token_is_created_as_the_first_start_says(regimen: Regimen):
    line = next(line for line in HOW_TO_BEGIN.splitlines() if line.strip().startswith("regimen "))
    ran = regimen(*line.split()[1:])
    found = identified(ran.out.strip())

    assert ran.code == 0
    assert isinstance(found, Caller)
    assert found.may(Action.MANAGE_TOKENS)
    assert "It is not shown again" in ran.err
    assert ran.out.strip() not in ran.err


def test_a_token_has_the_roles_sites_and_days_that_were_chosen(regimen: Regimen):
    chosen = ("--role=service", "--actor-role=nurse", "--site=north", "--site=east")
    made = regimen(*CREATE, *chosen, "--expires-days=7", "--json").json()
    (listed,) = regimen("token", "list", "--json").json()["tokens"]

    assert (made["roles"], made["actor_roles"]) == (["service"], ["nurse"])
    assert (made["sites"], made["status"]) == (["east", "north"], "valid")
    assert listed == {name: value for name, value in made.items() if name != "text"}
    assert isinstance(identified(made["text"]), Caller)


def test_a_revoked_token_is_told_as_such_and_lets_nobody_in(regimen: Regimen):
    made = regimen(*CREATE, "--role", "clinician", "--json").json()

    assert regimen("token", "revoke", made["id"]).out == f"Revoked {made['id']}.\n"
    assert regimen("token", "revoke", made["id"]).code == 0
    assert "revoked" in regimen("token", "list").out
    assert isinstance(identified(made["text"]), Denied)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--role", "root"), "roles: expected one or more of scheduler, clinician"),
        (("--role", "auditor", "--role", "clinician"), "auditor alone"),
        (("--role", "clinician", "--actor-role", "nurse"), "actor_roles: expected none unless"),
        (("--role", "clinician", "--expires-days", "366"), "less than or equal to 365"),
        (("--role", "clinician", "--site", "the north"), "sites: expected the name of a site"),
        ((), "--role"),
    ],
)
def test_a_wrong_choice_makes_no_token(regimen: Regimen, arguments: tuple[str, ...], said: str):
    ran = regimen(*CREATE, *arguments)

    assert ran.code == 2
    assert said in ran.err
    assert ran.out == ""


def test_a_token_that_is_not_there_cannot_be_revoked(regimen: Regimen):
    regimen("migrate")
    ran = regimen("token", "revoke", "0000")

    assert (ran.code, "ID: expected that of a token" in ran.err) == (2, True)


def test_the_tokens_of_another_tenant_are_neither_listed_nor_revoked(regimen: Regimen):
    made = regimen(*CREATE, "--role", "clinician", "--json").json()

    assert regimen("token", "list", "--tenant", "other").out == "There is none.\n"
    assert regimen("token", "revoke", made["id"], "--tenant", "other").code == 2
    assert isinstance(identified(made["text"]), Caller)


def test_the_access_log_tells_of_tokens_and_of_who_was_denied(
    regimen: Regimen, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("REGIMEN_ACTOR", "operator")
    made = regimen(*CREATE, "--role", "clinician", "--json").json()
    identified(f"rgm_{made['id']}_guess")
    entries = regimen("access-log", "--json").json()["entries"]

    assert [(e["action"], e["actor"]) for e in entries] == [
        ("token.created", "operator"),
        ("access.denied", f"token:{made['id']}"),
    ]
    assert entries[1]["about"] == {"why": "wrong-secret"}
    assert "wrong-secret" in regimen("access-log").out
    assert regimen("access-log", "--since", "2999-01-01T00:00:00Z").code == 2
    later = regimen("access-log", "--since", "2199-01-01T00:00:00Z")
    assert later.out == "There is nothing in it.\n"


def test_a_time_that_is_none_is_named(regimen: Regimen):
    regimen("migrate")

    assert (
        "--since: expected an instant with its zone"
        in regimen("access-log", "--since", "yesterday").err
    )


def test_asking_makes_no_database(regimen: Regimen, tmp_path: Path):
    for arguments in (("token", "list"), ("access-log",), ("token", "revoke", "x")):
        assert regimen(*arguments).code == 2
    assert not (tmp_path / "regimen.db").exists()


def test_an_identity_provider_is_asked_nothing_until_somebody_signs_in(
    regimen: Regimen, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("REGIMEN_OIDC_ISSUER", "https://id.example.invalid")
    monkeypatch.setenv("REGIMEN_OIDC_AUDIENCE", "regimen")
    monkeypatch.setenv("REGIMEN_OIDC_JWKS_URL", "https://id.example.invalid/keys")

    assert regimen(*CREATE, "--role", "clinician").code == 0


def test_whoever_changes_the_calendar_of_a_site_is_in_the_access_log(
    regimen: Regimen, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("REGIMEN_ACTOR", "operator")
    Path("north.json").write_text('{"format": 1, "zone": "Europe/Vienna", "open": ["monday"]}')
    Path("wrong.json").write_text('{"format": 1, "zone": "Nowhere", "open": ["monday"]}')
    assert regimen("site", "set", "north", "north.json").code == 0
    assert regimen("site", "set", "north", "wrong.json").code == 2

    (entry,) = regimen("access-log", "--json").json()["entries"]
    assert (entry["actor"], entry["action"]) == ("operator", "site.changed")
    assert entry["about"] == {"site": "north"}


def test_who_works_at_the_terminal_is_whom_the_operating_system_knows(
    regimen: Regimen, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("getpass.getuser", lambda: "jo smith")
    regimen(*CREATE, "--role", "clinician")
    (entry,) = regimen("access-log", "--json").json()["entries"]

    assert entry["actor"] == "os:jo-smith"


def test_the_access_log_is_proved_and_held_against_a_head_that_was_noted(regimen: Regimen):
    regimen(*CREATE, "--role", "clinician")
    first = regimen("access-log", "--verify", "--json").json()
    regimen(*CREATE, "--role", "clinician")

    assert (first["ok"], first["position"]) == (True, 1)
    noted = f"1:{first['head']}"
    assert regimen("access-log", "--head", noted).code == 0
    assert "2 entries, chained, head 2:" in regimen("access-log", "--verify").out
    other = regimen("access-log", "--head", f"1:{'0' * 64}")
    assert (other.code, "its hash is not the one that was noted" in other.out) == (1, True)
    gone = regimen("access-log", "--head", f"3:{first['head']}")
    assert (gone.code, "the log ends at 2" in gone.out) == (1, True)
    assert regimen("access-log", "--head", "1").code == 2
