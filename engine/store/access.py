"""Tokens and the access log, as SQL. Each call is a transaction; the log only grows.

`append` takes a connection, so that whoever changes a calendar or an endpoint logs that in the
same transaction. It puts each entry behind the last one of its tenant, one writer at a time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Table,
    and_,
    bindparam,
    insert,
    literal,
    select,
    tuple_,
    update,
)

from engine.core.encoding import Json, canonical
from engine.log_chain import Link, before, linked
from engine.log_entry import Entry, Logged
from engine.permission import Role, Token
from engine.store.sql import DIALECTS, SqlStore
from engine.store.tables import access_log, tokens

AT_ONCE = 1000
"""How many entries are in memory at once while the whole log is read, on a server too."""


class SqlAccess:
    """Tokens and the access log of a store's database."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    def token(self, token: str) -> Token | None:
        with self._store.connection(write=False) as connection:
            found = connection.execute(select(tokens).where(tokens.c.id == token)).first()
        return None if found is None else _token(found)

    def tokens(
        self, tenant: str, *, after: tuple[datetime, str] | None, limit: int
    ) -> Sequence[Token]:
        asked = _page(tokens, tokens.c.created_at, tenant, after, limit)
        with self._store.connection(write=False) as connection:
            return [_token(row) for row in connection.execute(asked)]

    def issue(self, token: Token, entry: Entry) -> None:
        with self._store.connection() as connection:
            connection.execute(insert(tokens), _row(token))
            append(connection, [entry])

    def revoke(self, tenant: str, token: str, *, at: datetime, by: str, entry: Entry) -> bool:
        standing = and_(
            tokens.c.tenant == tenant, tokens.c.id == token, tokens.c.revoked_at.is_(None)
        )
        change = update(tokens).where(standing).values(revoked_at=at, revoked_by=by)
        with self._store.connection() as connection:
            if connection.execute(change).rowcount == 0:
                return False
            append(connection, [entry])
            return True

    def append(self, entries: Sequence[Entry]) -> None:
        with self._store.connection() as connection:
            append(connection, entries)

    def entries(
        self, tenant: str, *, since: datetime | None, after: tuple[datetime, str] | None, limit: int
    ) -> Sequence[Entry]:
        asked = _page(access_log, access_log.c.at, tenant, after, limit)
        if since is not None:
            asked = asked.where(access_log.c.at >= since)
        with self._store.connection(write=False) as connection:
            return [_entry(row) for row in connection.execute(asked)]

    def unchained(self, tenant: str) -> Iterator[Entry]:
        for row in self._every(_UNCHAINED, tenant):
            yield _as_written(row)

    def links(self, tenant: str) -> Iterator[Link]:
        for row in self._every(_LINKS, tenant):
            yield Link(
                entry=_as_written(row),
                position=row.position,
                prev_hash=row.prev_hash,
                hash=row.hash,
            )

    def _every(self, asked: Select[Any], tenant: str) -> Iterator[Row[Any]]:
        """Rows as they come. Whoever reads on no further leaves no cursor open on the server."""
        with (
            self._store.connection(write=False) as connection,
            connection.execute(asked, {"its_tenant": tenant}) as rows,
        ):
            yield from rows

    def last_of_everything(self, tenant: str, action: Logged) -> Entry | None:
        asked = {"its_tenant": tenant, "its_action": action.value}
        with self._store.connection(write=False) as connection:
            found = connection.execute(_OF_EVERYTHING, asked).first()
        return None if found is None else _entry(found)

    def last(self, tenant: str, actor: str, action: Logged) -> Entry | None:
        asked = (
            select(access_log)
            .where(
                access_log.c.tenant == tenant,
                access_log.c.actor == actor,
                access_log.c.action == action.value,
            )
            .order_by(access_log.c.at.desc(), access_log.c.id.desc())
            .limit(1)
        )
        with self._store.connection(write=False) as connection:
            found = connection.execute(asked).first()
        return None if found is None else _entry(found)


_OF_EVERYTHING = (
    select(access_log)
    .where(
        access_log.c.tenant == bindparam("its_tenant"),
        access_log.c.action == bindparam("its_action"),
        access_log.c.about.contains('"everything":true'),
    )
    .order_by(access_log.c.at.desc(), access_log.c.id.desc())
    .limit(1)
)


def append(connection: Connection, entries: Sequence[Entry]) -> None:
    """Add rows to the access log in somebody's transaction."""
    for tenant in dict.fromkeys(entry.tenant for entry in entries):
        for statement in DIALECTS[connection.dialect.name].chaining:
            connection.execute(statement, {"tenant": tenant})
        position, head = _end(connection, tenant)
        rows = []
        for entry in entries:
            if entry.tenant == tenant:
                link = linked(entry, position + 1, head)
                position, head = link.position, link.hash
                rows.append(_logged(link))
        connection.execute(insert(access_log), rows)


def _end(connection: Connection, tenant: str) -> tuple[int, str]:
    """Where the chain of a tenant ends; one that has not begun follows what was there before."""
    asked = {"its_tenant": tenant}
    last = connection.execute(_LAST, asked).first()
    if last is not None:
        return last.position, last.hash
    hashed, _ = before(map(_entry, connection.execute(_UNCHAINED, asked)))
    return 0, hashed


def _logged(link: Link) -> dict[str, Any]:
    entry = link.entry
    return {
        "tenant": entry.tenant,
        "at": entry.at,
        "id": entry.id,
        "actor": entry.actor,
        "action": entry.action.value,
        "outcome": entry.outcome,
        "about": canonical(dict(entry.about)).decode(),
        "position": link.position,
        "prev_hash": link.prev_hash,
        "hash": link.hash,
    }


_ITS = access_log.c.tenant == bindparam("its_tenant")
_LAST = (
    select(access_log.c.position, access_log.c.hash)
    .where(_ITS, access_log.c.position.is_not(None))
    .order_by(access_log.c.position.desc())
    .limit(1)
)
_LINKS = (
    select(access_log)
    .where(_ITS, access_log.c.position.is_not(None))
    .order_by(access_log.c.position)
    .execution_options(yield_per=AT_ONCE)
)
_UNCHAINED = (
    select(access_log)
    .where(_ITS, access_log.c.position.is_(None))
    .order_by(access_log.c.at, access_log.c.id)
    .execution_options(yield_per=AT_ONCE)
)


def _page(
    table: Table,
    when: ColumnElement[datetime],
    tenant: str,
    after: tuple[datetime, str] | None,
    limit: int,
) -> Select[Any]:
    asked = select(table).where(table.c.tenant == tenant).order_by(when, table.c.id).limit(limit)
    if after is None:
        return asked
    place = (literal(after[0], when.type), literal(after[1], table.c.id.type))
    # One comparison of both, which either database begins at in its index; `or` walks up to there.
    return asked.where(tuple_(when, table.c.id) > tuple_(*place))


def _row(token: Token) -> Mapping[str, Any]:
    return {
        "id": token.id,
        "tenant": token.tenant,
        "name": token.name,
        "sha256": token.sha256,
        "roles": _text(token.roles),
        "actor_roles": _text(token.actor_roles),
        "sites": None if token.sites is None else _text(token.sites),
        "created_at": token.created_at,
        "created_by": token.created_by,
        "expires_at": token.expires_at,
    }


def _token(row: Row[Any]) -> Token:
    return Token(
        id=row.id,
        tenant=row.tenant,
        name=row.name,
        sha256=row.sha256,
        roles=tuple(map(Role, _list(row.roles))),
        actor_roles=tuple(_list(row.actor_roles)),
        sites=None if row.sites is None else tuple(_list(row.sites)),
        created_at=row.created_at,
        created_by=row.created_by,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        revoked_by=row.revoked_by,
    )


def _entry(row: Row[Any]) -> Entry:
    about: Mapping[str, Json] = json.loads(row.about)
    return Entry(
        tenant=row.tenant,
        at=row.at,
        id=row.id,
        actor=row.actor,
        action=Logged(row.action),
        outcome=row.outcome,
        about=about,
    )


def _as_written(row: Row[Any]) -> Entry:
    """The entry of a row that is to be verified. Raises ValueError for a text that we never write.

    The chain is over what the text says; whoever reads the table may read it otherwise.
    """
    entry = _entry(row)
    if canonical(entry.about).decode() != row.about:
        raise ValueError("expected canonical JSON")
    return entry


def _text(names: Sequence[str]) -> str:
    return canonical([str(name) for name in names]).decode()


def _list(text: str) -> list[str]:
    found: list[str] = json.loads(text)
    return found
