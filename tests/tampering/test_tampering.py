"""Whoever holds one checkpoint finds every crime before it; without one, some cannot be found."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.core.note import parse
from engine.inspection import inspected
from engine.store.checkpoints import SqlCheckpoints
from engine.store.ledger import SqlLedger
from engine.store.tables import checkpoints, leaves, records
from tests.tampering.crimes import KINDS, Kind, edited, forged_maps, kinds_of_records
from tests.tampering.world import Clumsy, World

PAGE = Path(__file__).parents[2] / "docs" / "audit.md"


def test_what_nobody_touched_is_whole(world: World):
    found = world.inspection(held=True)

    assert world.faults() == []
    assert (found.flaws, found.agreed, found.unsealed) == ((), world.size, 0)
    assert found.size > world.size


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.words)
def test_a_crime_is_found_by_whom_it_is_said_to_be(world: World, kind: Kind):
    """Each of its kind: none that is said to be found escapes, and none that is said to escape."""
    committed = clumsy = 0
    escaped: dict[bool, list[str]] = {False: [], True: []}
    for label, commit in kind.crimes(world):
        try:
            commit(world)
            faults = world.faults()
            for held in (False, True):
                if not faults and not world.inspection(held=held).flaws:
                    escaped[held].append(label)
            committed += 1
        except Clumsy:
            assert world.faults(), label
            clumsy += 1
        finally:
            world.restore()

    assert committed > clumsy
    for held, found in ((False, kind.without), (True, kind.held)):
        assert len(escaped[held]) == (0 if found else committed), escaped[held]
    assert world.inspection(held=True).flaws == ()


def test_the_record_that_was_changed_is_named_with_its_leaf(world: World):
    place = {(row["course"], row["seq"]): row["place"] for row in world.saved[leaves]}
    for n in kinds_of_records(world):
        row = world.saved[records][n]
        world.change(records, n, body=row["body"] + b" ")
        first = world.inspection(held=True).flaws[0]
        world.restore()

        assert (first.course, first.seq) == (row["course"], row["seq"])
        assert first.index == place[row["course"], row["seq"]]
        assert first.kind == "edited"


def test_the_last_checkpoint_that_agrees_says_from_where_on_all_was_written_anew(world: World):
    """Of the leaves between two checkpoints that are kept, none before the first is suspected."""
    row = world.saved[checkpoints][0]
    older, size = parse(row["note"].encode()), row["size"]
    between = [r for r in world.saved[leaves] if size <= r["place"] < world.size]
    assert 0 < size < world.size
    for leaf in between:
        bodies = edited(world.bodies(), leaf["course"], leaf["seq"] - 1)
        world.rebuilt(bodies or {})
        trusted = [key.verifier for key in world.trusted]
        found = inspected(
            SqlLedger(world.store), SqlCheckpoints(world.store), world.tenant,
            [older, world.held], trusted,
        )  # fmt: skip
        world.restore()

        (forked,) = [flaw for flaw in found.flaws if flaw.kind == "forked"]
        assert (forked.index, forked.through) == (size, world.size - 1)
        assert found.agreed == size


def test_a_checkpoint_that_is_kept_is_found_to_have_lied_of_a_course(world: World):
    """Though its own key signed it, and all that is stored agrees with it."""
    n = next(n for n, r in enumerate(world.saved[checkpoints]) if r["size"] == world.size)
    for label, forged in forged_maps(world.saved[leaves], world.size).items():
        if forged is None:
            continue
        note = world.mapped(n, forged)
        trusted = [key.verifier for key in world.trusted]
        found = inspected(
            SqlLedger(world.store), SqlCheckpoints(world.store), world.tenant, [note], trusted
        )
        world.restore()

        assert [(flaw.kind, flaw.index) for flaw in found.flaws] == [("heads", world.size)], label


@pytest.mark.parametrize("twice", [False, True], ids=["once in the map", "twice in the map"])
def test_a_course_that_is_sealed_a_second_time_is_named_with_the_first_leaf_of_it(
    world: World, twice: bool
):
    size = len(world.saved[leaves])
    for course, its in world.bodies().items():
        world.sealed_again(course, len(its), twice=twice)
        found = world.inspection(held=True).flaws
        world.restore()

        doubled = [flaw for flaw in found if flaw.kind == "doubled" and flaw.course is not None]
        assert [(one.index, one.course, one.seq) for one in doubled] == [
            (size + n, course, n + 1) for n in range(len(its))
        ]
        assert not [flaw for flaw in found if flaw.kind in ("reordered", "forked", "node")]


def test_records_that_change_places_in_the_tree_are_not_called_sealed_twice(world: World):
    its = [row for row in world.saved[leaves] if row["course"] == "C-2"]
    rows = [dict(row) for row in world.saved[leaves]]
    first, second = its[1]["place"], its[2]["place"]
    rows[first] |= {name: its[2][name] for name in ("seq", "salt", "hash")}
    rows[second] |= {name: its[1][name] for name in ("seq", "salt", "hash")}
    world.put(leaves, rows)
    found = world.inspection(held=False).flaws
    world.restore()

    assert "doubled" not in {flaw.kind for flaw in found}
    assert [flaw.seq for flaw in found if flaw.kind == "reordered"] == [3, 2]


def test_the_page_says_what_is_found_by_whom():
    """The table of docs/audit.md is what the tests above found to be so."""
    lines = ["| What is done | without a checkpoint | with one |", "|---|---|---|"]
    for kind in KINDS:
        found = ("found" if yes else "**not found**" for yes in (kind.without, kind.held))
        lines.append(f"| {kind.words} | {' | '.join(found)} |")
    table = "\n".join(lines)
    said = re.search(r"^\| What is done .*?\n(?=\n)", PAGE.read_text(), re.MULTILINE | re.DOTALL)

    assert said is not None, table
    assert said[0].strip() == table
