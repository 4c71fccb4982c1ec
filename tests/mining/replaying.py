"""A token replay of our own, of nothing but the two files: the log and the net.

It knows nothing of the engine: what it finds is what a tool would find that reads the same files.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from xml.etree import ElementTree

XES = "{http://www.xes-standard.org/}"
PNML = "{http://www.pnml.org/version-2009/grammar/pnml}"


@dataclass(frozen=True)
class Trace:
    """A case: its attributes, and its events with theirs."""

    attributes: dict[str, str]
    events: list[dict[str, str]]

    @property
    def activities(self) -> list[str]:
        return [event["concept:name"] for event in self.events]

    @property
    def deviates(self) -> bool:
        return any(event["verdict"] == "deviation" for event in self.events)

    @property
    def finished(self) -> bool:
        return self.attributes["status"] == "finished"


Log = list[Trace]


@dataclass(frozen=True)
class PetriNet:
    """Transitions with what they take and give: their labels, `None` where they are silent."""

    transitions: dict[str, tuple[str | None, tuple[str, ...], tuple[str, ...]]]
    start: str
    end: str

    @cached_property
    def labelled(self) -> dict[str | None, list[tuple[tuple[str, ...], tuple[str, ...]]]]:
        """What the transitions of each label take and give."""
        found: dict[str | None, list[tuple[tuple[str, ...], tuple[str, ...]]]] = {}
        for label, taken, given in self.transitions.values():
            found.setdefault(label, []).append((taken, given))
        return found


@dataclass(frozen=True)
class Replayed:
    """What a replay came to. A trace fits when nothing was missing and the end was reached."""

    missing: int
    consumed: int
    ended: bool
    wrong: tuple[str, ...]

    @property
    def fits(self) -> bool:
        return not self.missing and self.ended

    @property
    def fitness(self) -> float:
        """The share of the tokens that were there when they were taken, the last one included."""
        lacking = self.missing + (not self.ended)
        return 1 - lacking / (self.consumed + 1)


def read_log(path: Path) -> Log:
    return [
        Trace(_attributes(trace), [_attributes(event) for event in trace.findall(f"{XES}event")])
        for trace in ElementTree.parse(path).getroot().findall(f"{XES}trace")
    ]


def read_net(path: Path) -> PetriNet:
    net = ElementTree.parse(path).getroot().find(f"{PNML}net")
    assert net is not None
    page = net.find(f"{PNML}page")
    assert page is not None
    takes: dict[str, list[str]] = {}
    gives: dict[str, list[str]] = {}
    for arc in page.findall(f"{PNML}arc"):
        source, target = arc.attrib["source"], arc.attrib["target"]
        takes.setdefault(target, []).append(source)
        gives.setdefault(source, []).append(target)
    found = {}
    for one in page.findall(f"{PNML}transition"):
        name = one.attrib["id"]
        silent = one.find(f"{PNML}toolspecific") is not None
        label = None if silent else one.findtext(f"{PNML}name/{PNML}text")
        found[name] = (label, tuple(takes[name]), tuple(gives[name]))
    marked = [
        p for p in page.findall(f"{PNML}place") if p.find(f"{PNML}initialMarking") is not None
    ]
    final = net.find(f"{PNML}finalmarkings/{PNML}marking/{PNML}place")
    assert len(marked) == 1
    assert final is not None
    return PetriNet(found, marked[0].attrib["id"], final.attrib["idref"])


def replayed(net: PetriNet, activities: Sequence[str]) -> Replayed:
    """Replay a trace; what is missing is added, and the replay goes on."""
    marking = {net.start: 1}
    missing = consumed = 0
    wrong = []
    for activity in activities:
        fitting = net.labelled.get(activity)
        if not fitting:
            missing, consumed = missing + 1, consumed + 1
            wrong.append(activity)
            continue
        enabled = [(t, g) for t, g in fitting if all(marking.get(place) for place in t)]
        assert missing or len(enabled) <= 1, f"{activity} is enabled twice"
        taken, given = (enabled or fitting)[0]
        for place in taken:
            consumed += 1
            if marking.get(place):
                marking[place] -= 1
            else:
                missing += 1
                wrong.append(activity)
        for place in given:
            marking[place] = marking.get(place, 0) + 1
    standing = [place for place, tokens in marking.items() for _ in range(tokens)]
    ended = len(standing) == 1 and (
        standing[0] == net.end or ((standing[0],), (net.end,)) in net.labelled[None]
    )
    return Replayed(missing, consumed, ended, tuple(wrong))


def _attributes(element: ElementTree.Element) -> dict[str, str]:
    return {
        child.attrib["key"]: child.attrib["value"] for child in element if "key" in child.attrib
    }
