"""The review queues follow their index: no page looks at what is before it or in no queue."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Select

from engine.store import migrate
from engine.store.review import _count, _page
from engine.store.sql import SqlStore, open_store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlStore]:
    path: Path = tmp_path_factory.mktemp("plans") / "courses.db"
    store = open_store(f"sqlite:///{path}")
    migrate.upgrade(store.engine)
    yield store
    store.close()


@pytest.mark.parametrize("at_sites", [False, True])
@pytest.mark.parametrize("after", [False, True])
def test_a_page_is_read_along_the_index_and_sorts_nothing(
    store: SqlStore, after: bool, at_sites: bool
):
    plan = planned(store, _page(after=after, at_sites=at_sites))

    assert any("regimen_reviews USING INDEX ix_regimen_reviews_open" in step for step in plan)
    assert not any("TEMP B-TREE" in step or "SCAN" in step for step in plan)


@pytest.mark.parametrize("at_sites", [False, True])
def test_a_queue_is_counted_in_the_index_alone(store: SqlStore, at_sites: bool):
    plan = planned(store, _count(at_sites=at_sites))

    assert any("USING COVERING INDEX ix_regimen_reviews_open" in step for step in plan)


def planned(store: SqlStore, statement: Select[Any]) -> list[str]:
    """What SQLite says that it would do, without any statistics."""
    made = statement.compile(dialect=store.engine.dialect)
    # In place of each list one value is enough: how many there are is no part of the plan.
    asked = re.sub(r"__\[POSTCOMPILE_\w+\]", "?", str(made))
    with store.engine.begin() as connection:
        values = tuple("0" for _ in range(asked.count("?")))
        return [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}", values)]
