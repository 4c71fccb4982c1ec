"""A quick value is the same value, only made sooner."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError, dataclass, field, replace

import pytest

from engine.core.quick import quick, replaced


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Dose:
    amount: int
    unit: str = "mL"
    parts: list[int] = field(default_factory=list)


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Given(Dose):
    """The same fields under another name."""


def test_it_is_frozen_compared_and_hashed_as_any_dataclass():
    dose = Dose(amount=3, parts=[1])

    assert (dose, repr(dose)) == (
        Dose(amount=3, unit="mL", parts=[1]),
        "Dose(amount=3, unit='mL', parts=[1])",
    )
    with pytest.raises(FrozenInstanceError):
        dose.amount = 4  # type: ignore[misc]  # which is what is tried


def test_each_gets_a_default_of_its_own():
    assert Dose(amount=1).parts is not Dose(amount=1).parts


@pytest.mark.parametrize(
    "again", [copy.copy, lambda d: pickle.loads(pickle.dumps(d)), replace, replaced]
)
def test_it_can_be_copied(again):
    given = Given(amount=3)

    found = again(given)

    assert (type(found), found) == (Given, given)


def test_one_with_other_values_is_another_and_the_first_stays_as_it_was():
    dose = Given(amount=3, unit="L")

    other = replaced(dose, amount=4, parts=[1])

    assert (dose, other) == (Given(amount=3, unit="L"), Given(amount=4, unit="L", parts=[1]))
    with pytest.raises(FrozenInstanceError):
        other.amount = 5  # type: ignore[misc]  # which is what is tried


def test_a_field_that_there_is_none_of_cannot_be_replaced():
    with pytest.raises(AttributeError, match="'Dose' object has no attribute 'colour'"):
        replaced(Dose(amount=1), colour="red")


def test_a_missing_field_is_named_and_so_is_one_too_many():
    with pytest.raises(TypeError, match=r"Dose.__init__.*amount"):
        Dose()  # type: ignore[call-arg]  # which is what is tried
    with pytest.raises(TypeError, match="colour"):
        Dose(amount=1, colour="red")  # type: ignore[call-arg]  # which is what is tried


def test_a_class_that_is_not_frozen_or_has_no_slots_is_refused():
    with pytest.raises(TypeError, match="Thawed: expected a frozen dataclass with slots"):

        @quick
        @dataclass(slots=True)
        class Thawed:
            amount: int

    with pytest.raises(TypeError, match="Loose: expected a frozen dataclass with slots"):

        @quick
        @dataclass(frozen=True)
        class Loose:
            amount: int


def test_a_class_that_adds_fields_to_anothers_is_refused():
    with pytest.raises(TypeError, match="Timed: expected one class that has all the fields"):

        @quick
        @dataclass(frozen=True, slots=True, kw_only=True)
        class Timed(Dose):
            at: str


def test_a_class_that_does_more_than_assign_is_refused():
    with pytest.raises(TypeError, match="Checked: expected fields that are only assigned"):

        @quick
        @dataclass(frozen=True, slots=True)
        class Checked:
            amount: int

            def __post_init__(self) -> None:
                """Something."""
