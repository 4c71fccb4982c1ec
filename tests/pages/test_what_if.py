"""A course beside itself: what the page of a what-if shows, and how its form is read."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest

from engine.core.contrast import Aspect
from engine.core.supposition import Supposition, Why
from engine.core.what_if import Policy
from engine.pages.lanes import lanes
from engine.pages.records import Book
from engine.pages.what_if import Beside, Kind, Row, Run, changed, kind_of
from engine.pages.what_if_form import Form, Wanted, form
from engine.registry import compiled, stored_form
from engine.telling.entry import entries
from engine.telling.lexicon import Lexicon
from engine.telling.marks import VERDICT_TONES
from engine.telling.supposing import DIFFERS, MEANING, cannot
from engine.telling.wording import Wording
from engine.what_if import Amendment, Courses, Question, Supposing
from tests.pages import served
from workflows import intralesional_il2

COURSE = "DEMO-constructed"
MACHINE = compiled(stored_form(intralesional_il2.WORKFLOW))
AMENDED = compiled(stored_form(replace(intralesional_il2.WORKFLOW, version="3")))
SVG = "{http://www.w3.org/2000/svg}"
EVERY = pytest.mark.parametrize("policy", Policy)


@cache
def beside(policy: Policy, name: str = "tolerated_grade", value: str = "1") -> Beside:
    service = served(COURSE)
    courses = Courses(store=service.store, registry=service.setting.registry, tenant=service.tenant)
    amendment = Amendment(settings={name: value})
    supposing = Supposing(Question(amendment=amendment, policy=policy))
    found, pairs = courses.side_by_side(COURSE, supposing)
    assert isinstance(found, Supposition)
    machine = service.status(COURSE).machine
    records = service.records(COURSE)
    return Beside(
        found=found,
        pairs=pairs,
        policy=policy,
        other=amendment.of(machine) or machine,
        book=Book(
            records=records,
            entries=entries(records),
            lexicon=Lexicon(machine),
            wording=Wording(zone=ZoneInfo("UTC")),
        ),
    )


def told(one: Beside, *, whole: bool = False) -> list[Row | Run]:
    return list(one.rows(whole=whole)[0])


def asked(policy: Policy | None = Policy.STOP, definition: str = "", **typed: str) -> Form:
    known = {MACHINE.digest: MACHINE, AMENDED.digest: AMENDED}
    return form(MACHINE, known, Wanted(typed=typed, policy=policy, definition=definition))


# --- the two sides --------------------------------------------------------------------------------


@EVERY
def test_every_record_is_told_once_in_its_order_and_only_one_row_is_the_first(policy: Policy):
    one = beside(policy)
    seqs = [row.seq for row in told(one, whole=True) if isinstance(row, Row) and row.seq]
    covered = [
        seq
        for row in told(one)
        for seq in ([row.seq] if isinstance(row, Row) else range(row.start, row.end + 1))
    ]

    assert seqs == covered == list(range(1, 73))
    firsts = [row for row in told(one, whole=True) if isinstance(row, Row) and row.first]
    assert [row.seq for row in firsts] == [33]
    assert one.first == firsts[0]


def test_a_flipped_decision_stands_beside_the_recorded_one_with_the_guards_that_turned():
    row = next(r for r in told(beside(Policy.FOLLOW_NEW)) if isinstance(r, Row) and r.seq == 34)

    assert row.kind is Kind.FLIPPED
    assert row.left is not None
    assert row.right is not None
    assert (row.left.verdict, row.right.verdict) == ("accepted", "refused")
    assert row.right.why is not None
    assert "No adverse event above grade 2 since the dose: yes → no" in [s.text for s in row.lines]
    said = "\n".join(row.right.why.lines())
    assert said.startswith("Would be refused")
    assert "at most 1 (Worst grade" in said  # the threshold as it is supposed


def test_a_timer_that_only_the_amended_definition_lets_come_has_no_left_side():
    row = next(
        r
        for r in told(beside(Policy.FOLLOW_NEW, "tail_days", "14"))
        if isinstance(r, Row) and r.seq is None
    )

    assert row.left is None
    assert row.right is not None
    assert (row.after, row.right.state, row.right.moved) == (71, "Topicals one week a month", True)
    assert beside(Policy.FOLLOW_NEW, "tail_days", "14").ends == (
        "Topicals for three more weeks",
        "Topicals one week a month",
    )


def test_after_the_first_difference_a_policy_may_ask_no_more_and_the_page_says_so():
    one = beside(Policy.STOP)

    assert told(one)[-1] == Run(kind=Kind.UNASKED, start=34, end=72)
    last = told(one, whole=True)[-1]
    assert isinstance(last, Row)
    assert (last.kind, last.right) == (Kind.UNASKED, None)
    assert one.ends is None


def test_what_cannot_be_judged_is_told_with_why_and_its_records():
    one = beside(Policy.FOLLOW_NEW, "max_dose", "10")
    silent = {said.why: said.seqs for said in one.silent()}
    rows = [row for row in told(one) if isinstance(row, Row) and row.kind is Kind.UNJUDGED]

    assert cannot(Why.OTHER_WAY, 2) in silent
    assert sorted(seq for seqs in silent.values() for seq in seqs) == [row.seq for row in rows]
    assert all(row.right is None and row.lines for row in rows)


@EVERY
def test_the_counts_are_those_of_the_terminal(policy: Policy):
    one = beside(policy)
    lines = list(one.guards())

    assert one.tally["courses"] == 1
    assert sum(line.times for line in lines) == sum(g["flipped"] for g in one.tally["guards"])
    flipped = [row for row in told(one) if isinstance(row, Row) and row.kind is Kind.FLIPPED]
    assert len(flipped) == one.tally["decisions_flipped"]


def test_a_rule_that_holds_is_no_good_news_and_a_requirement_that_is_met_is():
    tones = {(g.use, g.again): g.tone for g in beside(Policy.FOLLOW_NEW).guards()}

    assert tones["requirement", "no"] == VERDICT_TONES["no"]
    assert tones["rule", "yes"] != VERDICT_TONES["yes"]


def test_rows_come_a_page_at_a_time(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("engine.pages.what_if.PAGE", 30)
    one = beside(Policy.FOLLOW_NEW)
    first, second = one.rows(whole=True)
    third, last = one.rows(whole=True, start=60)

    assert (len(first), second, len(third), last) == (30, 30, 12, None)


def test_every_way_to_differ_and_every_policy_has_its_words():
    assert set(DIFFERS) == set(Aspect)
    assert set(MEANING) == set(Policy)
    for why in Why:
        assert cannot(why)
        assert cannot(why, 2)


# --- the picture ----------------------------------------------------------------------------------


@EVERY
def test_the_picture_marks_what_the_table_tells_and_where_they_part(policy: Policy):
    one = beside(policy)
    root = ElementTree.fromstring(str(lanes(one, "label")))
    marks = [a.get("href") for a in root.iter(f"{SVG}a")]
    rows = [
        f"#record-{row.seq}" if row.seq else f"#after-{row.after}"
        for row in told(one)
        if isinstance(row, Row)
    ]

    assert marks == rows
    assert [line.get("class") for line in root.iter(f"{SVG}line")].count("parting") == 1
    words = [text.text for text in root.iter(f"{SVG}text")]
    assert ("As supposed" in words) is (policy is Policy.FOLLOW_NEW)


def test_the_supposed_lane_has_the_states_of_the_supposed_course():
    one = beside(Policy.FOLLOW_NEW, "tail_days", "14")
    root = ElementTree.fromstring(str(lanes(one, "label")))
    bars = [
        title.split("\n")[0]
        for rect in root.iter(f"{SVG}rect")
        if "stay" in (rect.get("class") or "") and (title := rect.findtext(f"{SVG}title"))
    ]

    assert bars.count("Topicals one week a month") == 1
    assert bars[-1] == "Topicals one week a month"


def test_a_pair_of_nothing_to_tell_is_alike():
    kinds = {kind_of(pair) for pair in beside(Policy.FOLLOW_RECORDED).pairs}

    assert kinds == {Kind.ALIKE, Kind.DIFFERS, Kind.FLIPPED}


# --- the form -------------------------------------------------------------------------------------


def test_each_parameter_has_a_field_with_its_value_unit_and_range():
    fields = {field.row.parameter: field for field in asked(None).others}
    limit, hours = fields["platelet_limit"], fields["observe_for"]

    assert (limit.value, limit.unit, limit.range) == ("30", "×10³/µL", "30 to 100")  # noqa: RUF001  # as people write it
    assert (hours.value, hours.unit, hours.range) == ("6 hours", "", "6 hours to 24 hours")
    assert fields["labs_each_visit"].yes_no
    assert fields["max_weeks"].row.provenance == "local"
    assert set(fields) == {p.name for p in MACHINE.workflow.parameters if p.site}
    assert not asked(None).wrong


def test_what_is_no_value_is_told_with_its_field_its_unit_and_what_was_expected_and_is_kept():
    found = asked(platelet_limit="500", observe_for="8", tolerated_grade="1", tail_days="x" * 65)
    wrong = {one.field: (one.title, one.expected, one.typed) for one in found.wrong}

    assert wrong["set.platelet_limit"] == (
        "Platelets that stop IL-2 when sustained: below",
        "at least 30 ×10³/µL and at most 100 ×10³/µL",  # noqa: RUF001  # as people write it
        "500",
    )
    assert wrong["set.observe_for"][1] == "an elapsed time such as 8 hours or 30 minutes"
    assert wrong["set.tail_days"][1] == "at most 64 characters"
    assert len(found.wrong) == 3
    assert {f.row.parameter: f.typed for f in found.chosen}["platelet_limit"] == "500"


def test_a_name_that_is_no_parameter_is_told_with_those_that_it_may_have_meant():
    (wrong,) = asked(platelets_limit="50").wrong

    assert "platelet_limit" in wrong.expected
    assert not wrong.anchored


def test_a_question_that_supposes_nothing_is_none_and_an_empty_form_is_not_wrong():
    assert [one.title for one in asked().wrong] == ["Nothing is supposed"]
    assert not asked(None).wrong


def test_another_version_brings_its_own_parameters_and_an_unknown_one_is_told():
    other = asked(definition=AMENDED.digest)

    assert (other.label, other.wrong) == ("intralesional_il2@3", ())
    assert [choice.here for choice in other.definitions] == [False, True]
    assert asked(definition="sha256:0").wrong[0].field == "definition"


def test_the_address_of_a_question_is_without_what_was_left_empty():
    wanted = Wanted(typed={"tail_days": "14", "max_dose": ""}, policy=Policy.STOP)

    assert wanted.query() == "?policy=stop&set.tail_days=14"
    assert wanted.query(show="every") == "?policy=stop&set.tail_days=14&show=every"


def test_what_is_supposed_is_told_with_its_unit():
    one = beside(Policy.FOLLOW_NEW, "max_dose", "10")
    machine = served(COURSE).status(COURSE).machine
    (said,) = changed(one.other, Amendment(settings={"max_dose": "10"}).changes([machine]))

    assert (said.before, said.after) == (
        "22 million international units",
        "10 million international units",
    )
