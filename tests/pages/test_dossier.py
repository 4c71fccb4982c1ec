"""The dossier as a PDF: the same course gives the same bytes, and says nothing of today."""

from __future__ import annotations

from dataclasses import replace

from engine.core.history import verify
from engine.pages import course as view
from engine.pages.dossier import Dossier, news, pdf, standing
from engine.pages.records import Book, Chain
from engine.pages.states import diagram
from engine.telling.entry import entries
from engine.telling.lexicon import Lexicon
from engine.telling.overview import Overview
from tests.pages import served

COURSE = "GAR-Z"


def dossier() -> Dossier:
    service = served(COURSE)
    records = service.records(COURSE)
    until = records[-1].recorded_at
    status, told = service.status(COURSE, at=until), entries(records)
    lexicon, wording = Lexicon(status.machine), view.wording_of(status)
    book = Book(records=records, entries=told, lexicon=lexicon, wording=wording)
    overview = Overview.of(status, records, until)
    picture = view.picture(status, told, view.Choice())
    assert picture is not None
    lines, said = news(book.line(one.seq) for one in told), overview.json()
    return Dossier(
        head=view.head(status),
        chain=Chain.of(records, verify(records, course=COURSE, tenant=service.tenant)),
        standing=tuple(standing(said, lines)),
        timeline=picture.drawn,
        busiest=picture.drawn,
        states=diagram(lexicon, told),
        lines=lines,
        questions=view.questions(overview),
        readings=view.readings(overview),
        variables=said["variables"],
        until=until,
    )


def test_the_same_course_gives_the_same_bytes():
    first, again = pdf(dossier()), pdf(dossier())

    assert first.startswith(b"%PDF-")
    assert first == again


def test_what_changes_in_the_course_changes_the_document():
    made = dossier()
    other = replace(made, head=replace(made.head, site="another"))

    assert pdf(made) != pdf(other)


def test_a_whole_chain_is_told_as_one():
    assert dossier().chain == Chain(records=18, fault="")


def test_an_open_question_is_told_where_it_is_new():
    said = [one for line in dossier().lines if line.said for one in line.said.below]
    asked = [one for one in said if one.tone == "unknown" and one.text.startswith("Open question")]

    assert asked
    for line, following in zip(dossier().lines, dossier().lines[1:], strict=False):
        if line.said and following.said:
            assert not set(asked) & set(line.said.below) & set(following.said.below)


def test_what_is_open_and_what_is_not_sealed_stands_at_the_beginning():
    line = dossier().lines[1]
    corrected = {"finding": 9, "decisions": [7], "record": 6, "title": "Heat", "correction": 8}
    late = {"finding": 12, "decisions": [7, 10], "record": 11, "title": None, "correction": None}
    lines = [replace(line, unsigned=("measured",))]

    otherwise = "would have been decided otherwise"

    assert [one.text for one in standing({"open_findings": [corrected, late]}, lines)] == [
        f"Open finding 9: record 7 {otherwise} (Heat of record 6, corrected by 8).",
        f"Open finding 12: records 7, 10 {otherwise} (record 11 was entered late).",
        f"Record {line.seq} is unsigned: measured.",
        "0 of 1 records are sealed in the ledger.",
    ]
