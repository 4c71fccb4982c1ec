"""A clinic with very many courses, written into the tables that worklists read.

What a worklist must not do is to look at courses that it does not show, so most of them are far
from every list: their windows open in months, their bookings agree, nothing waits.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any

from sqlalchemy import insert

from engine.core.definition import Signature
from engine.registry import stored_form
from engine.store.sql import SqlStore
from engine.store.tables import bookings, courses, definitions, prose, records, visits
from tests.core.tiny import tiny

TODAY = date(2026, 3, 6)
SITES = tuple(f"site-{n:03}" for n in range(100))
ZONE = "America/Los_Angeles"
AT_ONCE = 5_000
LONG = 20
"""How many records a course has, of those whose records are looked at."""

_TINY = tiny()
SIGNED = stored_form(
    replace(
        _TINY,
        events=tuple(
            replace(one, signature=Signature(meaning="told") if one.name == "told" else None)
            for one in _TINY.events
        ),
    )
)
"""A workflow whose reports have to be signed."""

WHERE = (
    (0.04, (-400, -5)),  # missed
    (0.02, (-4, -3)),  # overdue
    (0.04, (-2, 0)),  # due now
    (0.08, (1, 7)),  # due soon
    (1.00, (8, 300)),
)
"""How many of the courses have a window that opens so many days from today."""

SPOILT = (
    (0.010, "outside-window"),
    (0.005, "below-minimum-gap"),
    (0.010, "on-hold"),
    (0.005, "no-such-visit"),
)
"""How many of the courses have a booking that something speaks against."""


def fill(store: SqlStore, tenant: str, many: int) -> None:
    """Write so many courses, each with a visit, half of them with a booking."""
    chance = Random(many)
    with store.engine.begin() as connection:
        digest = {"tenant": tenant, "digest": "d"}
        connection.execute(insert(prose), digest | {"prose": b"{}"})
        known = {"name": "w", "version": "1", "semantic": b"{}", "prose_digest": "d"}
        connection.execute(insert(definitions), digest | known)
    with store.transaction(tenant) as tx:
        tx.define(SIGNED)
    for first in range(0, many, AT_ONCE):
        made = list(_made(tenant, range(first, min(many, first + AT_ONCE)), chance))
        with store.engine.begin() as connection:
            for n, table in enumerate((courses, visits, bookings)):
                rows = [rows[n] for rows in made if rows[n] is not None]
                connection.execute(insert(table), rows)
            waiting = [one for course, *_ in made if course["unsigned"] for one in _log(course)]
            connection.execute(insert(records), waiting)
    with store.engine.begin() as connection:
        if connection.dialect.name == "postgresql":  # its autovacuum does so within a minute
            connection.exec_driver_sql(
                "ANALYZE regimen_courses, regimen_visits, regimen_bookings, regimen_records"
            )


Row = dict[str, Any]


def _made(tenant: str, numbers: range, chance: Random) -> Iterator[tuple[Row, Row, Row | None]]:
    for number in numbers:
        place = {"tenant": tenant, "course": f"course-{number:06}"}
        draw, spoilt = chance.random(), _first(SPOILT, chance.random())
        low, high = next(days for share, days in _running(WHERE) if draw < share)
        earliest = TODAY + timedelta(days=chance.randint(low, high))
        waits = _waits(chance.random())
        if spoilt is not None:  # on hold nothing else is said of a booking
            waits = "hold" if spoilt == "on-hold" else None
        site = chance.choice(SITES)
        held, questions = waits == "hold", int(chance.random() < 0.03)
        visit = {
            **place,
            "name": "review" if held else "visit",
            "number": 1,
            "earliest": earliest,
            "target": earliest + timedelta(days=2),
            "latest": earliest + timedelta(days=4),
            "not_before": _noon(earliest + timedelta(days=1)),
            "site": site,
        }
        booked = spoilt is not None or (not held and chance.random() < 0.5)
        booking = _booking(place, earliest, spoilt) if booked else None
        row: Row = {"questions": {"too_high": ["level (stale)"]} if questions else {}}
        findings = int(chance.random() < 0.01)
        if findings:
            row["open_findings"] = {"5": [4, 2, "level", [3]]}
        unsigned = int(chance.random() < 0.01)
        if unsigned:
            row |= {
                "digest": SIGNED.digest,
                "unsigned": {str(number % LONG + 1): ["told", "w-1", []]},
            }
        course = {
            **place,
            "workflow": "w",
            "digest": "d",
            "patient": f"p-{number}",
            "site": site,
            "zone": ZONE,
            "state": "held" if held else "running",
            "stage": "treatment",
            "seq": 1,
            "revision": 1,
            "open": True,
            "row": json.dumps(row | {"arranged": {}, "padding": "x" * 2_000}),
            "waits": waits,
            "questions": questions,
            "findings": findings,
            "unsigned": unsigned,
            "conflicts": spoilt,
        }
        yield course, visit, booking


def _log(course: Row) -> Iterator[Row]:
    """The records of a course, one of which waits for a signature; nobody looks at their bytes."""
    for seq in range(1, LONG + 1):
        yield {
            **{name: course[name] for name in ("tenant", "course")},
            "seq": seq,
            "event_id": f"e{seq}",
            "event": "told",
            "verdict": "accepted",
            "body": b"{}",
            "hash": f"{course['course']}-{seq}",
            "prev_hash": "",
            "at": _noon(TODAY),
            "recorded_at": _noon(TODAY),
        }


def _booking(place: Row, earliest: date, spoilt: str | None) -> Row:
    ahead = {"outside-window": 9, "below-minimum-gap": 0}.get(spoilt or "", 2)
    start = _noon(earliest + timedelta(days=ahead))
    return {
        **place,
        "name": "b1",
        "visit": "visit",
        "number": 7 if spoilt == "no-such-visit" else 1,
        "start": start,
        "on_date": start.date(),
        "minutes": 60,
        "status": "booked",
        "changes": 0,
        "seq": 1,
    }


def _noon(day: date) -> datetime:
    """Noon in Los Angeles, but for the hour of summer time."""
    return datetime.combine(day, time(20), UTC)


def _waits(draw: float) -> str | None:
    return "hold" if draw < 0.02 else "decision" if draw < 0.025 else None


def _first(shares: tuple[tuple[float, str], ...], draw: float) -> str | None:
    return next((what for share, what in _running(shares) if draw < share), None)


def _running(shares: tuple[tuple[float, Any], ...]) -> Iterator[tuple[float, Any]]:
    so_far = 0.0
    for share, what in shares:
        so_far += share
        yield so_far, what
