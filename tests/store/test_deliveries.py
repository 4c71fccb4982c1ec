"""Deliveries in a database: in order for each course, and found however many wait."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from random import Random

import pytest
from sqlalchemy import insert, text

from engine.messages import Delivery, Endpoint, Outcome, Secret
from engine.store.deliveries import SqlDeliveries
from engine.store.sql import SqlStore
from engine.store.tables import feed
from engine.store.webhooks import SqlWebhooks
from tests.store.looked import looking
from tests.store.writing import NOON

EP = "ep_1"
LEASE = timedelta(seconds=60)
MANY, COURSES = 12_000, 1_500
AT_ONCE = 20
FEW = 50 * AT_ONCE
"""Far fewer than wait: what it may cost at most to deal with so many."""


def told(store: SqlStore, tenant: str, courses: Sequence[str]) -> None:
    """A feed that says something of these courses, one after the other."""
    seqs: dict[str, int] = {}
    rows = []
    for position, course in enumerate(courses, 1):
        seqs[course] = seqs.get(course, 0) + 1
        rows.append({
            "tenant": tenant, "position": position, "course": course, "seq": seqs[course], "n": 1,
            "kind": "course.changed", "recorded_at": NOON,
        })  # fmt: skip
    with store.engine.begin() as connection:
        for first in range(0, len(rows), 2000):
            connection.execute(insert(feed), rows[first : first + 2000])


def registered(store: SqlStore, tenant: str) -> None:
    endpoint = Endpoint(
        id=EP, url="https://clinic.example", kinds=(), secrets=(Secret(text="whsec_none"),),
        position=0, created_at=NOON,
    )  # fmt: skip
    SqlWebhooks(store).add(tenant, endpoint)


class Way:
    """What is on its way to the one endpoint of a tenant."""

    def __init__(self, store: SqlStore, tenant: str) -> None:
        self.deliveries = SqlDeliveries(store)
        self.tenant = tenant
        self.now = NOON

    def enqueue(self, limit: int = 1000) -> int:
        return self.deliveries.enqueue(self.tenant, EP, self.now, limit)

    def claim(self, limit: int = AT_ONCE) -> list[Delivery]:
        until = self.now + LEASE
        return list(self.deliveries.claim(self.tenant, EP, self.now, until, limit))

    def arrived(self, *held: Delivery) -> None:
        for one in held:
            outcome = Outcome(answered="204", delivered_at=self.now)
            assert self.deliveries.note(self.tenant, one, outcome)

    def failed(self, one: Delivery, again: datetime) -> bool:
        return self.deliveries.note(self.tenant, one, Outcome(answered="400", next_at=again))

    def given_up(self, one: Delivery) -> bool:
        return self.deliveries.note(self.tenant, one, Outcome(answered="400", dead_at=self.now))

    def replay(self, position: int | None = None) -> int:
        return self.deliveries.replay(self.tenant, self.now, EP, position)

    def open(self) -> int:
        return self.deliveries.standing(self.tenant).get(EP, (0, 0))[0]


@pytest.fixture
def way(database: SqlStore, tenant: str) -> Way:
    registered(database, tenant)
    return Way(database, tenant)


# --- a large backlog ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def crowded(database: SqlStore) -> Iterator[Way]:
    """Very many deliveries, in tables whose rows nobody has counted."""
    if database.engine.dialect.name == "postgresql":
        with database.engine.begin() as connection:
            for name in ("deliveries", "feed"):
                off = f"ALTER TABLE regimen_{name} SET (autovacuum_enabled = false)"
                connection.execute(text(off))
    way = Way(database, f"crowded-{id(database)}")  # two stores have one file
    told(database, way.tenant, [f"C-{number % COURSES}" for number in range(MANY)])
    registered(database, way.tenant)
    while way.enqueue():
        pass
    return way


def test_the_first_of_many_are_claimed_without_a_look_at_the_others(
    database: SqlStore, crowded: Way
):
    for _ in range(8):
        with looking(database, "deliveries") as looked:
            held = crowded.claim()
        assert len({one.course for one in held}) == AT_ONCE
        assert 0 < looked.rows < FEW
    crowded.now += LEASE


def test_what_comes_after_one_of_many_is_found_without_a_look_at_the_others(
    database: SqlStore, crowded: Way
):
    for _ in range(8):
        held = crowded.claim()
        with looking(database, "deliveries") as looked:
            crowded.arrived(*held)
        assert 0 < looked.rows < FEW
    assert crowded.open() == MANY - 8 * AT_ONCE


def test_what_is_said_meanwhile_joins_many_without_a_look_at_them(database: SqlStore, crowded: Way):
    SqlWebhooks(database).remove(crowded.tenant, EP)
    registered(database, crowded.tenant)
    while crowded.enqueue() == 1000:
        with looking(database, "deliveries") as looked:
            passed = crowded.enqueue(AT_ONCE)
        assert 0 < looked.rows < FEW or not passed


# --- in order -----------------------------------------------------------------------------------


def test_one_of_each_course_is_due_and_the_next_when_it_is_done(
    database: SqlStore, tenant: str, way: Way
):
    told(database, tenant, ["A", "A", "B", "A"])
    way.enqueue()

    first = way.claim()
    assert [one.position for one in first] == [1, 3]
    assert way.claim() == []
    way.arrived(first[0])
    assert [one.position for one in way.claim()] == [2]


def test_a_course_waits_for_its_first_while_that_is_tried_again(
    database: SqlStore, tenant: str, way: Way
):
    told(database, tenant, ["A", "A"])
    way.enqueue()
    [first] = way.claim()
    way.failed(first, NOON + LEASE)
    assert way.claim() == []

    way.now += LEASE
    [again] = way.claim()
    assert (again.position, again.attempts) == (1, 1)
    way.given_up(again)
    assert [one.position for one in way.claim()] == [2]


def test_what_comes_later_waits_for_what_was_put_on_its_way_before(
    database: SqlStore, tenant: str, way: Way
):
    told(database, tenant, ["A", "A", "B"])
    assert way.enqueue(1) == 1
    assert way.enqueue(2) == 2

    assert [one.position for one in way.claim()] == [1, 3]
    assert way.open() == 3


def test_what_was_given_up_comes_before_what_waits_and_in_order(
    database: SqlStore, tenant: str, way: Way
):
    told(database, tenant, ["A"] * 4)
    way.enqueue()
    for _ in range(2):
        [one] = way.claim()
        way.given_up(one)
    [third] = way.claim()
    way.failed(third, NOON + 9 * LEASE)

    assert way.replay() == 2
    order = []
    while held := way.claim():
        order += [one.position for one in held]
        way.arrived(*held)
    assert order == [1, 2, 3, 4]


def test_what_was_given_up_waits_for_one_of_its_course_that_is_in_hand(
    database: SqlStore, tenant: str, way: Way
):
    told(database, tenant, ["A"] * 2)
    way.enqueue()
    way.given_up(*way.claim())
    [second] = way.claim()

    assert way.replay(1) == 1
    assert way.claim() == []
    told_more = way.enqueue()
    assert told_more == 0
    way.arrived(second)
    assert [one.position for one in way.claim()] == [1]


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens_each_course_is_delivered_in_order_and_nothing_is_left(
    database: SqlStore, tenant: str, way: Way, seed: int
):
    """Any order of what workers do; leases end, some messages fail, some are given up."""
    chance = Random(seed)
    courses = [chance.choice("ABCDE") for _ in range(40)]
    told(database, tenant, courses)
    held: list[Delivery] = []
    done: dict[str, list[int]] = {}

    def finished(one: Delivery) -> None:
        done.setdefault(one.course, []).append(one.position)

    def some() -> None:
        one = held.pop(chance.randrange(len(held)))
        match chance.randrange(4):
            case 0:
                way.failed(one, way.now + chance.random() * LEASE)
            case 1:
                if way.given_up(one):
                    finished(one)
            case 2:
                way.deliveries.release(tenant, [one])
            case _:
                outcome = Outcome(answered="204", delivered_at=way.now)
                if way.deliveries.note(tenant, one, outcome):
                    finished(one)

    steps = 0
    while way.enqueue(chance.randrange(1, 9)) or way.open() or held:
        steps += 1
        assert steps < 2000
        held += way.claim(chance.randrange(1, 4))
        for _ in range(chance.randrange(3)):
            if held:
                some()
        way.now += chance.random() * LEASE / 2

    positions = {name: [p for p, c in enumerate(courses, 1) if c == name] for name in set(courses)}
    assert done == positions


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_sent_again_when_nothing_is_left_and_none_overtakes_one_in_hand(
    database: SqlStore, tenant: str, way: Way, seed: int
):
    chance = Random(seed)
    told(database, tenant, [chance.choice("ABC") for _ in range(40)])
    delivered: set[int] = set()
    steps = 0
    while len(delivered) < 40:
        steps += 1
        assert steps < 2000
        way.enqueue(chance.randrange(1, 9))
        held = way.claim(chance.randrange(1, 4))
        assert len({one.course for one in held}) == len(held)
        if chance.random() < 0.3:
            way.replay(chance.choice([None, chance.randrange(1, 41)]))
        for one in held:
            if chance.random() < 0.5:
                way.given_up(one)
            else:
                way.arrived(one)
                delivered.add(one.position)
        way.now += LEASE / 9
        if not held and not way.open():
            way.replay()

    assert way.deliveries.standing(tenant) == {}


def test_workers_at_once_leave_no_course_waiting_and_let_none_overtake(
    database: SqlStore, tenant: str, way: Way
):
    """What is put on its way and what ends meet at the same courses again and again."""
    courses = ["A", "B", "A", "C"] * 60
    told(database, tenant, courses)
    done: list[Delivery] = []
    start = threading.Barrier(4, timeout=60)
    wrong: list[BaseException] = []
    ends = threading.Event()

    def queueing() -> None:
        while way.enqueue(2):
            pass

    def sending() -> None:
        while not ends.is_set() and len(done) < len(courses):
            for one in way.claim(2):
                done.append(one)  # before the next of its course is due
                way.arrived(one)

    def watched(work) -> None:
        try:
            start.wait()
            work()
        except BaseException as error:  # noqa: BLE001  # it is told below
            wrong.append(error)
            ends.set()

    workers = [
        threading.Thread(target=watched, args=(work,)) for work in (queueing, *[sending] * 3)
    ]
    for one in workers:
        one.start()
    for one in workers[:1]:
        one.join(timeout=60)
    for one in workers:
        one.join(timeout=30)
    ends.set()

    assert wrong == []
    assert way.open() == 0
    for course in "ABC":
        positions = [one.position for one in done if one.course == course]
        assert positions == [p for p, c in enumerate(courses, 1) if c == course]


# --- forgotten ----------------------------------------------------------------------------------


def left(way: Way) -> list[int]:
    found = way.deliveries.deliveries(way.tenant, EP, 99_999, 1000)
    return sorted(one.position for one in found)


def test_what_was_delivered_before_a_time_is_forgotten_oldest_first_and_so_many_at_once(
    database: SqlStore, tenant: str, way: Way
):
    told(database, tenant, ["A", "B", "C", "D"])
    way.enqueue()
    for one in way.claim():
        way.arrived(one)
        way.now += LEASE
    before = NOON + 3 * LEASE

    assert way.deliveries.prune(tenant, before, 2) == 2
    assert left(way) == [3, 4]
    assert way.deliveries.prune(tenant, before, 2) == 1
    assert way.deliveries.prune(tenant, before, 2) == 0
    assert left(way) == [4]


def test_what_waits_or_was_given_up_is_never_forgotten_nor_what_is_of_another_tenant(
    database: SqlStore, tenant: str, way: Way
):
    told(database, tenant, ["A", "B", "B"])
    way.enqueue()
    first, second = way.claim()
    way.given_up(first)
    way.failed(second, NOON)
    another = Way(database, f"{tenant}-other")
    told(database, another.tenant, ["A"])
    registered(database, another.tenant)
    another.enqueue()
    another.arrived(*another.claim())

    assert way.deliveries.prune(tenant, NOON + 999 * LEASE, 9) == 0
    assert (left(way), left(another)) == ([1, 2, 3], [1])


def test_what_may_be_forgotten_is_found_without_a_look_at_what_may_not(
    database: SqlStore, crowded: Way
):
    with looking(database, "deliveries") as looked:
        assert crowded.deliveries.prune(crowded.tenant, NOON, AT_ONCE) == 0
    assert looked.rows < FEW
