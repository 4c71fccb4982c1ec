"""What an installation chooses, and what it is told when it chooses wrongly."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from engine.errors import InvalidInput
from engine.settings import Oidc, Settings, database_url, tenant_name


def test_whoever_chooses_nothing_gets_a_file_in_the_working_directory():
    settings = Settings.from_environment({})

    assert settings == Settings()
    assert settings.database_url == "sqlite:///regimen.db"
    assert settings.workflows == ("workflows",)


def test_every_choice_is_read_from_the_environment():
    settings = Settings.from_environment(
        {
            "REGIMEN_DATABASE_URL": "postgresql://host/courses",
            "REGIMEN_TENANT": "north",
            "REGIMEN_LOG": "JSON",
            "REGIMEN_LOG_LEVEL": "Info",
            "REGIMEN_WORKFLOWS": "workflows, hospital.protocols",
            "REGIMEN_SKEW": "30",
        }
    )

    assert settings == Settings(
        database_url="postgresql://host/courses",
        tenant="north",
        log="json",
        log_level="info",
        workflows=("workflows", "hospital.protocols"),
        skew=timedelta(seconds=30),
    )


def test_an_empty_variable_chooses_nothing():
    assert Settings.from_environment({"REGIMEN_TENANT": "", "REGIMEN_SKEW": " "}) == Settings()


def test_a_caller_may_want_more_log_lines_where_nobody_chose():
    assert Settings.from_environment({}, log_level="info").log_level == "info"
    chosen = {"REGIMEN_LOG_LEVEL": "error"}
    assert Settings.from_environment(chosen, log_level="info").log_level == "error"


@pytest.mark.parametrize(
    ("variable", "text", "expected"),
    [
        ("REGIMEN_DATABASE_URL", "oracle://host/db", "a file such as courses.db, or a URL"),
        ("REGIMEN_TENANT", "a b", "1 to 64 letters"),
        ("REGIMEN_LOG", "xml", "one of console, json"),
        ("REGIMEN_LOG_LEVEL", "loud", "one of debug, info, warning, error"),
        ("REGIMEN_WORKFLOWS", "workflows,", "names of packages"),
        ("REGIMEN_SKEW", "-1", "whole seconds"),
        ("REGIMEN_THREADS", "0", "a whole number from 1 to 200"),
        ("REGIMEN_REQUESTS", "8", "at least as many as REGIMEN_THREADS (16)"),
        ("REGIMEN_RATE", "1e3", "a whole number"),
        ("REGIMEN_PATIENCE", "9" * 5000, "a whole number"),
        ("REGIMEN_PROXY", "10.0.0.0/8, proxy", "addresses or networks"),
        ("REGIMEN_ORIGINS", "https://a.example/path", "origins"),
        ("REGIMEN_ORIGINS", "*", "origins"),
        ("REGIMEN_SKEW", "1.5", "whole seconds"),
        ("REGIMEN_SKEW", "86401", "whole seconds"),
        ("REGIMEN_SKEW", "²", "whole seconds"),
        ("REGIMEN_SKEW", "9" * 5000, "whole seconds"),
    ],
)
def test_a_wrong_choice_names_the_variable_and_what_was_expected(
    variable: str, text: str, expected: str
):
    with pytest.raises(InvalidInput) as caught:
        Settings.from_environment({variable: text})

    assert caught.value.field == variable
    assert caught.value.expected.startswith(expected)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("courses.db", "sqlite:///courses.db"),
        ("/var/lib/courses.db", "sqlite:////var/lib/courses.db"),
        ("why?.db", "sqlite:///why%3F.db"),
        ("sqlite:///courses.db", "sqlite:///courses.db"),
        ("postgres://u:p@host:5432/db", "postgresql://u:p@host:5432/db"),
        ("postgresql+psycopg://u@/db?host=a:1&host=b:2", "postgresql+psycopg://u@/db?host=a:1&host=b:2"),
    ],
)  # fmt: skip
def test_a_database_is_a_file_or_a_url(text: str, url: str):
    assert database_url("--db", text) == url


@pytest.mark.parametrize(
    "text", ["", "sqlite://", ":memory:", "sqlite:///:memory:", "mysql://u:secret@host/db",
             "postgresql://u:secret@host:five/db"],
)  # fmt: skip
def test_a_refused_database_is_not_shown_since_it_may_hold_a_password(text: str):
    with pytest.raises(InvalidInput) as caught:
        database_url("--db", text)

    assert "secret" not in str(caught.value)


def test_a_tenant_is_an_identifier():
    assert tenant_name("--tenant", "north:1") == "north:1"
    with pytest.raises(InvalidInput):
        tenant_name("--tenant", "north/1")


PROVIDER = {
    "REGIMEN_OIDC_ISSUER": "https://id.example.org/realm",
    "REGIMEN_OIDC_AUDIENCE": "regimen",
    "REGIMEN_OIDC_JWKS_URL": "https://id.example.org/realm/keys",
}


def test_without_an_issuer_there_is_no_identity_provider():
    assert Settings.from_environment({"REGIMEN_OIDC_ISSUER": " "}).oidc is None


def test_an_identity_provider_needs_an_issuer_an_audience_and_keys():
    settings = Settings.from_environment(PROVIDER)

    assert settings.oidc == Oidc(
        issuer="https://id.example.org/realm",
        audience="regimen",
        jwks_url="https://id.example.org/realm/keys",
    )


def test_every_choice_of_an_identity_provider_is_read(tmp_path: Path):
    keys = tmp_path / "keys.json"
    keys.write_text("{}")
    settings = Settings.from_environment(
        {
            "REGIMEN_OIDC_ISSUER": "http://localhost:8080",
            "REGIMEN_OIDC_AUDIENCE": "api://regimen",
            "REGIMEN_OIDC_JWKS_FILE": str(keys),
            "REGIMEN_OIDC_ALGORITHMS": "ES256, EdDSA",
            "REGIMEN_OIDC_LEEWAY": "0",
            "REGIMEN_OIDC_ROLES_CLAIM": "realm_access.roles",
            "REGIMEN_OIDC_ROLES_PREFIX": "regimen-",
            "REGIMEN_OIDC_ACTOR_ROLES_CLAIM": "acting",
            "REGIMEN_OIDC_TENANT_CLAIM": "org",
            "REGIMEN_OIDC_SITES_CLAIM": "sites",
        }
    )

    assert settings.oidc == Oidc(
        issuer="http://localhost:8080",
        audience="api://regimen",
        jwks_file=str(keys),
        algorithms=("ES256", "EdDSA"),
        leeway=timedelta(0),
        roles_claim="realm_access.roles",
        roles_prefix="regimen-",
        actor_roles_claim="acting",
        tenant_claim="org",
        sites_claim="sites",
    )


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"ISSUER": ""}, "ISSUER"),
        ({"AUDIENCE": ""}, "AUDIENCE"),
        ({"JWKS_URL": ""}, "JWKS_URL"),
        ({"JWKS_FILE": __file__}, "JWKS_URL"),
        ({"JWKS_URL": "", "JWKS_FILE": "/no/such/file"}, "JWKS_FILE"),
        ({"ISSUER": "http://id.example.org"}, "ISSUER"),
        ({"ISSUER": "id.example.org"}, "ISSUER"),
        ({"ISSUER": "https://u:secret@id.example.org"}, "ISSUER"),
        ({"JWKS_URL": "http://169.254.169.254/keys"}, "JWKS_URL"),
        ({"JWKS_URL": "file:///etc/passwd"}, "JWKS_URL"),
        ({"JWKS_URL": "https://host:port/"}, "JWKS_URL"),
        ({"ALGORITHMS": "RS256,HS256"}, "ALGORITHMS"),
        ({"ALGORITHMS": "none"}, "ALGORITHMS"),
        ({"ALGORITHMS": "RS256,"}, "ALGORITHMS"),
        ({"LEEWAY": "301"}, "LEEWAY"),
        ({"LEEWAY": "-1"}, "LEEWAY"),
        ({"ROLES_CLAIM": "a\nb"}, "ROLES_CLAIM"),
        ({"ROLE_CLAIM": "roles"}, "ROLE_CLAIM"),
    ],
)
def test_a_wrong_choice_of_an_identity_provider_names_its_variable(
    change: dict[str, str], field: str
):
    changed = {f"REGIMEN_OIDC_{name}": text for name, text in change.items()}
    with pytest.raises(InvalidInput) as caught:
        Settings.from_environment({**PROVIDER, **changed})

    assert caught.value.field == f"REGIMEN_OIDC_{field}"
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("text", ["10.0.0.1/8", "everybody", "10.0.0.0/8,,", "10.0.0.0/33"])
def test_a_network_that_is_none_is_named(text: str):
    with pytest.raises(InvalidInput, match="REGIMEN_WEBHOOK_ALLOW: expected networks"):
        Settings.from_environment({"REGIMEN_WEBHOOK_ALLOW": text})


@pytest.mark.parametrize("text", ["0", "61", "1.5", "soon"])
def test_an_endpoint_has_a_minute_at_most(text: str):
    with pytest.raises(InvalidInput, match="REGIMEN_WEBHOOK_SECONDS"):
        Settings.from_environment({"REGIMEN_WEBHOOK_SECONDS": text})


@pytest.mark.parametrize("text", ["0", "3651", "9" * 99, "1.5", "-1", "a month"])
def test_what_was_delivered_is_kept_for_a_day_or_more(text: str):
    with pytest.raises(InvalidInput, match="REGIMEN_WEBHOOK_DAYS: expected whole days"):
        Settings.from_environment({"REGIMEN_WEBHOOK_DAYS": text})
    assert Settings.from_environment({"REGIMEN_WEBHOOK_DAYS": "7"}).webhook_days == 7


@pytest.mark.parametrize("text", ["169", "9" * 99, "1.5", "-1", "daily"])
def test_definitions_are_exercised_once_a_week_or_more_often(text: str):
    with pytest.raises(InvalidInput, match="REGIMEN_CANARY_HOURS: expected whole hours"):
        Settings.from_environment({"REGIMEN_CANARY_HOURS": text})
    assert Settings.from_environment({"REGIMEN_CANARY_HOURS": "6"}).canary == timedelta(hours=6)
    assert Settings.from_environment({"REGIMEN_CANARY_HOURS": "0"}).canary is None


def test_networks_are_named_with_commas_between():
    found = Settings.from_environment({"REGIMEN_WEBHOOK_ALLOW": "127.0.0.0/8, ::1"})

    assert [str(one) for one in found.webhook_allow] == ["127.0.0.0/8", "::1/128"]


@pytest.mark.parametrize("name", ["guards", "verify"])
def test_guards_are_counted_and_the_log_verified_once_a_week_or_more_often(name: str):
    variable = f"REGIMEN_{name.upper()}_HOURS"
    with pytest.raises(InvalidInput, match=f"{variable}: expected whole hours"):
        Settings.from_environment({variable: "169"})
    assert getattr(Settings(), name) == timedelta(hours=24)
    assert getattr(Settings.from_environment({variable: "6"}), name) == timedelta(hours=6)
    assert getattr(Settings.from_environment({variable: "0"}), name) is None
