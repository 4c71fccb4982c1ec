"""The service on a host's own transaction: joined, never begun, ended or retried."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, func, select, text

from engine.answer import Answer
from engine.errors import (
    Conflict,
    IdempotencyConflict,
    InvalidInput,
    NotFound,
    NotPermitted,
    RegimenError,
    UnknownWorkflow,
)
from engine.service import Service
from engine.store.sql import HostStore, SqlStore
from engine.store.tables import courses, records
from tests.service.bench import BAD, INSTRUMENT, Bench
from tests.service.hosts import (
    Bind,
    Host,
    OnAsyncSession,
    OnConnection,
    OnSession,
    appoint,
    appointments,
    made,
    outside,
)
from tests.service.racing import until_it_waits

OURS_NEVER = re.compile(
    r"\s*(BEGIN|COMMIT|END|ROLLBACK|SAVEPOINT|RELEASE|PRAGMA|SET|START|LOCK)\b", re.IGNORECASE
)


@pytest.fixture(scope="module")
def store(database_url: str) -> Iterator[SqlStore]:
    """What another process sees; in the database there is a table of the host's own, too."""
    store = outside(database_url)
    with store.engine.begin() as connection:
        connection.execute(text("CREATE TABLE appointments (tenant TEXT)"))
    yield store
    store.close()


@pytest.fixture(params=[OnConnection, OnSession, OnAsyncSession])
def host(request: pytest.FixtureRequest, database_url: str) -> Host:
    made: Host = request.param(database_url)
    return made


def on(bench: Bench, bind: Bind) -> Service:
    return bench.service.on(HostStore(bind))


def released(bench: Bench, bind: Bind, course: str = "gauge") -> list[Answer]:
    """A course to its release, with a refusal and a repeat, and something of the host's own."""
    service, sent = on(bench, bind), bench.measurement(course, reason={"text": "As usual."})
    appoint(bind, bench.tenant)
    return [
        service.submit(bench.enrolment(course)),
        service.submit(bench.release(course)),
        service.submit(sent),
        service.submit(sent),
        service.submit(bench.release(course)),
    ]


def nothing_of(bench: Bench, store: SqlStore) -> bool:
    with store.engine.connect() as connection:
        for table in (courses, records):
            mine = select(func.count()).select_from(table).where(table.c.tenant == bench.tenant)
            assert connection.scalar(mine) == 0
    return appointments(store, bench.tenant) == 0


# --- one transaction ----------------------------------------------------------------------------


def test_what_the_host_commits_is_there_ours_and_its_own(host: Host, bench: Bench, store: SqlStore):
    answers = host.commits(lambda bind: released(bench, bind))

    assert [a.verdict for a in answers] == [
        "accepted", "refused", "accepted", "accepted", "accepted",
    ]  # fmt: skip
    assert [a.repeated for a in answers] == [False, False, False, True, False]
    assert bench.state("gauge") == "in_service"
    assert appointments(store, bench.tenant) == 1
    assert bench.proved("gauge")


def test_what_the_host_rolls_back_was_never_there_ours_and_its_own(
    host: Host, bench: Bench, store: SqlStore
):
    answers = host.rolls_back(lambda bind: released(bench, bind))

    assert answers[-1].verdict == "accepted"
    assert nothing_of(bench, store)
    with pytest.raises(NotFound):
        bench.records("gauge")


def test_an_event_that_was_rolled_back_is_decided_anew_and_not_known(host: Host, bench: Bench):
    bench.in_service("gauge")
    sent = bench.measurement("gauge", BAD)
    first = host.rolls_back(lambda bind: on(bench, bind).submit(sent))

    again = host.commits(lambda bind: on(bench, bind).submit(sent))

    assert first == again
    assert not again.repeated
    assert bench.proved("gauge")


def test_timers_fire_in_the_hosts_transaction_and_not_when_it_rolls_back(host: Host, bench: Bench):
    bench.in_service("gauge")
    bench.clock.advance(days=400)

    assert host.rolls_back(lambda bind: on(bench, bind).tick()) == 1
    assert bench.state("gauge") == "in_service"
    assert host.commits(lambda bind: on(bench, bind).tick()) == 1
    assert bench.state("gauge") == "overdue"
    assert bench.proved("gauge")


def test_a_host_sees_in_its_transaction_what_it_has_not_committed(host: Host, bench: Bench):
    def work(bind: Bind) -> tuple[Any, ...]:
        service = on(bench, bind)
        answers = service.submit_many([bench.enrolment("gauge"), bench.measurement("gauge")])
        tried = service.dry_run(bench.release("gauge"))
        names = [line.course for line in service.courses()]
        status = service.status("gauge")
        return answers, tried.state, len(service.records("gauge")), names, status.row["state"]

    answers, tried, number, names, state = host.rolls_back(work)

    assert all(isinstance(answer, Answer) for answer in answers)
    assert (tried, number, names, state) == ("in_service", 2, ["gauge"], "on_bench")
    assert list(bench.service.courses()) == []


def test_a_workflow_is_installed_in_the_hosts_transaction(
    host: Host, bench: Bench, store: SqlStore
):
    other = Bench(store, f"{bench.tenant}-b")

    def installs(bind: Bind) -> Answer:
        with HostStore(bind).transaction(other.tenant) as tx:
            other.registry.install([INSTRUMENT], tx)
        return on(other, bind).submit(other.enrolment("gauge"))

    assert host.rolls_back(installs).verdict == "accepted"
    with pytest.raises(UnknownWorkflow):
        other.service.submit(other.enrolment("gauge"))
    assert host.commits(installs).verdict == "accepted"
    assert other.proved("gauge")


def test_nothing_is_sent_that_begins_or_ends_a_transaction_and_nothing_is_ended(
    host: Host, bench: Bench
):
    """No BEGIN, PRAGMA or SAVEPOINT: on default pysqlite the release of one commits."""
    bench.in_service("gauge")
    bench.clock.advance(days=400)

    def work(bind: Bind) -> list[str]:
        service = on(bench, bind)
        service.tick()
        released(bench, bind, "caliper")
        for bad in spoiled(bench):
            with pytest.raises(RegimenError):
                service.submit(bad)
        service.submit_many(spoiled(bench))
        service.status("gauge")
        return list(host.watch.ended)

    ended = host.commits(work)

    assert len(host.watch.sent) > 20
    assert [sent for sent in host.watch.sent if OURS_NEVER.match(sent)] == []
    assert ended == []
    assert host.watch.ended == ["commit"]


# --- what goes wrong ----------------------------------------------------------------------------


def spoiled(bench: Bench) -> list[dict[str, Any]]:
    """Events that are no decision, for a course `gauge` that exists."""
    first = bench.records("gauge")[0].event_id
    return [
        bench.enrolment("gauge"),
        bench.enrolment("second", patient="patient-of-gauge"),
        bench.enrolment("third", workflow="unheard_of"),
        bench.enrolment("fourth", zone="Europe/Nowhere"),
        bench.measurement("nowhere"),
        bench.measurement("gauge", id=first),
        bench.measurement("gauge") | {"at": "noon"},
        bench.release("gauge", expected_revision=1),
        bench.body("gauge", "release_instrument", role="technician"),
        bench.body("gauge", "course.corrected", reason={"code": "typing-error"},
                   data={"record": 1, "input": "deviation", "entered_in_error": True}),
    ]  # fmt: skip


def test_an_event_that_is_refused_at_the_door_leaves_the_hosts_transaction_alive(
    host: Host, bench: Bench, store: SqlStore
):
    """A duplicate enrolment, too: as an error of PostgreSQL it would end the transaction."""
    bench.in_service("gauge")

    def work(bind: Bind) -> list[type[Exception]]:
        found = []
        for bad in spoiled(bench):
            with pytest.raises(RegimenError) as raised:
                on(bench, bind).submit(bad)
            found.append(raised.type)
        appoint(bind, bench.tenant)
        on(bench, bind).submit(bench.measurement("gauge"))
        return found

    found = host.commits(work)

    assert found == [
        Conflict, Conflict, UnknownWorkflow, InvalidInput, NotFound, IdempotencyConflict,
        InvalidInput, Conflict, NotPermitted, InvalidInput,
    ]  # fmt: skip
    assert appointments(store, bench.tenant) == 1
    assert len(bench.records("gauge")) == 4
    assert bench.proved("gauge")


@pytest.mark.parametrize("same", ["course", "patient"])
def test_a_host_that_waited_for_another_ones_enrolment_is_told_and_goes_on(
    bench: Bench, store: SqlStore, engine: Engine, same: str
):
    """The other's course is not there yet when it looks, and is when it writes."""
    first = bench.enrolment("gauge")
    second = (
        first | {"id": "other", "patient": "p"} if same == "course" else first | {"course": "c"}
    )

    def waits() -> Conflict:
        with engine.connect() as connection:
            with pytest.raises(Conflict) as raised:
                on(bench, connection).submit(second)
            appoint(connection, bench.tenant)
            connection.commit()
            return raised.value

    with engine.connect() as connection, ThreadPoolExecutor(1) as pool:
        on(bench, connection).submit(first)
        lost = pool.submit(waits)
        until_it_waits(store)
        assert not lost.done()
        connection.commit()
        conflict = lost.result(timeout=30)

    assert conflict.course == second["course"]
    assert appointments(store, bench.tenant) == 1
    assert [line.course for line in bench.service.courses()] == ["gauge"]


def test_a_host_whose_view_is_older_than_the_course_conflicts_once_and_may_try_again(
    bench: Bench, engine: Engine
):
    """SQLITE_BUSY_SNAPSHOT, or a serialization failure: the host runs all of its work again."""
    bench.in_service("gauge")
    sent = bench.measurement("gauge", BAD)
    with one_view(engine) as connection:
        assert on(bench, connection).status("gauge").row["state"] == "in_service"
        bench.service.submit(bench.measurement("gauge"))
        heads: list[str] = []
        event.listen(connection, "before_cursor_execute", lambda *sends: heads.append(sends[2]))

        with pytest.raises(Conflict) as raised:
            on(bench, connection).submit(sent)
        connection.rollback()

    assert raised.value.retriable
    assert raised.value.course == "gauge"
    assert sum("event_id" in sent and sent.startswith("SELECT") for sent in heads) == 1
    with engine.begin() as connection:
        assert on(bench, connection).submit(sent).state == "withdrawn"
    assert bench.proved("gauge")


def test_on_default_pysqlite_a_host_that_lost_a_race_after_it_looked_conflicts(
    sqlite_url: str, tenant: str
):
    """It has no transaction before it writes, so that nothing was held since it looked."""
    store, engine = outside(sqlite_url), made(sqlite_url)
    bench = Bench(store, tenant)
    bench.install(INSTRUMENT)
    bench.in_service("gauge")
    rival = [bench.measurement("gauge")]

    def meanwhile(*sends: Any) -> None:
        if rival:
            bench.service.submit(rival.pop())

    with engine.connect() as connection:
        event.listen(connection, "after_cursor_execute", meanwhile)
        with pytest.raises(Conflict) as raised:
            on(bench, connection).submit(bench.measurement("gauge", BAD))
        connection.rollback()

    assert raised.value.retriable
    assert len(bench.records("gauge")) == 4
    assert bench.proved("gauge")
    store.close()
    engine.dispose()


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """A host's engine."""
    engine = made(database_url)
    yield engine
    engine.dispose()


def one_view(engine: Engine) -> Connection:
    """A transaction that has begun and sees one moment."""
    if engine.dialect.name == "postgresql":
        return engine.connect().execution_options(isolation_level="REPEATABLE READ")
    connection = engine.connect()
    connection.exec_driver_sql("BEGIN")
    return connection
