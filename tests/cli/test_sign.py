"""Signatures at a terminal, and how a log shows who signed what."""

from __future__ import annotations

import json
import sqlite3
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Regimen

WORKFLOWS = """
from dataclasses import replace
from engine import Signature
from workflows.instrument_calibration import WORKFLOW

ASKED = {
    "measurement_recorded": Signature(meaning="measured", second=True, roles=("metrologist",)),
    "release_instrument": Signature(meaning="released"),
}
ALL = (
    replace(
        WORKFLOW,
        name="signed_calibration",
        events=tuple(replace(e, signature=ASKED.get(e.name)) for e in WORKFLOW.events),
    ),
)
"""
AT = {"format": 1, "course": "gauge-7", "at": datetime.now(UTC).isoformat()}
ANN = {"actor": {"id": "ann", "role": "metrologist"}}


def lines(*events: dict[str, Any]) -> str:
    return "\n".join(json.dumps(event) for event in events)


@pytest.fixture
def lab(regimen: Regimen, monkeypatch: pytest.MonkeyPatch) -> Regimen:
    """The command in a folder with one course, whose measurement is yet to be signed."""
    Path("signedflows.py").write_text(WORKFLOWS)
    monkeypatch.syspath_prepend(str(Path.cwd()))
    monkeypatch.delitem(sys.modules, "signedflows", raising=False)
    monkeypatch.setenv("REGIMEN_WORKFLOWS", "signedflows")
    enrolled = {"id": "e1", "event": "course.enrolled", "workflow": "signed_calibration",
                "patient": "of-7", "site": "north", "zone": "UTC"}  # fmt: skip
    data = {"deviation": {"value": "3", "unit": "um"},
            "room_temperature": {"value": "20", "unit": "Cel"}}  # fmt: skip
    measured = {"id": "e2", "event": "measurement_recorded", "data": data}
    Path("told.jsonl").write_text(lines(AT | ANN | enrolled, AT | ANN | measured))
    ran = regimen("apply", "told.jsonl")
    assert ran.code == 0, ran
    return regimen


def sign(lab: Regimen, monkeypatch: pytest.MonkeyPatch, who: str, meaning: str, *more: str) -> Any:
    monkeypatch.setenv("REGIMEN_ACTOR", who)
    named = ("--meaning", meaning, "--name", f"Dr {who}", "--role", "metrologist")
    return lab("sign", "gauge-7", *named, *more)


def test_a_log_shows_who_signed_what_with_which_meaning_and_what_is_lacking(
    lab: Regimen, monkeypatch: pytest.MonkeyPatch
):
    assert "unsigned: measured, verified" in lab("log", "gauge-7").out
    assert (
        "record 2 measurement_recorded waits for: measured, verified" in lab("show", "gauge-7").out
    )
    assert sign(lab, monkeypatch, "ann", "measured", "--record", "2").code == 0
    assert sign(lab, monkeypatch, "bob", "verified", "--record", "2").code == 0
    log = lab("log", "gauge-7").out

    assert "signed by ann (measured, record 3); signed by bob (verified, record 4)" in log
    assert "unsigned" not in log
    assert "waits for: measured" not in lab("show", "gauge-7").out
    (entry,) = [e for e in lab("log", "gauge-7", "--json").json()["records"] if e["seq"] == 2]
    assert [(s["actor"], s["by"], s["proof"], s["holds"]) for s in entry["signatures"]] == [
        ("ann", "ann", "terminal", True),
        ("bob", "bob", "terminal", True),
    ]
    assert "Dr ann" not in log
    assert "Dr ann" in lab("log", "gauge-7", "--texts").out
    assert lab("verify").code == 0
    assert lab("replay", "--re-decide").code == 0


def test_what_has_to_be_signed_and_by_whom_is_said_before_anything_is_sent(lab: Regimen):
    second = {"meaning": "verified", "roles": ["metrologist"]}
    measured = {"meaning": "measured", "when": "afterwards", "second": second,
                "within_seconds": None}  # fmt: skip
    both = "and a second person's (verified; metrologist)"
    data = json.dumps({"deviation": {"value": "3", "unit": "um"},
                       "room_temperature": {"value": "20", "unit": "Cel"}})  # fmt: skip
    tried = ("why-not", "gauge-7", "measurement_recorded", "--data", data)
    shown = lab("show", "gauge-7")

    assert lab(*tried, "--json").json()["signature"] == measured
    assert f"needs a signature afterwards (measured), {both}" in lab(*tried).out
    assert "release_instrument needs a signature beforehand (released)" in shown.out
    (option,) = [o for o in lab("show", "gauge-7", "--json").json()["next"]
                 if o["event"] == "release_instrument"]  # fmt: skip
    assert option["signature"] == {"meaning": "released", "when": "beforehand", "second": None,
                                   "within_seconds": None}  # fmt: skip


def test_a_file_cannot_say_how_somebody_proved_who_they_are(
    lab: Regimen, monkeypatch: pytest.MonkeyPatch
):
    """Else whoever gives the command signs as two persons whom an identity provider let in."""
    (record,) = [r for r in lab("log", "gauge-7", "--json").json()["records"] if r["seq"] == 2]
    proof = {"kind": "oidc", "by": "oidc:bob", "at": datetime.now(UTC).isoformat()}
    data = {"record": 2, "hash": record["hash"], "meaning": "measured", "printed_name": "Ann",
            "proof": proof}  # fmt: skip
    signed = AT | ANN | {"id": "e3", "event": "course.signed", "data": data}
    Path("forged.jsonl").write_text(lines(signed))
    ran = lab("apply", "forged.jsonl")

    assert ran.code == 2, ran
    assert "regimen sign" in ran.err
    assert "signed by" not in lab("log", "gauge-7").out


def test_the_same_person_twice_is_refused(lab: Regimen, monkeypatch: pytest.MonkeyPatch):
    sign(lab, monkeypatch, "ann", "measured", "--record", "2")
    ran = sign(lab, monkeypatch, "ann", "verified", "--record", "2", "--actor", "bob")

    assert (ran.code, ran.out) == (1, "Refused: same-signer.\n")


def test_an_event_is_signed_in_a_file_and_then_applied_as_it_is_there(
    lab: Regimen, monkeypatch: pytest.MonkeyPatch
):
    act = AT | ANN | {"id": "e3", "event": "release_instrument",
                      "at": datetime.now(UTC).isoformat()}  # fmt: skip
    Path("act.json").write_text(lines(act))
    asked = lab("why-not", "gauge-7", "release_instrument")
    assert (asked.code, "lacks a signature" in asked.out) == (1, True)
    assert sign(lab, monkeypatch, "ann", "released", "--event", "act.json").code == 0
    assert lab("apply", "act.json", "--strict").code == 0
    log = lab("log", "gauge-7").out

    assert "event to be sent release_instrument e3".replace("_", " ") in log.replace("_", " ")
    assert "signed by ann (released, record 3)" in log
    assert lab("verify").code == 0


def test_a_signature_whose_record_was_changed_is_found_and_shown_as_not_holding(
    lab: Regimen, monkeypatch: pytest.MonkeyPatch
):
    sign(lab, monkeypatch, "ann", "measured", "--record", "2")
    with closing(sqlite3.connect("regimen.db")) as connection:
        guards = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall()
        for (name,) in guards:
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(
            "UPDATE regimen_records SET body = CAST(replace(body, '\"3\"', '\"2\"') AS BLOB) "
            "WHERE seq = 2"
        )
        connection.commit()

    assert lab("verify", "gauge-7").code == 1
    log = lab("log", "gauge-7").out
    assert "signed by ann (measured, record 3): DOES NOT HOLD" in log
    assert "unsigned: measured, verified" in log


@pytest.mark.parametrize(
    "more", [(), ("--record", "2", "--event", "told.jsonl"), ("--record", "9"),
             ("--event", "none.json"), ("--event", "told.jsonl")]
)  # fmt: skip
def test_what_is_signed_is_a_record_or_an_event(
    lab: Regimen, monkeypatch: pytest.MonkeyPatch, more: tuple[str, ...]
):
    assert sign(lab, monkeypatch, "ann", "measured", *more).code == 2
