"""Whose last records were left out is found, by the map of course heads under each checkpoint.

Whoever forges here closes the file again, and may hold the key that signs checkpoints.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from engine.bundle.form import Asked, heads_json
from engine.core.heads import CourseHead, HeadProof, map_of
from engine.core.ledger import Checkpoint, sealed
from engine.core.merkle import Tree, inclusion_proof
from engine.core.note import CourseMap
from tests.bundle.forgery import Parts, closed, parts_of, records, removed
from tests.bundle.standalone import CODE, audited
from tests.bundle.test_tampering import Case, engine_says
from tests.bundle.yard import FIRST, SECOND, THIRD, Yard
from tests.tampering.crimes import forged_maps

_SIGNED = lru_cache(CODE.signed)


@pytest.fixture(autouse=True)
def remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CODE, "signed", _SIGNED)
    monkeypatch.setattr("engine.bundle.proof.signed", _SIGNED)


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return Case(tmp_path_factory.mktemp("heads"))


def both(case: Case, parts: Parts, held: Checkpoint | None = None) -> str:
    """What is wrong as `regimen verify` sees it, and the stand-alone verifier too."""
    return judged(closed(parts, case.folder / "forged"), held)


def judged(path: Path, held: Checkpoint | None) -> str:
    wrong = audited(path, None if held is None else held.note.encode().decode())
    ours = engine_says(path, None if held is None else held.head)
    assert bool(wrong) == bool(ours), (wrong, ours)
    if ": head: " in ours:
        assert wrong[0].partition(": head: ")[0] == ours.partition(": head: ")[0]
    return ours


def of(parts: Parts, course: str) -> dict[str, Any]:
    """The line with which a course begins."""
    found: dict[str, Any] = next(
        part["course"] for part in parts if part.get("course", {}).get("course") == course
    )
    return found


def cut(parts: Parts, course: str, keep: int) -> Parts:
    """Without the last records of a course."""
    forged, kept = [], 0
    for part in deepcopy(parts):
        mine = f'"course":"{course}"' in part.get("record", {}).get("body", "")
        kept += mine
        if not mine or kept <= keep:
            forged.append(part)
    return forged


def mapped(case: Case, parts: Parts, heads: list[CourseHead], *places: int) -> Parts:
    """Under a checkpoint with another map, signed by the key that signs; each course in a place."""
    last = case.yard.tree.made[-1].head
    tree, nodes = Tree(), dict[tuple[int, int], bytes]()
    for n, head in enumerate(heads):
        nodes[0, n] = head.hash(last.size)
        nodes |= {(node.level, node.index): node.hash for node in tree.append(nodes[0, n])}
    forged = said(case, parts, CourseMap(courses=tree.size, root=tree.root()))
    for part, place in zip((p for p in forged if "course" in p), places, strict=True):
        path = inclusion_proof(place, tree.size, lambda *position: nodes[position])
        proof = HeadProof(size=last.size, place=place, path=tuple(path))
        others = [one for one in part["course"]["heads"] if one["size"] != last.size]
        part["course"]["heads"] = [*others, *heads_json([proof])]
    return forged


def said(case: Case, parts: Parts, courses: CourseMap | None) -> Parts:
    """Under the newest checkpoint signed anew, with another map or none."""
    forged = deepcopy(parts)
    sealed = next(part["checkpoint"] for part in forged if "checkpoint" in part)
    sealed["note"] = signed(case, courses).note.encode().decode()
    return forged


def signed(case: Case, courses: CourseMap | None) -> Checkpoint:
    tree = case.yard.tree
    kept = [*tree.made]
    line = () if courses is None else (courses.line(),)
    made = tree.signs(replace(tree.made[-1].head, extension=line))
    tree.made[:] = kept
    return made


def test_each_course_has_a_proof_for_the_checkpoint_and_for_the_earlier_one(case: Case) -> None:
    for course in (FIRST, SECOND, THIRD):
        assert [one["size"] for one in of(case.all, course)["heads"]] == [24, 26]


@pytest.mark.parametrize("held", [False, True], ids=["nothing held", "held"])
@pytest.mark.parametrize("keep", range(1, 18))
def test_last_records_that_were_left_out_of_one_course_are_missed(
    case: Case, keep: int, held: bool
) -> None:
    found = both(case, cut(case.one, FIRST, keep), case.held if held else None)

    assert found.startswith(f"course {FIRST} record {keep}: head: ")


def test_all_records_that_were_left_out_are_missed(case: Case) -> None:
    assert both(case, cut(case.one, FIRST, 0), case.held)


def test_last_records_that_are_said_not_to_be_sealed_are_missed(case: Case) -> None:
    """Without a checkpoint that is held nobody else asks for their leaves."""
    for n in range(1, 18):
        forged = deepcopy(case.one)
        for place in records(forged)[n:]:
            del forged[place]["record"]["leaf"]
        assert both(case, forged).startswith(f"course {FIRST} record {n}: head: ")


def test_last_records_that_were_left_out_of_a_course_among_all_are_missed(case: Case) -> None:
    for course, keep in ((FIRST, 17), (SECOND, 4), (THIRD, 1)):
        forged = cut(case.all, course, keep)
        assert both(case, forged, case.held).startswith(f"course {course} record {keep}: head: ")


@pytest.mark.parametrize("member", ["size", "place", "path"])
def test_a_changed_proof_shows_nothing(case: Case, member: str) -> None:
    changes: dict[str, Callable[[Any], Any]] = {
        "size": lambda size: size - 1,
        "place": lambda place: place + 1,
        "path": lambda path: [path[0][::-1], *path[1:]],
    }
    for n in (0, 1):
        forged = deepcopy(case.one)
        proof = of(forged, FIRST)["heads"][n]
        proof[member] = changes[member](proof[member])
        assert both(case, forged, case.held)
        forged = deepcopy(case.one)
        removed((member,))(of(forged, FIRST)["heads"][n])
        assert both(case, forged, case.held)


def test_a_proof_that_was_left_out_is_missed(case: Case) -> None:
    for n, size in ((0, 24), (1, 26)):
        forged = deepcopy(case.one)
        del of(forged, FIRST)["heads"][n]
        assert f"in the tree of {size}" in both(case, forged, case.held)
    forged = deepcopy(case.one)
    del of(forged, FIRST)["heads"]
    assert both(case, forged)


def test_the_proof_of_another_course_shows_nothing(case: Case) -> None:
    forged = deepcopy(case.all)
    of(forged, FIRST)["heads"], of(forged, THIRD)["heads"] = (
        of(forged, THIRD)["heads"], of(forged, FIRST)["heads"],
    )  # fmt: skip

    assert both(case, forged).startswith(f"course {FIRST} record 18: head: ")


def test_the_proof_of_an_earlier_checkpoint_shows_nothing(case: Case) -> None:
    """Of a course cut back to what the earlier one says: it is proven there, and not at the end."""
    second = parts_of(case.export(SECOND))
    forged = cut(second, SECOND, 4)
    heads = of(forged, SECOND)["heads"]
    heads[1] = heads[0] | {"size": 26}

    found = both(case, forged, case.held)
    assert found.startswith(f"course {SECOND} record 4: head: ")
    assert "in the tree of 26" in found


def test_a_course_that_a_lying_checkpoint_cuts_is_found_by_the_earlier_one(case: Case) -> None:
    """Whoever signs says at the end that the course had no more records than the file has."""
    heads = case.yard.tree.heads_at(26)
    place = next(n for n, one in enumerate(heads) if one.records == 18)
    for keep in range(1, 18):
        forged = cut(case.one, FIRST, keep)
        shorter = _as_it_was(case, FIRST, keep)
        lying = mapped(case, forged, [*heads[:place], shorter, *heads[place + 1 :]], place)
        assert both(case, lying) == "", "nobody who holds nothing can tell"
        assert "in the tree of 24" in both(case, lying, case.held)


def test_a_course_that_is_twice_in_a_map_is_found_in_the_whole_tenant(case: Case) -> None:
    """Of one course alone only what was said earlier tells, which a course begun since has not."""
    heads = case.yard.tree.heads_at(26)
    for n, head in enumerate(heads):
        shorter = replace(head, records=head.records - 1)
        for crime in ([*heads, head], [*heads, shorter], [*heads[:n], shorter, *heads[n:]]):
            honest = [crime.index(one) for one in _in_the_file(case, heads)]
            forged = mapped(case, case.all, crime, *honest)
            assert both(case, forged).startswith("tenant: "), crime


def test_the_sizes_and_the_order_of_a_map_are_those_of_the_records(case: Case) -> None:
    heads = case.yard.tree.heads_at(26)
    turned = [heads[1], heads[0], *heads[2:]]
    honest = [turned.index(one) for one in _in_the_file(case, heads)]
    assert both(case, mapped(case, case.all, turned, *honest)).startswith("tenant: ")

    honest_map = case.yard.tree.heads().map
    for courses in (2, 4, 26):
        assert both(case, said(case, case.all, replace(honest_map, courses=courses)))


def test_no_forged_map_passes_for_that_of_the_whole_tenant(case: Case) -> None:
    tree = case.yard.tree
    its = [
        {"course": c, "seq": n, "salt": salt, "place": place, "hash": tree.nodes[0, place]}
        for place, (c, n, salt, _) in enumerate(tree.leaves)
    ]
    for label, forged in forged_maps(its, 26).items():
        if forged is None:
            continue
        assert both(case, said(case, case.all, forged)), label


def test_a_checkpoint_that_stops_saying_it_does_not_continue_one_that_did(case: Case) -> None:
    forged = said(case, case.one, None)

    assert both(case, forged) == "", "it cannot be told, and that is said"
    assert both(case, forged, case.held).startswith("checkpoint: ")


def test_two_checkpoints_of_one_size_that_say_otherwise_of_courses_are_not_one(case: Case) -> None:
    tree = case.yard.tree
    heads = tree.heads_at(26)
    other = signed(case, map_of(26, [*heads, heads[0]]))

    assert both(case, case.one, tree.made[-1]) == ""
    assert both(case, case.one, other).startswith(f"course {FIRST} record 18: head: ")


def test_a_course_that_began_later_needs_no_proof_of_the_earlier_checkpoint(tmp_path: Path) -> None:
    yard = Yard().tell()
    held = yard.tree.seal()
    yard.says("crane-new", "course.enrolled", "chief", workflow="crane", patient="p", site="s",
              zone="Europe/Vienna")  # fmt: skip
    yard.says("crane-new", "checked", "chief")
    yard.tree.seal()
    path = yard.exported(tmp_path / "bundle", "crane-new", held=held.head)

    assert [one["size"] for one in of(parts_of(path), "crane-new")["heads"]] == [26]
    assert judged(path, held) == ""
    forged = closed(cut(parts_of(path), "crane-new", 1), tmp_path / "cut")
    assert judged(forged, held).startswith("course crane-new record 1: head: ")


def test_a_course_that_was_sealed_a_second_time_is_found_in_the_whole_tenant_only(
    tmp_path: Path,
) -> None:
    """Its leaves lie twice in the tree: whoever is shown the later ones alone cannot know."""
    yard = Yard().tell()
    held = yard.tree.seal()
    tree = yard.tree
    again = [one for one in tree.leaves if one[0] == FIRST][:9]
    tree.leaves = [("hidden" if one[0] == FIRST else one[0], *one[1:]) for one in tree.leaves]
    for course, seq, salt, hashed in again:
        leaf = sealed(salt[::-1], hashed)
        tree.nodes[0, tree.tree.size] = leaf
        tree.leaves.append((course, seq, salt[::-1], hashed))
        tree.nodes |= {(node.level, node.index): node.hash for node in tree.tree.append(leaf)}
    tree.seal(0)
    shown = cut(parts_of(yard.exported(tmp_path / "one", FIRST, held=held.head)), FIRST, 9)
    whole = cut(parts_of(yard.exported(tmp_path / "all", asked=Asked(), held=held.head)), FIRST, 9)

    assert judged(closed(shown, tmp_path / "cut"), held) == ""
    assert judged(closed(whole, tmp_path / "cut"), held).startswith("tenant: ")


def test_a_bundle_from_before_there_were_maps_is_read_and_cannot_tell(tmp_path: Path) -> None:
    yard = Yard().tell()
    yard.tree.mapped = False
    held = yard.tree.seal(20)
    yard.tree.seal()
    asked = Asked(courses=(FIRST,))
    path = yard.exported(tmp_path / "bundle", asked=asked, held=held.head)
    parts = parts_of(path)

    assert "heads" not in of(parts, FIRST)
    assert judged(path, held) == ""
    shorter = closed(cut(parts, FIRST, 9), tmp_path / "cut")
    assert judged(shorter, held) == ""


def test_a_checkpoint_from_before_is_continued_by_one_that_tells(tmp_path: Path) -> None:
    yard = Yard().tell()
    yard.tree.mapped = False
    held = yard.tree.seal(20)
    yard.tree.mapped = True
    yard.tree.seal()
    path = yard.exported(tmp_path / "bundle", FIRST, held=held.head)

    assert held.head.courses is None
    assert judged(path, held) == ""
    forged = closed(cut(parts_of(path), FIRST, 17), tmp_path / "cut")
    assert judged(forged, held).startswith(f"course {FIRST} record 17: head: ")


def test_the_hashes_of_a_proof_are_of_leaves_that_nobody_can_guess(case: Case) -> None:
    """Each begins with a salt that travels with its own record, in no other course's file."""
    told = case.export(FIRST).read_bytes()
    tree = case.yard.tree
    firsts = {course: n for n, (course, *_) in reversed([*enumerate(tree.leaves)])}
    for size in (24, 26):
        for head in tree.heads_at(size):
            if head.first != firsts[FIRST]:
                assert head.salt.hex().encode() not in told
                bare = replace(head, salt=b"").hash(size)
                assert bare.hex().encode() not in told


def test_a_course_that_is_there_twice_in_the_file_is_refused(case: Case) -> None:
    assert both(case, [*case.one, *case.one[3:]])


def _as_it_was(case: Case, course: str, keep: int) -> CourseHead:
    """The head of a course when it had so many records."""
    its = [(n, salt) for n, (c, _, salt, _) in enumerate(case.yard.tree.leaves) if c == course]
    last, salt = its[keep - 1]
    leaf = case.yard.tree.nodes[0, last]
    return CourseHead(first=its[0][0], records=keep, salt=salt, leaf=leaf)


def _in_the_file(case: Case, heads: list[CourseHead]) -> list[CourseHead]:
    """The heads in the order in which a bundle of the tenant has its courses: by name."""
    names = {n: course for n, (course, *_) in enumerate(case.yard.tree.leaves)}
    return sorted(heads, key=lambda head: names[head.first])
