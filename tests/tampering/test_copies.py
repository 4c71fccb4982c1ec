"""Every column of every table is held against what it follows from, or it is said why not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Boolean, Column, Date, Integer, LargeBinary, Table

from engine.core.history import Mismatch
from engine.rebuilding import Rebuilder
from engine.store.copies import WRITTEN_ANEW
from engine.store.tables import Instant, feed, messages, metadata, tokens
from tests.tampering.decided import DECISIONS, ELSEWHERE, Decision
from tests.tampering.house import House

PAGE = Path(__file__).parents[2] / "docs" / "audit.md"
TABLES = [table for table in metadata.sorted_tables if table not in ELSEWHERE]
BEFORE = datetime.fromisoformat("2026-03-02T09:00:00Z")


@pytest.fixture(params=TABLES, ids=lambda table: table.name)
def table(request: pytest.FixtureRequest) -> Table:
    found: Table = request.param
    return found


def test_every_table_and_every_column_that_is_not_held_is_decided_on():
    assert DECISIONS.keys() == set(metadata.tables.values())
    for table, decision in DECISIONS.items():
        assert decision.apart.keys() <= set(table.c.keys()), table.name


def test_a_house_that_nobody_touched_is_whole_and_has_rows_in_every_table(house: House):
    assert list(house.found()) == []
    assert [table.name for table in TABLES if not house.saved[table]] == []


def test_a_column_that_is_changed_is_found_and_named(house: House, table: Table):
    """Each column, where it is set and where it is not; those that are said to escape do."""
    decision, wrong = DECISIONS[table], list[str]()
    for n, column in _chosen(house.saved[table], table):
        before = house.saved[table][n][column.name]
        if before is None and column.name in decision.apart:
            continue  # that it is set at all is looked at below
        _change(house, table, n, column.name, another(column, before))
        found = _first_found(house)
        if (found is None) != (column.name in decision.apart):
            wrong.append(f"{table.name} {n}: {column.name}: {found}")
        if found is not None and not _names(found, table):
            wrong.append(f"{table.name} {n}: {column.name} is told as {found}")

    assert wrong == []


def test_a_row_that_is_gone_or_one_too_many_is_found(house: House, table: Table):
    decision, rows, wrong = DECISIONS[table], house.saved[table], list[str]()
    for label, left in _counted(rows, table):
        if decision.rows is not None and "gone" not in label:
            continue  # of what may be gone, nobody counts what is there
        house.put(table, left)
        found = _first_found(house)
        if (found is None) != (decision.rows is not None):
            wrong.append(f"{table.name}: {label}: {found}")

    assert wrong == []


def test_a_message_that_was_told_and_a_token_that_was_revoked_stay_so(house: House):
    for table, column in ((messages, "delivered_at"), (tokens, "revoked_at")):
        rows = house.saved[table]
        for n in (_first(rows, column, unset=True), _first(rows, column, unset=False)):
            _change(house, table, n, column, BEFORE if rows[n][column] is None else None)
            found = _first_found(house)

            assert isinstance(found, Mismatch)
            assert (found.table, found.column) == (table.name, column)


def test_an_entry_of_the_feed_about_a_course_that_is_not_there_is_found(house: House):
    """Though its number follows the last one: whoever reads the feed would be told of it."""
    rows = house.saved[feed]
    last = max(rows, key=lambda row: row["position"])
    house.put(feed, [*rows, last | {"position": last["position"] + 1, "course": "C-99"}])
    found = _first_found(house)

    assert isinstance(found, Mismatch)
    assert (found.table, found.key) == ("regimen_feed", {"course": "C-99"})


@pytest.mark.parametrize("table", WRITTEN_ANEW, ids=lambda table: table.name)
def test_what_is_no_copy_any_more_is_written_anew_from_the_records(house: House, table: Table):
    """Each column, each row that is gone, and each that is one too many."""
    rows, rebuilder = house.saved[table], _rebuilder(house)
    crimes: list[list[dict[str, Any]]] = []
    for n, column in _chosen(rows, table):
        if column.name in {"tenant", *DECISIONS[table].apart}:
            continue
        changed = rows[n] | {column.name: another(column, rows[n][column.name])}
        crimes.append([*rows[:n], changed, *rows[n + 1 :]])
    crimes += [left for label, left in _counted(rows, table) if "course" not in label]
    for left in crimes:
        house.put(table, left)
        house.touched.add(table)
        for course in {row["course"] for row in house.saved[messages]}:
            assert rebuilder.rebuild(course).left is None
        strays = [one for one in house.rows(table) if one["course"] not in house.bodies()]
        house.put(table, [one for one in house.rows(table) if one not in strays])
        found, again = list(house.found()), house.rows(table)
        house.restore()

        assert found == []
        if table is not messages:  # when one was told is not known again
            assert again == rows


def test_nothing_is_written_anew_from_records_that_are_not_whole(house: House):
    from engine.store.tables import courses, records  # noqa: PLC0415  # of this test alone

    row = house.saved[records][0]
    house.change(records, 0, body=row["body"] + b" ")
    house.change(courses, 0, site="elsewhere")
    done = _rebuilder(house).rebuild(row["course"])
    there = house.rows(courses)
    house.restore()

    assert done.tables == ()
    assert done.left is not None
    assert done.left.kind == "content"
    assert there[0]["site"] == "elsewhere"


def test_the_page_says_of_each_table_what_it_is_held_against():
    """The table of docs/audit.md is what the tests above found to be so."""
    lines = ["| Table | What it is | Held against | What of it is not |", "|---|---|---|---|"]
    for table, one in DECISIONS.items():
        lines.append(f"| `{table.name.removeprefix('regimen_')}` | {one.what} | {one.held_by} | "
                     f"{_apart(table, one)} |")  # fmt: skip
    said = re.search(
        r"^\| Table \| What it is .*?\n(?=\n)", PAGE.read_text(), re.MULTILINE | re.DOTALL
    )

    assert said is not None, "\n".join(lines)
    assert said[0].strip() == "\n".join(lines)


def _change(house: House, table: Table, n: int, column: str, value: Any) -> None:
    rows = [dict(row) for row in house.saved[table]]
    rows[n][column] = value
    house.put(table, rows)


def _first_found(house: House) -> Mismatch | str | None:
    try:
        return next(house.found(), None)
    finally:
        house.restore()


def another(column: Column[Any], value: Any) -> Any:
    """Something else that the column takes."""
    if isinstance(column.type, Instant):
        return (
            BEFORE
            if value is None
            else value + timedelta(seconds=1)
            if value.year < 9999
            else BEFORE
        )
    if isinstance(column.type, Date):
        return date(2026, 3, 2) if value is None else value + timedelta(days=1)
    if isinstance(column.type, Boolean):
        return not value
    if isinstance(column.type, Integer):
        return 900 + (value or 0)
    if isinstance(column.type, LargeBinary):
        return bytes(value)[:-1] + bytes([bytes(value)[-1] ^ 1])
    return "x" if value is None else f"{value}x"


def _chosen(rows: Sequence[dict[str, Any]], table: Table) -> Iterator[tuple[int, Column[Any]]]:
    """Of each column a row that has it, and one that has it not."""
    for column in table.c:
        for unset in (False, True):
            n = _first(rows, column.name, unset=unset)
            if n >= 0:
                yield n, column


def _first(rows: Sequence[dict[str, Any]], column: str, *, unset: bool) -> int:
    return next((n for n, row in enumerate(rows) if (row[column] is None) == unset), -1)


def _counted(
    rows: list[dict[str, Any]], table: Table
) -> Iterator[tuple[str, list[dict[str, Any]]]]:  # fmt: skip
    for n in sorted({0, len(rows) // 2, len(rows) - 1}):
        yield f"{n} is gone", [*rows[:n], *rows[n + 1 :]]
        yield f"{n} is there twice", [*rows, rows[n]]
        for column in table.primary_key:
            if column.name != "tenant":
                again = rows[n] | {column.name: another(column, rows[n][column.name])}
                yield f"{n} again with another {column.name}", [*rows, again]


def _names(found: Mismatch | str, table: Table) -> bool:
    """Whether a person is led to the table; a course that is gone shows elsewhere first."""
    return not isinstance(found, Mismatch) or found.table in {table.name, *_NEIGHBOURS}


_NEIGHBOURS = {
    f"regimen_{name}"
    for name in ("courses", "feed", "messages", "tokens", "definitions", "canaries")
} | {"regimen_deliveries", "regimen_sealing"}


def _rebuilder(house: House) -> Rebuilder:
    return Rebuilder(store=house.store, auditor=house.auditor(), clock=house.bench.clock)


def _apart(table: Table, one: Decision) -> str:
    if one.apart.keys() == set(table.c.keys()):
        return f"all of it: {one.rows}"
    said = [f"`{name}`: {why}" for name, why in one.apart.items()]
    by_reason: dict[str, list[str]] = {}
    for name, why in one.apart.items():
        by_reason.setdefault(why, []).append(f"`{name}`")
    said = [f"{', '.join(names)}: {why}" for why, names in by_reason.items()]
    if one.rows is not None:
        said.append(f"a row that is gone: {one.rows}")
    return "; ".join(said) or "-"
