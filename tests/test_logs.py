"""Log lines say who did what, and nothing of an illness."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import structlog
from structlog.testing import capture_logs

from engine import logs
from engine.logs import hide_findings, log

ROOT = Path(__file__).parent.parent
EMBEDDED = """
from engine.testing import Story
from workflows.instrument_calibration import WORKFLOW

assert Story(WORKFLOW).sends("release_instrument").refused
"""


def test_an_embedded_engine_says_nothing_where_its_host_set_up_no_lines():
    command = [sys.executable, "-c", EMBEDDED]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)

    assert (done.stdout, done.stderr) == ("", "")


def test_a_host_that_logs_by_the_standard_library_finds_the_lines_there(
    caplog: pytest.LogCaptureFixture,
):
    structlog.reset_defaults()
    with caplog.at_level("INFO", logger="regimen"):
        log.info("event_decided", course="GAR-Z", seq=3, platelets="29")

    assert caplog.messages == ["event='event_decided' course='GAR-Z' seq=3"]


def test_a_host_that_logs_by_structlog_finds_the_lines_there(caplog: pytest.LogCaptureFixture):
    structlog.reset_defaults()
    with capture_logs() as lines, caplog.at_level("INFO", logger="regimen"):
        log.info("event_decided", course="GAR-Z")

    assert lines == [{"event": "event_decided", "course": "GAR-Z", "log_level": "info"}]
    assert caplog.messages == []


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
