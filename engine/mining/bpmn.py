"""BPMN 2.0 with diagram interchange: states are exclusive gateways, moves are tasks between them.

A course is in one state, and takes one of the ways that lead out of it: that is what an exclusive
gateway says, where several flows come together and several part. What somebody sends is a user
task, what a rule does a business rule task. A silent move is a flow without a task.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TextIO

from engine.core.check.graph import Way
from engine.mining.drawing import Drawing, Spot, drawn
from engine.mining.markup import Markup
from engine.mining.net import END, START, Move, Net

MODEL = "http://www.omg.org/spec/BPMN/20100524/MODEL"
DIAGRAM = "http://www.omg.org/spec/BPMN/20100524/DI"
SHAPES = "http://www.omg.org/spec/DD/20100524/DC"
LINES = "http://www.omg.org/spec/DD/20100524/DI"
OURS = "urn:regimen:workflow"
SIZES = {"event": (36, 36), "gateway": (50, 50), "task": (180, 44)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """A sequence flow, from node to node."""

    id: str
    source: str
    target: str
    points: tuple[Spot, Spot]


def write_bpmn(out: TextIO, net: Net) -> None:
    """Write a net as a process and its diagram."""
    xml, spots = Markup(out), drawn(net)
    flows = list(_flows(net, spots))
    spaces = {"xmlns": MODEL, "xmlns__bpmndi": DIAGRAM, "xmlns__dc": SHAPES, "xmlns__di": LINES}
    with xml.inside("definitions", id="definitions", targetNamespace=OURS, **spaces):
        _process(xml, net, flows)
        with (
            xml.inside("bpmndi:BPMNDiagram", id="diagram"),
            xml.inside("bpmndi:BPMNPlane", id="plane", bpmnElement="process"),
        ):
            for place in net.places:
                kind = "event" if place.id in (START, END) else "gateway"
                _shape(xml, place.id, kind, spots.places[place.id])
            for move in net.moves:
                if move.label is not None:
                    _shape(xml, move.id, "task", spots.moves[move.id])
            for flow in flows:
                _edge(xml, flow)


def _process(xml: Markup, net: Net, flows: list[Flow]) -> None:
    into: dict[str, list[str]] = {}
    out_of: dict[str, list[str]] = {}
    for flow in flows:
        into.setdefault(flow.target, []).append(flow.id)
        out_of.setdefault(flow.source, []).append(flow.id)

    def node(kind: str, name: str, said: str, **more: object) -> None:
        with xml.inside(kind, id=name, name=said, **more):
            for flow in into.get(name, ()):
                xml.element("incoming", flow)
            for flow in out_of.get(name, ()):
                xml.element("outgoing", flow)

    with xml.inside("process", id="process", name=net.workflow.label, isExecutable="false"):
        for place in net.places:
            kind = {START: "startEvent", END: "endEvent"}.get(place.id, "exclusiveGateway")
            more = {} if place.state is None else {"gatewayDirection": _direction(place.id, flows)}
            node(kind, place.id, place.title, **more)
        for move in net.moves:
            if move.label is not None:
                node(_task(move), move.id, move.label)
        for flow in flows:
            xml.element(
                "sequenceFlow", id=flow.id, sourceRef=flow.source, targetRef=flow.target
            )  # fmt: skip


def _flows(net: Net, spots: Drawing) -> Iterator[Flow]:
    for move in net.moves:
        source, target = spots.places[move.source], spots.places[move.target]
        if move.label is None:
            ends = (_right(source, 25), _left(target, 18))
            yield Flow(id=f"flow.{move.id}", source=move.source, target=move.target, points=ends)
            continue
        middle = spots.moves[move.id]
        half = 18 if move.source == START else 25
        yield Flow(
            id=f"flow.{move.id}.in",
            source=move.source,
            target=move.id,
            points=(_right(source, half), _left(middle, 90)),
        )
        yield Flow(
            id=f"flow.{move.id}.out",
            source=move.id,
            target=move.target,
            points=(_right(middle, 90), _left(target, 25)),
        )


def _direction(place: str, flows: list[Flow]) -> str:
    into = sum(flow.target == place for flow in flows)
    out_of = sum(flow.source == place for flow in flows)
    if into > 1 and out_of > 1:
        return "Mixed"
    return "Diverging" if out_of > 1 else "Converging" if into > 1 else "Unspecified"


def _task(move: Move) -> str:
    return "businessRuleTask" if move.way is Way.RULE else "userTask"


def _shape(xml: Markup, element: str, kind: str, spot: Spot) -> None:
    width, height = SIZES[kind]
    more = {"isMarkerVisible": "true"} if kind == "gateway" else {}
    with xml.inside("bpmndi:BPMNShape", id=f"shape.{element}", bpmnElement=element, **more):
        corner = {"x": spot.x - width // 2, "y": spot.y - height // 2}
        xml.element("dc:Bounds", **corner, width=width, height=height)


def _edge(xml: Markup, flow: Flow) -> None:
    with xml.inside("bpmndi:BPMNEdge", id=f"edge.{flow.id}", bpmnElement=flow.id):
        for point in flow.points:
            xml.element("di:waypoint", x=point.x, y=point.y)


def _left(spot: Spot, half: int) -> Spot:
    return Spot(spot.x - half, spot.y)


def _right(spot: Spot, half: int) -> Spot:
    return Spot(spot.x + half, spot.y)
