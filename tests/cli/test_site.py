"""Site calendars from the shell."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Regimen

NORTH = {
    "format": 1,
    "zone": "Europe/Vienna",
    "open": ["monday", "tuesday"],
    "holidays": {"country": "AT"},
    "extra_holidays": [{"date": "2026-12-24", "name": "Christmas Eve"}],
    "closures": [{"from": "2026-08-03", "to": "2026-08-07", "reason": "renovation"}],
}


def write(calendar: object) -> str:
    Path("north.json").write_text(json.dumps(calendar))
    return "north.json"


def test_a_calendar_is_set_shown_and_listed(gauges: Regimen):
    set_ = gauges("site", "set", "north", write(NORTH))
    shown = gauges("site", "show", "north", "--json").json()
    listed = gauges("site", "list")

    assert set_.code == 0
    assert "north (Europe/Vienna) is open on Monday, Tuesday." in set_.out
    assert "2026-08-03 to 2026-08-07  renovation" in set_.out
    assert (shown["calendar"], shown["open_every_day"]) == (NORTH, False)
    assert "Monday, Tuesday" in listed.out


def test_a_calendar_may_come_by_standard_input(gauges: Regimen):
    assert gauges("site", "set", "north", "-", stdin=json.dumps(NORTH)).code == 0


def test_a_site_without_a_calendar_is_open_every_day(gauges: Regimen):
    assert "south has no calendar: it is open every day" in gauges("site", "show", "south").out
    assert "No site has a calendar" in gauges("site", "list").out


def test_what_is_wrong_in_a_calendar_is_named(gauges: Regimen):
    wrong = gauges("site", "set", "north", write(NORTH | {"open": ["montag"]}))
    Path("text.json").write_text("monday")

    assert (wrong.code, "open[0]: expected one of monday" in wrong.err) == (2, True)
    assert "one JSON object" in gauges("site", "set", "north", "text.json").err
    assert "can be read" in gauges("site", "set", "north", "none.json").err
