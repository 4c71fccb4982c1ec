"""The log and the workflows for process mining, from the shell."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path

import pytest

from tests.cli.conftest import Regimen


def test_a_log_goes_to_stdout_or_to_a_file(gauges: Regimen):
    shown = gauges("mine", "log", "--format", "csv")
    kept = gauges("mine", "log", "--format", "csv", "--out", "log.csv", "--json")

    assert shown.code == kept.code == 0
    assert Path("log.csv").read_text() == shown.out
    steps = list(csv.DictReader(io.StringIO(shown.out)))
    assert kept.json() == {
        "file": "log.csv", "format": "csv", "courses": 2, "steps": len(steps),
    }  # fmt: skip
    assert steps[0]["activity"] == "course.enrolled"


@pytest.mark.parametrize("form", ["xes", "ocel", "csv"])
def test_a_compressed_log_is_the_same_log(gauges: Regimen, form: str):
    gauges("mine", "log", "--format", form, "--out", "log.gz")
    shown = gauges("mine", "log", "--format", form).out

    assert gzip.decompress(Path("log.gz").read_bytes()).decode() == shown


def test_a_workflow_goes_to_a_file_as_a_net_or_a_diagram(regimen: Regimen):
    ran = regimen("mine", "net", "instrument_calibration", "--out", "net.pnml")
    drawn = regimen("mine", "net", "instrument_calibration", "--format", "bpmn")

    assert (ran.code, drawn.code) == (0, 0)
    assert "5 states" in ran.out
    assert "<pnml " in Path("net.pnml").read_text()
    assert "BPMNDiagram" in drawn.out


def test_a_stored_definition_is_named_by_its_digest(gauges: Regimen):
    digest = gauges("workflow", "list", "--stored", "--json").json()["workflows"][0]["digest"]
    asked = ("mine", "log", "--format", "ocel", "--workflow")

    assert gauges("mine", "net", digest).code == 0
    assert json.loads(gauges(*asked, "instrument_calibration@1").out)["events"]


def test_when_it_happened_is_the_time_where_that_is_asked_for(gauges: Regimen):
    asked = ("mine", "log", "--format", "csv", "--times", "happened")
    steps = list(csv.DictReader(io.StringIO(gauges(*asked).out)))

    assert steps
    assert all(step["timestamp"] == step["happened_at"] for step in steps)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("log", "--workflow", "nothing"), "--workflow: expected one stored definition"),
        (("log", "--times", "happened", "--format", "ocel"), "--times: expected decided"),
        (("log", "--out", "no/such/folder.xes"), "--out: expected a file that can be written"),
        (("net", "nothing"), "nothing"),
    ],
)
def test_what_cannot_be_written_is_named(gauges: Regimen, asked: tuple[str, ...], said: str):
    ran = gauges("mine", *asked)

    assert ran.code == 2
    assert said in ran.err
