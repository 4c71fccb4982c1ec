"""The picture of a course: where things stand, and that nothing that was recorded is left out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.definition import Waits
from engine.pages.chart import Chart, chart
from engine.pages.course import _happenings, crowded
from engine.pages.placing import Box, apart
from engine.pages.plot import LEFT, WHOLE, WIDTH, plot
from engine.pages.scale import TimeScale, ValueScale
from engine.pages.svg import cut, element, length
from engine.registry import compiled, stored_form
from engine.telling.entry import Entry, entries
from engine.telling.lexicon import Lexicon
from engine.telling.units import UNITS
from engine.telling.wording import Tone, Wording
from engine.testing import Story
from tests.pages import shipped
from workflows import instrument_calibration, intralesional_il2

ZONE = ZoneInfo("America/Los_Angeles")
UNIT = UNITS["10*3/uL"]
START = datetime(2024, 3, 4, 17, tzinfo=UTC)
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def demo() -> list[Entry]:
    return shipped("DEMO-constructed")


@pytest.fixture(scope="module")
def drawn(demo: list[Entry]) -> Chart:
    machine = compiled(stored_form(intralesional_il2.WORKFLOW))
    return chart(demo, Lexicon(machine), Wording(zone=ZONE))


def test_every_record_is_drawn(demo: list[Entry], drawn: Chart):
    marks = {mark.seq for row in drawn.rows for mark in row.marks}
    points = {p.seq for panel in (*drawn.given, *drawn.panels) for p in panel.points}

    assert marks | points == {entry.seq for entry in demo}


def test_what_is_counted_is_an_amount_and_all_else_a_measurement(drawn: Chart):
    assert [panel.name for panel in drawn.given] == ["il2_dose"]
    assert "systolic" in [panel.name for panel in drawn.panels]


def test_a_corrected_value_stays_beside_the_one_that_corrects_it(drawn: Chart):
    (platelets,) = [panel for panel in drawn.panels if panel.name == "platelets"]
    wrong = [point for point in platelets.points if point.corrected is not None]
    right = [point for point in platelets.points if point.corrects is not None]

    assert [(p.said, p.corrected) for p in wrong] == [(f"280 {UNIT}", right[0].seq)]
    assert [(p.said, p.corrects, p.at) for p in right] == [
        (f"28 {UNIT}", wrong[0].seq, wrong[0].at)
    ]


def test_a_limit_says_which_rule_acts_there(drawn: Chart):
    (platelets,) = [panel for panel in drawn.panels if panel.name == "platelets"]
    limits = {limit.value: limit for limit in platelets.limits}

    assert set(limits) == {Decimal(20), Decimal(30)}
    assert all(limit.acts for limit in limits.values())
    assert "discontinue IL-2" in limits[Decimal(30)].said


def test_holds_and_decisions_that_are_waited_for_are_marked(drawn: Chart):
    assert {span.waits for span in drawn.spans} == {None, Waits.HOLD, Waits.DECISION}


def test_refused_overridden_and_moving_records_have_marks_of_their_own(demo, drawn: Chart):
    tones = {mark.seq: mark.tone for row in drawn.rows for mark in row.marks}

    for entry in demo:
        if entry.verdict == "refused":
            assert tones[entry.seq] is Tone.NO
        elif entry.overridden:
            assert tones[entry.seq] is Tone.OVERRIDE
        elif entry.moved_by is not None:
            assert tones[entry.seq] is Tone.RULE


@pytest.mark.parametrize(
    "course", ["DEH-constructed", "DEMO-constructed", "GAR-X", "GAR-Y", "GAR-Z", "SHI-constructed"]
)
def test_the_picture_is_well_formed_and_nothing_stands_outside(course: str):
    machine = compiled(stored_form(intralesional_il2.WORKFLOW))
    picture = plot(
        chart(shipped(course), Lexicon(machine), Wording(zone=ZONE)), course, "all of it"
    )
    root = ElementTree.fromstring(picture)
    _, _, width, height = map(float, root.attrib["viewBox"].split())

    assert width == WHOLE
    for one in root.iter():
        for name in ("x", "x1", "x2", "cx"):
            if name in one.attrib:
                assert -1 <= float(one.attrib[name]) <= WHOLE, one.attrib
        for name in ("y", "y1", "y2", "cy"):
            if name in one.attrib:
                assert 0 <= float(one.attrib[name]) <= height, one.attrib
    assert "style" not in {name for one in root.iter() for name in one.attrib}


def test_the_same_course_gives_the_same_bytes():
    machine = compiled(stored_form(intralesional_il2.WORKFLOW))
    twice = {
        plot(chart(shipped("GAR-Z"), Lexicon(machine), Wording(zone=ZONE)), "GAR-Z", "x")
        for _ in range(2)
    }

    assert len(twice) == 1


@pytest.fixture(scope="module")
def long() -> list[Entry]:
    """A calibration whose first day is full, and of which little is heard for two years."""
    story = Story(instrument_calibration.WORKFLOW, start="2026-03-02 09:00")
    for n in range(20):
        story.advance(hours=3)
        story.sends("measurement_recorded", deviation=f"{n % 4} um", room_temperature="20 Cel")
    for _ in range(8):
        story.advance(days=90)
        story.sends("measurement_recorded", deviation="2 um", room_temperature="20 Cel")
    return entries(story.records)


def test_the_busy_days_of_a_long_course_are_a_part_of_their_own(long: list[Entry], demo):
    found = crowded(long, ZONE)

    assert found is not None
    first, last = found
    assert (last - first).days < 5
    inside = [entry for entry in long if entry.at is not None and first <= entry.at < last]
    assert len(inside) >= 0.5 * len(long)
    assert crowded(demo, ZONE) is None


def test_what_is_folded_leaves_the_room_to_what_happened():
    instants = [START + timedelta(minutes=n) for n in range(12)] + [
        START + timedelta(days=300),
        START + timedelta(days=330),
    ]
    folds = TimeScale.over(instants, left=0, width=1000, zone=ZONE).folds

    assert len(folds) == 2
    assert sum(end - start for start, end, _ in folds) <= 301


def test_values_in_digits_do_not_stand_on_each_other_nor_on_those_that_were_struck():
    story = Story(instrument_calibration.WORKFLOW, start="2026-03-02 09:00")
    story.sends("measurement_recorded", deviation="3 um", room_temperature="20 Cel")
    wrong = story.sends("measurement_recorded", deviation="3.2 um", room_temperature="20 Cel")
    story.corrects(wrong, "deviation", "9 um")
    story.advance(days=60).sends(
        "measurement_recorded", deviation="4 um", room_temperature="20 Cel"
    )
    machine = compiled(stored_form(instrument_calibration.WORKFLOW))
    drawn = chart(entries(story.records), Lexicon(machine), Wording(zone=ZONE))
    root = ElementTree.fromstring(plot(drawn, "I-1", "all"))
    boxes = [
        Box(float(one.get("x", 0)), float(one.get("y", 0)) - 8, length(one.text or "", 10), 9)
        for one in root.iter(f"{SVG}text")
        if (one.get("class") or "").startswith("value-text")
    ]

    assert len(boxes) > 4
    assert not any(a.meets(b) for n, a in enumerate(boxes) for b in boxes[:n])


def test_a_threshold_that_is_in_no_publication_is_marked(drawn: Chart):
    limits = [one for panel in drawn.panels for one in panel.limits]
    own = [one for one in limits if one.own]

    assert own
    assert len(own) < len(limits)
    for one in own:
        assert one.marked.endswith("*")
        assert "inferred" in one.said or "local" in one.said


def test_another_workflow_is_drawn_as_well():
    story = Story(instrument_calibration.WORKFLOW, start="2026-03-02 09:00")
    story.sends("measurement_recorded", deviation="3 um", room_temperature="20 Cel")
    story.advance(hours=2).sends("release_instrument")
    machine = compiled(stored_form(instrument_calibration.WORKFLOW))
    found = chart(entries(story.records), Lexicon(machine), Wording(zone=ZONE))

    assert [(panel.name, [limit.label for limit in panel.limits]) for panel in found.panels] == [
        *(("deviation", ["5"]), ("room_temperature", ["≥ 19", "≤ 21"]))
    ]
    assert plot(found, "I-1", "all").startswith("<svg")


def test_what_a_course_says_is_escaped():
    assert element("text", "<b>&", x=1) == '<text x="1">&lt;b&gt;&amp;</text>'
    assert element("a", href='"><script>') == '<a href="&quot;&gt;&lt;script&gt;"/>'


@given(st.lists(st.integers(0, 500), min_size=2, unique=True))
def test_time_runs_from_left_to_right_and_stays_within(days: list[int]):
    instants = [START + timedelta(days=n) for n in sorted(days)]
    scale = TimeScale.over(instants, left=LEFT, width=WIDTH, zone=ZONE)
    places = [scale.x(at) for at in instants]

    assert places == sorted(places)
    assert places[0] >= LEFT
    assert places[-1] <= LEFT + WIDTH


@given(st.lists(st.floats(0, 900), min_size=2, max_size=40))
def test_ticks_leave_each_other_room(days: list[float]):
    instants = [START + timedelta(days=n) for n in days] + [START + timedelta(days=901)]
    ticks = TimeScale.over(instants, left=LEFT, width=WIDTH, zone=ZONE).ticks()

    assert all(b.x - a.x >= 74 for a, b in pairwise(ticks))


@pytest.mark.parametrize("later", range(0, 1000, 37))
def test_no_date_of_the_axis_is_written_over_another(drawn: Chart, later: int):
    """Also where a record long after the others folds the time before it, as a signature may."""
    whole = replace(drawn, sent=(*drawn.sent, drawn.sent[-1] + timedelta(days=later)))
    root = ElementTree.fromstring(plot(whole, "DEMO", "over time"))
    boxes = []
    for text in root.iter(f"{SVG}text"):
        if (text.get("class") or "").startswith("tick"):
            bold = text.get("class") == "tick major"
            wide, x = length(text.text or "", 11.5 if bold else 10), float(text.get("x") or 0)
            left = x - wide if text.get("text-anchor") == "end" else x
            boxes.append(Box(left, float(text.get("y") or 0), wide, 9))

    boxes.sort(key=lambda one: one.x)

    assert len(boxes) > 3
    assert not any(b.x < a.x + a.width + 5 for a, b in pairwise(boxes))


@given(st.lists(st.integers(3, 1500), min_size=2, max_size=12, unique=True))
def test_a_date_without_a_year_is_of_the_year_that_was_named_last(days: list[int]):
    instants = [START + timedelta(days=day) for day in days]
    time = TimeScale.over([START, *instants], left=LEFT, width=WIDTH, zone=ZONE)
    ticks = time.ticks()
    year = ""
    for tick in ticks:
        day, month, *named = tick.label.split()
        year = named[0] if named else year
        at = datetime.strptime(f"{day} {month} {year}", "%d %b %Y").replace(tzinfo=ZONE)

        assert time.x(at) == pytest.approx(tick.x)


def test_ticks_stand_at_midnight_of_the_site_also_when_the_clocks_change():
    instants = [datetime(2024, 3, day, 18, tzinfo=UTC) for day in range(7, 15)]
    labels = [tick.label for tick in TimeScale.over(instants, left=0, width=950, zone=ZONE).ticks()]

    assert labels == ["08 Mar 2024", "09 Mar", "10 Mar", "11 Mar", "12 Mar", "13 Mar", "14 Mar"]


@given(st.lists(st.decimals(-1000, 1000, places=2), min_size=1), st.decimals(-5000, 5000, places=1))
def test_values_stand_higher_the_more_they_are(values: list[Decimal], limit: Decimal):
    scale = ValueScale.over(values, [limit], top=10, height=50)
    places = [scale.y(value) for value in sorted(values)]

    assert places == sorted(places, reverse=True)
    assert all(10 <= place <= 60 for place in places)
    assert all(scale.shows(value) for value in values)


def test_a_limit_far_away_does_not_press_the_values_into_a_corner():
    near = ValueScale.over([Decimal(100), Decimal(120)], [Decimal(80)], top=0, height=50)
    far = ValueScale.over([Decimal(100), Decimal(120)], [Decimal(9000)], top=0, height=50)

    assert near.shows(Decimal(80))
    assert not far.shows(Decimal(9000))


@given(st.lists(st.floats(0, 100), max_size=5).map(sorted))
def test_labels_are_pushed_apart(places: list[float]):
    found = apart(places, 10, 0, 200)

    assert all(b - a >= 10 - 1e-6 for a, b in pairwise(found))


def test_boxes_meet_only_where_they_share_something():
    assert Box(0, 0, 10, 10).meets(Box(9, 9, 5, 5))
    assert not Box(0, 0, 10, 10).meets(Box(10, 0, 5, 5))


@given(st.text(max_size=60), st.floats(0, 300))
def test_a_cut_text_fits_its_room(text: str, room: float):
    assert length(cut(text, room)) <= max(room, 0) or cut(text, room) == text


def signed_long_after() -> tuple[list[Entry], Chart]:
    """A course of two days in 2024, in which a record was signed two years later."""
    story = Story(instrument_calibration.WORKFLOW, start="2024-03-04 09:00")
    for _ in range(2):
        story.sends("measurement_recorded", role="technician",
                    deviation="3 um", room_temperature="20 Cel")  # fmt: skip
        story.advance(days=1)
    story.advance(days=730)
    record = story.records[1]
    proof = {"kind": "host", "by": "ann", "at": story.now.isoformat()}
    data = {"record": 2, "hash": record.hash, "meaning": "measured", "printed_name": "Ann",
            "proof": proof}  # fmt: skip
    story.sends("course.signed", role="technician", data=data)
    told = list(entries(story.records))
    machine = compiled(stored_form(instrument_calibration.WORKFLOW))
    return told, chart(told, Lexicon(machine), Wording(zone=ZONE))


def test_a_signature_of_years_later_stands_at_the_end_with_its_date_and_stretches_nothing():
    told, drawn = signed_long_after()
    (signature,) = [m for row in drawn.rows for m in row.marks if m.seq == told[-1].seq]

    assert signature.at == max(e.at for e in told[:-1] if e.at is not None)
    assert signature.label.startswith("said 2026-03")
    assert max(drawn.sent) - min(drawn.sent) < timedelta(days=3)
    assert drawn.spans[-1].end - drawn.spans[0].start < timedelta(days=3)
    table = list(_happenings(drawn, Wording(zone=ZONE)))
    assert (table[-1].seq, table[-1].at[:7]) == (told[-1].seq, "2026-03")
    picture = plot(drawn, "c-1", "Course c-1")
    assert "2025" not in picture
    assert "said 2026-03" in picture
