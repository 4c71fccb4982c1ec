"""What if over HTTP: the page with its form, and the question of programs."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from engine.core.quantity import Quantity
from engine.store.sql import SqlStore
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
