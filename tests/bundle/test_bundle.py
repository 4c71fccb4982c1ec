"""A bundle as a file: what it holds, what it does not, and that it is read as it was written."""

from __future__ import annotations

import json
import tracemalloc
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from engine.bundle.form import Asked
from engine.bundle.proof import Proof
from engine.bundle.reading import BundleFile, read_bundle
from engine.core.merkle import leaf_hash
from engine.errors import InvalidInput, NotFound
from tests.bundle.forgery import parts_of
from tests.bundle.standalone import verify
from tests.bundle.yard import FIRST, SECOND, THIRD, Yard


@pytest.fixture
def yard() -> Yard:
    told = Yard().tell()
    told.tree.seal()
    return told


def test_the_lines_come_in_their_order(yard: Yard, tmp_path: Path) -> None:
    path = yard.exported(tmp_path / "bundle", FIRST)
    parts = [json.loads(line) for line in path.read_bytes().splitlines()]
    names = [next(iter(part)) for part in parts[1:]]

    assert {"kind": "regimen-bundle", "format": 2}.items() <= parts[0].items()
    assert (parts[0]["courses"], parts[0]["records"]) == (1, 18)
    assert parts[0]["asked"] == {"courses": [FIRST]}
    assert names == ["definition", "checkpoint", "course", *["record"] * 18, "end"]


def test_the_end_counts_and_digests_what_came_before(yard: Yard, tmp_path: Path) -> None:
    whole = yard.exported(tmp_path / "bundle", FIRST).read_bytes()
    *lines, end = whole.splitlines(keepends=True)

    assert json.loads(end)["end"] == {
        "lines": len(lines), "digest": "sha256:" + sha256(b"".join(lines)).hexdigest()
    }  # fmt: skip


def test_what_is_written_is_read_verified_and_decided_again(yard: Yard, tmp_path: Path) -> None:
    path = yard.exported(tmp_path / "bundle", asked=Asked())
    proof = Proof()
    with path.open("rb") as stream:
        bundle = BundleFile(stream)
        courses = list(bundle.courses())
        assert bundle.checkpoint is not None
        proof.checkpoint(bundle.tenant, bundle.checkpoint)
        for course in courses:
            assert course.verify() is None
            assert proof.records(course, bundle.checkpoint) is None
            assert course.decide_again() == []
        proof.whole(bundle.checkpoint)

    assert [course.course for course in courses] == [FIRST, SECOND, THIRD]


def test_records_are_there_byte_for_byte(yard: Yard, tmp_path: Path) -> None:
    bundle = read_bundle(yard.exported(tmp_path / "bundle", FIRST).read_bytes())

    assert [(r.hash, r.body) for r in bundle.records] == [
        (r.hash, r.body) for r in yard.bench.records(FIRST)
    ]


def test_one_course_reveals_nothing_of_another(yard: Yard, tmp_path: Path) -> None:
    """No name, id, hash, salt, byte of a record nor unsalted commitment of anybody else."""
    told = yard.exported(tmp_path / "bundle", FIRST).read_bytes()
    salts = {(course, seq): salt for course, seq, salt, _ in yard.tree.leaves}
    for course in (SECOND, THIRD):
        assert course.encode() not in told
        for record in yard.bench.records(course):
            body = json.loads(record.body)
            raw = bytes.fromhex(record.hash)
            commitments = {
                record.hash,
                leaf_hash(raw).hex(),
                leaf_hash(record.body).hex(),
                sha256(raw).hexdigest(),
                salts[course, record.seq].hex(),
            }
            assert record.body not in told
            assert json.dumps(record.body.decode()).encode() not in told
            assert body["event"]["id"].encode() not in told
            assert not any(one.encode() in told for one in commitments)
    for secret in (b"owner-of-crane-beta", b"site-of-crane-beta", b"77.125", b"a secret of"):
        assert secret not in told


def test_the_siblings_of_a_proof_are_salted_leaves_or_nodes_above_them(
    yard: Yard, tmp_path: Path
) -> None:
    """So that whoever guesses another course's record cannot try the guess on them."""
    leaves = {yard.tree.nodes[0, n].hex() for n in range(yard.tree.tree.size)}
    above = {
        sha256(b"\x01" + a + b).hexdigest()
        for a in yard.tree.nodes.values() for b in yard.tree.nodes.values()
    }  # fmt: skip
    for part in parts_of(yard.exported(tmp_path / "bundle", FIRST)):
        if "record" in part:
            assert set(part["record"]["leaf"]["path"]) <= leaves | above


def test_no_free_text_is_in_it(yard: Yard, tmp_path: Path) -> None:
    assert b"a secret of" not in yard.exported(tmp_path / "bundle", asked=Asked()).read_bytes()


def test_since_gives_whole_courses_that_changed_since(yard: Yard, tmp_path: Path) -> None:
    last = max(r.recorded_at for r in yard.bench.records(SECOND))
    later = Asked(since=last.replace(year=last.year, day=last.day) + (last - last).resolution)
    parts = parts_of(yard.exported(tmp_path / "bundle", asked=later))
    courses = [part["course"] for part in parts if "course" in part]

    assert [(one["course"], one["records"]) for one in courses] == [(FIRST, 18), (THIRD, 2)]
    assert parts[0]["asked"] == {"since": later.json()["since"]}


def test_what_changed_since_the_future_is_nothing_and_whole(yard: Yard, tmp_path: Path) -> None:
    asked = Asked(since=datetime(2099, 1, 1, tzinfo=UTC))

    assert verify(yard.exported(tmp_path / "bundle", asked=asked)).code == 0


def test_a_record_that_is_newer_than_the_checkpoint_says_so(yard: Yard, tmp_path: Path) -> None:
    held = yard.tree.last()
    assert held is not None
    yard.says(THIRD, "scrapped", "chief")
    path = yard.exported(tmp_path / "bundle", THIRD)
    (tmp_path / "held").write_bytes(held.note.encode())

    assert "crane-gamma: 3 records, 1 not sealed" in verify(path).told
    assert verify(path).code == 0
    assert verify(path, "--checkpoint", tmp_path / "held").wrong == (
        "course crane-gamma record 3: unsealed: no checkpoint holds it yet",
    )


def test_without_a_checkpoint_a_bundle_has_no_proofs_and_proves_its_chain(tmp_path: Path) -> None:
    path = Yard().tell().exported(tmp_path / "bundle", FIRST)

    assert b'"leaf"' not in path.read_bytes()
    assert verify(path).code == 0
    assert "18 not sealed" in verify(path).told


def test_a_course_that_is_not_there_is_not_found(yard: Yard, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        yard.exported(tmp_path / "bundle", "nobody")


def test_a_checkpoint_of_another_log_cannot_be_continued(yard: Yard, tmp_path: Path) -> None:
    other = Yard("yard-2").tell().tree.seal()
    with pytest.raises(InvalidInput, match="clinic.example/ledger/yard-1"):
        yard.exported(tmp_path / "bundle", FIRST, held=other.head)


def test_a_checkpoint_that_is_further_than_the_log_cannot_be_continued(tmp_path: Path) -> None:
    further = Yard().tell().tree.seal()
    behind = Yard().tell()
    behind.tree.seal(4)
    with pytest.raises(InvalidInput, match="at most 4 leaves"):
        behind.exported(tmp_path / "bundle", FIRST, held=further.head)


def test_a_file_of_many_courses_is_not_taken_for_that_of_one(yard: Yard, tmp_path: Path) -> None:
    whole = yard.exported(tmp_path / "bundle", asked=Asked()).read_bytes()
    with pytest.raises(InvalidInput, match="a file of one course"):
        read_bundle(whole)


OTHER = [b"", b"{}", b"[]", b'{"kind":"regimen-bundle"}', b"\xff",
         b'{"format":3,"kind":"regimen-bundle","tenant":"t"}']  # fmt: skip


@pytest.mark.parametrize("data", OTHER)
def test_what_is_no_bundle_is_said_to_be_none(data: bytes) -> None:
    with pytest.raises(InvalidInput):
        read_bundle(data)


@pytest.mark.parametrize("data", [b"", b"\n", b"\xef\xbb\xbf"])
def test_of_an_empty_file_it_is_said_that_it_is_empty(data: bytes) -> None:
    with pytest.raises(InvalidInput, match="found nothing"):
        read_bundle(data)


def test_writing_and_reading_hold_one_course_at_a_time(tmp_path: Path) -> None:
    """Ten times the courses take no more memory, and a file ten times the size."""
    small, large = (_peak(tmp_path, courses) for courses in (10, 100))

    assert large[0] > 8 * small[0]
    assert large[1] < 1.5 * small[1]


def _peak(folder: Path, courses: int) -> tuple[int, int]:
    yard = Yard()
    for n in range(courses):
        yard.says(f"crane-{n:03d}", "course.enrolled", "chief", workflow="crane", patient=f"p-{n}",
                  site="s", zone="Europe/Vienna")  # fmt: skip
        for _ in range(10):
            yard.says(f"crane-{n:03d}", "checked", "chief")
    path = folder / f"of-{courses}"
    tracemalloc.start()
    yard.exported(path, asked=Asked())
    with path.open("rb") as stream:
        for course in BundleFile(stream).courses():
            assert course.verify() is None
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return path.stat().st_size, peak
