"""What was known when something was decided, beyond what its record says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from engine.audit import Auditor
from engine.core.finding import Missing
from engine.core.view import Reading
from engine.errors import InvalidInput
from engine.service import Service

Lacking = Mapping[str, tuple[Missing, ...]]
"""What requirements lacked, by guard."""
Lacked = Mapping[int, Lacking]
"""The same of many decisions, by record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was known when something was decided at `at`, beyond what its record says.

    `lacking` is what requirements lacked, by guard; `latest` are readings, by input; `age` is how
    far the event's own time lay back.
    """

    at: datetime | None = None
    age: timedelta | None = None
    lacking: Mapping[str, tuple[Missing, ...]] = field(default_factory=dict)
    latest: Mapping[str, Reading] = field(default_factory=dict)


NOTHING_SEEN = Seen()


def lacked(service: Service, course: str) -> Lacked:
    """What the requirements of a course lacked; nothing where its records cannot be read so far."""
    auditor = Auditor(store=service.store, registry=service.setting.registry, tenant=service.tenant)
    try:
        return auditor.lacking(course)
    except (LookupError, ValueError, InvalidInput):
        return {}


def texts_of(service: Service, course: str, seqs: Iterable[int]) -> dict[int, dict[str, str]]:
    """The free texts of records by place; what was erased is not there."""
    with service.store.transaction(service.tenant, write=False) as tx:
        return {
            seq: {
                place: text
                for place, (_, text) in tx.texts(course, seq).items()
                if text is not None
            }
            for seq in seqs
        }


def elapsed(length: timedelta) -> str:
    """A length of time as people say it: `24 hours`, `26 hours 20 minutes`, `3 days 4 hours`."""
    minutes = max(0, int(length.total_seconds())) // 60
    if minutes < 72 * 60:
        parts = ((minutes // 60, "hour"), (minutes % 60, "minute"))
    else:
        parts = ((minutes // 1440, "day"), (minutes % 1440 // 60, "hour"))
    told = [f"{n} {unit}{'' if n == 1 else 's'}" for n, unit in parts if n]
    return " ".join(told) or "less than a minute"
