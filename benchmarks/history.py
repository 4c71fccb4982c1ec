"""What an auditor waits for: courses verified, replayed, decided again, and under an amendment."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median

from sqlalchemy import text

from benchmarks.courses import KINDS, LARGE, SMALL, Kind
from benchmarks.engines import Bench, timed
from benchmarks.measure import Figure, Run, in_turns, per_second, rate_of_one_core
from benchmarks.standalone import code, weighed
from benchmarks.what_if import ASKED
from benchmarks.writing import opened
from engine.core.history import replay, verify
from engine.core.record import Record
from engine.core.redecision import decide_again
from engine.core.setting import with_settings
from engine.core.what_if import Policy, what_if
from engine.registry import compiled, stored_form
from engine.store.sql import SqlStore
from engine.zones import Zones
from workflows import ALL

LEAST_REPLAYED = {SMALL: 40_000, LARGE: 10_000}
LEAST_DECIDED = {SMALL: 15_000, LARGE: 2_500}
MOST_BYTES = 3000


def figures(run: Run) -> Iterator[Figure]:
    """Reading again what was written; the floor only hashes and parses it."""
    for kind in KINDS:
        store = opened(run.folder / f"history-{kind.workflow}.db")
        bench = Bench(store)
        courses = _courses(bench, kind, run.of(600, 300))
        yield _replayed(run, kind, bench, courses)
        yield _decided(run, kind, bench, courses)
        yield _supposed(run, kind, courses)
        yield _weighed_alone(run, kind, bench, courses)
        if kind.workflow == LARGE:
            yield _bytes(kind, store)
        store.close()


def _courses(bench: Bench, kind: Kind, least: int) -> list[list[Record]]:
    """Whole courses, of so many records in all."""
    found: list[list[Record]] = []
    while sum(map(len, found)) < least:
        name = f"c-{len(found)}"
        bench.submit_many([[event] for event in timed(kind.tell(name))])
        found.append(bench.service.records(name))
    return found


def _replayed(run: Run, kind: Kind, bench: Bench, courses: Sequence[Sequence[Record]]) -> Figure:
    count = sum(map(len, courses))

    def floor_turn() -> float:
        return rate_of_one_core(count, lambda: _read(courses))

    def engine_turn() -> float:
        return rate_of_one_core(count, lambda: _prove(courses, bench.tenant))

    pair = in_turns(floor_turn, engine_turn, run.of(15, 7))
    return pair.judged_by_rate(
        f"replay to the row, chain verified, {kind.title}", LEAST_REPLAYED[kind.workflow]
    )


def _decided(run: Run, kind: Kind, bench: Bench, courses: Sequence[Sequence[Record]]) -> Figure:
    count = sum(map(len, courses))

    def floor_turn() -> float:
        return rate_of_one_core(count, lambda: _read(courses))

    def engine_turn() -> float:
        return rate_of_one_core(count, lambda: _decide(courses, bench))

    pair = in_turns(floor_turn, engine_turn, run.of(15, 5))
    return pair.judged_by_rate(
        f"every decision made again, {kind.title}", LEAST_DECIDED[kind.workflow]
    )


def _supposed(run: Run, kind: Kind, courses: Sequence[Sequence[Record]]) -> Figure:
    count = sum(map(len, courses))
    workflow = next(one for one in reversed(ALL) if one.name == kind.workflow)
    recorded = compiled(stored_form(workflow))
    other = compiled(stored_form(with_settings(workflow, ASKED[kind.workflow])))
    zones = Zones()

    def floor_turn() -> float:
        return rate_of_one_core(count, lambda: _read(courses))

    def suppose() -> None:
        for records in courses:
            what_if(
                records,
                recorded=lambda _: recorded,
                other=lambda _: other,
                zones=zones.of,
                policy=Policy.FOLLOW_RECORDED,
            )

    pair = in_turns(floor_turn, lambda: rate_of_one_core(count, suppose), run.of(15, 5))
    return pair.judged_by_rate(
        f"what-if under other parameters, {kind.title}", LEAST_DECIDED[kind.workflow]
    )


def _weighed_alone(
    run: Run, kind: Kind, bench: Bench, courses: Sequence[Sequence[Record]]
) -> Figure:
    verifier, count = code(), sum(map(len, courses))
    with bench.store.transaction(bench.tenant, write=False) as tx:
        definitions = {
            one.digest: verifier.Definition(json.loads(one.semantic)) for one in tx.definitions()
        }

    def weigh() -> None:
        for records in courses:
            wrong, _ = weighed(verifier, records, definitions, tenant=bench.tenant)
            if wrong is not None:
                raise ValueError(wrong)

    pair = in_turns(
        lambda: rate_of_one_core(count, lambda: _read(courses)),
        lambda: rate_of_one_core(count, weigh),
        run.of(3, 1),
    )
    return Figure(
        what=f"decisions weighed again by the stand-alone verifier, {kind.title}",
        floor=per_second(pair.floor),
        measured=per_second(pair.measured),
        ratio=f"{pair.ratio:.3f}",
        wanted="told, not judged",
        reached=True,
    )


def _bytes(kind: Kind, store: SqlStore) -> Figure:
    """A record with all that came with it: readings, messages, texts."""
    with store.engine.connect() as connection:
        sizes = [size for (size,) in connection.execute(text(_SIZES))]
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()
        page = connection.execute(text("PRAGMA page_size")).scalar_one()
    middle = median(sizes)
    return Figure(
        what=f"bytes a record brings to the disk, median, {kind.title}",
        floor=f"{pages * page / len(sizes):,.0f} with indexes, mean",
        measured=f"{middle:,.0f}",
        wanted=f"under {MOST_BYTES:,}",
        reached=middle < MOST_BYTES,
    )


def _read(courses: Sequence[Sequence[Record]]) -> None:
    for records in courses:
        for before, after in pairwise(records):
            if after.prev_hash != before.hash:
                raise ValueError("the chain is broken")
        for record in records:
            if hashlib.sha256(record.body).hexdigest() != record.hash:
                raise ValueError("the bytes were changed")
            json.loads(record.body)


def _prove(courses: Sequence[Sequence[Record]], tenant: str) -> None:
    for records in courses:
        fault = verify(records, course=records[0].course, tenant=tenant)
        if fault is not None or replay(records) is None:
            raise ValueError(f"{fault}")


def _decide(courses: Sequence[Sequence[Record]], bench: Bench) -> None:
    with bench.store.transaction(bench.tenant, write=False) as tx:
        for records in courses:
            for difference in decide_again(records, lambda d: bench.registry.machine(d, tx)):
                raise ValueError(f"{difference}")


_SIZES = """
SELECT length(body) + 2 * 64 + length(tenant || course || event_id || event || verdict || at)
  + length(recorded_at)
  + coalesce((SELECT sum(length(tenant || course || input || coalesce(at, '') || value) + 24)
      FROM regimen_readings AS r
      WHERE r.tenant = m.tenant AND r.course = m.course AND r.seq = m.seq), 0)
  + coalesce((SELECT sum(length(tenant || course || kind || body || recorded_at))
      FROM regimen_messages AS o
      WHERE o.tenant = m.tenant AND o.course = m.course AND o.seq = m.seq), 0)
  + coalesce((SELECT sum(length(tenant || course || path || salt || text || sha256))
      FROM regimen_texts AS t
      WHERE t.tenant = m.tenant AND t.course = m.course AND t.seq = m.seq), 0)
FROM regimen_records AS m
"""
