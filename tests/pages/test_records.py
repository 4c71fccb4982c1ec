"""Records as pages show them: who signed and whether it holds, what is lacking, what was erased."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from engine.core.encoding import canonical
from engine.core.record import Record
from engine.pages import course as view
from engine.pages.press import page
from engine.pages.records import Book, Chain, Line
from engine.signatures import Proved, Signatures
from engine.telling.entry import entries
from engine.telling.lexicon import Lexicon
from engine.telling.seen import texts_of
from engine.testing import Story
from tests.pages.hostile import HOSTILE, WORKFLOW


@pytest.fixture(scope="module")
def story() -> Story:
    """Two measurements: the first is signed by both, the second by nobody, and then corrected."""
    story = Story(WORKFLOW, start="2026-03-02 09:00")
    story.sends(
        "measurement_recorded",
        deviation="3 um",
        room_temperature="20 Cel",
        reason={"text": HOSTILE},
    )
    story.sends("measurement_recorded", deviation="3.2 um", room_temperature="20 Cel")
    for who, meaning in (("ann", "measured"), ("bob", "verified")):
        sign(story, who, meaning)
    return story


def sign(story: Story, who: str, meaning: str) -> None:
    signed = story.records[1]
    actor = json.loads(signed.body)["event"]["actor"]["id"] if meaning == "measured" else who
    what = {"record": 2, "hash": signed.hash, "meaning": meaning, "printed_name": f"Dr {HOSTILE}"}
    answer = Signatures(story.service).sign(
        story.course, id=f"s-{who}", actor={"id": actor, "role": "metrologist"}, what=what,
        proved=Proved(kind="host", by=actor, at=story.now),
    )  # fmt: skip
    assert answer.verdict == "accepted", answer.decision


def book(story: Story, records: list[Record] | None = None, **more: Any) -> Book:
    status, found = story.service.status(story.course), records or story.records
    return Book(
        records=found,
        entries=entries(found, Signatures(story.service).of(story.course, found)),
        lexicon=Lexicon(status.machine),
        wording=view.wording_of(status),
        texts=more.get("texts", texts_of(story.service, story.course, range(1, len(found) + 1))),
    )


def shown(story: Story, one: Line) -> str:
    """The record as a page."""
    status = story.service.status(story.course)
    return page(
        "record.html", frame=None, head=view.head(status), tab="records", one=one,
        chain=Chain(records=len(story.records), fault=""), proofs=None, review={"queues": ()},
    )  # fmt: skip


def test_signatures_are_told_with_who_gave_them_and_how_that_was_proved(story: Story):
    one = book(story).line(2)

    assert [(s.meaning, s.proof, s.holds, s.name) for s in one.signed] == [
        ("measured", "host", True, f"Dr {HOSTILE}"),
        ("verified", "host", True, f"Dr {HOSTILE}"),
    ]
    assert one.unsigned == ()


def test_what_waits_for_signatures_says_for_which(story: Story):
    one = book(story).line(3)

    assert one.unsigned == ("measured", "verified")
    assert "unsigned: measured, verified" in shown(story, one)


def test_a_signature_of_a_record_that_was_changed_is_shown_as_not_holding(story: Story):
    records = list(story.records)
    body = json.loads(records[1].body)
    body["event"]["data"]["deviation"]["value"] = "2"
    records[1] = replace(records[1], body=canonical(body))
    one = book(story, records).line(2)

    assert [s.holds for s in one.signed] == [False, False]
    assert one.unsigned == ("measured", "verified")
    assert "signature that does not hold" in shown(story, one)


def test_a_text_that_was_erased_is_told_to_have_been_there(story: Story):
    kept, erased = book(story).line(2), book(story, texts={}).line(2)

    assert [(one.name, one.text) for one in kept.texts] == [("Reason", HOSTILE)]
    assert [(one.name, one.text) for one in erased.texts] == [("Reason", None)]
    assert "the text was erased" in shown(story, erased)


def test_a_signature_is_a_record_in_words(story: Story):
    one = book(story).line(4)

    assert one.title == "Somebody signed"
    assert [(part.name, part.value) for part in one.sent] == [
        ("record", "2"),
        ("means", "measured"),
    ]


def test_no_text_of_anybody_is_markup(story: Story):
    for seq in range(1, len(story.records) + 1):
        made = shown(story, book(story).line(seq, whole=True))

        assert "<script>alert" not in made
        assert made.count("<script") == 1, "the page's own"


def test_a_refusal_names_what_kept_it_out_in_a_line(story: Story):
    fork = story.fork()
    fork.sends("release_instrument", role="metrologist")
    fork.advance(days=3).sends("release_instrument", role="metrologist")
    granted, refused = book(fork).line(6), book(fork).line(7)

    assert (granted.verdict, granted.why) == ("accepted", "")
    assert refused.verdict == "refused"
    assert refused.why


def test_a_zone_is_told_by_its_name(story: Story):
    sent = {part.name: part.value for part in book(story).line(1).sent}

    assert sent["zone"] == story.service.status(story.course).row["zone"]
