"""Where the parts of a net stand, so that a viewer draws it without moving anything.

States stand in columns, by how many moves they are away from the start; the moves of two states
stand in a stack between them, or beside the state that they come back to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from engine.mining.net import END, START, Move, Net

COLUMN, ROW, STACK = 420, 120, 60
"""Pixels between columns, between the stacks of a column, and from one move to the next."""


@dataclass(frozen=True, slots=True)
class Spot:
    """The middle of what is drawn, in pixels."""

    x: int
    y: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """The spots of places and moves, by their ids."""

    places: Mapping[str, Spot]
    moves: Mapping[str, Spot]


def drawn(net: Net) -> Drawing:
    """The spots of a net."""
    rank = _ranks(net)
    columns: dict[int, list[str]] = {}
    for place in net.places:
        columns.setdefault(rank[place.id], []).append(place.id)
    stacks: dict[str, list[Move]] = {}
    for move in net.moves:
        stacks.setdefault(move.source, []).append(move)
    places: dict[str, Spot] = {}
    moves: dict[str, Spot] = {}
    for column, names in sorted(columns.items()):
        y = ROW
        for name in names:
            leaving = stacks.get(name, [])
            height = max(ROW, len(leaving) * STACK)
            places[name] = Spot(column * COLUMN + 100, y + height // 2)
            for n, move in enumerate(leaving):
                moves[move.id] = Spot(column * COLUMN + 310, y + n * STACK + STACK // 2)
            y += height + ROW // 2
    return Drawing(places=places, moves=moves)


def _ranks(net: Net) -> dict[str, int]:
    """How many moves each place is away from the start; the end stands behind all others."""
    ways: dict[str, list[str]] = {}
    for move in net.moves:
        # Whoever is adopted begins anywhere, which says nothing of where the states lie.
        if move.source != START or move.target == _first(net.moves):
            ways.setdefault(move.source, []).append(move.target)
    rank, waiting = {START: 0}, [START]
    for name in waiting:
        for target in ways.get(name, ()):
            if target not in rank and target != END:
                rank[target] = rank[name] + 1
                waiting.append(target)
    last = max(rank.values()) + 1
    return {place.id: rank.get(place.id, last - 1) for place in net.places} | {END: last}


def _first(moves: Iterable[Move]) -> str:
    return next(move.target for move in moves if move.source == START)
