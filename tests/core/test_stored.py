"""A row said again only where it changed has the bytes of the whole said anew."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.encoding import canonical
from engine.core.row import SECTIONS, patched
from engine.core.stored import Part, stored

HEAD = {"digest": "sha256:0", "state": "begun", "round": 1, "last_at": None, "retrospective": False}
ITEMS = (
    st.none()
    | st.booleans()
    | st.text(max_size=3)
    | st.integers(-3, 3)
    | st.lists(st.none() | st.text(max_size=3) | st.integers(-3, 3), max_size=3)
)
NAMES = st.text("ab\x7fé\ud7ff\ue000\U0001f600", max_size=2)
DELTAS = st.fixed_dictionaries(
    {},
    optional={
        **{name: st.dictionaries(NAMES, ITEMS, max_size=4) for name in SECTIONS},
        "state": st.text(max_size=3),
        "round": st.integers(1, 3),
    },
)


def after(row: Any, delta: Any, seq: int) -> dict[str, Any]:
    return patched(
        row, delta, course="C-1", seq=seq, still=False, head=f"{seq:064x}", recorded_at="now"
    )


@given(st.lists(DELTAS, min_size=1, max_size=6))
def test_however_a_row_came_about_its_bytes_are_canonical(deltas: list[dict[str, Any]]):
    row, parts = None, {}
    for seq, delta in enumerate([HEAD, *deltas], 1):
        row = after(row, delta, seq)
        found, parts = stored(row, parts)

        assert found == canonical(row)


def test_what_did_not_change_is_not_said_again():
    first = after(None, {**HEAD, "variables": {"dose": "1", "slot": "2"}}, 1)
    _, parts = stored(first, {})
    second = after(first, {"variables": {"dose": "3"}}, 2)
    _, parts = stored(second, parts)
    marked = {**parts["variables"].entries, "slot": '"slot":"as it was"'}
    parts["variables"] = Part(second["variables"], "", marked)

    found, _ = stored(after(second, {"variables": {"dose": "4"}}, 3), parts)

    assert b'"variables":{"dose":"4","slot":"as it was"}' in found


def test_a_number_that_is_not_exact_is_refused():
    with pytest.raises(TypeError, match="floats are not exact"):
        stored(after(None, {**HEAD, "variables": {"dose": 1.5}}, 1), {})
