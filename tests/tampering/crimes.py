"""Every crime against the history that whoever owns the database can think of, by kind.

Each yields a label and what is done. `Proof` says what each kind is found by: that stands in the
table of docs/audit.md, and the tests hold it against what is found.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Table

from engine.core.heads import map_of
from engine.core.note import CourseMap
from engine.core.record import hash_of
from engine.store.tables import checkpoints, cosignatures, leaves, nodes, records
from tests.tampering.world import Bodies, World, heads_at

Crime = tuple[str, Callable[[World], None]]
Crimes = Callable[[World], Iterator[Crime]]


@dataclass(frozen=True)
class Kind:
    """A kind of crime, in words; whether it is found without a checkpoint, and with one."""

    words: str
    crimes: Crimes
    without: bool
    held: bool = True


def other(value: Any) -> Any:
    """Something else of the same kind."""
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case str():
            return f"{value}x"
        case bytes():
            middle = len(value) // 2
            return value[:middle] + bytes([value[middle] ^ 1]) + value[middle + 1 :]
        case datetime():
            return value + timedelta(seconds=1)
        case None:
            return datetime.fromisoformat("2026-03-02T09:00:00Z")
    raise TypeError(value)


def kinds_of_records(world: World) -> list[int]:
    """A record of each kind, by event and verdict, the last one of each, and all of one course."""
    found = {(row["event"], row["verdict"]): n for n, row in enumerate(world.saved[records])}
    course = [n for n, row in enumerate(world.saved[records]) if row["course"] == "C-2"]
    return sorted({*found.values(), *course})


def within(world: World) -> list[int]:
    """Those of the records that the kept checkpoint speaks of."""
    sealed = {(r["course"], r["seq"]) for r in world.saved[leaves] if r["place"] < world.size}
    return [n for n, r in enumerate(world.saved[records]) if (r["course"], r["seq"]) in sealed]


# --- one thing, and nothing else -----------------------------------------------------------------


def columns(table: Table, *without: str) -> Crimes:
    def crimes(world: World) -> Iterator[Crime]:
        rows = world.saved[table]
        chosen = kinds_of_records(world) if table is records else range(len(rows))
        for n in chosen:
            for column in table.c:
                if column.name not in without:
                    changed = other(rows[n][column.name])
                    label = f"{table.name} {n}: {column.name}"
                    yield label, partial(_set, table=table, n=n, column=column.name, to=changed)

    return crimes


def deletions(table: Table) -> Crimes:
    def crimes(world: World) -> Iterator[Crime]:
        rows = world.saved[table]
        for n in range(len(rows)):
            left = [*rows[:n], *rows[n + 1 :]]
            yield f"{table.name} {n}: deleted", partial(_put, table=table, rows=left)
        yield f"{table.name}: all deleted", partial(_put, table=table, rows=[])

    return crimes


def doubles(table: Table, **elsewhere: Any) -> Crimes:
    """A row twice, and a row again under another key."""

    def crimes(world: World) -> Iterator[Crime]:
        rows = world.saved[table]
        for n, row in enumerate(rows):
            yield f"{table.name} {n}: twice", partial(_put, table=table, rows=[*rows, row])
            for column, to in elsewhere.items():
                again = row | {column: to}
                label = f"{table.name} {n}: again with another {column}"
                yield label, partial(_put, table=table, rows=[*rows, again])

    return crimes


def swaps(table: Table, *key: str) -> Crimes:
    """Two rows exchange their places: all but the key."""

    def crimes(world: World) -> Iterator[Crime]:
        rows = world.saved[table]
        for n, m in [*zip(range(len(rows)), range(1, len(rows)), strict=False), (0, len(rows) - 1)]:
            kept = {name: rows[n][name] for name in key}, {name: rows[m][name] for name in key}
            swapped = [dict(row) for row in rows]
            swapped[n], swapped[m] = rows[m] | kept[0], rows[n] | kept[1]
            if swapped != rows:
                yield f"{table.name} {n} and {m}", partial(_put, table=table, rows=swapped)

    return crimes


def hashed_again(world: World) -> Iterator[Crime]:
    """The bytes of a record, with its hash; and all columns that speak of the bytes."""
    for n in kinds_of_records(world):
        body = world.saved[records][n]["body"].replace(b'"engine":"', b'"engine":"9')
        yield f"record {n}", partial(_set_all, n=n, body=body, hash=hash_of(body))


def chained_again(world: World) -> Iterator[Crime]:
    """A record, and its course from there on, with the row that it adds up to."""
    for course, n in _each(world):
        for label, change in EDITS.items():
            bodies = change(world.bodies(), course, n)
            if bodies is not None:
                yield f"{course} {n}: {label}", partial(_chain, bodies=bodies, only=course)


def ends_cut(world: World) -> Iterator[Crime]:
    """The last records of a course, and its row set back."""
    for course, its in world.bodies().items():
        for keep in range(1, len(its)):
            bodies = {**world.bodies(), course: its[:keep]}
            yield f"{course} to {keep}", partial(_chain, bodies=bodies, only=course)


# --- everything written anew ---------------------------------------------------------------------


def edited(bodies: Bodies, course: str, n: int) -> Bodies | None:
    bodies[course][n]["event"]["actor"]["id"] += "x"
    return bodies


def dated_back(bodies: Bodies, course: str, n: int) -> Bodies | None:
    event = bodies[course][n]["event"]
    if not event.get("at"):
        return None
    event["at"] = "2026-03-02T08:00:00Z"
    return bodies


def taken_out(bodies: Bodies, course: str, n: int) -> Bodies | None:
    if len(bodies[course]) == 1:
        return None
    del bodies[course][n]
    return bodies if n else None  # without its first record it is no course


def put_in(bodies: Bodies, course: str, n: int) -> Bodies | None:
    forged = copy.deepcopy(bodies[course][n])
    forged["event"]["id"] += "-forged"
    if n == 0 or n + 1 == len(bodies[course]):
        return None
    bodies[course].insert(n + 1, forged)
    return bodies


def exchanged(bodies: Bodies, course: str, n: int) -> Bodies | None:
    its = bodies[course]
    if n == 0 or n + 1 == len(its):
        return None
    its[n], its[n + 1] = its[n + 1], its[n]
    times = its[n]["recorded_at"], its[n + 1]["recorded_at"]
    its[n]["recorded_at"], its[n + 1]["recorded_at"] = sorted(times)
    return bodies


EDITS = {
    "edited": edited,
    "dated back": dated_back,
    "taken out": taken_out,
    "put in": put_in,
    "exchanged": exchanged,
}


def rebuilt(edit: str) -> Crimes:
    def crimes(world: World) -> Iterator[Crime]:
        known = {(row["course"], row["seq"] - 1) for row in _kept(world)}
        for course, n in _each(world):
            if (course, n) in known:
                bodies = EDITS[edit](world.bodies(), course, n)
                if bodies is not None:
                    yield f"{course} {n}: {edit}", partial(_rebuild, bodies=bodies)

    return crimes


def truncated(world: World) -> Iterator[Crime]:
    """The newest records of the whole clinic, down to fewer than the checkpoint speaks of."""
    order = [(course, seq) for course, seq, _ in world.order()]
    for size in range(1, world.size):
        left = order[:size]
        bodies = {
            course: its[: max(seq for c, seq in left if c == course)]
            for course, its in world.bodies().items()
            if any(c == course for c, _ in left)
        }
        if sum(map(len, bodies.values())) < world.size:
            yield f"down to {size}", partial(_rebuild, bodies=bodies)


def courses_gone(world: World) -> Iterator[Crime]:
    for course in {row["course"] for row in _kept(world)}:
        bodies = {name: its for name, its in world.bodies().items() if name != course}
        yield course, partial(_rebuild, bodies=bodies)


def forked(world: World) -> Iterator[Crime]:
    """Back to an older copy, from where another history was lived, as long as the first."""
    for course in {row["course"] for row in _kept(world)}:
        bodies = world.bodies()
        its = bodies.pop(course)
        bodies[f"{course}-again"] = its
        yield course, partial(_rebuild, bodies=bodies)


def after_the_checkpoint(world: World) -> Iterator[Crime]:
    known = {(row["course"], row["seq"]) for row in _kept(world)}
    for course, n in _each(world):
        if (course, n + 1) not in known:
            bodies = edited(world.bodies(), course, n)
            yield f"{course} {n}", partial(_rebuild, bodies=bodies)


def appended(world: World) -> Iterator[Crime]:
    """What never happened, as the newest record of a course: whoever may append can do that."""
    for course, its in world.bodies().items():
        forged = copy.deepcopy(its[-1])
        forged["event"]["id"] += "-forged"
        bodies = {**world.bodies(), course: [*its, forged]}
        yield course, partial(_rebuild, bodies=bodies)


def newest_checkpoints(world: World) -> Iterator[Crime]:
    """Those after the one that is kept."""
    rows = world.saved[checkpoints]
    yield "the newest", partial(_put, table=checkpoints, rows=rows[:-1])


def maps_changed(world: World) -> Iterator[Crime]:
    """The newest checkpoint signed anew by its own key, with another map of course heads."""
    newest = len(world.saved[checkpoints]) - 1
    size = world.saved[checkpoints][newest]["size"]
    for label, forged in forged_maps(world.saved[leaves], size).items():
        yield label, partial(_map, n=newest, courses=forged)


def sealed_again(world: World) -> Iterator[Crime]:
    """A course once more in the tree, whole or its first records, and all above it fits.

    Whoever is shown the second ones alone misses nothing: so it must be found by whoever sees all.
    """
    for course, its in world.bodies().items():
        for last in range(1, len(its) + 1):
            for twice in (False, True):
                label = f"{course} to {last}, {'twice' if twice else 'once'} in the map"
                yield label, partial(_seal_again, course=course, last=last, twice=twice)


def forged_maps(its: Sequence[Mapping[str, Any]], size: int) -> dict[str, CourseMap | None]:
    """Maps of a tree's courses that its leaves do not add up to, each in another way."""
    good = heads_at(its, size)
    crimes: dict[str, CourseMap | None] = {"none": None}
    for n, head in enumerate(good):
        fewer, moved = replace(head, records=head.records - 1), replace(head, first=head.first + 1)
        others = {
            "left out": [*good[:n], *good[n + 1 :]],
            "twice": [*good, head],
            "twice, side by side": [*good[:n], head, *good[n:]],
            "in another place": [*good[:n], *good[n + 1 :], head],
            "of fewer records": [*good[:n], fewer, *good[n + 1 :]],
            "of another beginning": [*good[:n], moved, *good[n + 1 :]],
        }  # fmt: skip
        earlier = heads_at(its, next(p["place"] for p in its if p["hash"] == head.leaf))
        before = next((one for one in earlier if one.first == head.first), None)
        if before is not None:
            others["as it was before"] = [*good[:n], before, *good[n + 1 :]]
            others["as it was before, too"] = [*good, before]
        crimes |= {f"course {n} {label}": map_of(size, heads) for label, heads in others.items()}
    honest = map_of(size, good)
    crimes["fewer courses"] = replace(honest, courses=honest.courses - 1)
    crimes["of an earlier tree"] = map_of(size - 1, good)
    return {label: forged for label, forged in crimes.items() if forged != honest}


def checkpoints_changed(world: World) -> Iterator[Crime]:
    """Every column and every deletion, but that of the newest alone."""
    newest = len(world.saved[checkpoints]) - 1
    for one in (columns(checkpoints, "at"), deletions(checkpoints)):
        for label, crime in one(world):
            if label not in {
                f"regimen_checkpoints {newest}: deleted",
                f"regimen_checkpoints {newest}: tenant",
                "regimen_checkpoints: all deleted",
            }:
                yield label, crime


def leaves_changed(world: World) -> Iterator[Crime]:
    for one in (columns(leaves), deletions(leaves), doubles(leaves, place=900)):
        yield from one(world)
    yield from swaps(leaves, "place")(world)


def nodes_changed(world: World) -> Iterator[Crime]:
    for one in (columns(nodes), deletions(nodes), doubles(nodes, place=900)):
        yield from one(world)


def times_of_checkpoints(world: World) -> Iterator[Crime]:
    for table in (checkpoints, cosignatures):
        for n, row in enumerate(world.saved[table]):
            label = f"{table.name} {n}: at"
            yield label, partial(_set, table=table, n=n, column="at", to=other(row["at"]))


def last_checkpoint(world: World) -> Iterator[Crime]:
    """The one that is kept elsewhere, and all after it, as if they had never been made."""
    number = next(r["number"] for r in world.saved[checkpoints] if r["size"] == world.size)
    left = [row for row in world.saved[checkpoints] if row["number"] < number]
    yield "the last ones", partial(_put, table=checkpoints, rows=left)


def everything(edit: str, words: str) -> Kind:
    return Kind(f"everything is written anew, {words}", rebuilt(edit), without=False)


KINDS = (
    Kind("a column of a record is changed", columns(records), without=True),
    Kind("a record is deleted", deletions(records), without=True),
    Kind("a record is doubled", doubles(records, seq=900, course="C-9"), without=True),
    Kind("two records change places", swaps(records, "course", "seq"), without=True),
    Kind("a record is changed with its hash", hashed_again, without=True),
    Kind("a course is chained anew, and its row set anew", chained_again, without=True),
    Kind("the end of a course is cut off, and its row set back", ends_cut, without=True),
    Kind("a leaf is changed, deleted, doubled or moved", leaves_changed, without=True),
    Kind("a node is changed, deleted or doubled", nodes_changed, without=True),
    Kind("a checkpoint is changed or deleted", checkpoints_changed, without=True),
    Kind(
        "the newest checkpoint is signed anew, with other course heads", maps_changed, without=True
    ),
    Kind("a course is sealed a second time, under a newer checkpoint", sealed_again, without=True),
    Kind("the kept checkpoint and all newer ones are deleted", last_checkpoint, without=False),
    everything("edited", "with a record edited"),
    everything("dated back", "with a record dated back"),
    everything("taken out", "with a record taken out"),
    everything("put in", "with a record put in"),
    everything("exchanged", "with two records exchanged"),
    Kind("the end of the whole history is cut off", truncated, without=False),
    Kind("a whole course is taken out of everything", courses_gone, without=False),
    Kind("another history goes on from an older copy", forked, without=False),
    Kind("what came after the checkpoint is written anew", after_the_checkpoint, False, held=False),
    Kind("a record that never happened is appended", appended, without=False, held=False),
    Kind("checkpoints after the kept one are deleted", newest_checkpoints, False, held=False),
    Kind("when a checkpoint was stored is changed", times_of_checkpoints, False, held=False),
    Kind("a witness's line is taken away", deletions(cosignatures), without=False, held=False),
)


def _kept(world: World) -> list[dict[str, Any]]:
    return [world.saved[records][n] for n in within(world)]


def _each(world: World) -> Iterator[tuple[str, int]]:
    for course, its in world.bodies().items():
        for n in range(len(its)):
            yield course, n


def _set(world: World, *, table: Table, n: int, column: str, to: object) -> None:
    world.change(table, n, **{column: to})


def _set_all(world: World, *, n: int, **values: Any) -> None:
    world.change(records, n, **values)


def _put(world: World, *, table: Table, rows: list[dict[str, Any]]) -> None:
    world.put(table, rows)


def _map(world: World, *, n: int, courses: CourseMap | None) -> None:
    world.mapped(n, courses)


def _seal_again(world: World, *, course: str, last: int, twice: bool) -> None:
    world.sealed_again(course, last, twice=twice)


def _chain(world: World, *, bodies: Bodies, only: str) -> None:
    world.chained(bodies, only)


def _rebuild(world: World, *, bodies: Bodies) -> None:
    world.rebuilt(bodies)
