"""Endpoints: registered, signed for, disabled, their secrets changed, forgotten."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from ipaddress import ip_network

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from engine.access import operator
from engine.access_log import AccessLog
from engine.errors import EndpointNotFound, InvalidInput, NotFound
from engine.log_entry import Logged
from engine.store.access import SqlAccess
from engine.store.sql import SqlStore
from engine.store.tables import deliveries
from engine.webhooks.addresses import Guard
from engine.webhooks.endpoints import Webhooks, signed
from tests.receiver import Received, Receiver, receiving
from tests.service.bench import Bench
from tests.service.post import Post

DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def post(bench: Bench, receiver: Receiver) -> Post:
    receiver.received.clear()
    receiver.answers()
    return Post(bench)


@pytest.fixture
def webhooks(post: Post) -> Webhooks:
    return post.webhooks


def verified(secret: str, one: Received) -> bool:
    """Whether the reference library takes a message for genuine, whatever the time of the test."""
    library = Webhook(secret)
    from datetime import UTC, datetime  # noqa: PLC0415  # the library reads the clock

    at = datetime.fromtimestamp(int(one.headers["webhook-timestamp"]), UTC)
    expected = library.sign(one.id, at, one.body.decode())
    return expected in one.headers["webhook-signature"].split(" ")


def test_an_endpoint_has_an_id_and_a_secret_that_is_shown_once(webhooks: Webhooks, receiver):
    endpoint, secret = webhooks.register(receiver.url, ["course.changed"])

    assert endpoint.id.startswith("ep_")
    assert secret.startswith("whsec_")
    assert len(Webhook(secret)._whsecret) == 32
    assert webhooks.endpoint(endpoint.id) == endpoint
    assert [one.id for one in webhooks.endpoints()] == [endpoint.id]
    assert endpoint.kinds == ("course.changed",)


def test_an_endpoint_where_nothing_may_be_sent_is_not_registered(post: Post):
    strict = post.made(Guard())

    with pytest.raises(InvalidInput, match="REGIMEN_WEBHOOK_ALLOW"):
        strict.register("https://127.0.0.1/")
    assert strict.endpoints() == []


@pytest.mark.parametrize("kinds", [["a b"], [""], ["x" * 101], [str(n) for n in range(51)]])
def test_kinds_that_no_message_has_are_refused(webhooks: Webhooks, receiver, kinds: list[str]):
    with pytest.raises(InvalidInput, match="kinds"):
        webhooks.register(receiver.url, kinds)


def test_a_tenant_sees_and_touches_no_endpoint_of_another(post: Post, store: SqlStore, receiver):
    endpoint, _ = post.webhooks.register(receiver.url)
    other = Post(Bench(store, f"{post.bench.tenant}-other")).webhooks

    assert other.endpoints() == []
    for touch in (
        other.endpoint, other.disable, other.enable, other.rotate, other.remove, other.ping,
        other.deliveries, other.replay_all,
    ):  # fmt: skip
        with pytest.raises(EndpointNotFound):
            touch(endpoint.id)
    assert post.webhooks.endpoint(endpoint.id) == endpoint


def test_an_endpoint_that_is_not_there_is_not_found(webhooks: Webhooks):
    with pytest.raises(NotFound, match="endpoint 'ep_0' does not exist"):
        webhooks.endpoint("ep_0")


def test_there_are_at_most_a_hundred_endpoints(webhooks: Webhooks, receiver, monkeypatch):
    monkeypatch.setattr("engine.webhooks.endpoints.MOST_ENDPOINTS", 1)
    webhooks.register(receiver.url)

    with pytest.raises(InvalidInput, match="remove one first"):
        webhooks.register(receiver.url)


def test_a_ping_is_signed_as_the_reference_library_verifies(webhooks: Webhooks, receiver):
    endpoint, secret = webhooks.register(receiver.url)

    assert webhooks.ping(endpoint.id).status == 204
    [one] = receiver.received
    assert verified(secret, one)
    assert one.said["type"] == "webhook.ping"
    assert one.data == {"tenant": webhooks.tenant}


def test_the_reference_library_verifies_what_is_signed_now_and_refuses_what_was_changed(
    webhooks: Webhooks, receiver
):
    from datetime import UTC, datetime  # noqa: PLC0415  # the library reads the clock

    endpoint, secret = webhooks.register(receiver.url)
    headers = signed(endpoint, "msg_1", datetime.now(UTC), b'{"type":"a"}')

    assert Webhook(secret).verify(b'{"type":"a"}', headers) == {"type": "a"}
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(b'{"type":"b"}', headers)


def test_while_a_key_is_rotated_both_secrets_verify_and_afterwards_the_new_one_alone(
    post: Post, receiver
):
    webhooks, clock = post.webhooks, post.bench.clock
    endpoint, old = webhooks.register(receiver.url)
    new = webhooks.rotate(endpoint.id, DAY)
    webhooks.ping(endpoint.id)
    clock.time += DAY
    webhooks.ping(endpoint.id)

    during, later = receiver.received
    assert new != old
    assert (verified(new, during), verified(old, during)) == (True, True)
    assert (verified(new, later), verified(old, later)) == (True, False)


def test_secrets_that_sign_no_longer_are_forgotten_at_the_next_rotation(post: Post, receiver):
    endpoint, _ = post.webhooks.register(receiver.url)
    post.webhooks.rotate(endpoint.id, DAY)
    post.bench.clock.time += 2 * DAY
    post.webhooks.rotate(endpoint.id, DAY)

    assert len(post.webhooks.endpoint(endpoint.id).secrets) == 2


def test_a_second_rotation_does_not_let_an_old_secret_live_longer(post: Post, receiver):
    endpoint, _ = post.webhooks.register(receiver.url)
    post.webhooks.rotate(endpoint.id, DAY)
    before = post.webhooks.endpoint(endpoint.id).secrets[-1].until
    post.webhooks.rotate(endpoint.id, 20 * DAY)

    assert post.webhooks.endpoint(endpoint.id).secrets[-1].until == before


def test_a_secret_that_leaked_is_replaced_at_once(post: Post, receiver):
    endpoint, old = post.webhooks.register(receiver.url)
    post.webhooks.rotate(endpoint.id, timedelta())
    post.webhooks.ping(endpoint.id)

    assert not verified(old, receiver.received[0])


@pytest.mark.parametrize("overlap", [timedelta(seconds=-1), timedelta(days=31)])
def test_an_overlap_has_bounds(webhooks: Webhooks, receiver, overlap: timedelta):
    endpoint, _ = webhooks.register(receiver.url)

    with pytest.raises(InvalidInput, match="overlap"):
        webhooks.rotate(endpoint.id, overlap)


def test_a_disabled_endpoint_says_since_when_and_why(post: Post, receiver):
    endpoint, _ = post.webhooks.register(receiver.url)
    since = post.bench.clock.now()
    post.webhooks.disable(endpoint.id)
    post.bench.clock.advance(hours=1)

    again = post.webhooks.disable(endpoint.id)
    assert (again.disabled_at, again.disabled_why) == (since, "asked")
    enabled = post.webhooks.enable(endpoint.id)
    assert (enabled.disabled_at, enabled.disabled_why) == (None, None)


def test_an_endpoint_whose_address_became_private_is_not_enabled(post: Post, receiver):
    endpoint, _ = post.webhooks.register(receiver.url)
    post.webhooks.disable(endpoint.id)

    with pytest.raises(InvalidInput, match="url"):
        post.made(Guard(allowed=(ip_network("10.0.0.0/8"),))).enable(endpoint.id)


def test_an_endpoint_is_forgotten_with_all_that_was_on_its_way(
    post: Post, store: SqlStore, receiver
):
    endpoint, _ = post.webhooks.register(receiver.url)
    post.bench.enrolled("C-1")
    post.dispatcher.run_once()
    post.webhooks.remove(endpoint.id)

    assert post.webhooks.endpoints() == []
    with store.engine.connect() as connection:
        left = connection.execute(select(deliveries).where(deliveries.c.endpoint == endpoint.id))
        assert left.all() == []


@pytest.mark.parametrize("change", ["register", "disable", "enable", "rotate", "remove"])
def test_a_change_and_its_row_of_the_access_log_are_written_both_or_neither(
    post: Post, store: SqlStore, receiver, change: str
):
    log = AccessLog(
        SqlAccess(store), clock=post.bench.clock, identity=lambda: "the-one", tenant="t"
    )
    by = operator(post.bench.tenant)
    endpoint, _ = post.webhooks.register(receiver.url)
    if change == "enable":
        post.webhooks.disable(endpoint.id)
    log.note(by, Logged.EXPORTED, {})  # the next row cannot be written: it has the same id
    before = post.webhooks.endpoints()
    place = receiver.url if change == "register" else endpoint.id

    with pytest.raises(IntegrityError):
        getattr(post.webhooks, change)(place, told=partial(log.entry, by))
    assert post.webhooks.endpoints() == before


def test_what_was_not_found_is_not_in_the_access_log(post: Post, store: SqlStore):
    log = AccessLog(SqlAccess(store), clock=post.bench.clock, identity=lambda: "none", tenant="t")
    by = operator(post.bench.tenant)
    for change in (post.webhooks.disable, post.webhooks.rotate, post.webhooks.remove):
        with pytest.raises(EndpointNotFound):
            change("ep_0", told=partial(log.entry, by))

    assert log.entries(post.bench.tenant, limit=9) == []


def test_an_id_is_made_of_chance_and_of_nothing_else(webhooks: Webhooks, receiver):
    made = [webhooks.register(receiver.url) for _ in range(3)]

    for one, other in itertools.combinations(made, 2):
        assert one[0].id != other[0].id
        assert one[1] != other[1]
    assert "whsec_" not in json.dumps([one.id + one.url for one, _ in made])
