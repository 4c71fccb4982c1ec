"""The server that the other tests stand on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from tests import postgres
from tests.postgres import Server, copy_installation, find_binaries, fresh_database, own_server


def execute(url: str, statement: str) -> object:
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        result = connection.execute(text(statement))
        return result.scalar_one() if result.returns_rows else None


def test_a_fresh_database_answers_and_is_empty(postgres_url: str):
    tables = execute(postgres_url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")

    assert tables == 0
    assert int(str(execute(postgres_url, "SHOW server_version_num"))) >= 15_00_00


def test_a_copy_has_what_its_template_has_and_is_gone_afterwards(postgres_server: Server):
    with fresh_database(postgres_server) as template:
        execute(template, "CREATE TABLE readings AS SELECT 42 AS platelets")
        with fresh_database(postgres_server, template) as copy:
            assert execute(copy, "SELECT platelets FROM readings") == 42

        with pytest.raises(OperationalError, match="does not exist"):
            execute(copy, "SELECT 1")


def test_a_server_of_our_own_is_durable_on_demand_unprivileged_and_leaves_nothing():
    with own_server(find_binaries(), fsync=True) as server:
        assert server.data is not None
        assert execute(server.url, "SHOW fsync") == "on"
        assert execute(server.url, "SHOW synchronous_commit") == "on"
        # PostgreSQL writes this file as the user that it runs as.
        assert (server.data / "postmaster.pid").stat().st_uid != 0

    assert not server.data.parent.exists()
    assert server.pid is not None
    with pytest.raises(ProcessLookupError):
        os.kill(server.pid, 0)


def test_binaries_in_a_private_directory_serve_without_a_change_to_it(tmp_path: Path):
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    installation = find_binaries().parent
    copy_installation(installation, private)
    before = permissions(private)

    binaries = private / installation.parent.name / installation.name / "bin"
    with own_server(binaries) as server:
        assert execute(server.url, "SHOW fsync") == "off"

    assert permissions(private) == before


def test_without_a_postgresql_the_run_fails_and_says_what_to_do(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(postgres, "_candidates", lambda: iter(()))

    with pytest.raises(RuntimeError, match="make venv"):
        find_binaries()


def permissions(directory: Path) -> dict[Path, tuple[int, int]]:
    every = (*directory.parents, directory, *directory.rglob("*"))
    return {path: (path.lstat().st_mode, path.lstat().st_uid) for path in every}
