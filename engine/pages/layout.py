"""Where the states of a workflow stand in its picture, and which way the arrows go between them.

Each stage is a row, in the order of the definition; within a row states are put where their arrows
cross least. An arrow that passes rows goes through a gap that is kept for it, together with the
others to the same state. The same workflow always gives the same layout.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from engine.core.definition import Workflow
from engine.core.diagram import Edge, edges
from engine.pages.svg import length

LABEL = 118
"""The room on the left, where the stages are named."""
HIGH, BETWEEN, APART, GATE = 34, 62, 26, 9
PADDING = 18
WRAP = 130
"""A title that is longer takes two lines."""
SWEEPS = 12

Point = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A state in the picture: its middle and its size."""

    name: str
    lines: tuple[str, ...]
    x: float
    y: float
    width: float
    closed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrow:
    """The way between two states: points in order, and what leads along it."""

    source: str
    target: str
    points: tuple[Point, ...]
    by_rule: bool
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The picture of a workflow, before anybody went through it.

    `wide` are the arrows that many states share; they are told in words, by target.
    """

    width: float
    height: float
    rows: tuple[tuple[str, float], ...]
    boxes: Mapping[str, Box]
    arrows: tuple[Arrow, ...]
    wide: Mapping[str, tuple[Edge, ...]]


def layout(workflow: Workflow) -> Layout:
    """The layout of a workflow."""
    found = edges(workflow)
    single = [e for e in found if e.source.kind == "state" and e.target.kind == "state"]
    wide: dict[str, list[Edge]] = {}
    for edge in found:
        if edge not in single:
            for name in edge.target.names:
                wide.setdefault(name, []).append(edge)
    grid = _Grid(workflow, _merged(single))
    grid.order()
    grid.place()
    return Layout(
        width=grid.width,
        height=grid.y(len(grid.rows) - 1) + HIGH / 2 + 22,
        rows=tuple((stage, grid.y(n)) for n, stage in enumerate(workflow.stages())),
        boxes={node.name: grid.box(node) for row in grid.rows for node in row if node.real},
        arrows=tuple(grid.arrow(edge) for edge in grid.edges),
        wide={name: tuple(many) for name, many in wide.items()},
    )


@dataclass(frozen=True, slots=True)
class _Way:
    """All arrows from one state to another."""

    source: str
    target: str
    by_rule: bool
    labels: tuple[str, ...]


def _merged(single: Iterable[Edge]) -> list[_Way]:
    found: dict[tuple[str, str], list[Edge]] = {}
    for edge in single:
        found.setdefault((edge.source.names[0], edge.target.names[0]), []).append(edge)
    return [
        _Way(
            source,
            target,
            all(edge.dotted for edge in many),
            tuple(dict.fromkeys(label for edge in many for label in edge.labels)),
        )
        for (source, target), many in found.items()
    ]


@dataclass(eq=False)
class _Node:
    """A state, or the gap that arrows to a state keep in a row which they pass."""

    name: str
    row: int
    width: float
    lines: tuple[str, ...] = ()
    closed: bool = False
    real: bool = True
    x: float = 0
    near: list[_Node] = field(default_factory=list)


class _Grid:
    def __init__(self, workflow: Workflow, ways: Sequence[_Way]) -> None:
        self.edges = ways
        stages = workflow.stages()
        self.rows: list[list[_Node]] = [[] for _ in stages]
        self._nodes: dict[str, _Node] = {}
        for state in workflow.states:
            lines = wrapped(state.title or state.name.replace("_", " "))
            wide = max(length(line, 11.5) for line in lines) + PADDING
            row = stages.index(state.stage)
            node = _Node(state.name, row, wide, lines, state.closed)
            self._nodes[state.name] = node
            self.rows[row].append(node)
        self._gates: dict[tuple[str, int, int], _Node] = {}
        self.chains = [self._chain(way) for way in ways]
        self.width = 0.0

    def _chain(self, way: _Way) -> list[_Node]:
        """The nodes that an arrow passes, from its source to its target."""
        source, target = self._nodes[way.source], self._nodes[way.target]
        step = 1 if target.row > source.row else -1
        passed = [
            self._gate(way.target, row, step) for row in range(source.row + step, target.row, step)
        ] if source.row != target.row else []  # fmt: skip
        chain = [source, *passed, target]
        for one, other in pairwise(chain):
            if other not in one.near:
                one.near.append(other)
                other.near.append(one)
        return chain

    def _gate(self, target: str, row: int, step: int) -> _Node:
        key = (target, row, step)
        if key not in self._gates:
            self._gates[key] = node = _Node(target, row, GATE, real=False)
            self.rows[row].append(node)
        return self._gates[key]

    def order(self) -> None:
        """Put each row in the order of what it is joined with above, then below, again and again.

        The order that crosses least is kept.
        """
        best, least = [list(row) for row in self.rows], self._crossings()
        for sweep in range(SWEEPS):
            down = sweep % 2 == 0
            rows = range(1, len(self.rows)) if down else range(len(self.rows) - 2, -1, -1)
            for n in rows:
                other = n - 1 if down else n + 1
                places = {id(node): i for i, node in enumerate(self.rows[other])}
                now = {id(node): i for i, node in enumerate(self.rows[n])}
                self.rows[n].sort(
                    key=lambda node: _middle(node, other, places, now)
                )  # sorted at once
            if (crossings := self._crossings()) < least:
                best, least = [list(row) for row in self.rows], crossings
        self.rows = best

    def _crossings(self) -> int:
        total = 0
        for n in range(len(self.rows) - 1):
            below = {id(node): i for i, node in enumerate(self.rows[n + 1])}
            pairs = [
                (i, below[id(near)])
                for i, node in enumerate(self.rows[n])
                for near in node.near
                if near.row == n + 1
            ]
            total += sum(
                (a - c) * (b - d) < 0 for k, (a, b) in enumerate(pairs) for c, d in pairs[k + 1 :]
            )
        return total

    def place(self) -> None:
        """Give each node its x: in order, apart, and near to what it is joined with."""
        for row in self.rows:
            x = 0.0
            for node in row:
                node.x = x + node.width / 2
                x += node.width + APART
        for _ in range(40):
            for row in self.rows:
                wished = [_wish(node) for node in row]
                _settle(row, wished)
        left = min(node.x - node.width / 2 for row in self.rows for node in row)
        for row in self.rows:
            for node in row:
                node.x += LABEL - left
        self.width = max(node.x + node.width / 2 for row in self.rows for node in row) + 16

    def y(self, row: int) -> float:
        return 26 + HIGH / 2 + row * (HIGH + BETWEEN)

    def box(self, node: _Node) -> Box:
        return Box(
            name=node.name,
            lines=node.lines,
            x=node.x,
            y=self.y(node.row),
            width=node.width,
            closed=node.closed,
        )

    def arrow(self, way: _Way) -> Arrow:
        chain = self.chains[self.edges.index(way)]
        source, target = chain[0], chain[-1]
        down = target.row > source.row
        if source.row == target.row:
            points = self._beside(source, target)
        else:
            points = [(self._port(source, chain[1], leaving=True), self._edge(source, down=down))]
            for gate in chain[1:-1]:
                y, half = self.y(gate.row), HIGH / 2
                points += [(gate.x, y - half if down else y + half),
                           (gate.x, y + half if down else y - half)]  # fmt: skip
            port = self._port(target, chain[-2], leaving=False)
            points.append((port, self._edge(target, down=not down)))
        return Arrow(
            source=way.source,
            target=way.target,
            points=tuple(points),
            by_rule=way.by_rule,
            labels=way.labels,
        )

    def _edge(self, node: _Node, *, down: bool) -> float:
        return self.y(node.row) + (HIGH / 2 if down else -HIGH / 2)

    def _port(self, node: _Node, other: _Node, *, leaving: bool) -> float:
        """Where on a side of a state an arrow begins or ends: in the order of where they come from.

        What leaves and what comes stand apart, so that an arrow and its opposite are two.
        """
        same = sorted(
            {(one.x, one.row) for one in node.near if (one.row > node.row) == (other.row > node.row)
             and one.row != node.row}
        )  # fmt: skip
        n = same.index((other.x, other.row))
        share = (n + 1) / (len(same) + 1) - 0.5
        return node.x + share * (node.width - 16) + (2.5 if leaving else -2.5)

    def _beside(self, source: _Node, target: _Node) -> list[Point]:
        """Within a row: an arc above to the right and below to the left, higher the farther."""
        right = target.x > source.x
        y = self.y(source.row) + (-HIGH / 2 if right else HIGH / 2)
        far = abs(self.rows[source.row].index(source) - self.rows[source.row].index(target))
        lift = (-1 if right else 1) * min(10 + 7 * far, 26)
        side = 1 if right else -1
        start = source.x + side * (source.width / 2 - 14)
        end = target.x - side * (target.width / 2 - 14)
        return [(start, y), (start, y + lift), (end, y + lift), (end, y)]


def wrapped(title: str) -> tuple[str, ...]:
    """A title in one line or in two that are about as long.

    >>> wrapped("Follow-up"), wrapped("Held for cardiac enzymes, test dose")
    (('Follow-up',), ('Held for cardiac', 'enzymes, test dose'))
    """
    words = title.split(" ")
    if length(title, 11.5) <= WRAP or len(words) == 1:
        return (title,)
    halves = [(" ".join(words[:n]), " ".join(words[n:])) for n in range(1, len(words))]
    return min(halves, key=lambda pair: max(length(one, 11.5) for one in pair))


def _middle(
    node: _Node, other: int, places: Mapping[int, int], now: Mapping[int, int]
) -> tuple[float, int]:
    """Where a node would like to stand, by its neighbours of another row."""
    found = [places[id(near)] for near in node.near if near.row == other]
    own = now[id(node)]
    return (sum(found) / len(found) if found else own, own)


def _wish(node: _Node) -> float:
    near = [one for one in node.near if one.row != node.row]
    if not near:
        return node.x
    # Gaps want to be straight more than states want to be in the middle.
    weight = [3 if not one.real and not node.real else 1 for one in near]
    return sum(one.x * w for one, w in zip(near, weight, strict=True)) / sum(weight)


def _settle(row: Sequence[_Node], wished: Sequence[float]) -> None:
    """Move the nodes of a row towards where they would be, in order and apart."""
    if not row:
        return
    least = [
        (one.width + other.width) / 2 + (APART if one.real or other.real else 3)
        for one, other in pairwise(row)
    ]
    right: list[float] = []
    for n, wish in enumerate(wished):
        right.append(max(wish, right[-1] + least[n - 1]) if right else wish)
    left = list(wished)
    for n in reversed(range(len(row) - 1)):
        left[n] = min(left[n], left[n + 1] - least[n])
    places = [(a + b) / 2 for a, b in zip(left, right, strict=True)]
    for n, node in enumerate(row):
        node.x = places[n] if n == 0 else max(places[n], row[n - 1].x + least[n - 1])
