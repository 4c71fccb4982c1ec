"""What `regimen serve` refuses before it serves anything."""

from __future__ import annotations

import socket

import pytest

from tests.cli.conftest import Regimen


def test_the_demonstration_is_refused_at_an_address_that_others_reach(regimen: Regimen):
    ran = regimen("serve", "--demo", "--host", "0.0.0.0")

    assert ran.code == 2
    assert "--host: expected a loopback address" in ran.err


def test_an_address_that_is_taken_is_said_to_be(regimen: Regimen):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ran = regimen("serve", "--demo", "--port", str(taken.getsockname()[1]))

    assert ran.code == 2
    assert "--host and --port: expected a free address" in ran.err


def test_a_database_that_is_not_migrated_is_not_served(regimen: Regimen, postgres_url: str):
    ran = regimen("serve", "--db", postgres_url)

    assert ran.code == 2
    assert "it has no tables of this engine: run `regimen" in ran.err


def test_where_spans_go_is_a_url_that_is_not_shown(
    regimen: Regimen, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("REGIMEN_TRACES", "https://user:secret@collector/v1/traces")
    ran = regimen("serve", "--demo")

    assert ran.code == 2
    assert "REGIMEN_TRACES: expected a URL" in ran.err
    assert "secret" not in ran.err
