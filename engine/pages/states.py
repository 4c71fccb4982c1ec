"""The picture of a workflow's states, with where one course went and where it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from markupsafe import Markup

from engine.core.definition import Waits
from engine.core.diagram import Edge
from engine.pages.digest import ByDigest
from engine.pages.layout import HIGH, Arrow, Box, Layout, layout
from engine.pages.svg import element, joined, told
from engine.telling.entry import Entry
from engine.telling.lexicon import Lexicon

Move = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One move of a course: by which record, from where to where, and by what."""

    seq: int
    at: str
    source: str
    target: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A way that the workflow foresees, in words; `taken` are the records that went it."""

    source: str
    target: str
    by: tuple[str, ...]
    taken: tuple[int, ...]


@lru_cache(maxsize=32)
def _laid_out(workflow: ByDigest) -> Layout:
    return layout(workflow.held)


def diagram(lexicon: Lexicon, entries: Sequence[Entry] = ()) -> Markup:
    """The states as a picture; with the entries of a course, its way and its present state."""
    machine = lexicon.machine
    found = _laid_out(ByDigest(machine.digest, machine.workflow))
    taken = moves(entries)
    current = entries[-1].states[1] if entries else None
    inside = [
        _markers(),
        *_rows(found),
        *(_arrow(one, taken, lexicon) for one in found.arrows),
        *_taken(found, taken, lexicon),
        *(_state(box, found.wide.get(name, ()), current, taken, lexicon)
          for name, box in found.boxes.items()),
    ]  # fmt: skip
    label = "The states of the workflow by stage" + (", and the way of the course" if taken else "")
    return element(
        "svg",
        joined(inside),
        xmlns="http://www.w3.org/2000/svg",
        class_="states",
        viewBox=f"0 0 {found.width:.0f} {found.height:.0f}",
        width=f"{found.width:.0f}",
        role="img",
        aria_label=f"{label}; the tables below say the same",
    )


def moves(entries: Sequence[Entry]) -> dict[Move, list[int]]:
    """The moves of a course from one state to another, each with its records."""
    found: dict[Move, list[int]] = {}
    for entry in entries:
        before, after = entry.states
        if before is not None and before != after:
            found.setdefault((before, after), []).append(entry.seq)
    return found


def steps(entries: Sequence[Entry], lexicon: Lexicon, instant: Mapping[int, str]) -> Iterator[Step]:
    """The way of a course, move by move."""
    for entry in entries:
        before, after = entry.states
        if before == after:
            continue
        by = lexicon.event(entry.event)
        if entry.moved_by is not None:
            by = f"{by}; rule: {lexicon.guard(entry.moved_by)}"
        yield Step(
            seq=entry.seq,
            at=instant[entry.seq],
            source=lexicon.state(before),
            target=lexicon.state(after),
            by=by,
        )


def ways(lexicon: Lexicon, entries: Sequence[Entry] = ()) -> Iterator[Way]:
    """Every way that the workflow foresees, those that many states share told once."""
    machine = lexicon.machine
    found = _laid_out(ByDigest(machine.digest, machine.workflow))
    taken = moves(entries)
    for one in found.arrows:
        yield Way(
            source=lexicon.state(one.source),
            target=lexicon.state(one.target),
            by=tuple(_by(label, lexicon) for label in one.labels),
            taken=tuple(taken.get((one.source, one.target), ())),
        )
    for edge in dict.fromkeys(edge for many in found.wide.values() for edge in many):
        yield Way(
            source=_end(edge, lexicon),
            target=", ".join(lexicon.state(name) for name in edge.target.names),
            by=tuple(_by(label, lexicon) for label in edge.labels),
            taken=(),
        )


def _by(label: str, lexicon: Lexicon) -> str:
    """An event or an action by its title; a label may say that it is a deviation."""
    name, _, more = label.partition(" (")
    actions = {action.name for action in lexicon.workflow.actions}
    title = f"rule: {lexicon.action(name)}" if name in actions else lexicon.event(name)
    return f"{title} ({more}" if more else title


def _end(edge: Edge, lexicon: Lexicon) -> str:
    match edge.source.kind:
        case "anywhere":
            return "any other open state"
        case "stage":
            return f"any state of {edge.source.names[0].replace('_', ' ')}"
        case _:
            return ", ".join(lexicon.state(name) for name in edge.source.names)


def _markers() -> Markup:
    tip = "M0 0L7 3.5L0 7z"
    return element(
        "defs",
        *(
            element("marker", element("path", d=tip, class_=f"tip {kind}"), id=f"tip-{kind}",
                    viewBox="0 0 7 7", refX=6.5, refY=3.5, markerWidth=7, markerHeight=7,
                    orient="auto", markerUnits="userSpaceOnUse")
            for kind in ("foreseen", "gone")
        ),
    )  # fmt: skip


def _rows(found: Layout) -> Iterator[Markup]:
    for n, (stage, y) in enumerate(found.rows):
        yield element(
            "rect", x=0, y=y - HIGH / 2 - 15, width=found.width, height=HIGH + 30,
            class_=f"stage{' odd' if n % 2 else ''}",
        )  # fmt: skip
        yield element("text", stage.replace("_", " "), x=8, y=y + 4, class_="stage-name")


def _arrow(one: Arrow, taken: Mapping[Move, list[int]], lexicon: Lexicon) -> Markup:
    if (one.source, one.target) in taken:
        return Markup("")
    kind = "way by-rule" if one.by_rule else "way"
    return element("path", told(_said(one, lexicon)), d=_path(one), class_=kind,
                   marker_end="url(#tip-foreseen)")  # fmt: skip


def _taken(found: Layout, taken: Mapping[Move, list[int]], lexicon: Lexicon) -> Iterator[Markup]:
    drawn = {(one.source, one.target): one for one in found.arrows}
    for move, seqs in taken.items():
        one = drawn.get(move) or _straight(found, move)
        said = f"{_said(one, lexicon)}\nrecord {', '.join(map(str, seqs))}"
        yield element("path", told(said), d=_path(one), class_="way gone",
                      marker_end="url(#tip-gone)")  # fmt: skip
    for move, seqs in taken.items():
        if len(seqs) > 1:
            one = drawn.get(move) or _straight(found, move)
            x, y = _label_place(one)
            yield element("circle", cx=x, cy=y, r=8, class_="often")
            yield element("text", f"{len(seqs)}", x=x, y=y + 3.5, class_="often-text",
                          text_anchor="middle")  # fmt: skip


def _straight(found: Layout, move: Move) -> Arrow:
    """A move that no single way makes, such as a transition and a rule at one event."""
    source, target = (found.boxes[name] for name in move)
    down = target.y > source.y
    if source.y == target.y:
        side = 1 if target.x > source.x else -1
        points = ((source.x + side * source.width / 2, source.y),
                  (target.x - side * target.width / 2, target.y))  # fmt: skip
    else:
        points = ((source.x, source.y + (HIGH / 2 if down else -HIGH / 2)),
                  (target.x, target.y + (-HIGH / 2 if down else HIGH / 2)))  # fmt: skip
    return Arrow(source=move[0], target=move[1], points=points, by_rule=False, labels=())


def _said(one: Arrow, lexicon: Lexicon) -> str:
    by = "; ".join(_by(label, lexicon) for label in one.labels)
    return f"{lexicon.state(one.source)} → {lexicon.state(one.target)}{': ' if by else ''}{by}"


def _path(one: Arrow) -> str:
    points = one.points
    said = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
    if len(points) == 4 and points[0][1] == points[3][1] and points[1][0] == points[0][0]:
        (_, _), (x1, y1), (x2, y2), (x3, y3) = points
        return f"{said}C{x1:.1f} {y1:.1f} {x2:.1f} {y2:.1f} {x3:.1f} {y3:.1f}"
    for (x1, y1), (x2, y2) in pairwise(points):
        half = (y1 + y2) / 2
        straight = abs(x1 - x2) < 0.5 or y1 == y2
        said += (
            f"L{x2:.1f} {y2:.1f}" if straight
            else f"C{x1:.1f} {half:.1f} {x2:.1f} {half:.1f} {x2:.1f} {y2:.1f}"
        )  # fmt: skip
    return said


def _label_place(one: Arrow) -> tuple[float, float]:
    n = (len(one.points) - 1) // 2
    (x1, y1), (x2, y2) = one.points[n], one.points[n + 1]
    if len(one.points) == 4 and one.points[0][1] == one.points[3][1]:
        return (x1 + x2) / 2, (one.points[0][1] + 3 * y1) / 4
    return (x1 + x2) / 2, (y1 + y2) / 2


def _waiting(waits: Waits | None, left: float, top: float) -> Markup:
    """The edge of a state that waits: solid on hold, dotted for a decision."""
    if waits is None:
        return Markup("")
    return element("line", x1=left + 2, x2=left + 2, y1=top, y2=top + HIGH, class_="waits")


def _state(
    box: Box,
    wide: Sequence[Edge],
    current: str | None,
    taken: Mapping[Move, list[int]],
    lexicon: Lexicon,
) -> Markup:
    been = current == box.name or any(box.name in move for move in taken)
    waits = lexicon.machine.states[box.name].waits
    kinds = ["state"]
    kinds += ["been"] if been else []
    kinds += ["current"] if current == box.name else []
    kinds += {Waits.HOLD: ["hold"], Waits.DECISION: ["decision"], None: []}[waits]
    said = [lexicon.state(box.name)]
    said += ["the present state"] if current == box.name else []
    said += [
        f"also from {_end(edge, lexicon)}: {', '.join(_by(one, lexicon) for one in edge.labels)}"
        for edge in wide
    ]
    left, top = box.x - box.width / 2, box.y - HIGH / 2
    first = box.y + 4 if len(box.lines) == 1 else box.y - 3
    return element(
        "g",
        told("\n".join(said)),
        element("rect", x=left, y=top, width=box.width, height=HIGH,
                rx=HIGH / 2 if box.closed else 3),
        _waiting(waits, left, top),
        *(
            element("text", line, x=box.x, y=first + 13 * n, text_anchor="middle")
            for n, line in enumerate(box.lines)
        ),
        element("path", d=f"M{left - 9:.1f} {top + 4:.1f}l6 4l-6 4z", class_="wide")
        if wide else "",
        class_=" ".join(kinds),
    )  # fmt: skip
