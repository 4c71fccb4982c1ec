"""What the files hold: their structure, what refers to what, and what is never in them."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from itertools import islice
from typing import Any
from xml.etree import ElementTree

import pytest

from engine.mining.bpmn import DIAGRAM, LINES, MODEL, SHAPES, write_bpmn
from engine.mining.log import Wanted, courses, opened
from engine.mining.net import net_of
from engine.mining.ocel import OBJECTS, OcelLog
from engine.mining.pnml import write_pnml
from engine.mining.table import COLUMNS, Table
from engine.mining.xes import XesLog
from engine.service import Service
from tests.mining.conftest import IL2
from workflows import ALL

SECRET = "the patient would rather wait"
DEFINED = {workflow.label: workflow for workflow in ALL}


def written(service: Service, form: str, **wanted: Any) -> str:
    out, chosen = io.StringIO(), Wanted(**wanted)
    log: XesLog | OcelLog | Table
    match form:
        case "xes":
            log = XesLog(out, name="clinic")
        case "ocel":
            log = OcelLog(out)
        case _:
            log = Table(out, values=chosen.values)
    log.write(opened(service, line, chosen) for line in courses(service, chosen))
    return out.getvalue()


def bpmn(label: str, **how: bool) -> ElementTree.Element:
    out = io.StringIO()
    write_bpmn(out, net_of(DEFINED[label], **how))
    return ElementTree.fromstring(out.getvalue())


def test_every_object_that_is_named_is_there_and_every_type_is_declared(simulated: Service):
    log = json.loads(written(simulated, "ocel", refusals=True, values=True))
    objects = {one["id"]: one for one in log["objects"]}
    events = {one["id"] for one in log["events"]}
    named = {
        link["objectId"]
        for one in (*log["objects"], *log["events"])
        for link in one["relationships"]
    }

    assert (len(objects), len(events)) == (len(log["objects"]), len(log["events"]))
    assert named <= set(objects)
    assert {one["type"] for one in log["objects"]} <= set(OBJECTS)
    for said, types in (("objects", "objectTypes"), ("events", "eventTypes")):
        declared = {t["name"]: {a["name"] for a in t["attributes"]} for t in log[types]}
        for one in log[said]:
            assert {a["name"] for a in one["attributes"]} <= declared[one["type"]]


def test_each_record_is_an_event_with_its_course_patient_site_and_round(simulated: Service):
    log = json.loads(written(simulated, "ocel", refusals=True))
    records = sum(line.seq for line in simulated.courses())
    whole = [one for one in log["events"] if not one["id"].endswith("/rule")]

    assert len(whole) == records
    for one in whole:
        about = [link["qualifier"] for link in one["relationships"]]
        assert about[:4] == ["course", "patient", "site", "round"]


def test_a_visit_has_the_records_that_made_it_due_and_ended_it(simulated: Service):
    log = json.loads(written(simulated, "ocel"))
    how = {
        link["qualifier"]
        for one in log["events"]
        for link in one["relationships"]
        if link["objectId"].startswith("visit:")
    }

    assert {"is due after", "ends"} <= how


def test_a_table_has_a_line_for_each_step(simulated: Service):
    lines = list(csv.DictReader(io.StringIO(written(simulated, "csv"))))

    assert tuple(lines[0]) == COLUMNS
    assert {line["lifecycle"] for line in lines} == {"complete"}
    assert not any(line["step"] == "aside" for line in lines)


def test_what_was_refused_is_left_out_unless_it_is_asked_for_and_then_withdrawn(
    simulated: Service,
):
    without, beside = written(simulated, "csv"), written(simulated, "csv", refusals=True)
    refused = [one for one in csv.DictReader(io.StringIO(beside)) if one["verdict"] == "refused"]

    assert "refused" not in without
    assert refused
    assert {line["lifecycle"] for line in refused} == {"withdraw"}


@pytest.mark.parametrize("form", ["xes", "ocel", "csv"])
def test_what_was_measured_is_in_it_only_when_it_is_asked_for(simulated: Service, form: str):
    assert "10*3/uL" not in written(simulated, form)
    assert "10*3/uL" in written(simulated, form, values=True)


def test_only_the_courses_that_were_asked_for_are_in_it(simulated: Service):
    over = {line.course for line in simulated.courses() if not line.open}
    site = next(simulated.courses()).site
    there = {line.course for line in simulated.courses() if line.site == site}

    def told(**wanted: Any) -> set[str]:
        lines = csv.DictReader(io.StringIO(written(simulated, "csv", **wanted)))
        return {line["case_id"] for line in lines}

    assert told(finished=True) == over
    assert told(site=site) == there
    assert told(digest="sha256:" + "0" * 64) == set()


def test_a_longer_log_takes_no_more_memory(simulated: Service):
    def peak(count: int) -> int:
        wanted = Wanted(values=True)
        lines = list(islice(courses(simulated, wanted), 4)) * count
        tracemalloc.start()
        XesLog(Nowhere(), name="clinic").write(opened(simulated, line, wanted) for line in lines)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(1)  # what is kept once and for all

    assert peak(6) < 1.3 * peak(1)


class Nowhere(io.StringIO):
    def write(self, text: str, /) -> int:
        return len(text)


@pytest.mark.parametrize("label", sorted(DEFINED))
def test_every_part_of_a_diagram_is_drawn_and_every_flow_ends_somewhere(label: str):
    root = bpmn(label)
    process = root.find(f"{{{MODEL}}}process")
    assert process is not None
    flows = process.findall(f"{{{MODEL}}}sequenceFlow")
    nodes = {one.attrib["id"] for one in process if one not in flows}
    shapes = {one.attrib["bpmnElement"] for one in root.iter(f"{{{DIAGRAM}}}BPMNShape")}
    edges = {one.attrib["bpmnElement"] for one in root.iter(f"{{{DIAGRAM}}}BPMNEdge")}

    assert shapes == nodes
    assert edges == {flow.attrib["id"] for flow in flows}
    assert {flow.attrib[end] for flow in flows for end in ("sourceRef", "targetRef")} <= nodes
    assert all(
        one.find(f"{{{SHAPES}}}Bounds") is not None for one in root.iter(f"{{{DIAGRAM}}}BPMNShape")
    )
    assert all(
        len(one.findall(f"{{{LINES}}}waypoint")) == 2 for one in root.iter(f"{{{DIAGRAM}}}BPMNEdge")
    )


@pytest.mark.parametrize("label", sorted(DEFINED))
def test_nothing_is_drawn_over_anything_else(label: str):
    bounds = [
        {name: int(value) for name, value in one.attrib.items()}
        for one in bpmn(label, stays=True).iter(f"{{{SHAPES}}}Bounds")
    ]
    boxes = sorted((b["x"], b["y"], b["width"], b["height"]) for b in bounds)

    for n, (x, y, width, height) in enumerate(boxes):
        for x2, y2, _, height2 in boxes[n + 1 :]:
            if x2 >= x + width:
                break
            assert y2 >= y + height or y >= y2 + height2


def test_where_deviations_lead_is_in_a_net_only_when_it_is_asked_for():
    labels = {move.label for move in net_of(IL2).moves}
    wider = {move.label for move in net_of(IL2, departures=True).moves}
    deviations = {t.name for t in IL2.transitions if t.deviation}

    assert not labels & deviations
    assert wider - labels == deviations


def test_no_label_leads_out_of_a_state_twice():
    net = net_of(IL2, departures=True)
    found = [(move.source, move.label) for move in net.moves if move.label != "course.adopted"]

    assert len(found) == len(set(found))


def test_a_net_within_the_standard_has_no_word_of_others():
    out = io.StringIO()
    write_pnml(out, net_of(IL2), iso=True)

    assert "finalmarkings" not in out.getvalue()
    assert "$invisible$" not in out.getvalue()
    assert '<property key="invisible">true</property>' in out.getvalue()
