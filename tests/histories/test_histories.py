"""What was once recorded verifies and is decided alike, with the definition of that day alone."""

from __future__ import annotations

from datetime import date
from importlib.resources import files
from typing import Any

import pytest

import workflows
from engine.bundle.reading import read_bundle
from engine.core.encoding import canonical, parse
from engine.core.history import replay
from engine.errors import InvalidInput
from tests.histories.history import DEFINITIONS, histories, load

GOOD = {path.stem: path for path in histories("good")}
BROKEN = {path.stem: path for path in histories("broken")}

IL2: dict[str, tuple[str, int, dict[str, Any]]] = {
    "intralesional-il2-plain": ("follow_up", 1, {"doses_given": "8", "dose_total": "120",
                                                 "tail_ends_on": "2026-04-20"}),
    "intralesional-il2-plain-2024": ("follow_up", 1, {"tail_ends_on": "2024-02-19"}),
    "intralesional-il2-enzyme-hold": ("escalation", 1, {"missed_slots": "1", "doses_given": "2",
                                                        "last_tolerated_dose": "7"}),
    "intralesional-il2-falling-platelets": ("il2_discontinued", 1, {"stopped_by": "N06",
                                                                    "doses_given": "1"}),
    "intralesional-il2-restart": ("escalation", 2, {"d0": "2026-07-06", "dose_total": "137",
                                                    "round_dose_total": "17"}),
    "intralesional-il2-restart-abandoned": ("maintenance", 1, {"cycle": "4"}),
    "intralesional-il2-clock-change": ("escalation", 1, {"d0": "2026-03-07",
                                                         "window_ends_on": "2026-04-04"}),
}  # fmt: skip
"""State, round and some of what is remembered at the end of each, written by hand."""

SECOND = {
    "intralesional-il2-enzyme-hold": {"begun_here": True, "round_since": None},
    "intralesional-il2-restart": {"round_since": "2026-07-01T16:00:00Z"},
}
"""What the second version of the protocol remembers besides."""

ENDS = {
    **IL2,
    **{
        name.replace("il2-", "il2@2-"): (state, number, {**known, **SECOND.get(name, {})})
        for name, (state, number, known) in IL2.items()
    },
    "instrument-calibration": ("withdrawn", 1, {}),
}

FAULTS = {
    "a-changed-byte": (4, "content"),
    "a-record-hashed-again": (5, "link"),
    "a-record-taken-out": (6, "gap"),
    "the-first-record-taken-out": (2, "gap"),
    "two-records-swapped": (5, "gap"),
    "a-record-twice": (4, "gap"),
    "a-record-of-another-course": (4, "order"),
    "recorded-before-its-predecessor": (5, "order"),
}
"""The first bad record and its fault."""

ALTERED = {
    "a-refusal-made-an-acceptance": {3},
    "a-value-made-smaller": {2},
    "a-state-made-another": {9},
    "two-decisions-altered": {3, 9},
}
"""Chains that are whole, and the records that would be decided otherwise."""


def test_there_is_a_history_of_every_kind() -> None:
    assert GOOD.keys() == ENDS.keys()
    assert BROKEN.keys() == FAULTS.keys() | ALTERED.keys()


@pytest.mark.parametrize("name", GOOD)
def test_a_good_history_verifies_and_is_decided_again_alike(name: str) -> None:
    history = load(GOOD[name])

    assert history.verify() is None
    assert history.decide_again() == []


@pytest.mark.parametrize("name", GOOD)
def test_a_good_history_adds_up_to_the_row_that_it_ended_with(name: str) -> None:
    state, round_, remembered = ENDS[name]
    row = replay(load(GOOD[name]).records)

    assert row is not None
    assert (row["state"], row["round"]) == (state, round_)
    assert {key: row["variables"].get(key) for key in remembered} == remembered


@pytest.mark.parametrize("version", ["", "@2"])
def test_the_plain_history_has_its_dates(version: str) -> None:
    plain = load(GOOD[f"intralesional-il2{version}-plain"])
    bodies = [parse(record.body) for record in plain.records]
    doses = [b["event"]["at"][:10] for b in bodies if b["event"]["event"] == "dose_given"]
    cycles = [b["event"]["at"][:10] for b in bodies if b["event"]["event"] == "cycle_began"]

    assert doses == [date(2026, 3, d).isoformat() for d in (2, 5, 9, 12, 16, 19, 23, 26, 30)]
    assert (cycles[0], cycles[-1], len(cycles)) == ("2026-05-20", "2027-04-20", 12)


@pytest.mark.parametrize("name", FAULTS)
def test_a_broken_history_names_the_first_bad_record_and_its_fault(name: str) -> None:
    fault = load(BROKEN[name]).verify()

    assert fault is not None
    assert (fault.seq, fault.kind) == FAULTS[name]


@pytest.mark.parametrize("name", ALTERED)
def test_a_history_that_was_rewritten_and_linked_anew_is_decided_otherwise(name: str) -> None:
    """The chain agrees with itself; weighing every guard again finds each record that lies."""
    history = load(BROKEN[name])

    assert history.verify() is None
    assert {difference.seq for difference in history.decide_again()} == ALTERED[name]


def test_a_cut_tail_is_not_seen_by_the_chain_and_needs_a_checkpoint_outside() -> None:
    history = load(GOOD["instrument-calibration"])
    cut = type(history)(
        tenant=history.tenant, course=history.course, records=history.records[:-2],
        definitions=history.definitions,
    )  # fmt: skip

    assert cut.verify() is None


def test_a_definition_that_was_touched_does_not_pass_for_the_one_it_was() -> None:
    (path,) = [p for p in DEFINITIONS.iterdir() if b"deviation_limit" in p.read_bytes()]
    told = parse(path.read_bytes())
    told["semantic"] = told["semantic"].replace('"op":"<="', '"op":"<"', 1)
    assert told["semantic"] != parse(path.read_bytes())["semantic"]

    bundle = {"format": 1, "kind": "regimen-bundle", "tenant": "t", "course": "c",
              "records": [], "definitions": [told]}  # fmt: skip
    with pytest.raises(InvalidInput, match="digest"):
        read_bundle(canonical(bundle))


def test_every_published_definition_has_a_history() -> None:
    published = parse((files(workflows) / "published.json").read_bytes())
    kept = {parse(path.read_bytes())["digest"] for path in DEFINITIONS.iterdir()}

    assert set(published.values()) <= kept


def test_every_definition_beside_the_histories_is_used() -> None:
    used = {d.digest for path in (*GOOD.values(), *BROKEN.values()) for d in load(path).definitions}

    assert {parse(path.read_bytes())["digest"] for path in DEFINITIONS.iterdir()} == used
