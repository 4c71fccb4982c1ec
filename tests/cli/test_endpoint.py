"""Webhooks at a terminal: endpoints, and what was given up."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from engine import bootstrap
from tests.cli.conftest import GAUGES, Regimen
from tests.receiver import Receiver, receiving


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setenv("REGIMEN_WEBHOOK_ALLOW", "127.0.0.0/8")
    with receiving() as found:
        yield found


@pytest.fixture
def endpoint(regimen: Regimen, receiver: Receiver) -> str:
    """Registered before anything is said."""
    made = regimen("endpoint", "add", receiver.url, "--json")
    assert made.code == 0, made
    found: str = made.json()["id"]
    return found


def test_an_endpoint_shows_its_secret_once_and_is_listed_without_it(
    regimen: Regimen, receiver: Receiver
):
    made = regimen("endpoint", "add", receiver.url, "--kind", "course.changed", "--json").json()
    listed = regimen("endpoint", "list", "--json")

    assert made["secret"].startswith("whsec_")
    assert "whsec_" not in listed.out
    [one] = listed.json()["endpoints"]
    assert one == {name: value for name, value in made.items() if name != "secret"} | {
        "due": 0, "given_up": 0,
    }  # fmt: skip
    assert made["id"] in regimen("endpoint", "list").out


def test_the_secret_is_shown_whole_to_a_person_too(regimen: Regimen, receiver: Receiver):
    ran = regimen("endpoint", "add", receiver.url)

    [line] = [line for line in ran.out.splitlines() if "secret" in line]
    assert len(line.split()[-1]) == len("whsec_") + 44


def test_nothing_of_this_machine_is_registered_unless_its_network_is_named(
    regimen: Regimen, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("REGIMEN_WEBHOOK_ALLOW")
    ran = regimen("endpoint", "add", receiver.url)

    assert ran.code == 2
    assert "REGIMEN_WEBHOOK_ALLOW" in ran.err
    assert regimen("endpoint", "list").out == "There is no endpoint.\n"


def test_a_network_that_is_none_is_an_error_that_names_the_variable(
    regimen: Regimen, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("REGIMEN_WEBHOOK_ALLOW", "everybody")
    ran = regimen("endpoint", "list")

    assert ran.code == 2
    assert "REGIMEN_WEBHOOK_ALLOW: expected networks such as" in ran.err


def test_a_worker_delivers_what_was_said(regimen: Regimen, receiver: Receiver, endpoint: str):
    assert regimen("apply", GAUGES).code == 0
    ran = regimen("work", "--once", "--json")

    assert ran.json()["delivered"] == len(receiver.received) > 0
    assert (ran.json()["failed"], ran.json()["given_up"]) == (0, 0)
    assert f"{len(receiver.received)} messages" not in regimen("work", "--once").out


def test_a_worker_tells_what_it_delivered(regimen: Regimen, receiver: Receiver, endpoint: str):
    regimen("apply", GAUGES)
    ran = regimen("work", "--once")

    assert f"{len(receiver.received)} messages delivered." in ran.out


def test_a_ping_tells_what_was_answered(regimen: Regimen, receiver: Receiver, endpoint: str):
    assert regimen("endpoint", "ping", endpoint).out == "Accepted: 204.\n"
    receiver.answers(500)

    ran = regimen("endpoint", "ping", endpoint)
    assert (ran.code, ran.out) == (1, "Not accepted: 500.\n")


def test_an_endpoint_is_disabled_enabled_rotated_and_removed(
    regimen: Regimen, receiver: Receiver, endpoint: str
):
    assert regimen("endpoint", "disable", endpoint, "--json").json()["disabled_why"] == "asked"
    assert "no: asked" in regimen("endpoint", "list").out
    assert regimen("endpoint", "enable", endpoint, "--json").json()["disabled_at"] is None
    assert regimen("endpoint", "rotate", endpoint, "--json").json()["secret"].startswith("whsec_")
    assert "shown this once: whsec_" in regimen("endpoint", "rotate", endpoint).out
    assert regimen("endpoint", "remove", endpoint).code == 0
    assert regimen("endpoint", "enable", endpoint).code == 2


def test_who_changed_an_endpoint_at_the_terminal_is_in_the_access_log(
    regimen: Regimen, receiver: Receiver, endpoint: str
):
    for change in ("disable", "enable", "rotate", "remove"):
        assert regimen("endpoint", change, endpoint).code == 0

    found = regimen("access-log", "--json").json()["entries"]
    assert [(one["action"], one["about"]) for one in found] == [
        ("endpoint.created", {"endpoint": endpoint}),
        ("endpoint.changed", {"endpoint": endpoint, "how": "disabled"}),
        ("endpoint.changed", {"endpoint": endpoint, "how": "enabled"}),
        ("endpoint.changed", {"endpoint": endpoint, "how": "rotated"}),
        ("endpoint.removed", {"endpoint": endpoint}),
    ]
    assert len({one["actor"] for one in found}) == 1


def test_what_was_given_up_is_listed_and_sent_again(
    regimen: Regimen, receiver: Receiver, endpoint: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("engine.webhooks.schedule.RETRIES", ())
    receiver.answering = lambda _: (400, {})
    regimen("apply", GAUGES)
    given_up = regimen("work", "--once", "--json").json()["given_up"]
    receiver.answering = lambda _: (204, {})

    letters = regimen("dead-letters", "--json").json()["dead_letters"]
    assert len(letters) == given_up > 1
    assert letters[0]["answered"] == "400"
    assert letters[0]["id"] in regimen("dead-letters").out
    assert regimen("dead-letters", "--replay", letters[0]["id"]).out == "1 message is sent again.\n"
    rest = regimen("dead-letters", "--replay-all", "--json").json()["replayed"]
    assert rest == given_up - 1
    noted = [one["about"] for one in regimen("access-log", "--json").json()["entries"]
             if one["action"] == "messages.replayed"]  # fmt: skip
    endpoint, _, position = letters[0]["id"].rpartition("_")
    assert noted == [{"endpoint": endpoint, "position": int(position)}, {"endpoint": None}]
    assert regimen("dead-letters").out == "No message was given up.\n"
    assert regimen("work", "--once", "--json").json()["delivered"] == given_up
    assert regimen("dead-letters", "--replay", letters[0]["id"]).code == 2
    assert regimen("dead-letters", "--replay", "x", "--replay-all").code == 2


def test_without_the_library_to_send_with_a_worker_works_on_its_timers(
    gauges: Regimen, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(
        bootstrap, "find_spec", lambda name: None if name == "httpcore2" else find_spec(name)
    )
    ran = gauges("work", "--once")

    assert (ran.code, ran.out) == (0, "2 timers came back.\n")
    assert "webhooks_not_sent" in ran.err
    assert gauges("endpoint", "list").code == 2
