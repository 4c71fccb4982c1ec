"""What the page of the audit log says of the ledger."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from engine.core.ledger import Checkpoint
from engine.core.note import Head, KeyKind, Note
from engine.keys import new_key, signature
from engine.pages.audit import LastTime, last_time, ledger_state
from engine.verification import Last, Verified

AT = datetime(2026, 3, 2, 16, tzinfo=UTC)


def test_a_tree_is_named_as_its_newest_checkpoint_names_it_whoever_shows_it():
    """The process that shows pages may hold no key, and would call the tree unnamed."""
    head = Head(origin="clinic.example/ledger/north", size=3, root=bytes(32))
    last = Checkpoint(number=1, at=AT, head=head, note=Note(text=head.text()), keys=())

    assert ledger_state(4, "unnamed.invalid/north", last).origin == head.origin
    assert ledger_state(4, "unnamed.invalid/north", None).origin == "unnamed.invalid/north"


def test_the_lines_of_witnesses_are_told_apart_from_those_of_the_ledger():
    own = new_key("clinic.example/ledger/north", KeyKind.LOG, bytes(32))
    witness = new_key("auditor.example/w1", KeyKind.WITNESS, bytes(range(32)))
    head = Head(origin=own.name, size=3, root=bytes(32))
    text = head.text()
    note = Note(text=text).with_signatures(signature(own, text), signature(witness, text, at=1))
    last = Checkpoint(number=1, at=AT, head=head, note=note, keys=(own.verifier,))
    state = ledger_state(4, own.name, last)

    assert state.witnesses == ("auditor.example/w1",)
    assert state.signers == (own.verifier.text(),)


def last(hours: int = 1, **found: Any) -> LastTime:
    verified = Verified(courses=3, records=90, **found)
    return last_time(Last(at=AT, by="worker", found=verified), AT + timedelta(hours=hours))


def test_a_log_that_was_whole_is_said_to_be_with_when_and_by_whom():
    said = last(sealed=90)

    assert (said.whole, said.stale, said.by, said.age) == (True, False, "worker", "1 hour")
    assert (said.courses, said.records, said.sealed) == (3, 90, 90)


def test_the_first_bad_place_is_named():
    assert last(wrong=1, course="GAR-Z", seq=7).first == "GAR-Z, record 7"
    flawed = last(sealed=90, flaws=2, leaf=41)
    assert (flawed.whole, flawed.leaf) == (False, 41)


def test_a_verification_of_more_than_two_days_ago_is_stale():
    assert not last(hours=48).stale
    assert last(hours=49).stale
