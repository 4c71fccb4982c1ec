"""What every test may ask for."""

from __future__ import annotations

import logging
import sys
from collections.abc import Generator, Iterator

import pytest
import structlog
from hypothesis import settings

from tests.postgres import Server, fresh_database, running_server

# Two busy cores make a deadline a test of the machine.
settings.register_profile("regimen", deadline=None, print_blob=True)
settings.load_profile("regimen")


def only_warnings() -> None:
    """Log as structlog does of itself, from a warning on: a printed line for each decision would
    cost more than the decision.
    """
    structlog.reset_defaults()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))


only_warnings()  # what a module or a session sets up logs before any test's own fixture


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What ran on SQLite and runs again on PostgreSQL adds lines of the store alone to the
    coverage, and measuring it takes as long as running it.
    """
    for item in items:
        if "[postgresql" in item.nodeid and "tests/store/" not in item.nodeid:
            item.add_marker(pytest.mark.no_cover)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Let `no_cover` hold in a worker too: there the plugin pauses one measurement of two."""
    if item.get_closest_marker("no_cover") is None:
        return (yield)
    tracer = sys.gettrace()
    sys.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(tracer)


@pytest.fixture(autouse=True)
def _lines_whatever_ran_before() -> None:
    """A command or a service configures the lines of its whole process."""
    only_warnings()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """One server per worker; it forgets in a crash, so crash tests start one with `fsync`."""
    with running_server() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: Server) -> Iterator[str]:
    """An empty database of this test's own."""
    with fresh_database(postgres_server) as url:
        yield url
