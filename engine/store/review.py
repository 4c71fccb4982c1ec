"""The review queues along their index, each item with the record that is to be looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Select, and_, bindparam, func, select, tuple_
from sqlalchemy.types import Integer, Text

from engine.core.review import Queue
from engine.review import Candidate, Place
from engine.store.sql import SqlStore
from engine.store.tables import Instant, courses, records, reviews
from engine.store.transaction import item_of, record_of

_OF_ITEM = [
    reviews.c[name]
    for name in ("seq", "queue", "recorded_at", "open", "outcome", "reviewed_by", "reviewers")
]
_OF_RECORD = [column for column in records.c if column.name != "tenant"]


class SqlReviews:
    """Where queues are read."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    def page(
        self,
        tenant: str,
        queue: Queue,
        *,
        sites: frozenset[str] | None,
        workflow: str | None,
        after: Place | None,
        limit: int,
    ) -> Sequence[Candidate]:
        """Open items of a queue, the oldest record first. Raises StoreUnavailable."""
        asked = {"queue": queue.value, "limit": limit, **_wanted(tenant, sites, workflow)}
        if after is not None:
            asked |= {"at": after.recorded_at, "course": after.course, "seq": after.seq}
        statement = _page(
            after=after is not None, at_sites=sites is not None, of_one=workflow is not None
        )
        with self._store.connection(write=False) as connection:
            found = connection.execute(statement, asked)
            return [
                Candidate(site=site, item=item_of(rest[:7]), record=record_of(rest[7:]))
                for site, *rest in found
            ]

    def counts(
        self, tenant: str, *, sites: frozenset[str] | None, workflow: str | None, most: int
    ) -> Mapping[Queue, int]:
        """How many open items each queue has, up to a number. Raises StoreUnavailable."""
        asked = {"limit": most, **_wanted(tenant, sites, workflow)}
        statement = _count(at_sites=sites is not None, of_one=workflow is not None)
        with self._store.connection(write=False) as connection:
            return {
                queue: connection.scalar(statement, {**asked, "queue": queue.value}) or 0
                for queue in Queue
            }


def _wanted(tenant: str, sites: frozenset[str] | None, workflow: str | None) -> dict[str, Any]:
    asked: dict[str, Any] = {"tenant": tenant}
    if sites is not None:
        asked["sites"] = sorted(sites)
    if workflow is not None:
        asked["workflow"] = workflow
    return asked


@cache
def _page(*, after: bool, at_sites: bool, of_one: bool = False) -> Select[*tuple[Any, ...]]:
    here = and_(
        records.c.tenant == reviews.c.tenant,
        records.c.course == reviews.c.course,
        records.c.seq == reviews.c.seq,
    )
    order = (reviews.c.recorded_at, reviews.c.course, reviews.c.seq)
    made = _open(select(reviews.c.site, *_OF_ITEM, *_OF_RECORD).join_from(reviews, records, here),
                 at_sites=at_sites, of_one=of_one)  # fmt: skip
    if after:
        place = (
            bindparam("at", type_=Instant),
            bindparam("course", type_=Text()),
            bindparam("seq", type_=Integer()),
        )
        made = made.where(tuple_(*order) > tuple_(*place))
    return made.order_by(*order).limit(bindparam("limit"))


@cache
def _count(*, at_sites: bool, of_one: bool = False) -> Select[int]:
    some = _open(select(reviews.c.seq), at_sites=at_sites, of_one=of_one)
    return select(func.count()).select_from(some.limit(bindparam("limit")).subquery())


def _open(made: Select[Any], *, at_sites: bool, of_one: bool = False) -> Select[Any]:
    made = made.where(
        reviews.c.tenant == bindparam("tenant"),
        reviews.c.queue == bindparam("queue"),
        reviews.c.open,
    )
    if of_one:
        its = and_(courses.c.tenant == reviews.c.tenant, courses.c.course == reviews.c.course)
        made = made.join(courses, its).where(courses.c.workflow == bindparam("workflow"))
    return made.where(reviews.c.site.in_(bindparam("sites", expanding=True))) if at_sites else made
