"""What the page of the audit log says of the ledger."""

from __future__ import annotations

from datetime import UTC, datetime

from engine.core.ledger import Checkpoint
from engine.core.note import Head, Note
from engine.pages.audit import ledger_state

AT = datetime(2026, 3, 2, 16, tzinfo=UTC)


def test_a_tree_is_named_as_its_newest_checkpoint_names_it_whoever_shows_it():
    """The process that shows pages may hold no key, and would call the tree unnamed."""
    head = Head(origin="clinic.example/ledger/north", size=3, root=bytes(32))
    last = Checkpoint(number=1, at=AT, head=head, note=Note(text=head.text()), keys=())

    assert ledger_state(4, "unnamed.invalid/north", last).origin == head.origin
    assert ledger_state(4, "unnamed.invalid/north", None).origin == "unnamed.invalid/north"
