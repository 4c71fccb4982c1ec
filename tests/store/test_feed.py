"""The feed of a store: no gap, in order for each course, whoever writes and reads at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta

import pytest

from engine.errors import StoreUnavailable
from engine.messages import Entry
from engine.ports import Outgoing
from engine.store.feed import SqlFeed
from engine.store.sql import SqlStore, open_store
from tests.store import race
from tests.store.writing import NOON, Clinic

Race = Callable[[race.Run, str, str], dict[str, list[str]]]

SAID = (Outgoing(kind="course.changed", body=b"{}"), Outgoing(kind="order_due", body=b"{}"))
ROUNDS = 25


def tell(clinic: Clinic, course: str, *seqs: int, site: str = "north") -> None:
    """Decisions of a course, each with two messages."""
    for seq in seqs:
        clinic.stored(clinic.decision(course, seq, messages=SAID, site=site))


def sequence(feed: SqlFeed, tenant: str, limit: int = 500) -> int:
    return feed.sequence(tenant, NOON, limit)


def whole(feed: SqlFeed, tenant: str) -> Sequence[Entry]:
    page = feed.page(tenant, 0, 1000)
    assert not page.more
    return page.entries


def places(entries: Sequence[Entry]) -> list[tuple[str, int, int]]:
    return [(one.course, one.seq, one.n) for one in entries]


@pytest.fixture
def feed(database: SqlStore) -> SqlFeed:
    return SqlFeed(database)


def test_messages_get_positions_from_one_in_the_order_of_their_records(
    feed: SqlFeed, clinic: Clinic
):
    tell(clinic, "C-2", 1, 2)
    tell(clinic, "C-1", 1)

    assert sequence(feed, clinic.tenant) == 6
    entries = whole(feed, clinic.tenant)
    assert [one.position for one in entries] == [1, 2, 3, 4, 5, 6]
    assert places(entries) == [
        ("C-1", 1, 1), ("C-1", 1, 2), ("C-2", 1, 1), ("C-2", 1, 2), ("C-2", 2, 1), ("C-2", 2, 2),
    ]  # fmt: skip
    assert [one.kind for one in entries[:2]] == ["course.changed", "order_due"]
    assert entries[0].recorded_at == NOON + timedelta(seconds=1)


def test_a_message_that_has_a_position_waits_no_longer_and_keeps_it(feed: SqlFeed, clinic: Clinic):
    tell(clinic, "C-1", 1)
    sequence(feed, clinic.tenant)
    before = whole(feed, clinic.tenant)

    assert sequence(feed, clinic.tenant) == 0
    assert whole(feed, clinic.tenant) == before
    with clinic.reading() as tx:
        assert tx.waiting(9) == []


def test_a_bounded_batch_leaves_the_rest_for_the_next(feed: SqlFeed, clinic: Clinic):
    tell(clinic, "C-1", 1, 2, 3)

    assert [sequence(feed, clinic.tenant, limit=4) for _ in range(3)] == [4, 2, 0]
    assert places(whole(feed, clinic.tenant)) == [
        ("C-1", seq, n) for seq in (1, 2, 3) for n in (1, 2)
    ]


def test_a_page_goes_on_from_where_the_one_before_ended(feed: SqlFeed, clinic: Clinic):
    tell(clinic, "C-1", 1, 2)
    sequence(feed, clinic.tenant)

    first = feed.page(clinic.tenant, 0, 3)
    second = feed.page(clinic.tenant, first.through, 3)
    assert ([one.position for one in first.entries], first.through, first.more) == (
        [1, 2, 3], 3, True,
    )  # fmt: skip
    assert ([one.position for one in second.entries], second.through, second.more) == (
        [4], 4, False,
    )  # fmt: skip
    assert feed.page(clinic.tenant, 4, 3).through == 4


def test_a_page_of_sites_has_their_courses_only_and_passes_the_others(
    feed: SqlFeed, clinic: Clinic
):
    tell(clinic, "C-1", 1, site="north")
    tell(clinic, "C-2", 1, site="south")
    sequence(feed, clinic.tenant)

    page = feed.page(clinic.tenant, 0, 10, sites=("north",))
    assert {one.course for one in page.entries} == {"C-1"}
    assert page.through == 4
    assert feed.page(clinic.tenant, 0, 10, sites=()).entries == []
    assert [one.course for one in feed.changed_since(clinic.tenant, 0, 9, ("south",))] == ["C-2"]


def test_tenants_have_feeds_of_their_own(feed: SqlFeed, clinic: Clinic):
    other = Clinic(clinic.store, f"{clinic.tenant}-other")
    tell(clinic, "C-1", 1)
    tell(other, "C-9", 1)
    sequence(feed, clinic.tenant)
    sequence(feed, other.tenant)

    assert places(whole(feed, other.tenant)) == [("C-9", 1, 1), ("C-9", 1, 2)]
    assert [one.position for one in whole(feed, other.tenant)] == [1, 2]


def test_courses_that_changed_come_once_each_by_their_last_change(feed: SqlFeed, clinic: Clinic):
    tell(clinic, "C-1", 1)
    tell(clinic, "C-2", 1)
    sequence(feed, clinic.tenant)
    tell(clinic, "C-1", 2)
    sequence(feed, clinic.tenant)

    every = feed.changed_since(clinic.tenant, 0, 10)
    assert [(one.course, one.position) for one in every] == [("C-2", 4), ("C-1", 6)]
    assert feed.changed_since(clinic.tenant, 0, 1) == every[:1]
    assert feed.changed_since(clinic.tenant, 4, 10) == every[1:]
    assert feed.changed_since(clinic.tenant, 6, 10) == []


def test_a_database_without_tables_is_said_to_be_so(tmp_path):
    store = open_store(f"sqlite:///{tmp_path}/empty.db")

    with pytest.raises(StoreUnavailable, match="regimen migrate"):
        SqlFeed(store).sequence("clinic", NOON, 9)
    store.close()


# --- many at once -------------------------------------------------------------------------------


@pytest.fixture
def on_postgres(migrated_postgres_url: str, tenant: str) -> Iterator[Clinic]:
    store = open_store(migrated_postgres_url)
    yield Clinic(store, tenant)
    store.close()


def test_who_commits_late_gets_a_later_position_and_is_not_skipped(on_postgres: Clinic):
    assert isinstance(on_postgres.store, SqlStore)
    feed = SqlFeed(on_postgres.store)
    on_postgres.begun("C-0")

    with on_postgres.writing() as late:
        late.append(on_postgres.decision("C-1", messages=SAID))  # recorded first
        tell(on_postgres, "C-2", 1)
        sequence(feed, on_postgres.tenant)
        seen = feed.page(on_postgres.tenant, 0, 10)
        assert places(seen.entries) == [("C-2", 1, 1), ("C-2", 1, 2)]
    sequence(feed, on_postgres.tenant)

    rest = feed.page(on_postgres.tenant, seen.through, 10)
    assert places(rest.entries) == [("C-1", 1, 1), ("C-1", 1, 2)]
    assert [one.position for one in rest.entries] == [3, 4]


def test_a_writer_does_not_wait_for_the_line(on_postgres: Clinic):
    assert isinstance(on_postgres.store, SqlStore)

    with on_postgres.store.connection(line=on_postgres.tenant):
        writer = threading.Thread(target=tell, args=(on_postgres, "C-1", 1))
        writer.start()
        writer.join(timeout=8)  # whoever waited for the line would be told so after ten seconds
        assert not writer.is_alive()


def test_two_stand_in_line_and_the_second_reads_what_the_first_wrote(on_postgres: Clinic):
    """Also on a server whose transactions see, by default, the moment at which they began."""
    assert isinstance(on_postgres.store, SqlStore)
    feed = SqlFeed(on_postgres.store)
    tell(on_postgres, "C-1", 1)
    came: list[int] = []

    with on_postgres.store.connection(line=on_postgres.tenant) as first:
        second = threading.Thread(
            target=lambda: came.append(sequence(feed, on_postgres.tenant)), daemon=True
        )
        second.start()
        second.join(timeout=0.3)
        assert second.is_alive()
        assert first.in_transaction()
    second.join(timeout=30)

    assert came == [2]


def told_sequenced_and_read(clinic: Clinic, name: str, start: race.Start) -> Sequence[str]:
    """Writes, puts in order and reads on, all in turns; what it read."""
    assert isinstance(clinic.store, SqlStore)
    feed, after, read = SqlFeed(clinic.store), 0, []
    start.wait()
    for seq in range(1, ROUNDS + 1):
        tell(clinic, name, seq)
        feed.sequence(clinic.tenant, NOON, 3)
        page = feed.page(clinic.tenant, after, 4)
        after = page.through
        read += [f"{one.position} {one.course} {one.seq} {one.n}" for one in page.entries]
    return read


@pytest.mark.parametrize("compete", [race.threads, race.processes], ids=["threads", "processes"])
def test_two_that_write_order_and_read_at_once_see_one_order_without_a_gap(
    compete: Race, database_url: str, tenant: str
):
    store = open_store(database_url)
    clinic, feed = Clinic(store, tenant), SqlFeed(store)
    clinic.begun("C-0")

    ends = compete(told_sequenced_and_read, database_url, tenant)
    while sequence(feed, tenant):
        pass

    entries = whole(feed, tenant)
    order = [f"{one.position} {one.course} {one.seq} {one.n}" for one in entries]
    assert [one.position for one in entries] == list(range(1, 4 * ROUNDS + 1))
    for name, read in ends.items():
        assert read == order[: len(read)]
        own = [(one.seq, one.n) for one in entries if one.course == name]
        assert own == [(seq, n) for seq in range(1, ROUNDS + 1) for n in (1, 2)]
    store.close()
