"""The ledger of a tenant: every record sealed once, in the order of the feed, by whomever."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import select

from engine import keys
from engine.core.heads import CourseHead, map_of
from engine.core.ledger import sealed
from engine.core.merkle import root_of, verify_consistency
from engine.core.note import Head, KeyKind, Note, SigningKey, checked
from engine.errors import InvalidInput, LedgerDivergence, NotFound
from engine.feed import Feed
from engine.ledger import Ledger
from engine.store.checkpoints import SqlCheckpoints
from engine.store.feed import SqlFeed
from engine.store.ledger import SqlLedger
from engine.store.sql import SqlStore
from engine.store.tables import cosignatures, leaves, messages, nodes, records
from engine.store.tables import sealing as sealing_table
from tests.service.bench import BAD, INSTRUMENT, Bench

NAME = "clinic.example/ledger"


def key(name: str = NAME, n: int = 1, kind: KeyKind = KeyKind.LOG) -> SigningKey:
    return keys.new_key(name, kind, bytes([n]) * 32)


def ledger(bench: Bench, *signers: SigningKey) -> Ledger:
    store = bench.store
    assert isinstance(store, SqlStore)
    chance = itertools.count(1)
    return Ledger(
        store=SqlLedger(store),
        checkpoints=SqlCheckpoints(store),
        feed=Feed(store=SqlFeed(store), tenant=bench.tenant, clock=bench.clock),
        clock=bench.clock,
        salts=lambda length: next(chance).to_bytes(length, "big"),
        signers=signers,
    )


def rows(bench: Bench, table: Any, *columns: str) -> list[tuple[Any, ...]]:
    assert isinstance(bench.store, SqlStore)
    wanted = [table.c[name] for name in columns] or list(table.c)
    asked = select(*wanted).where(table.c.tenant == bench.tenant)
    with bench.store.engine.begin() as connection:
        found = connection.execute(asked.order_by(*table.primary_key)).all()
    return [tuple(row) for row in found]


def sealed_records(bench: Bench) -> list[tuple[str, int]]:
    return [(course, seq) for course, seq in rows(bench, leaves, "course", "seq")]


def forget_messages(bench: Bench) -> None:
    """As if an engine had written that did not speak of them yet."""
    assert isinstance(bench.store, SqlStore)
    with bench.store.engine.begin() as connection:
        connection.execute(messages.delete().where(messages.c.tenant == bench.tenant))


def test_every_record_has_one_leaf_in_the_order_of_the_feed_and_refusals_too(bench: Bench):
    book = ledger(bench)
    assert book.seal() == 0
    bench.enrolled("C-2", "C-1")
    bench.clock.advance(minutes=1)
    refused = bench.service.submit(bench.release("C-2"))
    bench.clock.advance(minutes=1)
    bench.service.submit(bench.measurement("C-1"))
    bench.clock.advance(minutes=1)
    bench.service.submit(bench.measurement("C-2", BAD))

    assert refused.verdict == "refused"
    assert book.seal() == 5
    assert sealed_records(bench) == [("C-1", 1), ("C-2", 1), ("C-2", 2), ("C-1", 2), ("C-2", 3)]
    assert sorted(sealed_records(bench)) == [(r[1], r[2]) for r in rows(bench, records)]
    assert book.seal() == 0


def test_a_refusal_is_said_by_a_thin_message(bench: Bench):
    bench.enrolled("C-1")
    refused = bench.service.submit(bench.release("C-1"))

    assert refused.verdict == "refused"
    assert ("C-1", 2, 1, "course.refused", b"{}") in rows(
        bench, messages, "course", "seq", "n", "kind", "body"
    )


def test_the_root_is_that_of_the_salted_hashes_of_the_records_bytes(bench: Bench):
    bench.in_service("C-1", "C-2", "C-3")
    checkpoint = ledger(bench).checkpoint()
    hashes = {(row[1], row[2]): row[9] for row in rows(bench, records)}

    assert checkpoint.head.size == len(hashes) == 9
    assert checkpoint.head.root == root_of(
        sealed(salt, hashes[course, seq])
        for course, seq, salt in rows(bench, leaves, "course", "seq", "salt")
    )


def test_records_from_before_the_ledger_are_swept_in_course_by_course(bench: Bench):
    """What the feed does not speak of, as refusals of an older engine, is found all the same."""
    bench.enrolled("C-2", "C-1")
    for course in ("C-1", "C-2"):
        assert bench.service.submit(bench.release(course)).verdict == "refused"
    forget_messages(bench)

    assert ledger(bench).seal() == 4
    assert sealed_records(bench) == [("C-1", 1), ("C-1", 2), ("C-2", 1), ("C-2", 2)]


def test_what_was_never_said_later_comes_with_the_next_record_of_its_course(bench: Bench):
    book = ledger(bench)
    bench.enrolled("C-1")
    book.seal()
    bench.service.submit(bench.release("C-1"))
    forget_messages(bench)

    assert book.seal() == 0
    bench.service.submit(bench.measurement("C-1"))
    assert book.seal() == 2
    assert sealed_records(bench) == [("C-1", 1), ("C-1", 2), ("C-1", 3)]


def test_a_sweep_finds_what_was_never_said(bench: Bench):
    book = ledger(bench)
    bench.enrolled("C-1")
    book.seal()
    bench.service.submit(bench.release("C-1"))
    forget_messages(bench)

    assert book.sweep() == 1
    assert sealed_records(bench) == [("C-1", 1), ("C-1", 2)]


def test_what_is_sealed_in_many_small_steps_is_what_is_sealed_at_once(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("engine.ledger.AT_ONCE", 3)
    other = bench.beside()
    other.install(INSTRUMENT)
    for one in (bench, other):
        one.in_service("C-1")
    stepwise = ledger(bench)
    for n in range(60):
        bench.service.submit(bench.measurement("C-1"))
        if n % 7 == 0:
            stepwise.seal()
        other.service.submit(other.measurement("C-1"))
    stepwise.seal()
    ledger(other).seal()
    salted = rows(bench, leaves, "place", "course", "seq", "salt")

    assert len(salted) == 63
    assert [row[:3] for row in salted] == [
        row[:3] for row in rows(other, leaves, "place", "course", "seq", "salt")
    ]
    # Levels 4 and 5 of 63 leaves: 3 subtrees of 16 and 1 of 32.
    assert [row[:2] for row in rows(bench, nodes, "level", "place")] == [
        (4, 0), (4, 1), (4, 2), (5, 0),
    ]  # fmt: skip


def test_how_far_sealing_came_is_found_again_when_that_note_is_lost(bench: Bench):
    book = ledger(bench)
    bench.in_service("C-1")
    book.seal()
    assert isinstance(bench.store, SqlStore)
    with bench.store.engine.begin() as connection:
        connection.execute(sealing_table.delete().where(sealing_table.c.tenant == bench.tenant))
    bench.service.submit(bench.measurement("C-1"))

    assert book.seal() == 1
    assert sealed_records(bench) == [("C-1", n) for n in (1, 2, 3, 4)]


def test_leaves_that_should_not_be_there_stop_the_sealing(bench: Bench):
    book = ledger(bench)
    bench.in_service("C-1")
    book.seal()
    assert isinstance(bench.store, SqlStore)
    with bench.store.engine.begin() as connection:
        connection.execute(
            sealing_table.update().where(sealing_table.c.tenant == bench.tenant).values(size=2)
        )
    bench.service.submit(bench.measurement("C-1"))

    with pytest.raises(LedgerDivergence, match="leaf 2"):
        book.seal()


def test_every_proof_holds_for_its_record_at_any_size_of_the_tree(bench: Bench):
    book = ledger(bench)
    bench.in_service("C-1", "C-2")
    first = book.checkpoint().head
    for _ in range(30):
        bench.service.submit(bench.measurement("C-2"))
    second = book.checkpoint().head
    hashes = {(row[1], row[2]): row[9] for row in rows(bench, records)}

    for head in (first, second):
        every = list(book.every_proof(head.size))
        assert [one.index for one in every] == list(range(head.size))
        for one in [*every, *book.proofs("C-1", size=head.size)]:
            assert one.holds(hashes[one.course, one.seq], head.size, head.root)
            assert not one.holds("00" * 32, head.size, head.root)
    assert [one.seq for one in book.proofs("C-2", [2, 33, 2, 999], second.size)] == [2, 33]
    assert [one.seq for one in book.proofs("C-2", size=first.size)] == [1, 2, 3]
    assert verify_consistency(
        first.size, second.size, first.root, second.root, book.consistency(first.size, second.size)
    )


def test_there_is_no_proof_of_what_is_not_there(bench: Bench):
    book = ledger(bench)
    bench.in_service("C-1")
    book.seal()

    with pytest.raises(NotFound):
        book.proofs("C-9")
    with pytest.raises(NotFound):
        book.proofs("C-1", [3], size=2)
    for size in (-1, 4):
        with pytest.raises(InvalidInput, match="0 to 3"):
            book.proofs("C-1", size=size)
        with pytest.raises(InvalidInput, match="0 to 3"):
            book.consistency(size)


def test_two_courses_with_the_same_record_hash_have_leaves_that_say_nothing_of_each_other(
    bench: Bench,
):
    bench.in_service("C-1")
    ledger(bench).seal()
    salts = [salt for (salt,) in rows(bench, leaves, "salt")]

    assert len(set(salts)) == len(salts)
    assert {len(salt) for salt in salts} == {16}


def test_tenants_have_trees_of_their_own(bench: Bench):
    other = bench.beside()
    other.install(INSTRUMENT)
    bench.in_service("C-1")
    other.enrolled("C-9")
    ledger(bench).seal()

    assert sealed_records(other) == []
    assert ledger(other).checkpoint().head.size == 1
    assert ledger(other).checkpoint().head.origin != ledger(bench).checkpoint().head.origin


# --- checkpoints -------------------------------------------------------------------------------


def test_a_checkpoint_is_signed_by_every_key_under_the_name_of_the_tree(bench: Bench):
    bench.in_service("C-1")
    old, new = key(n=1), key(n=2)
    made = ledger(bench, old, new).checkpoint()
    found = checked(made.note, made.keys, keys.verify)

    assert made.head.origin == f"{NAME}/{bench.tenant}"
    assert [who.name for who, _ in found.held] == [made.head.origin] * 2
    assert (found.false, found.others) == ((), 0)
    assert {who.public for who in made.keys} == {old.public, new.public}


def test_a_tree_without_a_key_has_checkpoints_that_are_not_signed(bench: Bench):
    bench.in_service("C-1")
    made = ledger(bench).checkpoint()

    assert not made.signed
    assert made.head.origin == f"unnamed.invalid/{bench.tenant}"
    assert ledger(bench).last() == made


def test_an_empty_tree_has_a_checkpoint(bench: Bench):
    made = ledger(bench, key()).checkpoint()

    assert made.head.size == 0
    assert checked(made.note, made.keys, keys.verify).held


def test_where_nothing_changed_the_last_checkpoint_stands(bench: Bench):
    bench.in_service("C-1")
    book = ledger(bench, key())
    first = book.checkpoint()
    bench.clock.advance(hours=1)

    assert book.checkpoint() == first
    assert ledger(bench, key(), key(n=2)).checkpoint().number == 2


def test_no_checkpoint_is_written_after_a_larger_one_of_somebody_else(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    """Of two who write at once the slower one looks again at how far the tree has come."""
    bench.in_service("C-1")
    slow, fast, asked = ledger(bench), ledger(bench), list[int]()
    looking = SqlCheckpoints.add

    def overtaken(*given: Any, **named: Any) -> Any:
        asked.append(1)
        if len(asked) == 1:
            bench.service.submit(bench.measurement("C-1"))
            fast.checkpoint()
        return looking(*given, **named)

    monkeypatch.setattr(SqlCheckpoints, "add", overtaken)
    made = slow.checkpoint()

    assert [one.head.size for one in slow.checkpoints()] == [4]
    assert (made.number, made.head.size) == (1, 4)


def test_a_key_is_changed_by_one_of_the_same_name_and_all_keys_are_told(bench: Bench):
    bench.in_service("C-1")
    for signers in ([key(n=1)], [key(n=1), key(n=2)], [key(n=2)]):
        ledger(bench, *signers).checkpoint()
    book = ledger(bench, key(n=3))

    assert [one.public for one in book.verifiers()] == [key(n=n).public for n in (1, 2, 3)]
    assert [len(one.keys) for one in book.checkpoints()] == [1, 2, 1]


@pytest.mark.parametrize(
    "signers",
    [(key("other.example"),), (), (key(), key("other.example")), (key(kind=KeyKind.WITNESS),)],
    ids=["another name", "none", "two names", "a witness's"],
)
def test_a_tree_that_has_a_name_keeps_it(bench: Bench, signers: Sequence[SigningKey]):
    bench.in_service("C-1")
    ledger(bench, key()).checkpoint()

    with pytest.raises(InvalidInput, match="REGIMEN_LEDGER_KEY"):
        ledger(bench, *signers).checkpoint()


def test_a_tree_without_a_name_may_get_one(bench: Bench):
    bench.in_service("C-1")
    ledger(bench).checkpoint()

    assert ledger(bench, key()).checkpoint().signed


def test_a_tree_that_does_not_begin_as_the_last_checkpoint_says_is_not_signed(bench: Bench):
    bench.in_service("C-1")
    book = ledger(bench, key())
    head = book.checkpoint().head
    assert isinstance(bench.store, SqlStore)
    other = type(head)(origin=head.origin, size=head.size, root=bytes(32))
    SqlCheckpoints(bench.store).add(
        bench.tenant, other, Note(text=other.text()), (), bench.clock.now(), after=1
    )

    with pytest.raises(LedgerDivergence, match="does not begin"):
        book.checkpoint()


def test_the_lines_of_witnesses_are_kept_with_their_checkpoint(bench: Bench):
    bench.in_service("C-1")
    book = ledger(bench, key())
    made = book.checkpoint()
    witness = key("witness.example/w1", kind=KeyKind.WITNESS)
    line = keys.signature(witness, made.note.text, 1_700_000_000)
    cosigned = made.note.with_signatures(line)

    assert book.witnessed(cosigned, [witness.verifier]) == 1
    assert book.witnessed(cosigned, [witness.verifier]) == 0
    last = book.last()
    assert last is not None
    assert last.note == cosigned
    assert [row[2] for row in rows(bench, cosignatures)] == [witness.verifier.text()]


def test_a_line_that_does_not_hold_or_is_of_another_checkpoint_is_not_kept(bench: Bench):
    bench.in_service("C-1")
    book = ledger(bench, key())
    made = book.checkpoint()
    witness = key("witness.example/w1", kind=KeyKind.WITNESS)
    false = keys.signature(witness, "another text\n", 1_700_000_000)
    strange = Note(text="origin\n0\n" + made.note.text.splitlines()[2] + "\n")

    with pytest.raises(InvalidInput, match="a line of the witness that holds"):
        book.witnessed(made.note.with_signatures(false), [witness.verifier])
    with pytest.raises(InvalidInput, match="a line of the witness that holds"):
        book.witnessed(made.note, [witness.verifier])
    with pytest.raises(InvalidInput, match="a checkpoint of this ledger"):
        book.witnessed(strange, [witness.verifier])
    assert rows(bench, cosignatures) == []


def test_a_checkpoint_says_how_far_each_course_had_come(bench: Bench):
    """The map is made anew here from the leaves, for that size and every earlier one."""
    book = ledger(bench)
    bench.in_service("C-2", "C-1")
    book.checkpoint()
    bench.clock.advance(minutes=1)
    bench.service.submit(bench.measurement("C-2", BAD))
    bench.in_service("C-3")
    checkpoint = book.checkpoint()
    its = rows(bench, leaves, "place", "course", "seq", "salt", "hash")

    assert checkpoint.head.courses == book.heads().map == map_of(10, _heads(its))
    assert [book.heads(size).map for size in range(11)] == [
        map_of(size, _heads(its[:size])) for size in range(11)
    ]


def test_every_course_has_a_proof_of_how_far_it_had_come_at_any_size(bench: Bench):
    book = ledger(bench)
    bench.in_service("C-2", "C-1", "C-3")
    book.seal()
    its = rows(bench, leaves, "place", "course", "seq", "salt", "hash")
    for size in range(1, len(its) + 1):
        made = book.heads(size)
        for n, head in enumerate(_heads(its[:size])):
            proof = made.proof(head.first)
            assert proof is not None
            assert (proof.place, proof.size) == (n, size)
            assert proof.holds(head, made.map)


def test_a_checkpoint_from_before_it_said_how_far_courses_had_come_is_followed_by_one_that_does(
    bench: Bench,
):
    book = ledger(bench, key())
    bench.in_service("C-1")
    book.seal()
    head = Head(origin=book.origin, size=3, root=book.root(3))
    signer = book.signers[0]
    note = Note(text=head.text()).with_signatures(keys.signature(signer, head.text()))
    store = bench.store
    assert isinstance(store, SqlStore)
    stored = SqlCheckpoints(store)
    stored.add(bench.tenant, head, note, [signer.verifier], bench.clock.now(), after=0)
    made = book.checkpoint()

    assert head.courses is None
    assert (made.number, made.head.root) == (2, head.root)
    assert made.head.courses == book.heads(3).map
    assert book.checkpoint() == made


def test_more_courses_than_are_read_at_once_are_all_in_the_map(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    book = ledger(bench)
    bench.in_service(*(f"C-{n}" for n in range(5)))
    whole = book.checkpoint().head.courses
    for few in (1, 2, 5, 6):
        monkeypatch.setattr("engine.store.tree.HEADS", few)
        assert book.heads().map == whole


def _heads(its: Sequence[tuple[Any, ...]]) -> list[CourseHead]:
    found: dict[str, CourseHead] = {}
    for place, course, seq, salt, leaf in its:
        first = found[course].first if course in found else place
        found[course] = CourseHead(first=first, records=seq, salt=bytes(salt), leaf=bytes(leaf))
    return list(found.values())
