"""What a service logs, whoever configured the logging: one line a decision, nothing clinical."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from engine.core.event import ENROLLED
from engine.errors import StoreUnavailable
from engine.logs import KEYS
from engine.store.memory import MemoryStore
from tests.service.bench import BAD, INSTRUMENT, Bench


@pytest.fixture
def bench() -> Bench:
    bench = Bench(MemoryStore(), "works")
    bench.install(INSTRUMENT)
    return bench


@pytest.fixture
def lines() -> Iterator[list[Any]]:
    """Every line, as a host sees it that configured nothing."""
    structlog.reset_defaults()
    with capture_logs() as lines:
        yield lines


def test_each_decision_is_one_line_with_keys_and_those_of_timers_too(
    bench: Bench, lines: list[Any]
):
    bench.in_service("gauge")
    bench.clock.advance(days=400)
    bench.service.submit(bench.measurement("gauge", BAD))

    assert [(line["seq"], line["event_name"], line["verdict"]) for line in lines] == [
        (1, ENROLLED, "accepted"),
        (2, "measurement_recorded", "accepted"),
        (3, "release_instrument", "accepted"),
        (4, "recalibration_missed", "accepted"),
        (5, "measurement_recorded", "accepted"),
    ]
    assert {line["event"] for line in lines} == {"event_decided"}


def test_no_line_says_what_may_be_clinical_though_nobody_hides_it(bench: Bench, lines: list[Any]):
    """A state may tell of an illness; a host's own configuration would print it."""
    bench.in_service("gauge")
    bench.service.submit(bench.measurement("gauge", BAD, reason={"text": "Odd."}))

    assert lines
    assert {key for line in lines for key in line} - KEYS == {"log_level"}


def test_what_was_not_written_is_not_told(bench: Bench, lines: list[Any]):
    bench.enrolled("gauge")
    sent = bench.measurement("gauge")
    bench.service.dry_run(sent)
    bench.service.submit(sent)
    bench.service.submit(sent)
    answers = bench.service.submit_many([sent, {}, bench.measurement("gauge")])

    assert len(answers) == 3
    assert [line["seq"] for line in lines] == [1, 2, 3]


class Failing(MemoryStore):
    """A store that cannot commit any more once it is told so."""

    broken = False

    def ended(self, tenant: str, held: Any, *, write: bool) -> None:
        super().ended(tenant, None if self.broken else held, write=write)
        if self.broken and write and held is not None:
            raise StoreUnavailable("the disk is full")


def test_what_could_not_be_committed_is_not_told(lines: list[Any]):
    store = Failing()
    bench = Bench(store, "works")
    bench.install(INSTRUMENT)
    bench.enrolled("gauge")
    store.broken = True

    with pytest.raises(StoreUnavailable):
        bench.service.submit(bench.measurement("gauge"))
    with pytest.raises(StoreUnavailable):
        bench.service.submit_many([bench.measurement("gauge")])

    assert [line["seq"] for line in lines] == [1]
    assert len(bench.records("gauge")) == 1
