"""Endpoints and what is on its way to them.

- A delivery is due until it was made or given up. Of the deliveries of a course to an endpoint only
  the first that is due can be claimed, so that none overtakes another.
- A claim is a lease: whoever dies with it in hand loses it when it ends, and what came of a lease
  that has ended is not noted.
- A disabled endpoint keeps its place in the feed, and what is due to it; it is sent nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    RowMapping,
    bindparam,
    case,
    delete,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    true,
    update,
)

from engine.core.encoding import instant_from, instant_text
from engine.messages import Delivery, Endpoint, Outcome, Secret
from engine.store.sql import SqlStore
from engine.store.tables import Instant, deliveries, endpoints, feed
from engine.store.writes import bound


class SqlWebhooks:
    """The endpoints of a store's tenants, and their deliveries."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    # --- endpoints ----------------------------------------------------------------------------

    def add(self, tenant: str, endpoint: Endpoint) -> None:
        """Store an endpoint."""
        with self._store.connection() as connection:
            connection.execute(insert(endpoints), {"tenant": tenant, **_row(endpoint)})

    def all(self, tenant: str) -> Sequence[Endpoint]:
        """Every endpoint, oldest first."""
        with self._store.connection(write=False) as connection:
            found = connection.execute(_ENDPOINTS, {"its_tenant": tenant})
            return [_endpoint(row) for row in found.mappings()]

    def find(self, tenant: str, endpoint: str) -> Endpoint | None:
        """One endpoint."""
        with self._store.connection(write=False) as connection:
            return self._found(connection, tenant, endpoint)

    def disable(self, tenant: str, endpoint: str, at: datetime, why: str) -> bool:
        """Send it nothing from now on; whether there is one. Disabled twice, the first stands."""
        told = {"disabled_at": bound(endpoints.c.disabled_at), "disabled_why": bindparam("why")}
        with self._store.connection() as connection:
            found = self._locked(connection, tenant, endpoint)
            if found is not None and found.disabled_at is None:
                its = {"its_tenant": tenant, "its_endpoint": endpoint}
                connection.execute(_CHANGE.values(told), {**its, "disabled_at": at, "why": why})
        return found is not None

    def enable(self, tenant: str, endpoint: str) -> bool:
        """Send to it again, from where it was; whether there is one."""
        cleared = {"disabled_at": null(), "disabled_why": null()}
        with self._store.connection() as connection:
            its = {"its_tenant": tenant, "its_endpoint": endpoint}
            return connection.execute(_CHANGE.values(cleared), its).rowcount == 1

    def renew(self, tenant: str, endpoint: str, secret: Secret, at: datetime, overlap: Any) -> bool:  # noqa: ANN401  # a timedelta
        """Sign with another secret, and for the overlap with those before too."""
        with self._store.connection() as connection:
            found = self._locked(connection, tenant, endpoint)
            if found is None:
                return False
            ends = at + overlap
            before = [
                Secret(text=one.text, until=ends if one.until is None else min(one.until, ends))
                for one in found.secrets
                if one.until is None or one.until > at
            ]
            its = {"its_tenant": tenant, "its_endpoint": endpoint}
            told = {"secrets": _secrets((secret, *before))}
            connection.execute(_CHANGE.values({"secrets": bound(endpoints.c.secrets)}), its | told)
            return True

    def remove(self, tenant: str, endpoint: str) -> bool:
        """Forget an endpoint and its deliveries; whether there was one."""
        its = {"its_tenant": tenant, "its_endpoint": endpoint}
        with self._store.connection() as connection:
            if self._locked(connection, tenant, endpoint) is None:
                return False
            connection.execute(_FORGET, its)
            connection.execute(_REMOVE, its)
            return True

    # --- deliveries ---------------------------------------------------------------------------

    def enqueue(self, tenant: str, endpoint: str, at: datetime, limit: int) -> int:
        """Make what the feed has for an endpoint due; how many positions were passed."""
        with self._store.connection() as connection:
            found = self._locked(connection, tenant, endpoint)
            if found is None or found.disabled_at is not None:
                return 0
            asked: dict[str, Any] = {"its_tenant": tenant, "after": found.position}
            head = connection.scalar(_HEAD, {"its_tenant": tenant}) or 0
            through = min(head, found.position + limit)
            if through == found.position:
                return 0
            wanted = feed.c.kind.in_(found.kinds) if found.kinds else true()
            statement = insert(deliveries).from_select(_QUEUED, _queued().where(wanted))
            connection.execute(
                statement, {**asked, "its_endpoint": endpoint, "to": through, "at": at}
            )
            its = {"its_tenant": tenant, "its_endpoint": endpoint, "position": through}
            moved = _CHANGE.values({"position": bound(endpoints.c.position)})
            connection.execute(moved, its)
            return through - found.position

    def claim(
        self, tenant: str, endpoint: str, now: datetime, until: datetime, limit: int
    ) -> Sequence[Delivery]:
        """Take deliveries in hand that are due, the first of each course, until an instant."""
        its = {"its_tenant": tenant, "its_endpoint": endpoint}
        with self._store.connection() as connection:
            asked = {**its, "now": now, "limit": limit}
            due = connection.scalars(_DUE, asked).all()
            if not due:
                return []
            taken = update(deliveries).where(*_OF_ENDPOINT, deliveries.c.position.in_(due))
            claimed = taken.values(claimed_until=bindparam("until", type_=Instant))
            connection.execute(claimed, {**its, "until": until})
            found = _deliveries().where(*_OF_ENDPOINT, deliveries.c.position.in_(due))
            rows = connection.execute(found.order_by(deliveries.c.next_at, _POSITION), its)
            return [Delivery(**row) for row in rows.mappings()]

    def note(self, tenant: str, delivery: Delivery, outcome: Outcome) -> bool:
        """Note what came of an attempt, unless its lease had ended; whether it was noted."""
        told = {
            "attempts": delivery.attempts + 1,
            "answered": outcome.answered,
            "delivered_at": outcome.delivered_at,
            "next_at": outcome.next_at,
            "dead_at": outcome.dead_at,
        }
        with self._store.connection() as connection:
            return connection.execute(_NOTE, _held(tenant, delivery) | told).rowcount == 1

    def release(self, tenant: str, held: Sequence[Delivery]) -> None:
        """Give back what was claimed and not attempted."""
        if held:
            with self._store.connection() as connection:
                connection.execute(_RELEASE, [_held(tenant, one) for one in held])

    def deliveries(self, tenant: str, endpoint: str, before: int, limit: int) -> Sequence[Delivery]:
        """Deliveries of an endpoint before a position of the feed, newest first."""
        asked = {"its_tenant": tenant, "its_endpoint": endpoint, "before": before, "limit": limit}
        found = (
            _deliveries()
            .where(*_OF_ENDPOINT, deliveries.c.position < bindparam("before"))
            .order_by(deliveries.c.position.desc())
            .limit(bindparam("limit"))
        )
        with self._store.connection(write=False) as connection:
            return [Delivery(**row) for row in connection.execute(found, asked).mappings()]

    def dead(self, tenant: str, limit: int) -> Sequence[Delivery]:
        """Deliveries that were given up, the oldest first."""
        found = (
            _deliveries()
            .where(
                deliveries.c.tenant == bindparam("its_tenant"), deliveries.c.dead_at.is_not(None)
            )
            .order_by(deliveries.c.dead_at, deliveries.c.endpoint, deliveries.c.position)
            .limit(bindparam("limit"))
        )
        with self._store.connection(write=False) as connection:
            rows = connection.execute(found, {"its_tenant": tenant, "limit": limit})
            return [Delivery(**row) for row in rows.mappings()]

    def replay(
        self, tenant: str, at: datetime, endpoint: str | None = None, position: int | None = None
    ) -> int:
        """Make deliveries that were given up due again, with all their attempts; how many."""
        again = (
            update(deliveries)
            .where(
                deliveries.c.tenant == bindparam("its_tenant"),
                deliveries.c.dead_at.is_not(None),
                true() if endpoint is None else deliveries.c.endpoint == endpoint,
                true() if position is None else deliveries.c.position == position,
            )
            .values(dead_at=null(), attempts=0, next_at=bindparam("at", type_=Instant))
        )
        with self._store.connection() as connection:
            return connection.execute(again, {"its_tenant": tenant, "at": at}).rowcount

    def standing(self, tenant: str) -> Mapping[str, tuple[int, int]]:
        """How many deliveries of each endpoint are due or were given up, where there are any."""
        with self._store.connection(write=False) as connection:
            found = connection.execute(_STANDING, {"its_tenant": tenant})
            return {endpoint: (due, dead) for endpoint, due, dead in found}

    def _found(self, connection: Connection, tenant: str, endpoint: str) -> Endpoint | None:
        asked = {"its_tenant": tenant, "its_endpoint": endpoint}
        row = connection.execute(_ENDPOINT, asked).mappings().first()
        return None if row is None else _endpoint(row)

    def _locked(self, connection: Connection, tenant: str, endpoint: str) -> Endpoint | None:
        asked = {"its_tenant": tenant, "its_endpoint": endpoint}
        row = connection.execute(_ENDPOINT.with_for_update(), asked).mappings().first()
        return None if row is None else _endpoint(row)


_POSITION = deliveries.c.position
_COLUMNS = [column for column in endpoints.c if column.name != "tenant"]
_ENDPOINTS = (
    select(*_COLUMNS)
    .where(endpoints.c.tenant == bindparam("its_tenant"))
    .order_by(endpoints.c.created_at, endpoints.c.id)
)
_ENDPOINT = select(*_COLUMNS).where(
    endpoints.c.tenant == bindparam("its_tenant"), endpoints.c.id == bindparam("its_endpoint")
)
_CHANGE = update(endpoints).where(
    endpoints.c.tenant == bindparam("its_tenant"), endpoints.c.id == bindparam("its_endpoint")
)
_REMOVE = delete(endpoints).where(
    endpoints.c.tenant == bindparam("its_tenant"), endpoints.c.id == bindparam("its_endpoint")
)
_OF_ENDPOINT = (
    deliveries.c.tenant == bindparam("its_tenant"),
    deliveries.c.endpoint == bindparam("its_endpoint"),
)
_FORGET = delete(deliveries).where(*_OF_ENDPOINT)

_HEAD = select(func.max(feed.c.position)).where(feed.c.tenant == bindparam("its_tenant"))
_QUEUED = ["tenant", "endpoint", "position", "course", "attempts", "next_at"]

_earlier = deliveries.alias("earlier")
_DUE = (
    select(deliveries.c.position)
    .where(
        *_OF_ENDPOINT,
        deliveries.c.next_at <= bindparam("now", type_=Instant),
        or_(
            deliveries.c.claimed_until.is_(None),
            deliveries.c.claimed_until <= bindparam("now", type_=Instant),
        ),
        # Counted, since PostgreSQL would turn a NOT EXISTS into a join over all that waits, and
        # look for a minimum in the order of positions.
        select(func.count())
        .where(
            _earlier.c.tenant == deliveries.c.tenant,
            _earlier.c.endpoint == deliveries.c.endpoint,
            _earlier.c.course == deliveries.c.course,
            _earlier.c.position < deliveries.c.position,
            _earlier.c.next_at.is_not(None),
        )
        .scalar_subquery()
        == literal(0),
    )
    .order_by(deliveries.c.next_at, _POSITION)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
)
_HELD = (
    *(deliveries.c[name] == bindparam(f"its_{name}") for name in ("tenant", "endpoint")),
    deliveries.c.position == bindparam("its_position"),
    deliveries.c.claimed_until == bindparam("its_lease", type_=Instant),
)
_RELEASE = update(deliveries).where(*_HELD).values(claimed_until=null())
_NOTE = (
    update(deliveries)
    .where(*_HELD, deliveries.c.next_at.is_not(None))
    .values(
        claimed_until=null(),
        **{
            name: bound(deliveries.c[name])
            for name in ("attempts", "answered", "delivered_at", "next_at", "dead_at")
        },
    )
)


def _counted(column: Any) -> Any:  # noqa: ANN401  # SQLAlchemy's
    return func.sum(case((column.is_not(None), 1), else_=0))


_STANDING = (
    select(deliveries.c.endpoint, _counted(deliveries.c.next_at), _counted(deliveries.c.dead_at))
    .where(
        deliveries.c.tenant == bindparam("its_tenant"),
        or_(deliveries.c.next_at.is_not(None), deliveries.c.dead_at.is_not(None)),
    )
    .group_by(deliveries.c.endpoint)
)


def _queued() -> Any:  # noqa: ANN401  # SQLAlchemy's
    return select(
        feed.c.tenant,
        bindparam("its_endpoint", type_=deliveries.c.course.type),
        feed.c.position,
        feed.c.course,
        literal(0),
        bindparam("at", type_=Instant),
    ).where(
        feed.c.tenant == bindparam("its_tenant"),
        feed.c.position > bindparam("after"),
        feed.c.position <= bindparam("to"),
    )


def _deliveries() -> Any:  # noqa: ANN401  # SQLAlchemy's
    said = (feed.c.tenant == deliveries.c.tenant) & (feed.c.position == deliveries.c.position)
    return select(
        *(column for column in deliveries.c if column.name != "tenant"),
        *(feed.c.seq, feed.c.n, feed.c.kind, feed.c.recorded_at),
    ).join_from(deliveries, feed, said)


def _held(tenant: str, delivery: Delivery) -> dict[str, Any]:
    return {
        "its_tenant": tenant,
        "its_endpoint": delivery.endpoint,
        "its_position": delivery.position,
        "its_lease": delivery.claimed_until,
    }


def _row(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "id": endpoint.id,
        "url": endpoint.url,
        "kinds": json.dumps(endpoint.kinds),
        "secrets": _secrets(endpoint.secrets),
        "position": endpoint.position,
        "created_at": endpoint.created_at,
        "disabled_at": endpoint.disabled_at,
        "disabled_why": endpoint.disabled_why,
    }


def _endpoint(row: RowMapping) -> Endpoint:
    secrets = [
        Secret(text=one["secret"], until=one["until"] and instant_from(one["until"]))
        for one in json.loads(row["secrets"])
    ]
    kinds = tuple(json.loads(row["kinds"]))
    return Endpoint(**{**row, "kinds": kinds, "secrets": tuple(secrets)})


def _secrets(secrets: Sequence[Secret]) -> str:
    return json.dumps(
        [{"secret": one.text, "until": one.until and instant_text(one.until)} for one in secrets]
    )
