"""What if over HTTP: the page with its form, and the question of programs."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from engine.client import AsyncClient
from engine.core.quantity import Quantity
from engine.core.what_if import Policy
from engine.store.sql import SqlStore
from engine.what_if import Amendment, Answered, Courses, Question, Supposing
from tests.web.conftest import House, numbers
from tests.web.test_events import measured, release, send
from workflows.instrument_calibration import WORKFLOW

HTML = {"Accept": "text/html"}
PAGE = "/courses/I-1/what-if"


@pytest.fixture
def bench(house: House) -> House:
    """A deviation of 4 micrometres is within the limit of 5, and the instrument is released."""
    house.enrolled()
    data = {
        "deviation": {"value": "4", "unit": "um"},
        "room_temperature": {"value": "20", "unit": "Cel"},
    }
    assert send(house, measured(house, **data)).status_code == 201
    assert send(house, release(house), if_match="*").status_code == 201
    return house


def page(house: House, query: str = "", *, status: int = 200, path: str = PAGE) -> str:
    answer = house.client.get(f"{path}{query}", headers=HTML)
    assert answer.status_code == status, answer.text
    return " ".join(answer.text.split())


# --- the page -------------------------------------------------------------------------------------


def test_the_form_lists_the_parameters_with_unit_and_value(bench: House):
    said = page(bench)

    assert "Largest permitted deviation from the gauge block" in said
    assert 'name="set.deviation_limit"' in said
    assert '<b>5</b> <span class="unit">µm</span>' in said
    assert "Side by side" not in said


def test_an_answer_stands_side_by_side_from_the_first_difference_on(bench: House):
    said = page(bench, "?policy=follow-new&set.deviation_limit=3")

    assert "1 of 3 decisions would be different" in said
    assert said.index("First difference</th>") < said.index('id="record-3"')
    assert "Largest permitted deviation from the gauge block</b> 5 µm → <b>3 µm</b>" in said


def test_a_value_that_cannot_be_is_told_and_kept_and_nothing_is_answered(bench: House):
    said = page(bench, "?policy=stop&set.deviation_limit=500", status=422)

    assert "expected at least 1 µm and at most 50 µm, typed was “500”" in said
    assert 'value="500"' in said
    assert "Side by side" not in said


def test_what_a_form_sends_empty_is_left_out_of_the_address(bench: House):
    sent = "?set.deviation_limit=3&set.months_between=&policy=stop&definition="
    answer = bench.client.get(PAGE + sent, headers=HTML, follow_redirects=False)

    assert answer.status_code == 303
    assert answer.headers["location"] == f"{PAGE}?policy=stop&set.deviation_limit=3"


def test_what_is_typed_is_shown_and_never_run(bench: House):
    said = page(bench, "?policy=stop&set.deviation_limit=%3Cscript%3E1%3C/script%3E", status=422)

    assert "<script>1" not in said
    assert "&lt;script&gt;1" in said


@pytest.mark.parametrize(
    "query",
    ["?policy=go-on", "?set.deviation_limit=1&set.deviation_limit=2&policy=stop", "?limit=3",
     "?policy=stop&start=-1", "?policy=stop&show=none"],
)  # fmt: skip
def test_what_is_no_question_of_the_form_is_refused(bench: House, query: str):
    page(bench, query, status=422)


def test_more_names_than_any_definition_has_are_refused(bench: House):
    many = "&".join(f"set.p{n}=1" for n in range(201))

    page(bench, f"?policy=stop&{many}", status=422)


def test_another_published_version_may_be_chosen(database: SqlStore):
    """Two versions are stored; the course goes by the first of them."""
    strict = replace(
        WORKFLOW,
        version="2",
        parameters=tuple(
            replace(p, value=Quantity(Decimal(3), "um")) if p.name == "deviation_limit" else p
            for p in WORKFLOW.parameters
        ),
    )
    house = House(database, f"clinic-{next(numbers)}", offered=(strict, WORKFLOW))
    house.enrolled()
    assert send(house, measured(house)).status_code == 201
    digest = house.registry.digest("instrument_calibration@2", "")
    said = page(house, f"?policy=stop&definition={digest}")

    assert f'<option value="{digest}" selected>instrument_calibration@2' in said
    assert "µm → <b>3 µm</b>, by <b>instrument_calibration@2</b>" in said
    assert "expected one of" in page(house, "?policy=stop&definition=other@9", status=422)


def test_it_is_linked_from_every_page_of_the_course(bench: House):
    for path in ("/courses/I-1", "/courses/I-1/records", "/courses/I-1/states"):
        assert f'href="{PAGE}"' in page(bench, path=path)


def test_asking_writes_nothing(bench: House):
    before = bench.client.get("/v1/courses/I-1/records").json()
    page(bench, "?policy=follow-new&set.deviation_limit=3")
    after: Any = bench.client.get("/v1/courses/I-1/records").json()

    assert after == before


# --- the question of programs ---------------------------------------------------------------------


def ask(house: House, *, status: int = 200, **question: Any) -> Any:
    body = {"courses": ["I-1"], "parameters": {"deviation_limit": "3"}, **question}
    answer = house.client.post("/v1/what-if", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


@pytest.mark.parametrize("policy", ["stop", "follow-recorded", "follow-new"])
def test_the_answer_is_that_of_the_terminal(bench: House, policy: str):
    told = ask(bench, policy=policy)
    amendment = Amendment(settings={"deviation_limit": "3"})
    question = Question(amendment=amendment, policy=Policy(policy))
    courses = Courses(store=bench.store, registry=bench.registry, tenant=bench.tenant)
    machine = bench.service.status("I-1").machine
    answer = Answered(policy=Policy(policy), definition=None, settings=amendment.changes([machine]))
    answer.add(courses.of("I-1", Supposing(question)))

    assert told == answer.json()
    assert told["parameters"] == [
        {"parameter": "deviation_limit", "before": "5 um", "after": "3 um"}
    ]
    assert (told["decisions_flipped"], told["by_course"][0]["first"]) == (1, 3)


def test_a_client_asks_and_reads_the_answer(bench: House):
    found = bench.caller().what_if(["I-1"], parameters={"deviation_limit": "3 um"})

    (course,) = found.by_course
    (flip,) = course.divergences[0].flips
    assert (course.first, flip.guard, flip.recorded, flip.again) == (
        3, "deviation_within_limit", "yes", "no",
    )  # fmt: skip
    assert found.not_judged.records == {}


def test_a_client_that_is_awaited_asks_alike(bench: House):
    async def asked() -> int:
        transport = httpx2.ASGITransport(bench.app, client=("127.0.0.1", 50000))
        async with AsyncClient("http://testserver", transport=transport) as caller:
            found = await caller.what_if(["I-1"], parameters={"deviation_limit": "3"})
        return found.decisions_flipped

    assert asyncio.run(asked()) == 1


@pytest.mark.parametrize(
    ("question", "field"),
    [
        ({"courses": []}, "courses"),
        ({"courses": [f"C-{n}" for n in range(21)]}, "courses"),
        ({"courses": ["I-1", "I-1"]}, "courses"),
        ({"courses": "I-1"}, "courses"),
        ({"courses": ["no name"]}, "courses.0"),
        ({"parameters": {"deviation_limit": "500"}}, "parameters.deviation_limit"),
        ({"parameters": {"deviation_limit": "3 kg"}}, "parameters.deviation_limit"),
        ({"parameters": {"deviation_limit": 3}}, "parameters.deviation_limit"),
        ({"parameters": {"deviation_limits": "3"}}, "parameters"),
        ({"parameters": {"no name": "3"}}, "parameters"),
        ({"parameters": {}}, "parameters"),
        ({"parameters": ["3"]}, "parameters"),
        ({"policy": "go-on"}, "policy"),
        ({"policy": ["stop"]}, "policy"),
        ({"definition": "sha256"}, "workflow"),
        ({"definition": 2}, "definition"),
        ({"what": "else"}, "what"),
    ],
)
def test_what_is_no_question_names_the_member_and_what_was_expected(
    bench: House, question: dict[str, Any], field: str
):
    problem = ask(bench, status=422, **question)

    (error,) = problem["errors"]
    assert error["field"] == field
    assert error["expected"]


def test_a_course_that_is_not_there_is_told_by_its_place(bench: House):
    problem = ask(bench, status=404, courses=["I-1", "I-2"])

    assert problem["errors"] == [{"field": "courses.1", "expected": "a course of yours"}]


def test_longer_courses_than_a_request_may_ask_are_left_to_the_terminal(
    bench: House, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("engine.web.routes.what_if.MOST_RECORDS", 2)
    problem = ask(bench, status=422)

    assert "regimen what-if" in problem["detail"]


def test_another_definition_is_asked_by_its_name(bench: House):
    found = ask(bench, definition="instrument_calibration@1", parameters={})

    assert found["definition"] == bench.registry.digest("instrument_calibration", "")
    assert (found["diverged"], found["by_course"]) == (0, [])
