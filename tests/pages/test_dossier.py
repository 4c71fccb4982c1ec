"""The dossier as a PDF: the same course gives the same bytes, and says nothing of today."""

from __future__ import annotations

from dataclasses import replace

from engine.core.history import verify
from engine.pages import course as view
from engine.pages.dossier import Dossier, news, pdf
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
    return Dossier(
        head=view.head(status),
        chain=Chain.of(records, verify(records, course=COURSE, tenant=service.tenant)),
        timeline=picture.drawn,
        states=diagram(lexicon, told),
        lines=news(book.line(one.seq) for one in told),
        questions=view.questions(overview),
        readings=view.readings(overview),
        variables=overview.json()["variables"],
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
