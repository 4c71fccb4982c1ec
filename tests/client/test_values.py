"""What is sent and what is read, and what is never shown."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal

import httpx2
import pytest

from engine.client import (
    Actor,
    Client,
    Event,
    GuardUndecided,
    Invalid,
    Missing,
    Problem,
    Question,
    Reading,
    StaleRevision,
    UnexpectedAnswer,
    Window,
    new_key,
)
from engine.client.reading import read
from tests.client.answers import ANSWER, REPORT, problem, taken
from tests.client.conftest import Far

Make = Callable[..., Client]
WINDOW = {
    "visit": "dose", "number": 3, "earliest": "2026-03-05", "target": "2026-03-05",
    "latest": "2026-03-07", "not_before": "2026-03-05T16:00:00Z",
}  # fmt: skip


def test_days_and_instants_are_read_and_a_member_that_is_new_is_passed_over():
    found = read(Window, WINDOW | {"colour": "blue"})

    assert (found.earliest, found.latest) == (date(2026, 3, 5), date(2026, 3, 7))
    assert found.not_before == datetime(2026, 3, 5, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"number": True}, "number: a whole number was expected"),
        ({"number": "3"}, "number: a whole number was expected"),
        ({"visit": None}, "visit: a value was expected, but it is absent"),
        ({"earliest": 5}, "earliest: a text was expected"),
    ],
)
def test_a_member_of_another_kind_is_named_without_its_value(change: dict, message: str):
    with pytest.raises(ValueError, match=message):
        read(Window, WINDOW | change)


def test_what_is_listed_is_read_one_by_one():
    assert read(Question, {"rule": "r", "missing": ["a", "b"]}).missing == ("a", "b")
    with pytest.raises(ValueError, match="missing: a text was expected"):
        read(Question, {"rule": "r", "missing": [1]})


def test_an_answer_of_another_shape_is_no_answer(client_of: Make):
    for answer in ({}, [], ANSWER | {"seq": "2"}, ANSWER):  # the last one without its ETag
        with pytest.raises(UnexpectedAnswer) as raised:
            client_of(httpx2.Response(201, json=answer)).submit("I-1", REPORT)
        assert raised.value.key == "key-1"


def test_a_revision_is_read_from_an_etag_that_a_proxy_marked(client_of: Make):
    for told in ('"12"', 'W/"12"', '"12-gzip"'):
        answer = httpx2.Response(201, json=ANSWER, headers={"ETag": told})
        assert client_of(answer).submit("I-1", REPORT).revision == 12


def test_decimals_days_and_times_are_sent_as_texts():
    data = {"a": {"value": Decimal("1E+1"), "unit": "m"}, "b": [date(2026, 3, 2)], "c": None}
    at = datetime(2026, 3, 2, 16, tzinfo=UTC)
    sent = Event(event="e", at=at, actor=Actor("a", "nurse"), data=data).body()

    assert sent["at"] == "2026-03-02T16:00:00+00:00"
    assert sent["data"] == {"a": {"value": "10", "unit": "m"}, "b": ["2026-03-02"], "c": None}
    assert "id" not in sent
    with pytest.raises(ValueError, match="zone"):
        Event(event="e", at=at.replace(tzinfo=None), actor=Actor("a", "nurse")).body()


def test_a_name_is_one_part_of_a_path(client_of: Make, far: Far):
    client = client_of(problem("not-found", 404))
    with pytest.raises(Problem):
        client.course("a/b?c")

    assert far.requests[0].url.raw_path == b"/v1/courses/a%2Fb%3Fc"
    for name in ("", ".", ".."):
        with pytest.raises(ValueError, match="course: a name was expected"):
            client.course(name)


def test_a_problem_is_raised_by_its_name_with_its_members(client_of: Make):
    undecided = problem(
        "guard-undecided", 409, course="I-1", seq=3, attempts=[{"kept_by": []}],
        missing=[{"name": "room_temperature", "why": "missing"}],
    )  # fmt: skip
    with pytest.raises(GuardUndecided) as refused:
        client_of(undecided).submit("I-1", REPORT, revision=2)
    with pytest.raises(StaleRevision) as stale:
        client_of(problem("stale-revision", 412, expected=1, actual=4)).submit("I-1", REPORT)
    with pytest.raises(Invalid) as invalid:
        client_of(problem("invalid", 422, errors=[{"field": "at", "expected": "a zone"}])).course(
            "I-1"
        )
    with pytest.raises(Problem) as new:
        client_of(problem("not-known-yet", 409)).course("I-1")

    assert refused.value.missing == (Missing(name="room_temperature", why="missing"),)
    assert (refused.value.course, refused.value.seq) == ("I-1", 3)
    assert (stale.value.expected, stale.value.actual) == (1, 4)
    assert [one.field for one in invalid.value.errors] == ["at"]
    assert (type(new.value), new.value.name) == (Problem, "not-known-yet")


def test_no_token_and_no_clinical_value_is_shown(client_of: Make):
    client = client_of(problem("guard-failed", 409, attempts=[{"value": "81"}]))
    event = Event(event="e", at=REPORT.at, actor=REPORT.actor, data={"systolic": "81"})
    with pytest.raises(Problem) as raised:
        client.submit("I-1", event, revision=1)
    shown = f"{client!r} {client!s} {event!r} {raised.value!r} {raised.value}"
    answer = client_of(taken).submit("I-1", event)

    assert "secret" not in shown
    assert "81" not in shown
    assert "decision" not in repr(answer)


def test_a_url_or_token_that_would_leak_or_break_a_header_is_refused():
    for url in ("clinic.example", "ftp://clinic.example", "https://me:secret@clinic.example"):
        with pytest.raises(ValueError, match="url: ") as raised:
            Client(url)
        assert "secret" not in str(raised.value)
    with pytest.raises(ValueError, match="token: "):
        Client("https://clinic.example", "a\nb")


def test_a_service_may_live_below_a_path(far: Far):
    far.answers = [httpx2.Response(200, json={"workflows": []})]
    with Client("https://a.example/regimen/", transport=httpx2.MockTransport(far.answer)) as client:
        assert client.workflows() == ()

    assert str(far.requests[0].url) == "https://a.example/regimen/v1/workflows"


def test_no_two_keys_are_alike_and_each_is_an_identifier():
    made = {new_key() for _ in range(1000)}

    assert len(made) == 1000
    assert all(len(key) == 32 and key.isalnum() for key in made)


@pytest.mark.parametrize("value", ["3.1", True, None])
def test_a_reading_is_whatever_its_input_measures(value: object):
    told = {
        "input": "i", "value": value, "unit": None, "at": None, "over_seconds": None, "flaw": None,
        "record": 2, "first": 2, "recorded_at": "2026-03-02T16:00:00Z", "corrected_by": None,
    }  # fmt: skip

    assert read(Reading, told).value is value


def test_a_reading_that_is_no_such_thing_is_named_without_its_value():
    told = {"input": "i", "value": 3.25}

    with pytest.raises(ValueError, match=r"^value: ") as raised:
        read(Reading, told)
    assert "3.25" not in str(raised.value)
