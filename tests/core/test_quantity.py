"""Numbers are exact, units are never guessed, and a conversion is rounded once."""

from __future__ import annotations

import decimal
import pickle
from contextlib import suppress
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.quantity import (
    CONTEXT,
    Quantity,
    UnitError,
    convert,
    convertible,
    decimal_from,
    decimal_text,
    dimension,
    q,
)

FAMILIES = (
    ("kg", "g", "mg", "ug", "ng", "pg"),
    ("L", "l", "dL", "mL", "uL", "mm3", "cm3"),
    ("s", "min", "h", "d", "wk"),
    ("mo", "a"),
    ("mm[Hg]", "Pa", "kPa"),
    ("[IU]", "k[IU]", "M[IU]", "10*6.[IU]", "10^6.[IU]"),
    ("U/L", "mU/mL", "kU/L"),
    ("10*3/uL", "/mm3", "1/uL", "10*9/L", "{cells}/uL", "mm-3"),
    ("ug/min", "mg/d", "g/h", "mg.h-1"),
    ("1", "%", "{score}", "10*3", "mg/g"),
    ("mmol/L", "umol/mL", "mol/m3"),
)
LINEAR_PAIRS = st.sampled_from(FAMILIES).flatmap(
    lambda family: st.tuples(st.sampled_from(family), st.sampled_from(family))
)
TEMPERATURES = st.sampled_from(("Cel", "[degF]", "K"))
DECIMALS = st.decimals(min_value=-(10**12), max_value=10**12, places=9)


@pytest.mark.parametrize(
    "wrong",
    [3.1, 0.0, True, False, None, Decimal("3.1"), [], "", " 3", "3 ", "3\n", "+3", ".5", "5.",
     "1e3", "1E3", "1,000", "1_000", "NaN", "Infinity", "-", "--1", "0x10", "\u0663", "3.1.2"],
)  # fmt: skip
def test_only_a_plain_decimal_string_or_a_whole_number_is_a_number(wrong: object) -> None:
    with pytest.raises(ValueError, match=r'expected a decimal string such as "3\.1"'):
        decimal_from(wrong)


@pytest.mark.parametrize("text", ["0", "3.1", "-3.10", "9" * 30, "0." + "9" * 29])
def test_a_decimal_string_keeps_every_digit(text: str) -> None:
    assert str(decimal_from(text)) == text


@pytest.mark.parametrize("wrong", ["9" * 31, "0." + "9" * 30, "-" + "9" * 31, 10**30])
def test_more_than_thirty_digits_are_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match="at most 30 digits"):
        decimal_from(wrong)


def test_a_number_too_long_to_be_printed_is_refused_in_the_same_words() -> None:
    with pytest.raises(ValueError, match="at most 30 digits"):
        decimal_from(-(10**5000))


def test_zero_has_no_sign() -> None:
    assert str(decimal_from("-0")) == "0"
    assert decimal_text(Decimal("-0.00")) == "0"


@given(st.integers(min_value=-(10**30) + 1, max_value=10**30 - 1))
def test_whole_numbers_are_exact(number: int) -> None:
    assert int(decimal_from(number)) == number


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20))
def test_equal_decimals_have_one_text_without_exponent(value: Decimal) -> None:
    text = decimal_text(value)

    assert Decimal(text) == value
    assert "E" not in text.upper()
    assert text == decimal_text(Decimal(text + ("0" if "." in text else ".0")))


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity")])
def test_what_is_not_finite_is_neither_written_nor_measured(value: Decimal) -> None:
    with pytest.raises(ValueError, match="finite"):
        decimal_text(value)
    with pytest.raises(ValueError, match="finite"):
        Quantity(value, "mg")


def test_a_quantity_holds_no_float() -> None:
    with pytest.raises(ValueError, match=r"finite Decimal, not 3\.1"):
        Quantity(3.1, "mg/dL")  # type: ignore[arg-type]  # the mistake is what is tested


@given(LINEAR_PAIRS, DECIMALS)
def test_there_and_back_is_the_same_number(pair: tuple[str, str], value: Decimal) -> None:
    source, target = pair
    back = convert(convert(value, source, target), target, source)

    # Two roundings of half a unit in the 34th digit each.
    assert abs(Fraction(back) - Fraction(value)) <= abs(Fraction(value)) * Fraction(1, 10**33)


@given(TEMPERATURES, TEMPERATURES, st.decimals(min_value=-500, max_value=500, places=6))
def test_temperatures_go_there_and_back(source: str, target: str, value: Decimal) -> None:
    back = convert(convert(value, source, target), target, source)

    assert abs(Fraction(back) - Fraction(value)) <= Fraction(1, 10**29)


@given(LINEAR_PAIRS, DECIMALS, DECIMALS)
def test_comparison_agrees_with_exact_conversion(
    pair: tuple[str, str], a: Decimal, b: Decimal
) -> None:
    left, right = Quantity(a, pair[0]), Quantity(b, pair[1])

    assert (left < right) == (right > left) == (not left >= right) == (not right <= left)
    assert (left <= right) or (right <= left)


@pytest.mark.parametrize(
    ("amount", "source", "expected", "target"),
    [
        ("100.4", "[degF]", "38", "Cel"),
        ("38", "Cel", "100.4", "[degF]"),
        ("-40", "Cel", "-40", "[degF]"),
        ("0", "Cel", "273.15", "K"),
        ("38.5", "Cel{oral}", "38.5", "Cel"),
        ("30000", "/mm3", "30", "10*3/uL"),
        ("30", "10*9/L", "30000", "/uL"),
        ("7", "M[IU]", "7000000", "[IU]"),
        ("7", "M[IU]", "7", "10*6.[IU]"),
        ("3.1", "mg/dL", "31", "mg/L"),
        ("0.04", "ng/mL", "40", "ng/L"),
        ("5", "%", "0.05", "1"),
        ("2", "a", "24", "mo"),
        ("2", "wk", "336", "h"),
        ("75", "mm[Hg]", "9.99915", "kPa"),
        ("60", "mL/h", "1", "mL/min"),
        ("2", "ug/kg/min", "0.12", "mg/kg/h"),
        ("60", "/min", "1", "/s"),
    ],
)
def test_conversions_known_by_hand_are_exact(
    amount: str, source: str, expected: str, target: str
) -> None:
    assert q(amount, source).to(target) == q(expected, target)


def test_a_third_is_rounded_once_to_34_digits() -> None:
    assert convert(Decimal(1), "min", "h") == CONTEXT.divide(Decimal(1), Decimal(60))
    assert str(convert(Decimal(20), "min", "h")) == "0." + "3" * 34


def test_the_contexts_of_a_host_change_nothing() -> None:
    with decimal.localcontext(prec=3, rounding=decimal.ROUND_UP):
        assert decimal_from("3.14159") == Decimal("3.14159")
        assert decimal_text(Decimal("3.14159")) == "3.14159"
        assert str(convert(Decimal("3.14159"), "h", "min")) == "188.4954"
        assert q("3.14159", "h") > q("188.4953", "min")


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("mg", "[IU]"),
        ("mg", "mL"),
        ("mo", "d"),
        ("a", "wk"),
        ("U/L", "umol/min/L"),
        ("meq/L", "mmol/L"),
        ("Cel", "1"),
        ("10*3/uL", "10*3"),
        ("mg/dL", "mmol/L"),
    ],
)
def test_what_measures_something_else_does_not_convert(a: str, b: str) -> None:
    assert not convertible(a, b)
    with pytest.raises(UnitError, match="does not convert to") as raised:
        convert(Decimal(1), a, b)
    assert raised.value.unit == a
    with pytest.raises(UnitError):
        assert q(1, a) < q(1, b)


def test_equality_is_of_what_is_written_and_order_of_what_is_meant() -> None:
    litre, millilitres = q(1, "L"), q(1000, "mL")

    assert litre != millilitres
    assert litre <= millilitres
    assert litre >= millilitres
    assert not litre < millilitres
    assert not litre > millilitres
    assert q("3.10", "mg") == q("3.1", "mg")
    assert hash(q("3.10", "mg")) == hash(q("3.1", "mg"))
    assert q("3.1", "mg") < q("3.2", "mg")


def test_order_is_exact_where_a_rounded_number_would_tie() -> None:
    third = convert(Decimal(20), "min", "h")

    assert Quantity(third, "h") < q(20, "min")


@pytest.mark.parametrize("other", [3, "3 mg", None, Decimal(3)])
def test_a_quantity_is_not_compared_with_a_bare_number(other: object) -> None:
    with pytest.raises(TypeError):
        assert q(3, "mg") < other
    with pytest.raises(TypeError):
        assert q(3, "mg") >= other


def test_a_quantity_reads_as_number_and_unit() -> None:
    assert str(q("3.10", "mg/dL")) == "3.1 mg/dL"
    assert str(q("3", "1")) == "3"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("IU", "[IU]"),
        ("MIU", "M[IU]"),
        ("IU/mL", "[IU]/mL"),
        ("mcg", "ug"),
        ("mcg/kg/min", "ug/kg/min"),
        ("\u00b5g/L", "ug/L"),
        ("\u03bcg/L", "ug/L"),
        ("C", "Cel"),
        ("\u00b0C", "Cel"),
        ("F", "[degF]"),
        ("mmHg", "mm[Hg]"),
        ("mm Hg", "mm[Hg]"),
        (" mg / dL", "mg/dL"),
        ("bpm", "/min"),
        ("K/uL", "10*3/uL"),
        ("mEq/L", "meq/L"),
    ],
)
def test_a_well_known_mistake_is_told_how_to_write_it(written: str, meant: str) -> None:
    with pytest.raises(UnitError) as raised:
        q("1", written)

    assert str(raised.value).endswith(f"in UCUM write {meant!r}")
    assert dimension(meant) is not None


@pytest.mark.parametrize(
    "wrong",
    ["", " ", "mg dL", "mg\n", "mg/", "/", ".mg", "mg..L", "mg//L", "[IU", "{a", "{a}{b}",
     "2.g", "10", "12", "1-2", "MG", "Mmin", "kh", "cd", "%mg", "m-1000", "mg" * 50,
     "mg/(dL)", "m\u00b2"],
)  # fmt: skip
def test_a_malformed_or_unknown_unit_is_an_error(wrong: str) -> None:
    with pytest.raises(UnitError) as raised:
        dimension(wrong)

    assert raised.value.unit == wrong
    assert "in UCUM write" not in str(raised.value)


@given(st.text(alphabet="mgLlIUhdCe[]{}/.*^+-0123 %Kk", max_size=12))
def test_any_text_is_a_unit_or_a_unit_error(text: str) -> None:
    with suppress(UnitError):
        assert convert(Decimal(2), text, text) == 2


@pytest.mark.parametrize("wrong", [None, 3, True])
def test_what_is_not_text_is_no_unit(wrong: Any) -> None:
    with pytest.raises(UnitError, match="expected a UCUM unit"):
        q(1, wrong)


def test_unknown_units_do_not_slip_through_when_both_sides_have_them() -> None:
    with pytest.raises(UnitError):
        convert(Decimal(1), "IU", "IU")
    with pytest.raises(UnitError):
        assert Quantity(Decimal(1), "IU") <= Quantity(Decimal(1), "IU")


@pytest.mark.parametrize("unit", ["Cel/h", "/K", "2Cel", "Cel2", "mCel", "K.m", "[degF].1"])
def test_a_temperature_stands_alone(unit: str) -> None:
    with pytest.raises(UnitError):
        dimension(unit)


@pytest.mark.parametrize("unit", ["Cel.h", "Cel/h", "K2"])
def test_whoever_multiplies_a_temperature_is_told_that_it_stands_alone(unit: str) -> None:
    with pytest.raises(UnitError, match="stand alone"):
        dimension(unit)


def test_an_error_survives_pickling_between_processes() -> None:
    with pytest.raises(UnitError) as raised:
        dimension("IU")

    assert str(pickle.loads(pickle.dumps(raised.value))) == str(raised.value)
