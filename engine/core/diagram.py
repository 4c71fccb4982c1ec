"""A workflow as a picture, in the languages of Mermaid and Graphviz.

- States stand in their stages, events on arrows; an arrow is dotted where a report goes by
  deviation or a rule moves the course, and thick where this course has gone.
- Arrows between the same two ends are one arrow with several labels. What leads to one state from
  every open state, or from every open state of a stage, is one arrow too; so is what leads from or
  to many states, which are then named in one hexagon.
- An event that leaves the course where it is has no arrow.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from engine.core.check.graph import Arrow, Way, arrows
from engine.core.definition import State, Workflow

Move = tuple[str, str]
"""The state before and the state after."""


def mermaid(workflow: Workflow, current: str | None = None, taken: Collection[Move] = ()) -> str:
    """The flowchart of a workflow, with the state and the moves of one course if they are given."""
    lines = ["flowchart TB", f"    start(( )) --> {_id(_state(workflow.initial))}"]
    for stage, states in _stages(workflow):
        lines.append(f"    subgraph {_id(End('stage', (stage,)))}[{_quoted(_worded(stage))}]")
        for state in states:
            left, right = ("([", "])") if state.closed else ("[", "]")
            name = _id(_state(state.name))
            lines.append(f"        {name}{left}{_quoted(_title(state))}{right}")
        lines.append("    end")
    found = edges(workflow, taken)
    hexagons = _hexagons(workflow, found)
    for name, titles in hexagons.values():
        lines.append(f"    {name}{{{{{_quoted(*titles)}}}}}")
    for edge in found:
        line = "==>" if edge.taken else "-.->" if edge.dotted else "-->"
        label = f"|{_quoted(*edge.labels)}|" if edge.labels else ""
        source, target = (_id(end, hexagons) for end in (edge.source, edge.target))
        lines.append(f"    {source} {line}{label} {target}")
    if current is not None:
        lines.append("    classDef current fill:#ffd54f,stroke:#000,stroke-width:3px,color:#000")
        lines.append(f"    class {_id(_state(current))} current")
    return "\n".join(lines) + "\n"


def graphviz(workflow: Workflow, current: str | None = None, taken: Collection[Move] = ()) -> str:
    """The same picture for `dot`; the current state has the class `current`."""
    lines = [
        f"digraph {_string(workflow.label)} {{",
        "    compound=true; newrank=true; rankdir=TB;",  # newrank: `dot` fails on clusters without
        '    node [shape=box, style="rounded"];',
        "    start [shape=point];",
        f"    start -> {_id(_state(workflow.initial))};",
    ]
    members = dict(_stages(workflow))
    for stage, states in members.items():
        lines.append(f"    subgraph cluster_{_id(End('stage', (stage,)))} {{")
        lines.append(f"        label={_string(_worded(stage))};")
        for state in states:
            marks = ", peripheries=2" if state.closed else ""
            if state.name == current:
                marks += ', class="current", style="rounded,filled,bold", fillcolor="#ffd54f"'
            name = _id(_state(state.name))
            lines.append(f"        {name} [label={_string(_title(state))}{marks}];")
        lines.append("    }")
    found = edges(workflow, taken)
    hexagons = _hexagons(workflow, found)
    for name, titles in hexagons.values():
        lines.append(f"    {name} [label={_string(*titles)}, shape=hexagon];")
    for edge in found:
        drawn = [f"label={_string(*edge.labels)}"] if edge.labels else []
        source, target = (_id(end, hexagons) for end in (edge.source, edge.target))
        if edge.source.kind == "stage":
            # An arrow starts at a node; `ltail` cuts it at the border of the node's stage.
            drawn.append(f"ltail=cluster_{source}")
            source = _id(_state(members[edge.source.names[0]][0].name))
        drawn += ["style=bold", "penwidth=3"] if edge.taken else []
        drawn += ["style=dotted"] if edge.dotted and not edge.taken else []
        lines.append(f"    {source} -> {target} [{', '.join(drawn)}];")
    return "\n".join([*lines, "}"]) + "\n"


_MANY = 5  # from here on, one hexagon with names reads better than as many arrows


@dataclass(frozen=True, slots=True)
class End:
    """Where an arrow begins or ends: a `state`, a `stage`, `several` states or `anywhere`."""

    kind: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Edge:
    """An arrow as it is drawn."""

    source: End
    target: End
    dotted: bool
    labels: tuple[str, ...] = ()
    taken: bool = False


def edges(workflow: Workflow, taken: Collection[Move] = ()) -> list[Edge]:
    """The arrows of the picture, those between the same two ends as one."""
    merged: dict[tuple[End, End, bool], dict[str, None]] = {}
    for (target, dotted, label), sources in _fans(workflow).items():
        for source in _gathered(workflow, target, sources):
            merged.setdefault((source, target, dotted), {})[label] = None
    gone = {(_state(source), _state(target)) for source, target in taken if source != target}
    drawn = [
        Edge(source, target, dotted, tuple(labels), (source, target) in gone)
        for (source, target, dotted), labels in merged.items()
    ]
    # A move that no single arrow makes, such as a transition and a rule at one event, has its own.
    missing = gone - {(edge.source, edge.target) for edge in drawn}
    own = [Edge(*move, dotted=False, taken=True) for move in sorted(missing, key=str)]
    return drawn + own


def _fans(workflow: Workflow) -> dict[tuple[End, bool, str], list[str]]:
    """The sources of each target and label; many targets of one source and label are one."""
    targets: dict[tuple[str, bool, str], dict[str, None]] = {}
    for arrow in arrows(workflow):
        if arrow.source != arrow.target:
            key = (arrow.source, arrow.way is not Way.TRANSITION, _label(arrow))
            targets.setdefault(key, {})[arrow.target] = None
    sources: dict[tuple[End, bool, str], list[str]] = {}
    for (source, dotted, label), names in targets.items():
        ends = [_several(workflow, names)] if len(names) >= _MANY else map(_state, names)
        for end in ends:
            sources.setdefault((end, dotted, label), []).append(source)
    return sources


def _gathered(workflow: Workflow, target: End, sources: list[str]) -> Iterator[End]:
    """The sources of arrows to one end, whole stages and the whole workflow told as one."""
    left = dict.fromkeys(sources)
    others = [s.name for s in workflow.states if not s.closed and s.name not in target.names]
    if len(others) > 3 and left.keys() >= set(others):
        yield End("anywhere")
        left = {name: None for name in left if name not in others}
    for stage, states in _stages(workflow):
        names = [state.name for state in states if not state.closed]
        inside = {state.name for state in states} & set(target.names)
        if len(names) > 1 and not inside and left.keys() >= set(names):
            yield End("stage", (stage,))
            left = {name: None for name in left if name not in names}
    yield from [_several(workflow, left)] if len(left) >= _MANY else map(_state, left)


def _hexagons(workflow: Workflow, drawn: list[Edge]) -> dict[End, tuple[str, list[str]]]:
    """The ends that are neither a state nor a stage, each with its name and what stands in it."""
    found: dict[End, tuple[str, list[str]]] = {}
    for end in dict.fromkeys(end for edge in drawn for end in (edge.source, edge.target)):
        if end.kind == "anywhere":
            found[end] = "anywhere", ["any other open state"]
        elif end.kind == "several":
            titles = [_title(state) for state in workflow.states if state.name in end.names]
            found[end] = f"several_{len(found) + 1}", titles
    return found


def _label(arrow: Arrow) -> str:
    if arrow.way is Way.RULE:
        return str(arrow.action)
    return f"{arrow.event} (deviation)" if arrow.way is Way.DEVIATION else str(arrow.event)


def _stages(workflow: Workflow) -> Iterator[tuple[str, list[State]]]:
    for stage in workflow.stages():
        yield stage, [state for state in workflow.states if state.stage == stage]


def _state(name: str) -> End:
    return End("state", (name,))


def _several(workflow: Workflow, names: Collection[str]) -> End:
    return End("several", tuple(s.name for s in workflow.states if s.name in names))


def _title(state: State) -> str:
    return state.title or _worded(state.name)


def _worded(name: str) -> str:
    return name.replace("_", " ")


def _id(end: End, hexagons: Mapping[End, tuple[str, list[str]]] | None = None) -> str:
    """A name that means nothing to either language, as `end` would."""
    if hexagons and end in hexagons:
        return hexagons[end][0]
    return "_".join((end.kind, *(re.sub(r"[^0-9A-Za-z_]", "_", name) for name in end.names)))


def _quoted(*lines: str) -> str:
    escaped = [re.sub('[#&<>"]', lambda sign: _ENTITIES[sign[0]], line) for line in lines]
    return f'"{"<br>".join(escaped)}"'


_ENTITIES = {"#": "#35;", "&": "#amp;", "<": "#lt;", ">": "#gt;", '"': "#quot;"}


def _string(*lines: str) -> str:
    escaped = [line.replace("\\", "\\\\").replace('"', '\\"') for line in lines]
    return '"' + "\\n".join(escaped) + '"'
