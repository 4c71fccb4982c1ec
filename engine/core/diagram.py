"""A workflow as a picture, in the languages of Mermaid and Graphviz.

- States stand in their stages, events on arrows; an arrow is dotted where a report goes by
  deviation or a rule moves the course, and thick where this course has gone.
- Arrows between the same two states are one arrow with several labels. What leads to one state
  from every open state, or from every open state of a stage, is one arrow too.
- An event that leaves the course where it is has no arrow.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from engine.core.check.graph import Arrow, Way, arrows
from engine.core.definition import ANYWHERE, State, Workflow

Move = tuple[str, str]
"""The state before and the state after."""


def mermaid(workflow: Workflow, current: str | None = None, taken: Collection[Move] = ()) -> str:
    """The flowchart of a workflow, with the state and the moves of one course if they are given."""
    lines = ["flowchart TB", f"    start(( )) --> {_id('state', workflow.initial)}"]
    for stage, states in _stages(workflow):
        lines.append(f"    subgraph {_id('stage', stage)}[{_quoted(_worded(stage))}]")
        for state in states:
            left, right = ("([", "])") if state.closed else ("[", "]")
            lines.append(f"        {_id('state', state.name)}{left}{_quoted(_title(state))}{right}")
        lines.append("    end")
    edges = _edges(workflow, taken)
    if any(edge.kind == "anywhere" for edge in edges):
        lines.append(f"    {_id('anywhere', ANYWHERE)}{{{{{_quoted(_ANYWHERE)}}}}}")
    for edge in edges:
        line = "==>" if edge.taken else "-.->" if edge.dotted else "-->"
        label = f"|{_quoted(*edge.labels)}|" if edge.labels else ""
        source = _id(edge.kind, edge.source)
        lines.append(f"    {source} {line}{label} {_id('state', edge.target)}")
    if current is not None:
        lines.append("    classDef current fill:#ffd54f,stroke:#000,stroke-width:3px,color:#000")
        lines.append(f"    class {_id('state', current)} current")
    return "\n".join(lines) + "\n"


def graphviz(workflow: Workflow, current: str | None = None, taken: Collection[Move] = ()) -> str:
    """The same picture for `dot`; the current state has the class `current`."""
    lines = [
        f"digraph {_string(workflow.label)} {{",
        "    compound=true; rankdir=TB;",
        '    node [shape=box, style="rounded"];',
        "    start [shape=point];",
        f"    start -> {_id('state', workflow.initial)};",
    ]
    members = dict(_stages(workflow))
    for stage, states in members.items():
        lines.append(f"    subgraph cluster_{_id('stage', stage)} {{")
        lines.append(f"        label={_string(_worded(stage))};")
        for state in states:
            marks = ", peripheries=2" if state.closed else ""
            if state.name == current:
                marks += ', class="current", style="rounded,filled,bold", fillcolor="#ffd54f"'
            lines.append(
                f"        {_id('state', state.name)} [label={_string(_title(state))}{marks}];"
            )
        lines.append("    }")
    edges = _edges(workflow, taken)
    if any(edge.kind == "anywhere" for edge in edges):
        lines.append(
            f"    {_id('anywhere', ANYWHERE)} [label={_string(_ANYWHERE)}, shape=hexagon];"
        )
    for edge in edges:
        drawn = [f"label={_string(chr(10).join(edge.labels))}"] if edge.labels else []
        source = _id(edge.kind, edge.source)
        if edge.kind == "stage":
            # An arrow starts at a node; `ltail` cuts it at the border of the node's stage.
            drawn.append(f"ltail=cluster_{source}")
            source = _id("state", members[edge.source][0].name)
        drawn += ["style=bold", "penwidth=3"] if edge.taken else []
        drawn += ["style=dotted"] if edge.dotted and not edge.taken else []
        lines.append(f"    {source} -> {_id('state', edge.target)} [{', '.join(drawn)}];")
    return "\n".join([*lines, "}"]) + "\n"


_ANYWHERE = "any other open state"


@dataclass(frozen=True, slots=True)
class _Edge:
    """An arrow as it is drawn: from a state, from all of a stage, or from anywhere."""

    kind: str
    source: str
    target: str
    dotted: bool
    labels: tuple[str, ...]
    taken: bool = False


def _edges(workflow: Workflow, taken: Collection[Move]) -> list[_Edge]:
    sources: dict[tuple[str, bool, str], dict[str, None]] = {}
    for arrow in arrows(workflow):
        if arrow.source != arrow.target:
            key = (arrow.target, arrow.way is not Way.TRANSITION, _label(arrow))
            sources.setdefault(key, {})[arrow.source] = None
    merged: dict[tuple[str, str, str, bool], dict[str, None]] = {}
    for (target, dotted, label), names in sources.items():
        for kind, source in _gathered(workflow, target, tuple(names)):
            merged.setdefault((kind, source, target, dotted), {})[label] = None
    gone = {move for move in taken if move[0] != move[1]}
    drawn = [
        _Edge(*place, labels=tuple(labels), taken=place[0] == "state" and place[1:3] in gone)
        for place, labels in merged.items()
    ]
    # A move that no single arrow makes, such as a transition and a rule at one event, has its own.
    missing = sorted(gone - {(edge.source, edge.target) for edge in drawn if edge.taken})
    return drawn + [
        _Edge("state", source, target, dotted=False, labels=(), taken=True)
        for source, target in missing
    ]


def _label(arrow: Arrow) -> str:
    if arrow.way is Way.RULE:
        return str(arrow.action)
    return f"{arrow.event} (deviation)" if arrow.way is Way.DEVIATION else str(arrow.event)


def _gathered(
    workflow: Workflow, target: str, sources: tuple[str, ...]
) -> Iterator[tuple[str, str]]:
    """The sources of arrows to one target, whole stages and the whole workflow told as one."""
    left = dict.fromkeys(sources)
    others = [s for s in workflow.states if not s.closed and s.name != target]
    if len(others) > 3 and all(state.name in left for state in others):
        yield "anywhere", ANYWHERE
        left = {name: None for name in left if name not in {state.name for state in others}}
    for stage, states in _stages(workflow):
        names = [state.name for state in states if not state.closed]
        if len(names) > 1 and target not in {s.name for s in states} and left.keys() >= set(names):
            yield "stage", stage
            left = {name: None for name in left if name not in names}
    yield from (("state", name) for name in left)


def _stages(workflow: Workflow) -> Iterator[tuple[str, list[State]]]:
    for stage in workflow.stages():
        yield stage, [state for state in workflow.states if state.stage == stage]


def _title(state: State) -> str:
    return state.title or _worded(state.name)


def _worded(name: str) -> str:
    return name.replace("_", " ")


def _id(kind: str, name: str) -> str:
    """A name that means nothing to either language, such as `end` would."""
    return kind if name == ANYWHERE else f"{kind}_{re.sub(r'[^0-9A-Za-z_]', '_', name)}"


def _quoted(*lines: str) -> str:
    escaped = [re.sub('[#&<>"]', lambda sign: _ENTITIES[sign[0]], line) for line in lines]
    return f'"{"<br>".join(escaped)}"'


_ENTITIES = {"#": "#35;", "&": "#amp;", "<": "#lt;", ">": "#gt;", '"': "#quot;"}


def _string(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
