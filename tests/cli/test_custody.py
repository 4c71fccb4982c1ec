"""Erasure and legal holds at a terminal, down to the bytes of the file."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import Ran, Regimen

COURSE = "gauge-7"
MARK = "fell from the third rung"
MANY = 40


def bodies(course: str) -> Iterator[dict[str, object]]:
    """A course with many texts of many lengths, so that the pages of their table were split."""
    common = {"format": 1, "course": course, "at": "2026-01-05T09:00:00Z",
              "actor": {"id": "m-1", "role": "metrologist"}}  # fmt: skip
    yield {**common, "id": "e0", "event": "course.enrolled", "site": "north", "zone": "UTC",
           "workflow": "instrument_calibration", "patient": f"of-{course}"}  # fmt: skip
    for n in range(1, MANY):
        words = f"{course} {n:02}: {MARK} " * (1 + (n * 37) % 120)
        data = {"deviation": {"value": "3", "unit": "um"}}
        yield {**common, "id": f"e{n}", "event": "measurement_recorded", "data": data,
               "reason": {"text": words[:4000]}}  # fmt: skip


@pytest.fixture
def told(regimen: Regimen, monkeypatch: pytest.MonkeyPatch) -> Regimen:
    """The command in a folder with the courses of two gauges, by turns, with texts."""
    monkeypatch.setenv("REGIMEN_ACTOR", "kim")
    pairs = zip(bodies(COURSE), bodies("gauge-8"), strict=True)
    lines = [json.dumps(one) for pair in pairs for one in pair]
    Path("told.jsonl").write_text("\n".join(lines))
    ran = regimen("apply", "told.jsonl")
    assert ran.code == 0, ran
    return regimen


def left(course: str) -> int:
    """How often the words of a course are in the files of the database."""
    files = [file.read_bytes() for file in Path().glob("regimen.db*")]
    marks = [f"{course} {n:02}: {MARK}".encode() for n in range(MANY)]
    return sum(content.count(mark) for content in files for mark in marks)


def erased(told: Regimen, *more: str) -> Ran:
    return told("erase", COURSE, "--basis", "gdpr-17-1-b", "--yes", *more)


def test_after_an_erasure_the_words_are_in_no_file_of_the_database(told: Regimen):
    assert left(COURSE) > MANY
    ran = erased(told)

    assert ran.code == 0
    assert f"Erased {MANY - 1} texts, recorded as {MANY + 1}." in ran.out
    assert left(COURSE) == 0
    assert left("gauge-8") > MANY
    for command in ("verify", "replay"):
        assert told(command, COURSE).code == 0
    assert told("replay", COURSE, "--re-decide").code == 0


@pytest.mark.parametrize(
    ("which", "gone"), [(("--record", "5"), 1), (("--record", "9", "--path", "reason.text"), 1)]
)
def test_the_words_of_one_record_are_gone_from_the_files_without_writing_them_anew(
    told: Regimen, which: tuple[str, ...], gone: int
):
    record = int(which[1])
    mark = f"{COURSE} {record - 1:02}: {MARK}".encode()
    ran = erased(told, *which, "--no-rewrite", "--json").json()

    assert (ran["erased"], ran["scrubbed"]) == (gone, False)
    assert "moved" in ran["why_not"]
    with closing(sqlite3.connect("regimen.db")) as connection:
        rows = connection.execute(
            "SELECT count(*) FROM regimen_texts WHERE text IS NULL"
        ).fetchone()
    assert rows == (gone,)
    assert told("erasure-check", COURSE, "--scrub").code == 0
    assert not any(mark in file.read_bytes() for file in Path().glob("regimen.db*"))


def test_an_export_of_before_an_erasure_and_one_of_after_it_both_hold(told: Regimen):
    told("export", COURSE, "--out", "before.json")
    erased(told)
    told("export", COURSE, "--out", "after.json")

    for name in ("before.json", "after.json"):
        assert told("verify", name).code == 0
        assert told("replay", name, "--re-decide").code == 0


def test_it_asks_first_and_a_no_changes_nothing(told: Regimen):
    ran = told("erase", COURSE, "--basis", "gdpr-17-1-b", stdin="n\n")

    assert ran.code == 1
    assert f"{COURSE} has {MANY - 1} texts" in ran.err
    assert left(COURSE) > MANY
    assert told("erase", COURSE, "--basis", "gdpr-17-1-b", stdin="y\n").code == 0


def test_an_erasure_needs_a_legal_basis(told: Regimen):
    assert told("erase", COURSE, "--yes").code == 2
    assert told("erase", COURSE, "--yes", "--basis", "because I can").code == 2
    assert left(COURSE) > MANY


def test_under_a_legal_hold_nothing_is_erased(told: Regimen):
    placed = told("legal-hold", COURSE, "--place", "case-7", "--reason", "litigation")
    assert (placed.code, "case-7, placed by record 41" in placed.out) == (0, True)
    refused = erased(told)

    assert (refused.code, refused.out) == (1, "Refused: a legal hold is in force.\n")
    assert left(COURSE) > MANY
    assert told("legal-hold", COURSE, "--release", "case-8", "--reason", "settled").code == 1
    assert told("legal-hold", COURSE, "--release", "case-7", "--reason", "settled").code == 0
    assert "No legal hold" in told("legal-hold", COURSE).out
    assert erased(told).code == 0


def test_a_legal_hold_says_why(told: Regimen):
    assert told("legal-hold", COURSE, "--place", "case-7").code == 2
    both = ("--place", "a", "--release", "b", "--reason", "x")
    assert told("legal-hold", COURSE, *both).code == 2


def test_the_check_says_what_is_left_where_it_looked_and_where_it_cannot_look(told: Regimen):
    told("export", COURSE, "--out", "course.json")
    told("verify", COURSE)
    erased(told)
    found = told("erasure-check", COURSE, "--json").json()["places"]
    places = {one["place"]: one["found"] for one in found}

    assert places["texts"] == 0
    assert places["readings"] == MANY - 1
    assert places["event ids"] == MANY + 1
    assert places["actor ids"] == 2  # m-1, and kim who erased
    assert places["exports"] == 1
    assert places["access log"] == 2
    assert places["write-ahead log"] == 0
    assert places["free pages"] == 0
    for place in ("backups", "moved rows", "logs", "receivers", "disks"):
        assert places[place] is None
    shown = told("erasure-check", COURSE).out
    assert "not looked" in shown
    assert "backups" in shown


def test_the_check_counts_the_exports_that_had_the_course_without_naming_it_alone(told: Regimen):
    def exports(*asked: str) -> int:
        assert told("export", *asked, "--out", "some.jsonl").code == 0
        places = told("erasure-check", COURSE, "--json").json()["places"]
        return next(one["found"] for one in places if one["place"] == "exports")

    assert exports(COURSE) == 1
    assert exports() == 2
    assert exports("--since", "2000-01-01") == 3
    assert exports("gauge-8") == 3
    assert exports("gauge-8", COURSE) == 4


def test_the_check_counts_no_entry_of_a_course_that_is_called_alike(told: Regimen):
    Path("alike.jsonl").write_text(
        "\n".join(json.dumps(next(bodies(course))) for course in ("bench_1", "bench-1"))
    )
    assert told("apply", "alike.jsonl").code == 0
    assert told("export", "bench-1", "--out", "some.jsonl").code == 0

    def exports(course: str) -> int:
        places = told("erasure-check", course, "--json").json()["places"]
        return next(one["found"] for one in places if one["place"] == "exports")

    assert (exports("bench-1"), exports("bench_1")) == (1, 0)


def test_what_is_not_there_is_bad_input(told: Regimen):
    for command in (("erase", "nobody", "--basis", "x", "--yes"), ("erasure-check", "nobody"),
                    ("legal-hold", "nobody"), ("erase", COURSE, "--basis", "x", "--yes",
                    "--record", "1")):  # fmt: skip
        assert told(*command).code == 2, command
