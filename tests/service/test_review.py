"""Review queues and sign-offs: what gets in, what gets out, and who may not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from engine.audit import Auditor
from engine.core.queues import items_of
from engine.core.review import Item, Queue
from engine.errors import Conflict, InvalidInput, NotPermitted
from engine.review import Reviews
from engine.service import Service
from engine.simulation import simulate
from engine.store import migrate
from engine.store.review import SqlReviews
from engine.store.sql import SqlStore
from tests.tenant import tenant_service
from workflows import ALL, SIMULATIONS

IL2 = SIMULATIONS["intralesional_il2"]


@pytest.fixture(scope="module")
def service(store: SqlStore) -> Service:
    """Six simulated courses that have something in every queue: each test takes what is next."""
    service = tenant_service(store, "reviewed", *ALL)
    list(simulate(service, IL2, courses=6, seed=11, start=date(2024, 1, 1)))
    return service


@pytest.fixture(scope="module")
def reviews(service: Service, store: SqlStore) -> Reviews:
    return Reviews(queues=SqlReviews(store), tenant=service.tenant)


def stored(service: Service, course: str, seq: int | None = None) -> dict[tuple[int, Queue], Item]:
    with service.store.transaction(service.tenant, write=False) as tx:
        return {(one.seq, one.queue): one for one in tx.reviews(course, seq)}


def sign(
    service: Service,
    course: str,
    record: int,
    outcome: str = "accepted",
    *,
    by: str = "reviewer",
    role: str = "auditor",
    **data: Any,
) -> Any:
    n = len(service.records(course))
    return service.submit(
        {
            "format": 1,
            "id": f"r{n}-{by}",
            "course": course,
            "event": "course.reviewed",
            "at": service.records(course)[-1].recorded_at.isoformat(),
            "actor": {"id": by, "role": role},
            "data": {"record": record, "outcome": outcome, **data},
        }
    )


def first(reviews: Reviews, queue: Queue) -> tuple[str, int]:
    """An item that nobody has looked at."""
    items = reviews.page(queue, limit=200).items
    one = next(one for one in items if not one.item.reviewers)
    return one.record.course, one.item.seq


def whole(service: Service) -> bool:
    auditor = Auditor(store=service.store, registry=service.setting.registry, tenant=service.tenant)
    return all(
        auditor.verify(line.course) is None and not auditor.decide_again(line.course)
        for line in service.courses()
    )


def test_what_the_store_holds_is_what_the_records_say(service: Service):
    for line in service.courses():
        assert stored(service, line.course) == items_of(service.records(line.course))


def test_what_was_recorded_before_there_were_queues_is_put_into_them(
    service: Service, store: SqlStore
):
    """While nobody has signed anything off: no sign-off is older than the queues."""
    before = {line.course: stored(service, line.course) for line in service.courses()}
    migrate.downgrade(store.engine, "0005")
    migrate.upgrade(store.engine)

    assert before == {line.course: stored(service, line.course) for line in service.courses()}


def test_every_queue_has_something_in_it(reviews: Reviews):
    assert all(count for count, _ in reviews.counts().values())


def test_each_queue_holds_exactly_the_records_of_its_cause(service: Service, reviews: Reviews):
    expected: dict[Queue, set[tuple[str, int]]] = {queue: set() for queue in Queue}
    for line in service.courses():
        for record in service.records(line.course):
            place = (line.course, record.seq)
            decision = json.loads(record.body)["decision"]
            if record.verdict == "deviation":
                expected[Queue.DEVIATION].add(place)
            if record.verdict == "refused":
                expected[Queue.REFUSAL].add(place)
            if any(one.get("passed") for one in decision.get("weighed", ())):
                expected[Queue.OVERRIDE].add(place)

    for queue in (Queue.DEVIATION, Queue.REFUSAL, Queue.OVERRIDE):
        assert expected[queue]
        assert set(walked(reviews, queue)) == expected[queue]


def walked(reviews: Reviews, queue: Queue, limit: int = 7) -> Iterator[tuple[str, int]]:
    """All items of a queue, page by page."""
    cursor = None
    while True:
        page = reviews.page(queue, cursor=cursor, limit=limit)
        yield from ((one.record.course, one.item.seq) for one in page.items)
        cursor = page.cursor
        if cursor is None:
            return


@pytest.mark.parametrize("limit", [1, 3, 50])
def test_pages_of_any_size_show_the_same_items_in_the_same_order(reviews: Reviews, limit: int):
    assert list(walked(reviews, Queue.REFUSAL, limit)) == list(walked(reviews, Queue.REFUSAL, 200))


def test_a_sign_off_takes_a_record_out_of_its_queue_and_changes_nothing_else(
    service: Service, reviews: Reviews
):
    course, record = first(reviews, Queue.REFUSAL)
    before, count = service.place(course).row, reviews.counts()[Queue.REFUSAL][0]
    answer = sign(service, course, record, comment="It was late; nothing was given.")
    after = service.place(course).row

    assert answer.verdict == "accepted"
    assert {n for n in after if after[n] != before.get(n)} == {"seq", "head", "recorded_at"}
    assert reviews.counts()[Queue.REFUSAL][0] == count - 1
    assert b"late; nothing" not in service.records(course)[-1].body
    assert whole(service)


def test_who_reviewed_when_and_with_what_outcome_is_kept(service: Service, reviews: Reviews):
    course, record = first(reviews, Queue.DEVIATION)
    answer = sign(service, course, record, "acted-on", comment="The form was changed.")
    item = stored(service, course, record)[record, Queue.DEVIATION]

    assert (item.open, item.outcome, item.reviewed_by) == (False, "acted-on", answer.seq)
    assert item.reviewers == ("reviewer",)


def test_whoever_acted_in_a_record_does_not_review_it(service: Service, reviews: Reviews):
    course, record = first(reviews, Queue.REFUSAL)
    actor = json.loads(service.records(course)[record - 1].body)["event"]["actor"]["id"]

    with pytest.raises(Conflict, match="whoever acted"):
        sign(service, course, record, by=actor)


def test_nobody_reviews_a_record_twice(service: Service, reviews: Reviews):
    course, record = first(reviews, Queue.REFUSAL)
    sign(service, course, record, "escalated")

    with pytest.raises(Conflict, match="signed off by them before"):
        sign(service, course, record)


def test_what_was_escalated_stays_until_another_one_signs_it_off(
    service: Service, reviews: Reviews
):
    course, record = first(reviews, Queue.REFUSAL)
    sign(service, course, record, "escalated")

    assert (course, record) in set(walked(reviews, Queue.REFUSAL))

    sign(service, course, record, by="chief", role="prescriber")
    item = stored(service, course, record)[record, Queue.REFUSAL]
    assert (course, record) not in set(walked(reviews, Queue.REFUSAL))
    assert item.reviewers == ("reviewer", "chief")
    assert whole(service)


def test_a_record_with_several_causes_is_signed_off_in_one_queue_or_in_all(service: Service):
    course, record, queues = next(
        (line.course, seq, queues)
        for line in service.courses()
        for seq, queues in _several(stored(service, line.course)).items()
    )
    named, *others = sorted(queues)
    before = stored(service, course, record)
    answer = sign(service, course, record, by="second", queue=named.value)
    items = stored(service, course, record)

    assert items[record, named].reviewed_by == answer.seq
    assert all(items[record, other] == before[record, other] for other in others)

    sign(service, course, record, by="chief", role="clinician")
    assert not any(one.open for one in stored(service, course, record).values())


def _several(items: dict[tuple[int, Queue], Item]) -> dict[int, set[Queue]]:
    found: dict[int, set[Queue]] = {}
    for seq, queue in items:
        found.setdefault(seq, set()).add(queue)
    return {seq: queues for seq, queues in found.items() if len(queues) > 1}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"outcome": "fine"}, "data.outcome: expected one of accepted, acted-on, escalated"),
        ({"outcome": "acted-on"}, "data.comment: expected what was done"),
        ({"queue": "open-finding"}, "data.queue: expected one of deviation"),
        ({"queue": "override"}, "data.record: expected a record that is in override"),
        ({"record": 1}, "data.record: expected a record that is in a queue that is signed off"),
        ({"record": 99_999}, "data.record: expected a record of the course"),
    ],
)
def test_a_sign_off_that_means_nothing_is_malformed(
    service: Service, reviews: Reviews, data: dict[str, Any], said: str
):
    course, record = first(reviews, Queue.REFUSAL)

    with pytest.raises(InvalidInput, match=said):
        sign(service, course, **{"record": record, **data})


def test_a_role_that_may_pass_nothing_may_review_nothing(service: Service, reviews: Reviews):
    course, record = first(reviews, Queue.REFUSAL)

    with pytest.raises(NotPermitted):
        sign(service, course, record, role="patient")


def test_a_course_at_another_site_is_in_no_page_of_this_one(service: Service, reviews: Reviews):
    sites = {line.course: line.site for line in service.courses()}
    site = next(iter(sites.values()))
    found = reviews.page(Queue.REFUSAL, sites=frozenset({site}), limit=200).items

    assert found
    assert {sites[one.record.course] for one in found} == {site}
    assert not reviews.page(Queue.REFUSAL, sites=frozenset({"nowhere"})).items


@pytest.mark.parametrize("cursor", ["", "x", "e30", "eyJxdWV1ZSI6Im92ZXJyaWRlIn0"])
def test_a_cursor_of_something_else_is_named(reviews: Reviews, cursor: str):
    with pytest.raises(InvalidInput, match="cursor"):
        reviews.page(Queue.REFUSAL, cursor=cursor)


def test_a_cache_that_was_changed_is_found(service: Service, store: SqlStore):
    course = next(line.course for line in service.courses() if stored(service, line.course))
    with store.engine.begin() as connection:
        connection.exec_driver_sql(
            f"UPDATE regimen_reviews SET reviewers = 'x ' || reviewers WHERE course = '{course}'"
        )
    auditor = Auditor(store=store, registry=service.setting.registry, tenant=service.tenant)
    fault = auditor.verify(course)
    with store.engine.begin() as connection:
        connection.exec_driver_sql(
            f"UPDATE regimen_reviews SET reviewers = substr(reviewers, 3) WHERE course = '{course}'"
        )

    assert fault is not None
    assert "regimen_reviews, column reviewers" in fault.what
