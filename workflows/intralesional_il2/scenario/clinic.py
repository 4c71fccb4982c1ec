"""A clinic that tells one course: what time it is there, what it says, and what it sees."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from engine.core.encoding import Json, instant_text
from engine.scenario import Seen, Telling, Wait
from workflows.intralesional_il2 import WORKFLOW
from workflows.intralesional_il2.scenario.patient import Patient

SITES: Mapping[str, str] = {
    "clinic-west": "America/Los_Angeles",
    "clinic-east": "America/New_York",
    "clinic-rhine": "Europe/Berlin",
}
SOFT = frozenset(r.guard for t in WORKFLOW.transitions for r in t.requires if r.soft)
"""The guards that an override may pass."""


class Clinic:
    """Where one course is told. `seen` is what was last seen of it."""

    def __init__(self, rng: Random, course: str, start: datetime) -> None:
        self.rng = rng
        self.course = course
        self.patient = Patient.drawn(rng)
        self.site = rng.choice(sorted(SITES))
        self.zone = ZoneInfo(SITES[self.site])
        self.start = start + timedelta(days=rng.randrange(0, 120))
        self.seen = Seen(now=start, state="", row=b"{}")

    # --- saying -----------------------------------------------------------------------------------

    def enrols(self) -> Telling[None]:
        """The course begins, on a morning."""
        yield from self.morning(self.start.date())
        self.seen = yield {
            "event": "course.enrolled",
            "actor": self._actor("clinician"),
            "patient": f"P-{self.course}",
            "site": self.site,
            "zone": SITES[self.site],
        }

    def says(
        self,
        event: str,
        role: str = "clinician",
        *,
        at: datetime | None = None,
        reason: str | None = None,
        override: Iterable[str] = (),
        **data: Json,
    ) -> Telling[Seen]:
        """An event, some minutes after the one before; with `at` in the past, a late entry."""
        yield from self.waits(minutes=self.rng.randint(1, 6))
        body: dict[str, Json] = {"event": event, "actor": self._actor(role), "data": data}
        if at is not None:
            body["at"] = instant_text(min(at, self.now))
        if reason is not None:
            body["reason"] = {"code": reason}
        if passing := [guard for guard in override if guard in SOFT]:
            code = self.rng.choice(("clinical-judgement", "unavailable", "documented-elsewhere"))
            text = f"Discussed on {self.today.isoformat()}."
            body["override"] = {"code": code, "guards": passing, "text": text}
        self.seen = yield body
        return self.seen

    def corrects(self, record: int, of: str, value: Json) -> Telling[Seen]:
        """A reading that was typed wrongly is put right."""
        data = {"record": record, "input": of, "value": value}
        return (yield from self.says("course.corrected", "nurse", reason="typing-error", **data))

    # --- time -------------------------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        return self.seen.now

    @property
    def today(self) -> date:
        """The date on the clinic's wall."""
        return self.now.astimezone(self.zone).date()

    @property
    def state(self) -> str:
        return self.seen.state

    def waits(self, *, days: float = 0, hours: float = 0, minutes: float = 0) -> Telling[None]:
        """Elapsed time passes."""
        yield from self.until(self.now + timedelta(days=days, hours=hours, minutes=minutes))

    def until(self, when: datetime) -> Telling[None]:
        """Time passes until an instant; what is past is now."""
        # Whole seconds, as people write them down.
        self.seen = yield Wait(until=max(when.replace(microsecond=0), self.now))

    def morning(self, on: date) -> Telling[None]:
        """Time passes until some time in a morning, or not at all when that is over."""
        hour, minute = self.rng.randint(8, 10), self.rng.randrange(0, 60)
        yield from self.until(datetime.combine(on, time(hour, minute), self.zone))

    def days_pass(self, low: int, high: int) -> Telling[None]:
        """The morning after so many days."""
        yield from self.morning(self.today + timedelta(days=self.rng.randint(low, high)))

    # --- chance -----------------------------------------------------------------------------------

    def chance(self, of: float) -> bool:
        return self.rng.random() < of

    def drawn(self, weights: Mapping[str, int]) -> str:
        """One of the names, each as often as its weight says."""
        return self.rng.choices(list(weights), list(weights.values()))[0]

    # --- what the course remembers ----------------------------------------------------------------

    @property
    def round(self) -> int:
        """Which pass from the baseline to follow-up it is."""
        return self.seen.round

    def number(self, variable: str) -> float | None:
        """A number or quantity that the course remembers."""
        found = self.seen.variables.get(variable)
        return None if found is None else float(found)

    def day(self, variable: str) -> date | None:
        """A date that the course remembers."""
        found = self.seen.variables.get(variable)
        return None if found is None else date.fromisoformat(found)

    def marked(self, variable: str) -> bool:
        """Whether a mark is set."""
        return self.seen.variables.get(variable) is True

    def remembers(self, variable: str, word: str) -> bool:
        """Whether a coded variable has a value."""
        return bool(self.seen.variables.get(variable) == word)

    def _actor(self, role: str) -> dict[str, str]:
        return {"id": f"{self.site}-{role}", "role": role}


def of(amount: float | str, unit: str) -> Json:
    """A quantity as an event takes it."""
    number = amount if isinstance(amount, str) else f"{amount:g}"
    return {"value": number, "unit": unit}
