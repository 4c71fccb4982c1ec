"""Hosts with a Connection, a Session or an async session of their own, as they come by default."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from engine.store.sql import SqlStore, open_store

_T = TypeVar("_T")
Bind: TypeAlias = Connection | Session
Work: TypeAlias = Callable[[Bind], _T]

PLAIN = importlib.import_module("sqlite3")
"""The SQLite that a host has unless it chooses one; aiosqlite has no other."""


def outside(url: str) -> SqlStore:
    """A store of our own beside the host's engine, on the same SQLite."""
    return open_store(url, **({"module": PLAIN} if url.startswith("sqlite") else {}))


def made(url: str, **options: Any) -> Engine:
    """An engine as a host makes it."""
    return create_engine(url, poolclass=NullPool, **options)


@dataclass
class Watch:
    """What was sent on a host's connections, and which of its transactions ended how."""

    sent: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)

    def over(self, engine: Engine) -> None:
        event.listen(engine, "before_cursor_execute", lambda *sends: self.sent.append(sends[2]))
        for name in ("commit", "rollback", "savepoint", "rollback_savepoint", "release_savepoint"):
            event.listen(engine, name, lambda *_, name=name: self.ended.append(name))


@dataclass(frozen=True)
class Host:
    """Does its work in one transaction of its own, and commits it or rolls it back."""

    url: str
    watch: Watch = field(default_factory=Watch)

    def commits(self, work: Work[_T]) -> _T:
        return self._done(work, keep=True)

    def rolls_back(self, work: Work[_T]) -> _T:
        return self._done(work, keep=False)

    def _done(self, work: Work[_T], *, keep: bool) -> _T:
        raise NotImplementedError


class OnConnection(Host):
    def _done(self, work: Work[_T], *, keep: bool) -> _T:
        with self._bound() as bind:
            done = work(bind)
            assert bind.in_transaction(), "the transaction is the host's to end"
            bind.commit() if keep else bind.rollback()
        return done

    @contextmanager
    def _bound(self) -> Iterator[Bind]:
        engine = made(self.url)
        self.watch.over(engine)
        with self._open(engine) as bind:
            yield bind
        engine.dispose()

    def _open(self, engine: Engine) -> AbstractContextManager[Bind]:
        return engine.connect()


class OnSession(OnConnection):
    def _open(self, engine: Engine) -> AbstractContextManager[Bind]:
        return Session(engine)


class OnAsyncSession(Host):
    def _done(self, work: Work[_T], *, keep: bool) -> _T:
        async def run() -> _T:
            engine = create_async_engine(_asynchronous(self.url), poolclass=NullPool)
            self.watch.over(engine.sync_engine)
            async with AsyncSession(engine) as session:
                done = await session.run_sync(work)
                assert session.in_transaction(), "the transaction is the host's to end"
                await (session.commit() if keep else session.rollback())
            await engine.dispose()
            return done

        return asyncio.run(run())


def appoint(bind: Bind, tenant: str) -> None:
    """What a host writes of its own."""
    bind.execute(text("INSERT INTO appointments VALUES (:tenant)"), {"tenant": tenant})


def appointments(store: SqlStore, tenant: str) -> int:
    with store.engine.connect() as connection:
        found = connection.execute(
            text("SELECT count(*) FROM appointments WHERE tenant = :tenant"), {"tenant": tenant}
        )
        return int(found.scalar_one())


def _asynchronous(url: str) -> str:
    plain = make_url(url)
    if plain.get_backend_name() == "sqlite":
        plain = plain.set(drivername="sqlite+aiosqlite")
    return plain.render_as_string(hide_password=False)
