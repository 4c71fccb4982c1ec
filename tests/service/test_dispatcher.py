"""Messages on their way: in order for each course, again when they did not arrive, never lost."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta

import pytest

from engine import logs
from engine.errors import EndpointNotFound
from engine.messages import Delivery, Outcome, Sent
from engine.webhooks.dispatcher import AT_ONCE, KEPT
from engine.webhooks.reply import Reply
from engine.webhooks.schedule import RETRIES
from tests.receiver import Answer, Received, Receiver, receiving, welcome
from tests.service.bench import Bench
from tests.service.post import Post

DAY = timedelta(days=1)
LEASE = timedelta(seconds=60)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def post(bench: Bench) -> Post:
    return Post(bench)


@pytest.fixture
def endpoint(post: Post, receiver: Receiver) -> str:
    """Registered before anything is said."""
    return post.webhooks.register(receiver.url)[0].id


def said(post: Post, *, since: int = 0) -> dict[str, list[tuple[int, int]]]:
    """What the feed has, by course."""
    found: dict[str, list[tuple[int, int]]] = {}
    for one in post.feed.page(since, 1000).entries:
        found.setdefault(one.course, []).append((one.seq, one.n))
    return found


def refusing(course: str, status: int = 500) -> Callable[[Received], Answer]:
    return lambda one: (status, {}) if one.data["course"] == course else (204, {})


def test_every_message_arrives_in_order_for_each_course(
    post: Post, endpoint: str, receiver: Receiver
):
    post.bench.in_service("C-1", "C-2", "C-3")

    done = post.until_quiet()
    assert receiver.by_course() == said(post)
    assert len(receiver.received) == done.delivered == done.sequenced > 8


def test_a_message_says_which_record_and_nothing_of_what_happened(
    post: Post, endpoint: str, receiver: Receiver
):
    post.bench.enrolled("C-1")
    post.dispatcher.run_once()

    [one] = receiver.received
    [entry] = post.feed.page(0, 9).entries
    assert one.said == {
        "type": "course.changed",
        "timestamp": "2026-03-02T09:00:00Z",
        "data": {
            "tenant": post.bench.tenant, "course": "C-1", "seq": 1, "n": 1,
            "position": entry.position,
        },
    }  # fmt: skip
    assert one.id == f"{endpoint}_{entry.position}"


def test_only_the_kinds_that_were_asked_for_are_sent(post: Post, receiver: Receiver):
    post.webhooks.register(receiver.url, ["nothing.of.the.kind"])
    with receiving() as other:
        post.webhooks.register(other.url, ["course.changed"])
        post.bench.enrolled("C-1")
        post.until_quiet()

        assert len(other.received) == 1
    assert receiver.received == []


def test_an_endpoint_is_sent_what_is_said_after_it_was_registered(post: Post, receiver: Receiver):
    post.bench.enrolled("C-1")
    post.webhooks.register(receiver.url)
    post.bench.enrolled("C-2")
    post.until_quiet()

    assert receiver.by_course() == {"C-2": [(1, 1)]}


def test_what_was_delivered_is_not_sent_again(post: Post, endpoint: str, receiver: Receiver):
    post.bench.enrolled("C-1")
    post.until_quiet()

    assert post.dispatcher.run_once() == Sent()
    assert len(receiver.received) == 1
    [delivery] = post.webhooks.deliveries(endpoint)
    assert (delivery.attempts, delivery.answered) == (1, "204")
    assert delivery.delivered_at == post.bench.clock.now()


def test_a_message_that_did_not_arrive_comes_again_with_the_same_id_and_body_signed_anew(
    post: Post, endpoint: str, receiver: Receiver
):
    receiver.answers(500)
    post.bench.enrolled("C-1")

    assert post.dispatcher.run_once().failed == 1
    assert post.dispatcher.run_once() == Sent()
    post.bench.clock.time += RETRIES[0]
    assert post.dispatcher.run_once().delivered == 1
    first, second = receiver.received
    assert (first.id, first.body) == (second.id, second.body)
    assert int(second.headers["webhook-timestamp"]) == (
        int(first.headers["webhook-timestamp"]) + RETRIES[0].total_seconds()
    )


def test_a_later_message_of_a_course_waits_for_the_earlier_and_other_courses_do_not(
    post: Post, endpoint: str, receiver: Receiver
):
    receiver.answering = refusing("C-1", status=400)
    post.bench.in_service("C-1", "C-2")
    post.until_quiet()

    arrived = receiver.by_course()
    assert arrived["C-1"] == [(1, 1)]
    assert arrived["C-2"] == said(post)["C-2"]

    receiver.answering = welcome
    post.bench.clock.time += RETRIES[0]
    post.until_quiet()
    assert receiver.by_course()["C-1"] == said(post)["C-1"]


def test_an_endpoint_in_trouble_is_left_alone_until_the_next_round(
    post: Post, endpoint: str, receiver: Receiver
):
    receiver.answering = lambda _: (503, {})
    post.bench.enrolled("C-1", "C-2", "C-3")

    assert post.dispatcher.run_once().failed == 1
    assert len(receiver.received) == 1
    assert post.dispatcher.run_once().failed == 1


def test_an_endpoint_in_trouble_keeps_no_other_waiting(
    post: Post, endpoint: str, receiver: Receiver
):
    with receiving() as other:
        post.webhooks.register(other.url)
        receiver.answering = lambda _: (503, {})
        post.bench.in_service("C-1")
        post.until_quiet()

        assert other.by_course() == said(post)


def test_who_asks_us_to_wait_is_not_asked_before(post: Post, endpoint: str, receiver: Receiver):
    receiver.answers(429, retry_after="3600")
    post.bench.enrolled("C-1")
    post.dispatcher.run_once()

    post.bench.clock.advance(minutes=59)
    assert post.dispatcher.run_once() == Sent()
    post.bench.clock.advance(minutes=1)
    assert post.dispatcher.run_once().delivered == 1


def test_an_endpoint_that_is_gone_is_disabled_and_keeps_what_waits_for_it(
    post: Post, endpoint: str, receiver: Receiver
):
    receiver.answers(410)
    post.bench.enrolled("C-1", "C-2")
    post.dispatcher.run_once()
    post.bench.clock.time += DAY
    post.bench.enrolled("C-3")

    assert post.dispatcher.run_once() == Sent(sequenced=1)
    assert post.webhooks.endpoint(endpoint).disabled_why == "gone"
    assert len(receiver.received) == 1
    post.webhooks.enable(endpoint)
    post.until_quiet()
    assert receiver.by_course() == said(post)


# --- given up -----------------------------------------------------------------------------------


def given_up(post: Post, receiver: Receiver, course: str = "C-1") -> None:
    """The first message of a course was tried until the last."""
    receiver.answering = refusing(course)
    for wait in (*RETRIES, DAY):
        post.dispatcher.run_once()
        post.bench.clock.time += wait


def test_a_message_is_given_up_after_days_and_the_next_of_its_course_goes_on(
    post: Post, endpoint: str, receiver: Receiver
):
    post.bench.enrolled("C-1")
    post.bench.service.submit(post.bench.measurement("C-1"))
    given_up(post, receiver)

    [letter] = post.webhooks.dead_letters()
    assert (letter.course, letter.seq, letter.attempts) == ("C-1", 1, 1 + len(RETRIES))
    assert letter.answered == "500"
    receiver.answering = welcome
    post.until_quiet()
    assert receiver.received[-1].data["seq"] == 2
    assert len({one.id for one in receiver.received if one.data["seq"] == 1}) == 1


def test_a_message_that_was_given_up_is_sent_again_by_its_id_with_all_its_attempts(
    post: Post, endpoint: str, receiver: Receiver
):
    post.bench.enrolled("C-1")
    given_up(post, receiver)
    [letter] = post.webhooks.dead_letters()
    receiver.answers(500)

    post.webhooks.replay(letter.id)
    assert post.webhooks.dead_letters() == []
    assert post.dispatcher.run_once().failed == 1
    post.bench.clock.time += RETRIES[0]
    assert post.dispatcher.run_once().delivered == 1
    assert receiver.received[-1].id == letter.id
    with pytest.raises(EndpointNotFound, match="dead letter"):
        post.webhooks.replay(letter.id)


def test_all_that_was_given_up_is_sent_again(post: Post, endpoint: str, receiver: Receiver):
    post.bench.enrolled("C-1")
    given_up(post, receiver)
    post.bench.enrolled("C-2")
    given_up(post, receiver, "C-2")
    receiver.answering = welcome

    assert post.webhooks.replay_all(endpoint) == 2
    assert post.webhooks.replay_all() == 0
    assert post.until_quiet().delivered == 2


@pytest.mark.parametrize("letter", ["", "1", "_", "ep_1", "ep_1_x", "ep_1_²", f"ep_1_{10**30}"])
def test_a_name_that_no_dead_letter_has_is_not_found(post: Post, letter: str):
    with pytest.raises(EndpointNotFound):
        post.webhooks.replay(letter)


# --- forgotten ----------------------------------------------------------------------------------


def test_what_was_delivered_is_forgotten_after_a_while_and_what_was_given_up_is_kept(
    post: Post, endpoint: str, receiver: Receiver
):
    post.bench.enrolled("C-1")
    given_up(post, receiver)
    receiver.answering = welcome
    post.bench.enrolled("C-2")
    post.until_quiet()
    post.webhooks.disable(endpoint)

    post.bench.clock.time += KEPT
    post.dispatcher.run_once()
    assert [one.course for one in post.webhooks.deliveries(endpoint)] == ["C-2", "C-1"]
    post.bench.clock.advance(seconds=1)
    post.dispatcher.run_once()
    assert [one.course for one in post.webhooks.deliveries(endpoint)] == ["C-1"]
    assert len(post.webhooks.dead_letters()) == 1


def test_much_that_is_to_be_forgotten_is_so_in_steps(
    post: Post, endpoint: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("engine.webhooks.dispatcher.FORGOTTEN_AT_ONCE", 2)
    monkeypatch.setattr("engine.webhooks.dispatcher.STEPS", 2)
    post.bench.enrolled(*(f"C-{n}" for n in range(7)))
    post.until_quiet()
    post.bench.clock.time += KEPT + DAY

    def run() -> int:
        post.dispatcher.run_once()
        return len(post.webhooks.deliveries(endpoint))

    assert [run(), run(), run()] == [3, 0, 0]


# --- many workers -------------------------------------------------------------------------------


class Dying(BaseException):
    """A worker that is killed."""


class Killed:
    """A sender whose worker is killed once the message is out."""

    def __init__(self, post: Post) -> None:
        self._sender = post.sender

    def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        self._sender.send(url, body, headers)
        raise Dying


def test_what_a_killed_worker_had_in_hand_is_sent_again_after_its_lease_and_not_before(
    post: Post, endpoint: str, receiver: Receiver
):
    post.bench.in_service("C-1")
    with pytest.raises(Dying):
        post.another(Killed(post)).run_once()

    assert post.dispatcher.run_once() == Sent()
    post.bench.clock.time += LEASE
    post.until_quiet()
    assert receiver.by_course() == said(post)
    assert Counter(one.id for one in receiver.received).most_common(1)[0][1] == 2


def test_what_came_of_a_lease_that_ended_is_not_noted(post: Post, endpoint: str):
    post.bench.enrolled("C-1")
    post.feed.sequence()
    clock, tenant = post.bench.clock, post.bench.tenant
    post.deliveries.enqueue(tenant, endpoint, clock.now(), 9)

    def claimed() -> list[Delivery]:
        now = clock.now()
        return list(post.deliveries.claim(tenant, endpoint, now, now + LEASE, AT_ONCE))

    [slow] = claimed()
    assert claimed() == []
    clock.time += LEASE
    [quick] = claimed()
    late = Outcome(answered="500", dead_at=clock.now())
    assert not post.deliveries.note(tenant, slow, late)
    assert post.deliveries.note(tenant, quick, Outcome(answered="204", delivered_at=clock.now()))
    assert not post.deliveries.note(tenant, quick, late)
    assert post.webhooks.dead_letters() == []


def test_a_worker_that_was_asleep_does_not_send_what_it_no_longer_holds(
    post: Post, endpoint: str, receiver: Receiver
):
    """After one slow message there is not enough left of the lease for the next."""

    class Slow:
        def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
            post.bench.clock.time += LEASE * 0.75
            return post.sender.send(url, body, headers)

    post.bench.enrolled("C-1", "C-2")

    assert post.another(Slow()).run_once().delivered == 1
    assert post.dispatcher.run_once().delivered == 1
    assert len(receiver.received) == 2


def test_a_worker_that_is_told_to_stop_finishes_the_message_in_hand_and_gives_the_rest_back(
    post: Post, endpoint: str, receiver: Receiver
):
    post.bench.enrolled("C-1", "C-2", "C-3")
    told: list[bool] = []

    class Telling:
        def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
            told.append(True)
            return post.sender.send(url, body, headers)

    assert post.another(Telling()).run_once(lambda: bool(told)).delivered == 1
    assert post.dispatcher.run_once().delivered == 2


def test_workers_at_once_share_what_is_due_and_send_each_message_once(
    post: Post, endpoint: str, receiver: Receiver
):
    post.bench.in_service(*(f"C-{n}" for n in range(8)))
    start = threading.Barrier(3, timeout=60)

    def work() -> None:
        start.wait()
        worker = post.another()
        while worker.run_once().delivered:
            pass

    workers = [threading.Thread(target=work) for _ in range(3)]
    for one in workers:
        one.start()
    for one in workers:
        one.join(timeout=60)
    post.until_quiet()

    assert receiver.by_course() == said(post)
    assert Counter(one.id for one in receiver.received).most_common(1)[0][1] == 1


def test_deliveries_are_listed_newest_first_in_pages(post: Post, endpoint: str):
    post.bench.enrolled("C-1", "C-2", "C-3")
    post.until_quiet()

    first = post.webhooks.deliveries(endpoint, limit=2)
    rest = post.webhooks.deliveries(endpoint, limit=2, before=first[-1].position)
    assert [one.position for one in (*first, *rest)] == [3, 2, 1]


def test_a_line_of_the_log_says_what_failed_and_never_where_to(
    post: Post, receiver: Receiver, capsys: pytest.CaptureFixture[str]
):
    logs.configure(form="json", level="info")
    post.webhooks.register(f"{receiver.url}?key=hidden")
    receiver.answers(500)
    post.bench.enrolled("C-1")
    post.dispatcher.run_once()

    lines = capsys.readouterr().err
    assert '"webhook_failed"' in lines
    assert "hidden" not in lines
    assert "127.0.0.1" not in lines
