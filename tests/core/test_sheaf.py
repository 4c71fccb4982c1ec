"""Guards weighed together answer what each answers by itself, and ask for no more than that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import product
from typing import Any

import pytest

from engine.core import expression as tree
from engine.core import sheaf
from engine.core.expression import Expression, Truth, all_of, any_of, choose, lift
from engine.core.guard import compile_guard
from engine.core.quantity import q
from engine.core.sheaf import WORTH, Sheaf, bound
from engine.core.view import ENTERED_IN_ERROR, View
from engine.core.weighing import Answer, Code
from tests.core.test_truth import NOW, SCHEMA, a, b, c, compiled, count, read, view
from tests.histories.history import histories, load

ANSWERS = (True, False, None)

LATE = tree.Now() > tree.CivilInstant(tree.Today(), "08:00")
FORMS: dict[str, Expression] = {
    "all": all_of(a, b, c),
    "any": any_of(a, b, c),
    "not": ~(a & b),
    "known": (a & b).known(),
    "chosen": choose(a, b, c),
    "compared": (count + 1) * 2 > count + 5,
    "limited": count >= 3,
    "differing": count.is_not(3),
    "shared": all_of((a | b) & c, any_of((a | b) & c, c), ~((a | b) & c)),
    "chosen number": choose(a, lift(1), count).is_(1),
    "of civil time": a & LATE,
    "nothing": tree.AllOf(()),
}


class Diary:
    """A calendar that notes what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def civil_date(self, instant: datetime) -> date:
        self.asked.append(f"{instant}")
        return instant.date()

    def instant(self, on: date, time: str) -> datetime:
        self.asked.append(f"{on} {time}")
        return NOW - timedelta(hours=1)


def both(codes: Sequence[Code], seen: View) -> tuple[Any, Any]:
    """What the closures and what the sheaf make of a view, with the civil times they asked for."""
    found = []
    for weigh in (lambda v: [code.run(v) for code in codes], bound(codes)):
        diary = seen.calendar = Diary()
        found.append(([*map(repr, weigh(seen))], set(diary.asked)))
    return found[0], found[1]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_answers_what_the_closure_answers(form: str):
    codes = [compiled(FORMS[form]), compiled(~FORMS[form])]

    for first, second, third, number in product(ANSWERS, ANSWERS, ANSWERS, (None, "2", "3", "9")):
        known = None if number is None else Decimal(number)
        alone, together = both(codes, view(a=first, b=second, c=third, count=known))
        assert together == alone


def test_what_several_share_is_weighed_once_and_only_when_it_is_asked_for():
    shared = any_of(b & LATE, c)
    weigh = bound([compiled(a & shared), compiled(all_of(a, ~c, shared))])
    never, ever = (view(a=first, b=True, c=False) for first in (False, True))
    never.calendar, ever.calendar = Diary(), Diary()

    assert list(weigh(never)) == [False, False]
    assert never.calendar.asked == []
    assert list(weigh(ever)) == [True, True]
    assert ever.calendar.asked == ["2026-03-02 08:00"]


def test_a_tree_that_is_too_deep_for_python_is_called():
    deep: Expression = a & b
    for _ in range(300):
        deep = ~deep

    assert list(bound([compiled(deep)])(view(a=True, b=True))) == [True]


WEEK = timedelta(days=7)
CALLED: dict[str, Expression] = {
    "sum": tree.Sum("level", WEEK, Truth.NO) > 7,
    "sum of what there is": tree.Sum("level", WEEK, Truth.UNKNOWN) > 7,
    "latest day": tree.LatestDay() > tree.Today(),
    "revised": tree.Revised("level"),
    "count": tree.Count("level", lift(3), WEEK, Truth.NO) > 1,
}


@pytest.mark.parametrize("form", CALLED)
@pytest.mark.parametrize("semantics", [1, 2])
def test_a_node_without_a_form_is_called_as_the_closure_that_it_is(form: str, semantics: int):
    schema = replace(SCHEMA, semantics=semantics)
    codes = [compile_guard(node, schema, []) for node in (a & CALLED[form], ~CALLED[form] | b)]
    gone = read(None, flaw=ENTERED_IN_ERROR)
    answers = set()

    for readings in ([], [read(Decimal(8))], [read(Decimal(4))] * 2, [read(Decimal(8)), gone]):
        for days, revised in product((0, 2), ((), ("level",))):
            seen = view({"level": readings}, a=True, b=False)
            seen.last, seen.revised = NOW + timedelta(days=days), revised
            alone, together = both(codes, seen)
            assert together == alone
            answers |= {*alone[0]}

    assert {"True", "False"} <= answers


def test_a_unit_that_must_be_converted_is_left_to_the_closure():
    litres = lift(q("1", "L"))
    code = compiled(litres.is_(q("1000", "mL")))

    assert list(bound([code])(view())) == [True]


def test_it_is_written_when_it_was_weighed_often_enough():
    codes = [compiled(a & b)]
    bundle = Sheaf(codes)

    for _ in range(WORTH + 2):
        assert list(bundle.answers(view(a=True, b=None))) == [None]
    assert bundle._weigh is not None


@pytest.mark.parametrize("path", histories("good"), ids=lambda path: path.stem)
def test_in_every_golden_history_it_answers_as_the_closures_do(path: Any, monkeypatch: Any):
    """Asking a recorded calendar for what was not asked then would raise, too."""
    weighed = 0
    written: dict[Sheaf, Any] = {}

    def compared(self: Sheaf, seen: View) -> Sequence[Answer]:
        nonlocal weighed
        weighed += 1
        if self not in written:
            written[self] = bound(self._codes)
        found = list(written[self](seen))
        assert found == [code.run(seen) for code in self._codes]
        return found

    monkeypatch.setattr(sheaf.Sheaf, "answers", compared)
    bundle = load(path)

    assert bundle.decide_again() == []
    assert weighed
