"""Log lines say who did what, and nothing of an illness."""

from __future__ import annotations

import json

import pytest
import structlog

from engine import logs
from engine.logs import hide_findings


def test_a_line_is_one_json_object_on_stderr(capsys: pytest.CaptureFixture[str]):
    logs.configure(form="json", level="info")
    structlog.get_logger("regimen").info("event_decided", course="GAR-Z", seq=3)
    out, err = capsys.readouterr()

    assert out == ""
    line = json.loads(err)
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "event_decided", "course": "GAR-Z", "seq": 3, "level": "info"}


def test_a_line_for_a_person_has_no_colours_in_a_file(capsys: pytest.CaptureFixture[str]):
    logs.configure(form="console", level="info")
    structlog.get_logger("regimen").info("event_decided", course="GAR-Z")

    assert "course=GAR-Z" in capsys.readouterr().err


@pytest.mark.parametrize(("level", "lines"), [("debug", 3), ("info", 2), ("warning", 1)])
def test_the_level_says_how_much_is_told(
    capsys: pytest.CaptureFixture[str], level: str, lines: int
):
    logs.configure(form="json", level=level)
    log = structlog.get_logger("regimen")
    log.debug("race_lost")
    log.info("event_decided")
    log.warning("store_unavailable")

    assert len(capsys.readouterr().err.splitlines()) == lines


@pytest.mark.parametrize(
    "clinical",
    [
        {"platelets": "29"},
        {"findings": ["platelets < 30"]},
        {"reason": "he is confused"},
        {"state": "discontinued"},
        {"exc_info": True},
        {"course": {"name": "GAR-Z", "value": "29"}},
        {"why": ["platelets"]},
    ],
)
def test_whatever_could_be_clinical_never_reaches_a_line(clinical: dict[str, object]):
    line = {"event": "event_decided", "seq": 3, **clinical}

    assert hide_findings(None, "info", line) == {"event": "event_decided", "seq": 3}
