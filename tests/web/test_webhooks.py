"""Endpoints over HTTP: registered, listed without secrets, replayed, and nobody else's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from engine.store.deliveries import SqlDeliveries
from engine.store.webhooks import SqlWebhooks
from engine.webhooks.dispatcher import Dispatcher
from tests.receiver import Receiver, receiving
from tests.web.conftest import House


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def endpoint(house: House, receiver: Receiver) -> dict[str, Any]:
    """Registered before anything is said."""
    receiver.received.clear()
    receiver.answers()
    answer = house.client.post("/v1/endpoints", json={"url": receiver.url})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def deliver(house: House) -> None:
    Dispatcher(
        store=SqlWebhooks(house.store),
        deliveries=SqlDeliveries(house.store),
        feed=house.feed,
        clock=house.clock,
        sender=house.sender,
        chance=lambda: 1.0,
    ).run_once()


def post(house: House, path: str, body: Any = None) -> Any:
    return house.client.post(path, json=body) if body is not None else house.client.post(path)


def test_an_endpoint_shows_its_secret_once(house: House, endpoint: dict[str, Any]):
    place = f"/v1/endpoints/{endpoint['id']}"
    shown = house.client.get(place)
    listed = house.client.get("/v1/endpoints")

    assert endpoint["secret"].startswith("whsec_")
    assert shown.json() == {k: v for k, v in endpoint.items() if k != "secret"}
    assert listed.json()["endpoints"] == [{**shown.json(), "due": 0, "given_up": 0}]
    assert "whsec_" not in shown.text + listed.text


def test_a_new_secret_is_not_kept_by_anybody_on_the_way(house: House, receiver: Receiver):
    made = post(house, "/v1/endpoints", {"url": receiver.url})
    rotated = post(house, f"{made.headers['location']}/rotate", {"overlap_hours": 1})

    assert made.headers["cache-control"] == rotated.headers["cache-control"] == "no-store"
    assert rotated.json()["secret"] not in ("", made.json()["secret"])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "url"),
        ({"url": 1}, "url"),
        ({"url": "https://10.0.0.1/"}, "url"),
        ({"url": "https://169.254.169.254/"}, "url"),
        ({"url": "http://8.8.8.8/"}, "url"),
        ({"url": "https://8.8.8.8/", "kinds": "course.changed"}, "kinds"),
        ({"url": "https://8.8.8.8/", "kinds": [1]}, "kinds"),
        ({"url": "https://8.8.8.8/", "secret": "mine"}, "secret"),
    ],
)
def test_what_is_wrong_with_an_endpoint_is_named(house: House, body: Any, field: str):
    answer = post(house, "/v1/endpoints", body)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


def test_a_secret_is_changed_without_saying_more(house: House, endpoint: dict[str, Any]):
    answer = house.client.post(f"/v1/endpoints/{endpoint['id']}/rotate")

    assert answer.status_code == 200, answer.text
    assert answer.json()["secret"] != endpoint["secret"]


@pytest.mark.parametrize("hours", [-1, 721, "1", 1.5, True])
def test_an_overlap_is_whole_hours(house: House, endpoint: dict[str, Any], hours: Any):
    answer = post(house, f"/v1/endpoints/{endpoint['id']}/rotate", {"overlap_hours": hours})

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "overlap_hours")


def test_an_endpoint_is_disabled_enabled_and_forgotten(house: House, endpoint: dict[str, Any]):
    place = f"/v1/endpoints/{endpoint['id']}"

    assert post(house, f"{place}/disable").json()["disabled_why"] == "asked"
    assert post(house, f"{place}/enable").json()["disabled_at"] is None
    assert house.client.delete(place).status_code == 204
    assert house.client.get(place).status_code == 404


def test_a_ping_tells_what_was_answered(house: House, endpoint: dict[str, Any], receiver: Receiver):
    place = f"/v1/endpoints/{endpoint['id']}/ping"
    receiver.answers(204, 500)

    assert post(house, place).json() == {
        "endpoint": endpoint["id"], "accepted": True, "answered": "204",
    }  # fmt: skip
    assert post(house, place).json()["accepted"] is False


def test_deliveries_are_listed_newest_first_in_pages(house: House, endpoint: dict[str, Any]):
    for number in range(1, 4):
        house.enrolled(f"I-{number}")
    deliver(house)
    place = f"/v1/endpoints/{endpoint['id']}/deliveries"

    first = house.client.get(place, params={"limit": 2}).json()
    rest = house.client.get(place, params={"limit": 2, "before": first["next"]}).json()
    assert [one["position"] for one in first["deliveries"] + rest["deliveries"]] == [3, 2, 1]
    assert rest["next"] is None
    assert first["deliveries"][0]["answered"] == "204"


def test_what_was_given_up_is_listed_and_sent_again(
    house: House, endpoint: dict[str, Any], receiver: Receiver, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("engine.webhooks.schedule.RETRIES", ())
    receiver.answers(400, 400)
    house.enrolled("I-1")
    house.enrolled("I-2")
    deliver(house)

    letters = house.client.get("/v1/dead-letters").json()["dead_letters"]
    assert [one["course"] for one in letters] == ["I-1", "I-2"]
    assert house.client.get("/v1/endpoints").json()["endpoints"][0]["given_up"] == 2
    assert post(house, f"/v1/dead-letters/{letters[0]['id']}/replay").json() == {"replayed": 1}
    assert post(house, f"/v1/dead-letters/{letters[0]['id']}/replay").status_code == 404
    assert post(house, "/v1/dead-letters/replay").json() == {"replayed": 1}
    deliver(house)
    assert len(receiver.received) == 4
    assert house.client.get("/v1/dead-letters").json() == {"dead_letters": []}


def test_what_is_not_there_is_not_found(house: House):
    for path in ("", "/deliveries"):
        assert house.client.get(f"/v1/endpoints/ep_0{path}").status_code == 404
    for path in ("disable", "enable", "ping"):
        assert post(house, f"/v1/endpoints/ep_0/{path}").status_code == 404
    assert post(house, "/v1/endpoints/ep_0/rotate", {}).status_code == 404
    assert house.client.delete("/v1/endpoints/ep_0").status_code == 404
    assert post(house, "/v1/dead-letters/ep_0_1/replay").json()["type"] == "/v1/problems/not-found"
