"""Equal values have equal bytes, and what is read is read strictly."""

from __future__ import annotations

import json
import reprlib
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from engine.core.encoding import (
    DEPTH,
    WHOLE,
    canonical,
    date_from,
    decode_value,
    digest,
    encode_value,
    instant_from,
    instant_text,
    parse,
    require_plain,
)
from engine.core.quantity import CONTEXT

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
ATOMS = st.one_of(st.none(), st.booleans(), st.integers(-WHOLE, WHOLE), TEXTS)
PLAIN = st.recursive(
    ATOMS, lambda part: st.lists(part) | st.dictionaries(TEXTS, part), max_leaves=20
)
WITH_FLOATS = st.recursive(
    ATOMS | st.floats(), lambda part: st.lists(part) | st.dictionaries(TEXTS, part), max_leaves=9
)


@given(PLAIN)
def test_the_bytes_are_those_of_rfc_8785(value: Any) -> None:
    assert canonical(value) == rfc8785.dumps(value)


def test_members_are_sorted_by_utf_16_units_as_rfc_8785_says() -> None:
    """Code points would put the last two the other way round."""
    assert canonical({"\ufb33": 1, "\U0001f600": [{"\uffff": 2, "\U00010000": 3}], "a": 4}) == (
        '{"a":4,"\U0001f600":[{"\U00010000":3,"\uffff":2}],"\ufb33":1}'.encode()
    )


@given(PLAIN)
def test_what_was_written_is_read_again(value: Any) -> None:
    assert parse(canonical(value)) == value
    assert parse(json.dumps(value, indent=2)) == value


@given(WITH_FLOATS)
def test_a_float_has_no_canonical_form_wherever_it_lies(value: Any) -> None:
    if _floats(value):
        with pytest.raises(TypeError, match="floats are not exact"):
            canonical(value)
        with pytest.raises(TypeError, match="float has no canonical form"):
            require_plain(value)
        with pytest.raises(ValueError, match="floats are not exact"):
            parse(json.dumps(value))
    else:
        assert canonical(value) == rfc8785.dumps(value)


@pytest.mark.parametrize(
    "value",
    [1.5, -0.0, 1e22, 1e-7, 1.5e300, float("inf"), float("nan")],
    ids=["fraction", "minus-zero", "power", "small", "both", "infinite", "nan"],
)
@pytest.mark.parametrize("end", [(), ("a",), (1,)], ids=["last", "before-text", "before-number"])
def test_a_float_is_named_by_its_place(value: float, end: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError, match=r"^data\.doses\[1\]\.amount: floats are not exact"):
        canonical({"data": {"doses": [{}, {"amount": value}, *end]}})


@pytest.mark.parametrize("text", ["1.5", "1.5,", "a.5]", "1e-7}", "e+22"])
def test_a_text_that_looks_like_a_float_stays_a_text(text: str) -> None:
    assert canonical([text, {text: text}]) == rfc8785.dumps([text, {text: text}])


def test_what_json_cannot_say_is_named_by_its_place() -> None:
    with pytest.raises(TypeError, match=r"^course\[0\]\.on: date has no canonical form"):
        canonical({"course": [{"on": date(2009, 3, 2)}]})
    with pytest.raises(TypeError, match="a member's name is text"):
        require_plain({"a": {1: 2}})


def test_a_digest_is_the_hash_of_the_canonical_bytes() -> None:
    assert digest({}) == "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    assert digest({"b": 1, "a": (2,)}) == digest({"a": [2], "b": 1})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": {"b": 1, "b": 2}}', r"^a\.b: given twice"),
        ('{"b": 1, "b": 1, "b": 1}', r"^b: given twice"),
        ('{"a": [1, {"amount": 3.1}]}', r"^a\[1\]\.amount: floats are not exact"),
        ('{"a": 1e5}', r"^a: floats are not exact"),
        ('{"a": NaN}', r"^a: floats are not exact"),
        ('{"a": -Infinity}', r"^a: floats are not exact"),
        ("1.0", r"^value: floats are not exact"),
        ('{"n": 9007199254740992}', r"^n: beyond 9007199254740991"),
        ('{"n": -' + "9" * 5000 + "}", r"^n: beyond 9007199254740991"),
        (r'{"a": "\ud83d"}', r"^a: half a surrogate pair"),
        (r'{"\ude00": 1}', r"^value: a member's name: half a surrogate pair"),
        ('["\ud800"]', r"^\[0\]: half a surrogate pair"),
        ('{"an odd name": 1.5}', r"^'an odd name': floats are not exact"),
        ('{"a": 1.5', "^not JSON: "),
        ('{"a": 1} 2', "^not JSON: "),
        ('{"a": "line\nbreak"}', "^not JSON: "),
        ('\ufeff{"a": 1}', "^not JSON: "),
        ("", "^not JSON: "),
        ("{'a': 1}", "^not JSON: "),
        ('{"a": 1,}', "^not JSON: "),
        (b'{"a": "\xff"}', "^not UTF-8 at byte 7"),
        (b'{"a": "\xed\xa0\x80"}', "^not UTF-8 at byte 7"),
        ('{"a": 1}'.encode("utf-16"), "^not UTF-8 at byte 0"),
    ],
    ids=reprlib.repr,
)
def test_what_is_not_strict_json_is_refused_with_its_place(text: str | bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse(text)


def test_a_refusal_does_not_show_what_was_found() -> None:
    with pytest.raises(ValueError, match="platelets") as caught:
        parse('{"platelets": 29.123}')

    assert "29" not in str(caught.value)


@given(st.binary() | st.text())
def test_nothing_that_is_sent_raises_anything_but_a_value_error(data: bytes | str) -> None:
    try:
        value = parse(data)
    except ValueError:
        return
    assert parse(canonical(value)) == value


@pytest.mark.parametrize(("start", "end"), [("[", "]"), ('{"a":', "}")], ids=["lists", "objects"])
def test_a_nesting_has_a_bound(start: str, end: str) -> None:
    def nested(depth: int) -> str:
        return start * depth + ("" if start == "[" else "1") + end * depth

    assert parse(nested(DEPTH))
    assert parse("[" + ",".join(["[]"] * 1000) + "]")
    for depth in (DEPTH + 1, 100_000):
        with pytest.raises(ValueError, match=f"nested deeper than {DEPTH}"):
            parse(nested(depth))


@given(st.datetimes(timezones=st.timezones() | st.just(UTC)))
def test_an_instant_is_kept_to_the_microsecond(instant: datetime) -> None:
    try:
        expected = instant.astimezone(UTC)
    except OverflowError:
        with pytest.raises(ValueError, match="years 1 to 9999"):
            instant_text(instant)
        return
    text = instant_text(instant)
    read = instant_from(text)

    assert text.endswith("Z")
    assert read == expected
    assert read.tzinfo is UTC
    assert instant_text(read) == text


def test_instants_are_told_in_utc_without_needless_zeros() -> None:
    vancouver = datetime(2009, 3, 2, 9, tzinfo=ZoneInfo("America/Vancouver"))

    assert instant_text(vancouver) == "2009-03-02T17:00:00Z"
    assert (
        instant_text(vancouver + timedelta(microseconds=250_000)) == "2009-03-02T17:00:00.250000Z"
    )
    assert instant_from("2009-03-02T09:00:00-08:00") == vancouver
    assert instant_from("2009-03-02T17:00:00.25Z").microsecond == 250_000
    assert instant_from("2009-03-02T17:00:00+00:00").tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "2009-03-02T17:00:00", "2009-03-02 17:00:00Z", "2009-03-02T17:00Z", "20090302T170000Z",
        "2009-W10-1T17:00:00Z", "2009-03-02T17:00:00z", "2009-03-02T17:00:60Z",
        "2009-03-02T24:00:00Z", "2009-02-30T17:00:00Z", "2009-13-01T17:00:00Z",
        "2009-03-02T17:00:00+0800", "2009-03-02T17:00:00+24:00", "2009-03-02T17:00:00.1234567Z",
        "2009-03-02T17:00:00,5Z", "2009-03-02T17:00:00.Z", "2009-03-02T17:00:00Z\n",
        "٢٠٠٩-03-02T17:00:00Z", "0001-01-01T00:00:00+08:00", "", None, 0, 1236013200,
    ],
)  # fmt: skip
def test_an_instant_without_zone_or_in_another_form_is_refused(text: Any) -> None:
    with pytest.raises(ValueError, match="."):
        instant_from(text)


def test_the_hour_that_comes_twice_is_told_as_two_instants() -> None:
    """To Python they are equal, so what was told of one must not be told of the other."""
    summer = datetime(2026, 11, 1, 1, 30, tzinfo=ZoneInfo("America/Vancouver"))
    winter = summer.replace(fold=1)
    assert summer == winter

    assert instant_text(summer) == "2026-11-01T08:30:00Z"
    assert instant_text(winter) == "2026-11-01T09:30:00Z"


def test_a_naive_instant_is_not_written() -> None:
    with pytest.raises(ValueError, match="needs a zone"):
        instant_text(datetime(2009, 3, 2))  # noqa: DTZ001  # what is refused


@pytest.mark.parametrize(
    "text", ["20090302", "2009-W10-1", "2009-3-2", "2009-02-30", "2009-03-02T00:00:00Z", "", None]
)
def test_a_date_in_another_form_is_refused(text: Any) -> None:
    with pytest.raises(ValueError, match="."):
        date_from(text)


FINITE = st.decimals(allow_nan=False, allow_infinity=False).filter(lambda d: abs(d.adjusted()) < 99)
KINDS: dict[str, st.SearchStrategy[Any]] = {
    "number": FINITE,
    "quantity": FINITE,
    "yesno": st.booleans(),
    "code": TEXTS,
    "date": st.dates(),
    "instant": st.datetimes(timezones=st.just(UTC)),
}


@given(st.sampled_from(sorted(KINDS)).flatmap(lambda kind: st.tuples(st.just(kind), KINDS[kind])))
def test_a_value_of_every_kind_is_read_as_it_was_written(pair: tuple[str, Any]) -> None:
    kind, value = pair
    written = encode_value(value)
    read = decode_value(kind, parse(canonical([written]))[0])

    assert read == value
    assert type(read) is type(value)
    assert encode_value(read) == written


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_unset_is_null(kind: str) -> None:
    assert encode_value(None) is None
    assert decode_value(kind, None) is None


def test_a_converted_value_keeps_all_its_digits() -> None:
    """At the border a number has 30 digits at most; what was computed may have 34."""
    third = CONTEXT.divide(Decimal(100), Decimal(3))

    assert decode_value("quantity", encode_value(third)) == third


def test_equal_decimals_are_written_alike() -> None:
    assert encode_value(Decimal("30.0")) == encode_value(Decimal("3E+1")) == "30"
    assert encode_value(Decimal("-0.0")) == "0"


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("number", 3), ("number", 3.5), ("number", "1e5"), ("number", "NaN"), ("number", " 1"),
        ("quantity", True), ("quantity", "٣"), ("yesno", 0), ("yesno", "true"), ("code", 1),
        ("date", "20090302"), ("instant", "2009-03-02T17:00:00"), ("text", "a"), ("list", []),
    ],
)  # fmt: skip
def test_a_value_of_another_kind_is_refused(kind: str, value: Any) -> None:
    with pytest.raises(ValueError, match="expected"):
        decode_value(kind, value)


@pytest.mark.parametrize("value", [1, 1.5, b"a", [], timedelta(1)], ids=repr)
def test_what_no_course_holds_is_not_written(value: Any) -> None:
    with pytest.raises(TypeError, match="is no value of a course"):
        encode_value(value)


def _floats(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_floats, value.values()))
    return any(map(_floats, value)) if isinstance(value, list) else isinstance(value, float)
