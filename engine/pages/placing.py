"""Where marks and texts of a picture stand, so that none hides another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Box:
    """A stretch of the picture that something stands on."""

    x: float
    y: float
    width: float
    height: float

    def meets(self, other: Box) -> bool:
        """Whether the two share anything."""
        beside = self.x + self.width <= other.x or other.x + other.width <= self.x
        above = self.y + self.height <= other.y or other.y + other.height <= self.y
        return not (beside or above)


def apart(places: Sequence[float], least: float, top: float, bottom: float) -> list[float]:
    """Places in order, pushed so far apart that texts do not touch, within a stretch if it can be.

    >>> apart([10, 11, 40], 10, 0, 45)
    [10, 20, 40]
    >>> apart([40, 41], 10, 0, 45)
    [35, 45]
    """
    found: list[float] = []
    for place in places:
        found.append(max(place, found[-1] + least) if found else max(place, top))
    for n in reversed(range(len(found))):
        limit = bottom if n == len(found) - 1 else found[n + 1] - least
        found[n] = min(found[n], limit)
    return found


def spread(places: Sequence[float], least: float = 9, most: float = 14) -> list[float]:
    """Places of marks in order: what would hide one another stands beside, where few do.

    >>> spread([10, 11, 60]), spread([10, 10, 10]), spread([0, 0, 0, 0, 0])
    ([6.0, 15.0, 60.0], [1.0, 10.0, 19.0], [0, 0, 0, 0, 0])
    """
    found: list[float] = []
    groups: list[list[float]] = []
    for place in places:
        if groups and place - groups[-1][-1] < least:
            groups[-1].append(place)
        else:
            groups.append([place])
    for group in groups:
        middle = (group[0] + group[-1]) / 2
        apart_ = [middle + (n - (len(group) - 1) / 2) * least for n in range(len(group))]
        moved = max(abs(a - b) for a, b in zip(apart_, group, strict=True))
        found += apart_ if moved <= most else group
    return found
