"""PNML (ISO/IEC 15909-2): a place/transition net with one token at the start.

The standard has no word for silent moves, nor for a final marking. Both are said as ProM does it,
which other tools read too; that is more than the grammar of the standard lets pass. With `iso` a
silent move is marked in the way of stochastic nets, which is within the grammar and is read by
pm4py too, and a tool has to guess that `end`, which is the only place that nothing leaves, is the
end.
"""

from __future__ import annotations

from typing import TextIO

from engine.mining.drawing import Spot, drawn
from engine.mining.markup import Markup
from engine.mining.net import END, START, Net

NAMESPACE = "http://www.pnml.org/version-2009/grammar/pnml"
TYPE = "http://www.pnml.org/version-2009/grammar/ptnet"


def write_pnml(out: TextIO, net: Net, *, iso: bool = False) -> None:
    """Write a net."""
    xml, spots = Markup(out), drawn(net)
    with xml.inside("pnml", xmlns=NAMESPACE), xml.inside("net", id="net", type=TYPE):
        _name(xml, net.workflow.label)
        with xml.inside("page", id="page"):
            for place in net.places:
                with xml.inside("place", id=place.id):
                    _name(xml, place.title)
                    _at(xml, spots.places[place.id], 40, 40)
                    if place.id == START:
                        with xml.inside("initialMarking"):
                            xml.element("text", "1")
            for move in net.moves:
                with xml.inside("transition", id=move.id):
                    _name(xml, move.name)
                    _at(xml, spots.moves[move.id], 180, 40)
                    if move.label is None:
                        _silent(xml, iso=iso)
            for move in net.moves:
                _arc(xml, f"{move.id}.in", move.source, move.id)
                _arc(xml, f"{move.id}.out", move.id, move.target)
        if not iso:
            with (
                xml.inside("finalmarkings"),
                xml.inside("marking"),
                xml.inside("place", idref=END),
            ):
                xml.element("text", "1")


def _name(xml: Markup, text: str) -> None:
    with xml.inside("name"):
        xml.element("text", text)


def _silent(xml: Markup, *, iso: bool) -> None:
    if not iso:
        xml.element("toolspecific", tool="ProM", version="6.4", activity="$invisible$")
        return
    with xml.inside("toolspecific", tool="StochasticPetriNet", version="0.2"):
        for key, value in _IMMEDIATE.items():
            xml.element("property", value, key=key)


_IMMEDIATE = {
    "invisible": "true",
    "priority": "0",
    "weight": "1.0",
    "distributionType": "IMMEDIATE",
    "distributionParameters": "",
}


def _at(xml: Markup, spot: Spot, width: int, height: int) -> None:
    with xml.inside("graphics"):
        xml.element("position", x=spot.x, y=spot.y)
        xml.element("dimension", x=width, y=height)


def _arc(xml: Markup, name: str, source: str, target: str) -> None:
    with xml.inside("arc", id=name, source=source, target=target), xml.inside("inscription"):
        xml.element("text", "1")
