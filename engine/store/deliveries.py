"""What is on its way to endpoints.

- A delivery is *open* until it was made or given up. Of the open ones of a course to an endpoint
  one is *due*, the first: it alone has a time, so that none overtakes another and whoever looks for
  what is due looks at nothing else. When it is done, the next one is due.
- A claim is a lease: whoever dies with it in hand loses it when it ends, and what came of a lease
  that has ended is not noted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    bindparam,
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

from engine.log_entry import Entry
from engine.messages import Delivery, Outcome
from engine.store.access import append
from engine.store.sql import SqlStore
from engine.store.tables import Instant, deliveries, endpoints, feed
from engine.store.webhooks import CHANGE, locked
from engine.store.writes import bound


class SqlDeliveries:
    """The deliveries of a store's tenants."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    def enqueue(self, tenant: str, endpoint: str, at: datetime, limit: int) -> int:
        """Put what the feed has for an endpoint on its way; how many positions were passed."""
        its = {"its_tenant": tenant, "its_endpoint": endpoint}
        with self._store.connection() as connection:
            found = locked(connection, tenant, endpoint)
            if found is None or found.disabled_at is not None:
                return 0
            after = found.position
            head = connection.scalar(_HEAD, {"its_tenant": tenant}) or 0
            through = min(head, after + limit)
            if through == after:
                return 0
            wanted = feed.c.kind.in_(found.kinds) if found.kinds else true()
            queue = insert(deliveries).from_select(_QUEUED, _queued().where(wanted))
            came = connection.scalars(
                queue.returning(deliveries.c.course), {**its, "after": after, "to": through}
            )
            _make_due(connection, its, set(came), at, after)
            moved = CHANGE.values({"position": bound(endpoints.c.position)})
            connection.execute(moved, {**its, "position": through})
            return through - after

    def claim(
        self, tenant: str, endpoint: str, now: datetime, until: datetime, limit: int
    ) -> Sequence[Delivery]:
        """Take deliveries in hand that are due, each of another course, until an instant."""
        its = {"its_tenant": tenant, "its_endpoint": endpoint}
        with self._store.connection() as connection:
            due = connection.scalars(_DUE, {**its, "now": now, "limit": limit}).all()
            if not due:
                return []
            taken = update(deliveries).where(*_OF_ENDPOINT, _position.in_(due))
            claimed = taken.values(claimed_until=bindparam("until", type_=Instant))
            connection.execute(claimed, {**its, "until": until})
            found = _deliveries().where(*_OF_ENDPOINT, _position.in_(due))
            rows = connection.execute(found.order_by(deliveries.c.next_at, _position), its)
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
        done = outcome.delivered_at or outcome.dead_at
        with self._store.connection() as connection:
            if done is not None:
                # What is put on its way meanwhile would not see that nothing is before it.
                locked(connection, tenant, delivery.endpoint, shared=True)
            noted = connection.execute(_NOTE, _held(tenant, delivery) | told).rowcount == 1
            if noted and done is not None:
                its = {"its_tenant": tenant, "its_endpoint": delivery.endpoint}
                _make_due(connection, its, [delivery.course], done)
            return noted

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
            .where(*_OF_ENDPOINT, _position < bindparam("before"))
            .order_by(_position.desc())
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
        self,
        tenant: str,
        at: datetime,
        endpoint: str | None = None,
        position: int | None = None,
        *,
        entries: Sequence[Entry] = (),
    ) -> int:
        """Put deliveries that were given up on their way again, as if never tried; how many.

        Where there are any, the access log gets its rows.

        Each is due before the later ones of its course, but for one that is in hand.
        """
        which = _DEAD if endpoint is None else [*_DEAD, deliveries.c.endpoint == endpoint]
        again = _AGAIN if position is None else _AGAIN.where(_position == position)
        number = 0
        with self._store.connection() as connection:
            named = select(deliveries.c.endpoint).where(*which).distinct()
            for one in sorted(connection.scalars(named, {"its_tenant": tenant})):
                its = {"its_tenant": tenant, "its_endpoint": one}
                locked(connection, tenant, one)
                number += connection.execute(again, its).rowcount
                connection.execute(_GIVE_WAY, {**its, "at": at})
                connection.execute(_COME_FIRST, {**its, "at": at})
            if number:
                append(connection, entries)
        return number

    def prune(self, tenant: str, before: datetime, limit: int) -> int:
        """Forget deliveries that were made before an instant, the oldest first; how many."""
        asked = {"its_tenant": tenant, "before": before, "limit": limit}
        with self._store.connection() as connection:
            oldest = connection.execute(_DELIVERED, asked).all()
            keys = [dict(zip(_KEY, (tenant, *one), strict=True)) for one in oldest]
            if keys:
                # Row by row, as above.
                connection.execute(_PRUNE, keys)
            return len(keys)

    def standing(self, tenant: str) -> Mapping[str, tuple[int, int]]:
        """How many deliveries of each endpoint are open or were given up, where there are any."""
        asked = {"its_tenant": tenant}
        with self._store.connection(write=False) as connection:
            open_, dead = (
                {name: int(number) for name, number in connection.execute(counted, asked)}
                for counted in (_OPEN_OF_EACH, _DEAD_OF_EACH)
            )
            return {name: (open_.get(name, 0), dead.get(name, 0)) for name in open_ | dead}


def _make_due(
    connection: Connection,
    its: Mapping[str, str],
    courses: Iterable[str],
    at: datetime,
    after: int = 0,
) -> None:
    """Let the first open delivery of each course be due, if it is after a position of the feed."""
    told = [{**its, "its_course": one, "at": at, "after": after} for one in sorted(courses)]
    if told:
        # Row by row: where nobody has counted the rows yet, PostgreSQL would go through all that
        # waits for each of them.
        connection.execute(_FIRST_IS_DUE, told)


_position = deliveries.c.position
_OF_ENDPOINT = (
    deliveries.c.tenant == bindparam("its_tenant"),
    deliveries.c.endpoint == bindparam("its_endpoint"),
)
_DEAD = [deliveries.c.tenant == bindparam("its_tenant"), deliveries.c.dead_at.is_not(None)]
_IDLE = or_(
    deliveries.c.claimed_until.is_(None),
    deliveries.c.claimed_until <= bindparam("now", type_=Instant),
)

_HEAD = select(func.max(feed.c.position)).where(feed.c.tenant == bindparam("its_tenant"))
_QUEUED = ["tenant", "endpoint", "position", "course", "attempts"]

_DUE = (
    select(_position)
    .where(*_OF_ENDPOINT, deliveries.c.next_at <= bindparam("now", type_=Instant), _IDLE)
    .order_by(deliveries.c.next_at, _position)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
)

_others = deliveries.alias("others")
_open_others = (
    _others.c.tenant == bindparam("its_tenant"),
    _others.c.endpoint == bindparam("its_endpoint"),
    _others.c.delivered_at.is_(None),
    _others.c.dead_at.is_(None),
)
_FIRST_IS_DUE = (
    update(deliveries)
    .where(
        *_OF_ENDPOINT,
        _position > bindparam("after"),
        _position
        == select(_others.c.position)
        .where(*_open_others, _others.c.course == bindparam("its_course"))
        .order_by(_others.c.position)
        .limit(1)
        .scalar_subquery(),
    )
    .values(next_at=bindparam("at", type_=Instant))
)

_AGAIN = update(deliveries).where(*_OF_ENDPOINT, *_DEAD).values(dead_at=null(), attempts=0)
_first = func.min(_others.c.position)
_FIRSTS = select(_first).where(*_open_others).group_by(_others.c.course)
_GIVE_WAY = (
    update(deliveries)
    .where(
        *_OF_ENDPOINT,
        deliveries.c.next_at.is_not(None),
        or_(
            deliveries.c.claimed_until.is_(None),
            deliveries.c.claimed_until <= bindparam("at", type_=Instant),
        ),
        _position.not_in(_FIRSTS),
    )
    .values(next_at=null(), claimed_until=null())
)
_COME_FIRST = (
    update(deliveries)
    .where(*_OF_ENDPOINT, _position.in_(_FIRSTS.having(func.count(_others.c.next_at) == 0)))
    .values(next_at=bindparam("at", type_=Instant))
)
_DELIVERED = (
    select(deliveries.c.endpoint, _position)
    .where(
        deliveries.c.tenant == bindparam("its_tenant"),
        deliveries.c.delivered_at < bindparam("before", type_=Instant),
    )
    .order_by(deliveries.c.delivered_at)
    .limit(bindparam("limit"))
    # Another worker may be at it, or somebody who forgets the endpoint.
    .with_for_update(skip_locked=True)
)
_KEY = ("its_tenant", "its_endpoint", "its_position")
_PRUNE = delete(deliveries).where(*_OF_ENDPOINT, _position == bindparam("its_position"))
_HELD = (
    *(deliveries.c[name] == bindparam(f"its_{name}") for name in ("tenant", "endpoint")),
    deliveries.c.position == bindparam("its_position"),
    deliveries.c.claimed_until == bindparam("its_lease", type_=Instant),
)
_RELEASE = update(deliveries).where(*_HELD).values(claimed_until=null())
_NOTE = (
    update(deliveries)
    .where(*_HELD)
    .values(
        claimed_until=null(),
        **{
            name: bound(deliveries.c[name])
            for name in ("attempts", "answered", "delivered_at", "next_at", "dead_at")
        },
    )
)


def _of_each(*which: Any) -> Any:  # noqa: ANN401  # SQLAlchemy's
    return (
        select(deliveries.c.endpoint, func.count())
        .where(deliveries.c.tenant == bindparam("its_tenant"), *which)
        .group_by(deliveries.c.endpoint)
    )


_OPEN_OF_EACH = _of_each(deliveries.c.delivered_at.is_(None), deliveries.c.dead_at.is_(None))
_DEAD_OF_EACH = _of_each(deliveries.c.dead_at.is_not(None))


def _queued() -> Any:  # noqa: ANN401  # SQLAlchemy's
    return select(
        feed.c.tenant,
        bindparam("its_endpoint", type_=deliveries.c.course.type),
        feed.c.position,
        feed.c.course,
        literal(0),
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
