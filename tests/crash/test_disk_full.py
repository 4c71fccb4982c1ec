"""No room left for a SQLite file: said so, nothing in half, and all well once there is room."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from engine.errors import StoreUnavailable
from engine.ports import Store
from engine.service import Service
from engine.store.sql import SqlStore
from tests.crash.conftest import Journal, migrated, opened, serving
from tests.crash.process import regimen
from tests.crash.witness import contents, everything, heads, kept, proved, whole_part

PAGE = 4096


@pytest.fixture
def url(tmp_path: Path) -> str:
    return migrated(f"sqlite:///{tmp_path}/courses.db")


def size(url: str) -> int:
    return Path(url.removeprefix("sqlite:///")).stat().st_size


def test_a_command_without_room_says_so_and_does_the_rest_once_there_is_some(
    url: str, told: Journal
):
    """To a process whose files may not grow, a write fails as on a full disk or quota."""
    with serving(url):
        pass  # which stores the definitions
    room = size(url) + 40 * PAGE

    full = regimen(url, "apply", str(told.file), largest_file=room)

    assert full.code == 2
    assert "the database cannot be used" in full.said
    assert "room" in full.said
    assert "These stand; apply the same files again for the rest." in full.said
    assert "Traceback" not in full.said
    with opened(url) as store:
        assert kept(full.acknowledged, store)
        assert whole_part(store, told.full)
        assert proved(store)
    assert regimen(url, "apply", str(told.file)).code == 0
    with opened(url) as store:
        assert contents(store) == told.full
        assert proved(store)


def test_a_file_that_cannot_grow_takes_nothing_in_half_and_goes_on_once_it_may(
    url: str, told: Journal
):
    """Event by event until one no longer fits; it is then decided as if nothing had been."""
    bodies = [json.loads(line) for line in told.file.read_text().splitlines()]
    with serving(url) as service, opened(url) as store:
        pages = size(url) // PAGE + 30
        with limited(service.store, pages):
            done, lost = until_full(service, bodies)
            before = everything(store)
            for body in bodies[done : done + 3]:
                with pytest.raises(StoreUnavailable, match="free some space"):
                    service.submit(body)
        assert "full: free some space" in lost.why
        assert everything(store) == before
        assert sum(heads(store).values()) >= done > 0
        assert whole_part(store, told.full)

        again = [service.submit(body).repeated for body in bodies[: done + 1]]
        assert again == [True] * done + [False]
        service.submit_many(bodies)
        assert contents(store) == told.full
        assert proved(store)


def until_full(service: Service, bodies: list[dict[str, Any]]) -> tuple[int, StoreUnavailable]:
    """How many events fitted, and what was said of the next."""
    for number, body in enumerate(bodies):
        try:
            service.submit(body)
        except StoreUnavailable as lost:
            return number, lost
    raise AssertionError("everything fitted")


@contextmanager
def limited(store: Store, pages: int) -> Iterator[None]:
    """For a while, no connection of the store lets the file have more pages."""
    assert isinstance(store, SqlStore)

    def limit(connection: Any, *_: object) -> None:
        connection.execute(f"PRAGMA max_page_count={pages}")

    event.listen(store.engine, "checkout", limit)
    try:
        yield
    finally:
        event.remove(store.engine, "checkout", limit)
        store.engine.dispose()
