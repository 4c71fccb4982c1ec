"""What a careful reader of the protocol knows of a course from what was sent and answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from engine.core.encoding import instant_from
from engine.core.event import CORRECTIONS, RETRACTED

SUPRAVENTRICULAR = {"atrial_fibrillation", "atrial_flutter", "supraventricular_tachycardia"}
STOPPING_TERMS = {
    "atrial_fibrillation",
    "supraventricular_tachycardia",
    "confusion",
    "delirium",
    "encephalopathy",
    "other_neurotoxicity",
}
HOLDS = {"test_dose_hold", "dose_hold"}
TESTING = {"observing_test_dose", "assessing_tolerance", "test_dose_review"}

Body = dict[str, Any]
"""A record's bytes, parsed."""


@dataclass(slots=True)
class Dose:
    """An injection as it is on record now: `at` is `None` where nobody says, `amount` likewise."""

    seq: int
    round: int
    at: datetime | None
    amount: Decimal | None
    records: set[int]
    retracted: bool = False


class Shadow:
    """The round of a course as far as the safety of the next dose depends on it.

    It never looks at what the course remembers: only at what was sent, the verdicts, and the states
    through which the course went.
    """

    def __init__(self) -> None:
        self.round = 0
        self.injected_at: datetime | None = None
        self.few_comorbidities = False
        self.doses: list[Dose] = []
        self.granted = True
        """The round began with the evaluation, and not with an injection after IL-2 was over."""
        self._forget()

    @property
    def stopped(self) -> bool:
        """IL-2 of this round was discontinued, or should have been."""
        return self.discontinued or bool(self.facts)

    @property
    def given(self) -> list[Dose]:
        """What was injected, as far as it is on record: without what was entered in error."""
        return [dose for dose in self.doses if not dose.retracted]

    def observed_until(self, dose: Dose) -> datetime:
        """When its six hours are over; of one without a time nobody can say."""
        return datetime.min.replace(tzinfo=UTC) if dose.at is None else dose.at + timedelta(hours=6)

    @property
    def total(self) -> Decimal | None:
        """IL-2 in all; unknown when an amount is."""
        amounts = [dose.amount for dose in self.given]
        return None if None in amounts else sum((a for a in amounts if a is not None), Decimal(0))

    def see(self, body: Body) -> None:
        """Take in one more record."""
        if body["verdict"] == "refused":
            return
        event, (before, after) = body["event"], body["state"]
        name, sent = event["event"], event.get("data") or {}
        happened = instant_from(event["at"]) if isinstance(event["at"], str) else None
        number = body["changes"].get("round", self.round)
        if name == "dose_given" and (self.injected_at is None or number != self.round):
            self.granted = self.injected_at is None or before == "restart_baseline"
            self.injected_at = happened
            self._forget()
        self.round = number
        self._doses(body["seq"], name, sent, happened)
        if name == "comorbidities_attested" and "few_comorbidities" in sent:
            self.few_comorbidities = sent["few_comorbidities"]
        self._tolerance(name, before, after)
        self._holds(name, sent, after)
        self._stops(body["seq"], name, sent, happened)
        if name in CORRECTIONS and before != after:
            self.discontinued = False
        if after == "il2_discontinued":
            self.discontinued = True

    def _forget(self) -> None:
        self.tolerated = self.held = self.cleared = self.discontinued = False
        self.facts: set[int] = set()

    def _doses(self, seq: int, name: str, sent: dict[str, Any], happened: datetime | None) -> None:
        if name == "dose_given":
            dose = Dose(seq, self.round, happened, _amount(sent["amount"]), {seq})
            self.doses.append(dose)
            if self.round == 1 and happened is not None and self.injected_at is not None:
                self.injected_at = min(self.injected_at, happened)
        if name not in CORRECTIONS or sent["input"] != "il2_dose":
            return
        dose = next(dose for dose in self.doses if sent["record"] in dose.records)
        dose.records.add(seq)
        dose.retracted = name == RETRACTED or bool(sent.get("entered_in_error"))
        if not dose.retracted:
            dose.amount = _amount(sent["value"])
            if "at" in sent["value"]:
                dose.at = instant_from(sent["value"]["at"])
        # What was watched from an injection that was none is watched from the first that was one.
        times = [d.at for d in self.given if d.round == self.round and d.at is not None]
        if times and self.injected_at is not None:
            self.injected_at = max(self.injected_at, min(times))

    def _tolerance(self, name: str, before: str | None, after: str) -> None:
        if after in TESTING:
            self.tolerated = False
        if name == "confirm_tolerated" and before in TESTING:
            self.tolerated = True

    def _holds(self, name: str, sent: dict[str, Any], after: str) -> None:
        if after in HOLDS:
            if not self.held:
                self.cleared = False
            self.held = True
        if name == "echocardiogram_recorded":
            self.cleared = sent["echocardiogram"] == "no_dysfunction"
        if name in CORRECTIONS and sent["input"] == "echocardiogram":
            self.cleared = True  # whichever it was: let the engine say which one counts now
        if name == "release_hold":
            self.held = False

    def _stops(self, seq: int, name: str, sent: dict[str, Any], happened: datetime | None) -> None:
        if name in CORRECTIONS:
            # What was entered in error was no reason; a value put right may be one.
            self.facts.discard(sent["record"])
            return
        if name == "revoke_discontinuation":
            # A clinician's word, with a reason, that what was reported never was.
            self.facts.clear()
            self.discontinued = False
        known = self.injected_at is not None and happened is not None
        if known and happened >= self.injected_at and is_reason_to_stop(name, sent):
            self.facts.add(seq)


def is_reason_to_stop(name: str, sent: dict[str, Any]) -> bool:
    """Whether a report is by itself a reason to discontinue: E01, E02, E03, N05."""
    if name == "labs_recorded" and "creatinine" in sent:
        return _number(sent["creatinine"]) > 3
    if name in {"vital_signs_recorded", "electrocardiogram_recorded"}:
        return sent.get("rhythm") in SUPRAVENTRICULAR
    if name == "adverse_event_reported":
        return sent["term"] in STOPPING_TERMS
    return name == "echocardiogram_recorded" and sent["echocardiogram"] == "dysfunction"


def _amount(value: Any) -> Decimal | None:
    return None if value["value"] is None else _number(value)


def _number(value: Any) -> Decimal:
    """Of a quantity as it is sent, or as a story tells it."""
    return Decimal(value.split(" ")[0] if isinstance(value, str) else value["value"])
