"""The files in the hands of pm4py, where it is installed.

Its licence (AGPL-3.0) keeps it out of what this project installs. To run this, install it beside
the engine in an environment of your own: `pip install -e .[postgres,sqlite] pytest
pytest-timeout hypothesis pm4py`.
"""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import pytest

from engine.mining.bpmn import write_bpmn
from engine.mining.log import Wanted, courses, opened
from engine.mining.net import net_of
from engine.mining.ocel import OcelLog
from engine.service import Service
from tests.mining.conftest import IL2

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pm4py = pytest.importorskip(
        "pm4py",
        reason="pm4py is not installed: its licence keeps it out of the dependencies",
        exc_type=ImportError,
    )

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.timeout(1800)]
CASE, ACTIVITY = "case:concept:name", "concept:name"


@pytest.fixture(scope="module")
def events(log_file: Path) -> Any:
    return pm4py.read_xes(str(log_file))


@pytest.fixture(scope="module")
def conformant(events: Any) -> Any:
    deviating = events[events["verdict"] == "deviation"][CASE]
    return events[~events[CASE].isin(deviating)]


def replay(events: Any, net_file: Path, **options: Any) -> list[dict[str, Any]]:
    return pm4py.conformance_diagnostics_token_based_replay(
        events, *pm4py.read_pnml(str(net_file)), **options
    )


def test_finished_courses_fit(conformant: Any, net_file: Path, finished_net_file: Path):
    over = conformant[conformant["case:status"] == "finished"]

    for file in (net_file, finished_net_file):
        found = replay(over, file)
        assert len(found) > 10
        assert {one["trace_fitness"] for one in found} == {1.0}


def test_running_courses_fit(conformant: Any, net_file: Path):
    found = replay(conformant[conformant["case:status"] == "running"], net_file)

    assert len(found) > 5
    assert {one["trace_fitness"] for one in found} == {1.0}


def test_a_skipped_test_dose_is_flagged(conformant: Any, net_file: Path):
    tested = conformant[conformant[ACTIVITY] == "visit_dose_given"][CASE]
    stage = {state.name for state in IL2.states if state.stage == "test_dose"}
    skipped = conformant[
        conformant[CASE].isin(tested)
        & ~conformant["state_before"].isin(stage)
        & ~conformant["state_after"].isin(stage)
    ]
    found = replay(skipped, net_file)

    assert len(found) > 5
    assert max(one["trace_fitness"] for one in found) < 1


def test_alignments_agree_on_short_beginnings(conformant: Any, net_file: Path):
    """They take about a minute for a whole course of this net, so the first steps have to do."""
    short = conformant.groupby(CASE, sort=False).head(8)
    first = list(dict.fromkeys(short[CASE]))[:3]
    short = short[short[CASE].isin(first)]
    wrong = short[short[ACTIVITY] != "course.enrolled"]
    net = pm4py.read_pnml(str(net_file))

    def fitness(events: Any) -> set[float]:
        return {one["fitness"] for one in pm4py.conformance_diagnostics_alignments(events, *net)}

    assert fitness(short) == {1.0}
    assert max(fitness(wrong)) < 1


def test_the_object_centric_log_is_read_whole(simulated: Service, tmp_path: Path):
    file, wanted = tmp_path / "log.jsonocel", Wanted()
    with file.open("w") as out:
        made = OcelLog(out)
        made.write(opened(simulated, line, wanted) for line in courses(simulated, wanted))
    ocel = pm4py.read_ocel2_json(str(file))

    assert len(ocel.events) == made.events
    assert set(ocel.objects["ocel:type"]) == {"course", "patient", "site", "round", "visit"}


def test_the_diagram_is_read_as_a_process_with_every_task(tmp_path: Path):
    file, net, out = tmp_path / "il2.bpmn", net_of(IL2, stays=False), io.StringIO()
    write_bpmn(out, net)
    file.write_text(out.getvalue())
    graph = pm4py.read_bpmn(str(file))
    tasks = {node.get_name() for node in graph.get_nodes() if node.get_name() in labels(net)}

    assert tasks == labels(net)


def labels(net: Any) -> set[str]:
    return {move.label for move in net.moves if move.label is not None}
