"""Two PostgreSQL servers of a test's own: commits of the first wait for the second."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.postgres import (
    Account,
    Postmaster,
    _account,
    _environment,
    _give,
    _initialise,
    _within_reach,
    find_binaries,
)

NAME = "second"
DATABASE = "postgres"


@dataclass(frozen=True, slots=True)
class Pair:
    """A primary and its synchronous standby, each in a private directory with its socket."""

    primary: Postmaster
    standby: Postmaster

    @property
    def url(self) -> str:
        """Both of them: whoever connects comes to the one that may write."""
        hosts = "&".join(
            f"host={one.url.query['host']}:5432" for one in (self.primary, self.standby)
        )
        more = "target_session_attrs=read-write&connect_timeout=2"
        return f"postgresql+psycopg://postgres@/{DATABASE}?{hosts}&{more}"

    def waits(self) -> bool:
        """Whether commits of the primary wait for the standby by now."""
        asked = "SELECT sync_state FROM pg_stat_replication"
        with connected(self.primary) as connection:
            return connection.execute(asked).fetchall() == [("sync",)]

    def fail_over(self) -> None:
        """End the primary as a power failure would, and let the standby take its place.

        It waits for no standby of its own: it never had the setting of the first.
        """
        self.primary.kill()
        with connected(self.standby) as connection:
            connection.execute("SELECT pg_promote(wait => true)")


def connected(server: Postmaster) -> psycopg.Connection:
    query = server.url.query
    return psycopg.connect(
        host=str(query["host"]), port=5432, user="postgres", dbname=DATABASE, autocommit=True
    )


@contextmanager
def pair() -> Iterator[Pair]:
    """Both of them run until the block ends."""
    account = _account()
    first, second = (Path(tempfile.mkdtemp(prefix="regimen-pair-", dir="/tmp")) for _ in "12")
    started: list[Postmaster] = []
    try:
        for directory in (first, second):
            _give(directory, account)
        binaries = _within_reach(find_binaries(), first, account)
        _initialise(binaries, first / "data", account)
        primary = _started(binaries, first, account, started)
        _copied(binaries, first, second, account)
        standby = _started(binaries, second, account, started)
        with connected(primary) as connection:
            connection.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{NAME}'")
            connection.execute("SELECT pg_reload_conf()")
        found = Pair(primary, standby)
        until = time.monotonic() + 60
        while not found.waits():
            assert time.monotonic() < until, "the standby never came"
            time.sleep(0.1)
        yield found
    finally:
        for server in started:
            server.stop()
        for directory in (first, second):
            shutil.rmtree(directory)


def _started(
    binaries: Path, directory: Path, account: Account, started: list[Postmaster]
) -> Postmaster:
    server = Postmaster(binaries, directory / "data", account, fsync=True)
    started.append(server)
    server.start()
    return server


def _copied(binaries: Path, first: Path, second: Path, account: Account) -> None:
    """A copy of the first that follows it."""
    done = subprocess.run(
        [
            *(binaries / "pg_basebackup", "--pgdata", second / "data", "--checkpoint=fast"),
            *("--write-recovery-conf", "--no-sync", "--wal-method=stream"),
            f"--dbname=host={first} port=5432 user=postgres application_name={NAME}",
        ],
        check=False,
        capture_output=True,
        text=True,
        cwd=second,
        env=_environment(),
        timeout=120,
        **account,
    )
    assert done.returncode == 0, done.stderr
