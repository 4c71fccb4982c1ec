"""A checkpoint says how far each course had come, and what says otherwise does not hold."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest

from engine.core.heads import CourseHead, HeadTree, map_of
from engine.core.merkle import EMPTY, leaf_hash, root_of
from engine.core.note import CourseMap, Head
from engine.errors import InvalidInput

SIZE = 100


def head(n: int, records: int = 3) -> CourseHead:
    grain = sha256(bytes([n, records])).digest()
    return CourseHead(first=5 * n, records=records, salt=grain[:16], leaf=grain)


HEADS = [head(n) for n in range(7)]


def test_the_map_is_the_tree_over_the_heads_in_the_order_in_which_courses_began():
    made = HeadTree.of(SIZE, HEADS)

    assert made.map == map_of(SIZE, HEADS)
    assert made.map == CourseMap(courses=7, root=root_of(one.hash(SIZE) for one in HEADS))
    assert map_of(0, []) == CourseMap(courses=0, root=EMPTY)


def test_a_leaf_is_salted_and_says_where_the_course_began_and_how_far_it_came():
    one = CourseHead(first=1, records=2, salt=b"s" * 16, leaf=b"l" * 32)
    numbers = bytes.fromhex("0000000000000064 0000000000000001 0000000000000002")

    assert one.hash(SIZE) == leaf_hash(b"s" * 16 + numbers + b"l" * 32)


@pytest.mark.parametrize("courses", range(1, 20))
def test_every_course_has_a_proof_which_is_of_no_other_head(courses: int):
    heads = [head(n) for n in range(courses)]
    made = HeadTree.of(SIZE, heads)
    for n, one in enumerate(heads):
        proof = made.proof(one.first)
        assert proof is not None
        assert proof.place == n
        assert proof.holds(one, made.map)

        others = [head(n, 2), replace(one, first=one.first + 1), *heads[:n], *heads[n + 1 :]]
        assert not any(proof.holds(other, made.map) for other in others)
        for size in (SIZE - 1, SIZE + 1):
            assert not replace(proof, size=size).holds(one, made.map)
        for place in {*range(-1, courses + 1)} - {n}:
            assert not replace(proof, place=place).holds(one, made.map)
        if proof.path:
            assert not replace(proof, path=proof.path[:-1]).holds(one, made.map)
        assert not replace(proof, path=(*proof.path, EMPTY)).holds(one, made.map)
        assert not proof.holds(one, replace(made.map, root=EMPTY))


def test_a_course_that_did_not_begin_has_no_proof():
    made = HeadTree.of(SIZE, HEADS)

    assert made.proof(1) is None
    assert made.proof(SIZE) is None
    assert HeadTree.of(0, []).proof(0) is None


def test_nobody_sees_of_a_neighbour_that_nothing_happened_to_it():
    """The same head is another leaf under the next checkpoint, whose tree is larger."""
    assert HEADS[0].hash(SIZE) != HEADS[0].hash(SIZE + 1)


def test_a_checkpoint_says_it_in_a_line_after_the_root():
    found = map_of(SIZE, HEADS)
    said = Head(origin="o", size=SIZE, root=EMPTY, extension=("other", found.line()))

    assert found.line().startswith("course-heads 7 ")
    assert Head.parse(said.text()) == said
    assert Head.parse(said.text()).courses == found


def test_a_checkpoint_from_before_says_nothing_of_courses():
    for extension in ((), ("course-heads",), ("other 7 x",)):
        said = Head(origin="o", size=SIZE, root=EMPTY, extension=extension)
        assert Head.parse(said.text()).courses is None


LINE = map_of(SIZE, HEADS).line()


@pytest.mark.parametrize(
    "lines",
    [
        (LINE, LINE),
        (LINE, "other", map_of(SIZE, HEADS[:3]).line()),
        (LINE.replace(" 7 ", " 07 "),),
        (LINE.replace(" 7 ", " 101 "),),
        (LINE.replace(" 7 ", " -7 "),),
        (LINE.replace(" 7 ", "  7 "),),
        (LINE.replace(" 7 ", " "),),
        (LINE[:-4],),
        (LINE + " more",),
        ("course-heads ",),
    ],
    ids=str,
)
def test_a_line_of_courses_that_can_be_read_in_two_ways_is_none(lines: tuple[str, ...]):
    text = Head(origin="o", size=SIZE, root=EMPTY, extension=lines).text()
    with pytest.raises(InvalidInput, match=f"line {3 + len(lines)}"):
        Head.parse(text)
