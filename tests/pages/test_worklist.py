"""What a row of a worklist says: titles in place of names, and where each number leads."""

from __future__ import annotations

from datetime import date

from engine.core.snapshot import OpenFinding
from engine.item import Item, Lacking, Questioned
from engine.listing import Listing
from engine.pages.worklist import row
from engine.telling.lexicon import Lexicon
from tests.pages import served


def item(listing: Listing, **more: object) -> Item:
    return Item(
        listing=listing, course="GAR-Z", site="garcia-2011", state="tail",
        today=date(2026, 3, 2), **more,  # type: ignore[arg-type]  # as a test says
    )  # fmt: skip


def words() -> Lexicon:
    return Lexicon(served("GAR-Z").place("GAR-Z").machine)


def test_a_rule_and_what_it_waits_for_are_told_by_their_titles():
    lacking = Lacking("E25_topicals_without_il2", (("continue_topicals", "not-sent"),))
    shown = row(item(Listing.WAITING_FOR_DATA, lacking=(lacking,)), words())

    ((said,),) = shown.why
    assert said.text == (
        "“Topicals go on although IL-2 ends early” waits for: "
        "The clinician's decision on tail and maintenance (not sent with the event)"
    )
    assert shown.state == "Topicals for three more weeks"


def test_an_open_finding_leads_to_itself_to_its_decisions_and_to_what_was_corrected():
    what = OpenFinding(correction=65, record=61, input="platelets", decisions=(61, 62))
    shown = row(item(Listing.OPEN_FINDINGS, findings=(Questioned(66, what),)), words())
    (pieces,) = shown.why

    assert "".join(one.text for one in pieces) == (
        "Finding 66: records 61, 62 would have been decided otherwise "
        "Platelets of record 61, corrected by 65"
    )
    assert [one.record for one in pieces if one.record is not None] == [66, 61, 62, 61, 65]
