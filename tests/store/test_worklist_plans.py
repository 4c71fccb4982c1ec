"""How the databases find what a worklist shows, among very many courses that it does not show."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from sqlalchemy import event

from benchmarks.crowd import SITES, TODAY, fill
from engine.listing import SPEAKS, Listing, Wanted
from engine.store.sql import SqlStore, open_store
from engine.store.worklist import SqlLists, SqlReader

TENANT, MANY = "crowded", 12_000

FOLLOWS = {
    **dict.fromkeys(SPEAKS, "ix_regimen_courses_conflicts"),
    Listing.WAITING_FOR_DATA: "ix_regimen_courses_questions",
    Listing.WAITING_FOR_DECISION: "ix_regimen_courses_waits",
    Listing.HOLD_PAST_REVIEW: "ix_regimen_courses_waits",
    Listing.OPEN_FINDINGS: "ix_regimen_courses_findings",
    Listing.UNSIGNED: "ix_regimen_courses_unsigned",
    Listing.HOLDS: "ix_regimen_courses_waits",
    Listing.OVERDUE: "ix_regimen_visits_target",
    Listing.MISSED: "ix_regimen_visits_target",
}
"""The index of each list, of the others `ix_regimen_visits_earliest`."""


@pytest.fixture(scope="module")
def crowded(database_url: str) -> Iterator[SqlStore]:
    store = open_store(database_url)
    fill(store, TENANT, MANY)
    yield store
    store.close()


OF_NO_DAY = (Listing.OPEN_FINDINGS, Listing.UNSIGNED)


def plan(store: SqlStore, wanted: Wanted) -> list[str]:
    """What the database says that it will do for the candidates of a list."""
    return planned(store, lambda reader: reader.candidates(wanted))


def planned(store: SqlStore, asked: Callable[[SqlReader], object]) -> list[str]:
    """What the database says that it will do for what is asked."""
    found: list[str] = []
    sqlite = store.engine.dialect.name == "sqlite"

    def explain(_: object, cursor: Any, statement: str, parameters: Any, *__: object) -> None:
        if sqlite:
            rows = cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
            found.extend(row[3] for row in rows)
        else:
            rows = cursor.execute(f"EXPLAIN {statement}", parameters).fetchall()
            found.extend(row[0] for row in rows)

    with SqlLists(store).reading(TENANT) as reader:
        event.listen(store.engine, "before_cursor_execute", explain)
        try:
            asked(reader)
        finally:
            event.remove(store.engine, "before_cursor_execute", explain)
    return found


@pytest.mark.parametrize("day", [None, TODAY], ids=["", "a-day"])
@pytest.mark.parametrize("sites", [None, frozenset(SITES[:1]), frozenset(SITES[:40])],
                         ids=["all", "one", "many"])  # fmt: skip
@pytest.mark.parametrize("listing", list(Listing))
def test_a_list_follows_its_index_and_reads_no_table_through(
    crowded: SqlStore, listing: Listing, sites: frozenset[str] | None, day: Any
) -> None:
    wanted = Wanted(
        listing=listing,
        first=TODAY,
        last=TODAY,
        until=TODAY + timedelta(days=7),
        sites=sites,
        limit=51,
    )
    with SqlLists(crowded).reading(TENANT) as reader:
        key = reader.candidates(replace(wanted, sites=None))[0].key
    for after, workflow in product((None, key), (None, "w")):
        steps = plan(crowded, replace(wanted, after=after, day=day, workflow=workflow))
        assert steps
        if day and (listing.value.startswith("waiting") or listing in OF_NO_DAY):
            continue  # nothing is of a day that has none
        whole = "\n".join(steps)

        assert "SCAN " not in whole, whole
        assert "Seq Scan" not in whole, whole
        if crowded.engine.dialect.name == "sqlite":
            assert FOLLOWS.get(listing, "ix_regimen_visits_earliest") in steps[0], whole
            assert "TEMP B-TREE" not in whole, whole


def test_when_records_began_to_wait_is_found_by_their_keys(crowded: SqlStore) -> None:
    wanted = Wanted(listing=Listing.UNSIGNED, first=TODAY, last=TODAY, until=TODAY, limit=51)
    with SqlLists(crowded).reading(TENANT) as reader:
        rows = {one.course: json.loads(one.row or "") for one in reader.candidates(wanted)}
    places = [(course, int(seq)) for course, row in rows.items() for seq in row["unsigned"]]
    whole = "\n".join(planned(crowded, lambda reader: reader.recorded(places)))

    assert places
    assert "pk_regimen_records" in whole or "USING INDEX sqlite_autoindex_regimen_records" in whole
    assert "SCAN regimen_records" not in whole
    assert "Seq Scan" not in whole


def test_every_list_finds_somebody_in_the_crowd(crowded: SqlStore) -> None:
    for listing in Listing:
        wanted = Wanted(
            listing=listing, first=TODAY, last=TODAY, until=TODAY + timedelta(days=7), limit=5
        )
        with SqlLists(crowded).reading(TENANT) as reader:
            assert len(reader.candidates(wanted)) == 5, listing
