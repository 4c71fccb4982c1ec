"""What an auditor asks at a terminal, of a database and of a file."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from engine.errors import StoreUnavailable
from tests.cli.conftest import GAUGES, Regimen


def test_whole_courses_are_told_with_their_records_and_head(gauges: Regimen):
    ran = gauges("verify")

    assert ran.code == 0
    assert "gauge-1: 5 records, whole, head " in ran.out
    assert "gauge-2: 1 record, whole, head " in ran.out


def test_only_the_named_course_is_verified(gauges: Regimen):
    answer = gauges("verify", "gauge-2", "--json").json()

    assert [course["course"] for course in answer["courses"]] == ["gauge-2"]


@pytest.mark.parametrize("command", ["verify", "replay", "export"])
def test_a_course_that_is_not_there_is_bad_input(gauges: Regimen, command: str):
    ran = gauges(command, "gauge-9")

    assert ran.code == 2
    assert "course 'gauge-9' does not exist" in ran.err
    assert "`--db` and `--tenant` say where to look" in ran.err


def test_a_changed_record_is_named_and_is_a_negative_answer(gauges: Regimen):
    tamper(
        "UPDATE regimen_records SET body = CAST(replace(body, '20.5', '19.5') AS BLOB) "
        "WHERE seq = 3"
    )
    ran = gauges("verify")

    assert ran.code == 1
    assert "gauge-1: record 3: content: " in ran.out
    assert "gauge-2: 1 record, whole" in ran.out


def test_a_course_whose_records_are_gone_is_a_negative_answer(gauges: Regimen):
    tamper("DELETE FROM regimen_records WHERE course = 'gauge-2'")
    ran = gauges("verify", "--json")

    assert ran.code == 1
    (gone,) = [course for course in ran.json()["courses"] if not course["whole"]]
    assert gone["course"] == "gauge-2"
    assert "record 1: gap" in gone["wrong"][0]


@pytest.mark.parametrize("command", [("verify",), ("replay", "--re-decide")])
def test_a_course_whose_row_is_gone_is_looked_at_all_the_same(
    gauges: Regimen, command: tuple[str, ...]
):
    tamper("DELETE FROM regimen_courses WHERE course = 'gauge-2'")
    ran = gauges(*command, "--json")

    assert ran.code == 1
    (gone,) = [course for course in ran.json()["courses"] if not course["whole"]]
    assert gone["course"] == "gauge-2"
    assert "row" in gone["wrong"][0]


def test_replay_lists_every_member_of_a_row_that_diverges(gauges: Regimen):
    tamper(
        "UPDATE regimen_courses SET row = replace(replace(row, '\"round\":1', '\"round\":2'), "
        "'2026-03-03', '2027-03-03') WHERE course = 'gauge-1'"
    )
    ran = gauges("replay", "gauge-1", "--json")
    wrong = "\n".join(ran.json()["courses"][0]["wrong"])

    assert ran.code == 1
    assert "row: round: the records add up to 1, the row says 2" in wrong
    assert 'row: variables.due_on: the records add up to "2026-03-03"' in wrong


def test_a_row_that_is_no_json_diverges(gauges: Regimen):
    tamper("UPDATE regimen_courses SET row = 'nonsense' WHERE course = 'gauge-1'")

    ran = gauges("replay", "gauge-1")
    assert (ran.code, ran.out) == (1, "gauge-1: row: not JSON\n")


def test_replay_does_not_trust_a_broken_chain(gauges: Regimen):
    tamper("UPDATE regimen_records SET body = CAST('{}' AS BLOB) WHERE seq = 2")
    ran = gauges("replay", "--re-decide", "gauge-1")

    assert ran.code == 1
    assert "record 2: content" in ran.out


def test_bytes_that_became_a_text_are_named_like_any_other_change(gauges: Regimen):
    tamper("UPDATE regimen_records SET body = 'a text' WHERE seq = 2 AND course = 'gauge-1'")
    ran = gauges("verify", "gauge-1")

    assert ran.code == 1
    assert "record 2: content" in ran.out


def test_every_decision_is_made_again_alike(gauges: Regimen):
    ran = gauges("replay", "--re-decide")

    assert ran.code == 0
    assert "gauge-1: 5 records, decided again alike" in ran.out


def test_an_exported_course_is_verified_without_a_database(gauges: Regimen):
    assert gauges("export", "gauge-1", "--out", "bundle.json").code == 0
    Path("regimen.db").unlink()

    for command in (["verify"], ["replay"], ["replay", "--re-decide"]):
        ran = gauges(*command, "bundle.json")
        assert ran.code == 0
        assert "gauge-1 in bundle.json: 5 records" in ran.out
    assert not Path("regimen.db").exists()


def test_an_export_goes_through_a_pipe(gauges: Regimen):
    bundle = gauges("export", "gauge-1").out
    ran = gauges("verify", "-", "--json", stdin=bundle)

    assert ran.code == 0
    assert ran.json()["courses"][0]["records"] == 5


@pytest.mark.parametrize(("old", "new"), [("20.5", "19.5"), ('"um\\"', '"mm\\"')])
def test_a_changed_file_is_a_negative_answer(gauges: Regimen, old: str, new: str):
    bundle = gauges("export", "gauge-1").out
    changed = bundle.replace(old, new, 1)

    assert changed != bundle
    assert gauges("verify", "-", stdin=changed).code == 1
    assert gauges("replay", "--re-decide", "-", stdin=changed).code == 1


@pytest.mark.parametrize("text", ["", "{}", "[]", "not json"])
def test_a_file_that_is_no_export_is_bad_input(gauges: Regimen, text: str):
    Path("other.json").write_text(text)
    ran = gauges("verify", "other.json")

    assert ran.code == 2
    assert "Error: " in ran.err


def test_an_export_that_cannot_be_written_says_where(gauges: Regimen):
    ran = gauges("export", "gauge-1", "--out", "nowhere/bundle.json")

    assert ran.code == 2
    assert "--out: expected a file that can be written" in ran.err


def test_the_json_answer_of_an_export_names_its_digest(gauges: Regimen):
    answer = gauges("export", "gauge-1", "--out", "bundle.json", "--json").json()

    assert answer["digest"].startswith("sha256:")
    assert Path(answer["file"]).stat().st_size == answer["bytes"]


def test_later_decisions_that_could_see_a_reading_are_listed(gauges: Regimen):
    answer = gauges("relied-on", "gauge-1", "3", "deviation", "--json").json()

    (decision,) = answer["decisions"]
    assert (decision["seq"], decision["event"]) == (4, "release_instrument")
    assert decision["guards"] == ["deviation_within_limit"]
    assert "deviation_within_limit" in gauges("relied-on", "gauge-1", "3", "deviation").out


def test_what_only_asks_makes_no_database(regimen: Regimen):
    for command in ("verify", "replay", "due"):
        ran = regimen(command)
        assert ran.code == 2
        assert "there is none at regimen.db yet" in ran.err
    assert not Path("regimen.db").exists()


def tamper(statement: str) -> None:
    """A crime against the file, with its guards out of the way."""
    with closing(sqlite3.connect("regimen.db")) as connection:
        triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for (name,) in triggers.fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("PRAGMA foreign_keys=OFF")
        assert connection.execute(statement).rowcount > 0
        connection.commit()


def test_the_older_form_of_a_bundle_is_one_json_document(gauges: Regimen):
    bundle = gauges("export", "gauge-1", "--format", "1").out

    assert json.loads(bundle)["course"] == "gauge-1"
    assert gauges("verify", "-", stdin=bundle).code == 0


@pytest.mark.parametrize("command", [["verify"], ["replay"], ["replay", "--re-decide"]])
def test_a_file_that_is_not_there_is_not_taken_for_a_course(regimen: Regimen, command: list[str]):
    for _ in range(2):  # without a database, and with one
        ran = regimen(*command, "cours.json")
        assert ran.code == 2
        assert "found neither a file 'cours.json' nor such a course" in ran.err
        assert regimen("apply", GAUGES).code == 0


def test_an_export_may_begin_with_the_mark_of_utf_8(gauges: Regimen):
    assert gauges("export", "gauge-1", "--out", "course.json").code == 0
    Path("marked.json").write_bytes(b"\xef\xbb\xbf" + Path("course.json").read_bytes())

    assert gauges("verify", "marked.json").code == 0


def test_an_empty_file_is_said_to_be_empty(regimen: Regimen):
    Path("empty.json").write_text("\n")
    ran = regimen("verify", "empty.json")

    assert ran.code == 2
    assert "empty.json: expected a file that `export` wrote, found an empty one" in ran.err


def test_what_is_verified_replayed_and_exported_at_a_terminal_is_in_the_access_log(
    gauges: Regimen, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("REGIMEN_ACTOR", "auditor-7")
    gauges("verify")
    gauges("replay", "gauge-1", "--re-decide")
    gauges("export", "gauge-2", "--out", "gauge.json")
    gauges("verify", "gauge.json")  # a file is nobody else's
    found = gauges("access-log", "--json").json()["entries"]

    assert {entry["actor"] for entry in found} == {"auditor-7"}
    records = sum(one["records"] for one in gauges("verify", "--json").json()["courses"])
    everything = {"everything": True, "courses": 2, "records": records, "wrong": 0}
    assert [(entry["action"], entry["about"]) for entry in found[:2]] == [
        ("verified", {"what": "verify", **everything, "sealed": 0, "flaws": 0}),
        ("verified", {"what": "re-decide", "course": "gauge-1"}),
    ]
    assert found[2]["action"] == "exported"
    written = Path("gauge.json").read_bytes()
    assert found[2]["about"] == {
        "course": "gauge-2",
        "bytes": len(written),
        "sha256": sha256(written).hexdigest(),
    }
    assert len(found) == 3


def test_a_database_that_can_only_be_read_is_verified_and_the_person_told_that_it_is_not_noted(
    gauges: Regimen, monkeypatch: pytest.MonkeyPatch
):
    def unwritable(*_: object) -> None:
        raise StoreUnavailable("it can only be read")

    monkeypatch.setattr("engine.store.access.SqlAccess.append", unwritable)
    ran = gauges("verify")

    assert ran.code == 0
    assert "This is not in the access log, which cannot be written from here." in ran.err


def test_what_was_written_anew_is_counted_apart_from_what_was_as_its_records_say(gauges: Regimen):
    with closing(sqlite3.connect("regimen.db")) as database, database:
        database.execute("UPDATE regimen_courses SET state = 'retired' WHERE course = 'gauge-1'")
    ran = gauges("rebuild")

    assert ran.code == 0
    assert "gauge-1: regimen_courses written anew" in ran.out
    assert "2 courses, 1 as their records say, 1 written anew." in ran.out
    assert "2 courses, 2 as their records say." in gauges("rebuild").out
