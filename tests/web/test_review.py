"""Review queues over HTTP: pages, sign-offs by an event, and who may not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.web.conftest import House
from tests.web.test_events import measured, release, send

OTHER = {"id": "m-9", "role": "metrologist"}


@pytest.fixture
def refused(house: House) -> House:
    """Record 2 was refused."""
    house.enrolled()
    assert send(house, release(house), if_match="*").status_code == 409
    return house


def queue(house: House, name: str = "refusal", **asked: Any) -> Any:
    answer = house.client.get(f"/v1/review/{name}", params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


def sign(house: House, record: int = 2, outcome: str = "accepted", **more: Any) -> Any:
    data = {"record": record, "outcome": outcome} | more.pop("data", {})
    return send(house, house.event("course.reviewed", data=data, **({"actor": OTHER} | more)))


def test_a_refusal_is_in_its_queue_with_whose_it_was_and_what_kept_it_out(refused: House):
    (item,) = queue(refused)["items"]
    index = refused.client.get("/v1/review").json()["queues"]

    assert (item["course"], item["record"], item["event"]) == ("I-1", 2, "release_instrument")
    assert item["guards"]
    assert {one["queue"]: one["count"] for one in index} == {
        "open-finding": 0, "deviation": 0, "override": 0, "late-entry": 0, "refusal": 1,
    }  # fmt: skip


def test_a_sign_off_leaves_the_revision_as_it_was_and_the_queue_empty(refused: House):
    before = refused.client.get("/v1/courses/I-1").headers["etag"]
    answer = sign(refused, data={"comment": "The gauge was cold."})

    assert answer.status_code == 201, answer.text
    assert refused.client.get("/v1/courses/I-1").headers["etag"] == before
    assert queue(refused)["items"] == []
    assert send(refused, measured(refused)).status_code == 201


def test_a_request_that_was_made_before_a_sign_off_is_not_stale(refused: House):
    assert send(refused, measured(refused)).status_code == 201
    seen = refused.client.get("/v1/courses/I-1").headers["etag"]
    assert sign(refused).status_code == 201
    answer = send(refused, release(refused), if_match=seen)

    assert answer.status_code == 201, answer.text


def test_nobody_signs_off_what_they_did_or_signed_off_before(refused: House):
    own = refused.client.get("/v1/review/refusal").json()["items"][0]["actor"]
    by_actor = sign(refused, actor=own)
    assert sign(refused, outcome="escalated").status_code == 201
    again = sign(refused)

    assert (by_actor.status_code, again.status_code) == (409, 409)
    assert [one["reviewers"] for one in queue(refused)["items"]] == [["m-9"]]


def test_pages_follow_one_another(house: House):
    for number in range(3):
        house.enrolled(f"I-{number}")
        body = {**release(house), "course": f"I-{number}"}
        house.client.post(f"/v1/courses/I-{number}/events", json=body, headers={"if-match": "*"})
    first = queue(house, limit=2)
    rest = queue(house, limit=2, cursor=first["next"])

    assert [one["course"] for one in first["items"] + rest["items"]] == ["I-0", "I-1", "I-2"]
    assert rest["next"] is None


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"outcome": "fine"}, "data.outcome"),
        ({"outcome": "acted-on"}, "data.comment"),
        ({"queue": "open-finding"}, "data.queue"),
        ({"record": 1}, "data.record"),
    ],
)
def test_a_sign_off_that_means_nothing_is_malformed(
    refused: House, data: dict[str, Any], field: str
):
    answer = sign(refused, data=data)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


def test_a_cursor_of_something_else_is_malformed(refused: House):
    answer = refused.client.get("/v1/review/refusal", params={"cursor": "e30"})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "cursor"
