"""What is held of a course's readings is what the store would give, or the store is asked."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from engine.core.encoding import instant_from, instant_text
from engine.core.machine import Machine
from engine.core.view import Reading
from engine.past import Held, Past
from engine.store.sql import SqlStore
from tests.service.bench import NOW, Bench, said
from tests.workflows.courses import enzyme_hold
from workflows import intralesional_il2

HOUR = timedelta(hours=1)


class Asked:
    """A store of readings that notes what it was asked for."""

    def __init__(self, *readings: Reading) -> None:
        self.stored = [replace(r, value=str(r.value)) for r in readings]
        self.asked: list[Mapping[str, Any]] = []

    def readings(self, _: str, since: Mapping[str, Any]) -> Mapping[str, Sequence[Reading]]:
        self.asked.append(since)
        return {
            name: [
                r
                for r in self.stored
                if r.input == name and (start is None or (r.at is not None and r.at >= start))
            ]
            for name, start in since.items()
        }


def systolic(hours: int, seq: int, corrects: int | None = None) -> Reading:
    at = NOW + hours * HOUR
    return Reading("systolic", Decimal(100 + seq), at, at.date(), seq, corrects=corrects)


@pytest.fixture(scope="module")
def machine() -> Machine:
    return Machine(intralesional_il2.WORKFLOW, "digest", "prose")


@pytest.fixture
def stored() -> Asked:
    return Asked(systolic(0, 1), systolic(1, 2), systolic(2, 3))


def past(machine: Machine, stored: Asked, held: Mapping[str, Held]) -> Past:
    return Past(machine, stored, "C-1", held)  # type: ignore[arg-type]  # only its readings are asked


def test_what_was_shown_once_is_not_asked_for_again(machine: Machine, stored: Asked):
    first = past(machine, stored, {})
    first.readings({"systolic": NOW})
    second = past(machine, stored, first.held([systolic(3, 4)]))

    found = second.readings({"systolic": NOW + HOUR})

    assert found == {"systolic": [systolic(1, 2), systolic(2, 3), systolic(3, 4)]}
    assert len(stored.asked) == 1


def test_only_as_much_is_held_as_was_last_looked_at(machine: Machine, stored: Asked):
    first = past(machine, stored, {})
    first.readings({"systolic": NOW})
    first.readings({"systolic": NOW + 2 * HOUR})

    assert first.held([]) == {"systolic": Held(NOW + 2 * HOUR, [systolic(2, 3)])}


@pytest.mark.parametrize("start", [NOW - HOUR, None])
def test_for_what_lies_before_it_the_store_is_asked(machine: Machine, stored: Asked, start: Any):
    first = past(machine, stored, {})
    first.readings({"systolic": NOW})

    first.readings({"systolic": start})

    assert stored.asked == [{"systolic": NOW}, {"systolic": start}]


def test_a_late_reading_is_held_in_its_place(machine: Machine, stored: Asked):
    first = past(machine, stored, {})
    first.readings({"systolic": NOW + HOUR})

    held = first.held([replace(systolic(1, 4), at=NOW + 1.5 * HOUR), systolic(-1, 4)])

    assert [r.seq for r in held["systolic"].readings] == [2, 4, 3]


def test_a_correction_lets_go_of_what_was_held(machine: Machine, stored: Asked):
    first = past(machine, stored, {})
    first.readings({"systolic": NOW})

    assert first.held([systolic(1, 4, corrects=2)]) == {}


TOLD = [json.loads(record.body) for record in enzyme_hold().records]


def twice(store: SqlStore, tenant: str) -> list[Bench]:
    """Two services with the workflow; what the second holds is for the test to take away."""
    benches = [Bench(store, tenant), Bench(store, f"{tenant}-forgetful")]
    for bench in benches:
        bench.install(intralesional_il2.WORKFLOW)
    return benches


def sent(benches: list[Bench], body: Mapping[str, Any], at: str) -> int:
    """Send an event to both, of which the second knows of nothing before it; its record."""
    for bench in benches:
        bench.clock.time = instant_from(at)
        answer = bench.service.submit(dict(body))
    benches[1].service.setting.recent._left.clear()
    return answer.seq


def compared(benches: list[Bench]) -> list[Any]:
    remembered, forgotten = (said(bench.records("course-1")) for bench in benches)
    assert remembered == forgotten
    return remembered


def test_with_and_without_it_the_records_say_the_same(store: SqlStore, tenant: str):
    """A course with windows, late reports and holds, by a service that forgets everything too."""
    benches = twice(store, tenant)

    for body in TOLD:
        if body["event"]["actor"]["role"] != "engine":
            sent(benches, body["event"], body["recorded_at"])

    assert len(compared(benches)) >= len(TOLD)


def test_so_they_do_where_counts_are_taken_back_and_put_right_with_visits_booked_between(
    store: SqlStore, tenant: str
):
    """Three counts below 30 end treatment a day after the first of them, unless it was none."""
    benches = twice(store, tenant)
    for body in TOLD:
        if body["event"]["actor"]["role"] != "engine":
            sent(benches, body["event"], body["recorded_at"])
    last = instant_from(TOLD[-1]["recorded_at"])

    def more(hours: int, event: str, data: Mapping[str, Any], **rest: Any) -> int:
        at = instant_text(last + hours * HOUR)
        actor = {"id": "clinician-1", "role": "clinician"}
        told = {"format": 1, "id": f"more-{hours}", "course": "course-1", "event": event, "at": at}
        return sent(benches, {**told, "actor": actor, "data": data, **rest}, at)

    low = {"value": "29", "unit": "10*3/uL"}
    start = instant_text(last + 72 * HOUR)
    typing: dict[str, Any] = {"reason": {"code": "typing-error"}}
    first = more(1, "labs_recorded", {"platelets": low})
    more(2, "course.booked", {"booking": "b1", "visit": "escalation_visit", "start": start})
    more(13, "labs_recorded", {"platelets": low})
    wrong = {"record": first, "input": "platelets"}
    more(14, "course.corrected", {**wrong, "entered_in_error": True}, **typing)
    more(15, "course.cancelled", {"booking": "b1"})
    more(26, "labs_recorded", {"platelets": low})
    assert compared(benches)[-1]["state"][1] == "escalation"

    more(27, "course.corrected", {**wrong, "value": low}, **typing)
    assert compared(benches)[-1]["state"][1] == "il2_discontinued"
