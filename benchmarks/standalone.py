"""Whether the stand-alone verifier agrees with the engine: python -m benchmarks.standalone --help

Courses are simulated by the engine and weighed again by the verifier, record by record, without a
database between them. A look for agreement alone would not see a verifier that says yes to all, so
in every tenth course one decision is altered and the chain linked anew: that has to be refused, at
that record and for that decision.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import logging
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

import structlog

from engine import standalone
from engine.clock import VirtualClock
from engine.core.encoding import canonical, instant_from
from engine.core.record import Record, hash_of
from engine.ports import Definition, Transaction, Write
from engine.registry import Registry
from engine.scenario import Scenario
from engine.service import Service
from engine.simulation import scenario_of, simulate
from engine.store.memory import MemoryStore
from engine.submission import Setting
from engine.zones import Zones

TENANT = "simulated"
FORGED_EACH = 10


@dataclass(slots=True)
class Agreement:
    """What was found so far; `wrong` says where the two do not agree."""

    courses: int = 0
    records: int = 0
    verdicts: int = 0
    forged: int = 0
    refused: int = 0
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        rate = self.records / self.seconds if self.seconds else 0
        return (
            f"{self.courses:,} courses, {self.records:,} records, {self.verdicts:,} verdicts of "
            f"guards: {len(self.wrong)} differ; of {self.forged:,} altered decisions "
            f"{self.refused:,} refused; {rate:,.0f} records/s of one core"
        )


def agreement(courses: int, seed: int, workflow: str | None = None) -> Iterator[Agreement]:
    """Simulate courses, and weigh each again; what was found after each of them."""
    verifier = code()
    store, scenario = Passing(), scenario_of(["workflows"], workflow)
    service = _service(store, scenario)
    definitions = {
        one.digest: verifier.Definition(json.loads(one.semantic)) for one in store.defined()
    }
    found, chance = Agreement(), Random(seed)  # it plays
    for told in simulate(
        service, scenario, courses=courses, seed=seed, start=date(2024, 1, 1), processes=1
    ):
        records = store.taken()
        began = time.process_time()
        wrong, verdicts = weighed(verifier, records, definitions)
        found.seconds += time.process_time() - began
        found.courses, found.records = found.courses + 1, found.records + len(records)
        found.verdicts += verdicts
        if wrong is not None:
            found.wrong.append(f"{told.course} {wrong}")
        elif found.courses % FORGED_EACH == 0 and records:
            _forge(verifier, found, records, definitions, chance)
        yield found


def weighed(
    verifier: ModuleType,
    records: Sequence[Record],
    definitions: dict[str, Any],
    tenant: str = TENANT,
) -> tuple[str | None, int]:
    """What the verifier finds wrong with a course first, and how many verdicts it weighed."""
    if not records:
        return None, 0
    course = verifier.Course(tenant, records[0].course)
    for record in records:
        try:
            course.take({"hash": record.hash, "body": record.body.decode()}, definitions)
        except verifier.Wrong as wrong:
            return f"record {course.seq + 1}: {wrong}", course.weighed
    return None, course.weighed


def code() -> ModuleType:
    """The verifier, as an auditor has it: a file, and no part of this package."""
    path = Path(standalone.__file__).with_name("regimen_verify.py")
    spec = importlib.util.spec_from_file_location("regimen_verify", path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    found = importlib.util.module_from_spec(spec)
    sys.modules["regimen_verify"] = found
    spec.loader.exec_module(found)
    return found


class Passing:
    """A store that gives what is written on to whoever asks, and keeps nothing but definitions."""

    def __init__(self) -> None:
        self._memory = MemoryStore()
        self._writes: list[Write] = []

    @contextmanager
    def transaction(self, tenant: str, **how: bool) -> Iterator[Transaction]:
        with self._memory.transaction(tenant, **how) as tx:
            yield _Through(tx, self._writes)  # type: ignore[misc]  # all else is the store's

    def close(self) -> None:
        self._memory.close()

    def defined(self) -> Sequence[Definition]:
        with self._memory.transaction(TENANT, write=False) as tx:
            return tx.definitions()

    def taken(self) -> list[Record]:
        records = [write.record for write in self._writes]
        self._writes.clear()
        return records


class _Through:
    def __init__(self, tx: Transaction, writes: list[Write]) -> None:
        self._tx, self._writes = tx, writes

    def __getattr__(self, name: str) -> object:
        return getattr(self._tx, name)

    def append(self, write: Write) -> None:
        self._writes.append(write)


def _service(store: Passing, scenario: Scenario) -> Service:
    import workflows  # noqa: PLC0415  # what is simulated

    registry = Registry()
    with store.transaction(TENANT) as tx:
        registry.install([w for w in workflows.ALL if w.name == scenario.workflow], tx)
    setting = Setting(
        tenant=TENANT,
        registry=registry,
        clock=VirtualClock(datetime(2024, 1, 1, tzinfo=UTC)),
        calendars=Zones(),
        salt=str,
        version="bench",
    )
    return Service(store, setting)  # type: ignore[arg-type]  # it is one, as far as it is asked


def _forge(
    verifier: ModuleType,
    found: Agreement,
    records: Sequence[Record],
    definitions: dict[str, Any],
    chance: Random,
) -> None:
    """Alter one decision, link the chain anew, and see that it is refused in its place."""
    bodies = [json.loads(record.body) for record in records]
    places = [
        (n, path)
        for n, body in enumerate(bodies)
        for path in _decided({"decision": body["decision"], "changes": body["changes"]})
        if not body["event"]["event"].startswith("course.")
    ]
    n, path = chance.choice(places)
    holder = bodies[n]
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = _OTHER.get(holder[path[-1]], "no")
    wrong, _ = weighed(verifier, _linked(bodies), definitions)
    found.forged += 1
    if wrong is None or not wrong.startswith(f"record {n + 1}: decision: "):
        place = f"{records[0].course} record {n + 1} {path}"
        found.wrong.append(f"{place}: altered, and what is found is {wrong}")
    else:
        found.refused += 1


_OTHER = {"yes": "no", "no": "unknown", "unknown": "yes", "refused": "accepted",
          "accepted": "refused"}  # fmt: skip


def _decided(
    part: dict[str, Any] | list[Any], path: tuple[str | int, ...] = ()
) -> Iterator[tuple[str | int, ...]]:
    """The places of verdicts, of rules and of the state, in what was decided."""
    for key, value in part.items() if isinstance(part, dict) else enumerate(part):
        if key in ("findings", "unknown", "visits", "civil", "bookings", "questions"):
            continue
        if isinstance(value, dict | list):
            yield from _decided(value, (*path, key))
        elif key in ("verdict", "rule", "guard", "state", "transition", "reason", "moved_by"):
            yield (*path, key)


def _linked(bodies: Sequence[Any]) -> list[Record]:
    made: list[Record] = []
    for body in bodies:
        body["prev"] = made[-1].hash if made else "0" * 64
        text = canonical(body)
        made.append(
            Record(
                course=body["course"], seq=body["seq"], event_id=body["event"]["id"],
                event=body["event"]["event"], verdict=body["verdict"], at=None,
                recorded_at=instant_from(body["recorded_at"]),
                prev_hash=body["prev"], hash=hash_of(text), body=text,
            )
        )  # fmt: skip
    return made


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.standalone", description=__doc__)
    parser.add_argument("--courses", type=int, default=100, help="of each seed")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--workflow")
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    bad = 0
    for seed in asked.seeds:
        found = Agreement()
        for found in agreement(asked.courses, seed, asked.workflow):
            if found.courses % 100 == 0:
                print(f"seed {seed}: {found}", file=sys.stderr, flush=True)
        print(f"seed {seed}: {found}", flush=True)
        for wrong in found.wrong[:20]:
            print(f"  {wrong}")
        bad += len(found.wrong)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
