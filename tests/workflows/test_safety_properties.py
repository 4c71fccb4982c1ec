"""No sequence of events, however adverse, grants what the protocol forbids or loses what happened.

A shadow of the course is kept from what was sent and answered, and never from what the course
remembers: it is the protocol's word against the engine's.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
)

from engine.core.event import CORRECTED
from engine.submission import Answer
from engine.testing import Story, said
from tests.workflows.anything import AMOUNTS, CODES, EVENTS, GUARDS, REPORTS, REQUESTS, data
from tests.workflows.il2 import (
    after_dose,
    after_test_dose,
    assessing,
    at_baseline,
    begun,
    day_of_visit,
    escalating,
    in_dose_hold,
    in_maintenance,
    in_tail,
    on_day_of_visit,
    split,
)

BEGINNINGS: dict[str, Callable[[], Story]] = {
    "nothing": begun,
    "baseline": at_baseline,
    "after the test dose": after_test_dose,
    "assessing": assessing,
    "escalating": escalating,
    "before a dose": on_day_of_visit,
    "after a dose": after_dose,
    "held": in_dose_hold,
    "tail": in_tail,
    "maintenance": in_maintenance,
    "retrospective": lambda: begun(retrospective=True),
}
SUPRAVENTRICULAR = {"atrial_fibrillation", "atrial_flutter", "supraventricular_tachycardia"}
STOPPING_TERMS = {
    "atrial_fibrillation", "supraventricular_tachycardia", "confusion", "delirium",
    "encephalopathy", "other_neurotoxicity",
}  # fmt: skip
HOLDS = {"test_dose_hold", "dose_hold"}
TESTING = {"observing_test_dose", "assessing_tolerance", "test_dose_review"}


class Shadow:
    """What a careful reader of the protocol knows after each event."""

    def __init__(self) -> None:
        self.round = 0
        self.injected_at: datetime | None = None
        self.tolerated = self.held = self.stopped = False
        self.few_comorbidities = False

    def see(self, body: dict[str, Any], story: Story) -> None:
        event, verdict = body["event"], body["verdict"]
        name, sent = event["event"], event.get("data") or {}
        before, after = body["state"]
        if verdict == "refused":
            return
        at = event["at"]
        happened = story.at(at) if isinstance(at, str) else None
        number = story_round(body, self.round)
        if name == "dose_given" and (self.injected_at is None or number != self.round):
            self.injected_at = happened
            self.tolerated = self.held = self.stopped = False
        self.round = number
        if name == "comorbidities_attested" and "few_comorbidities" in sent:
            self.few_comorbidities = sent["few_comorbidities"]
        if after in TESTING:
            self.tolerated = False
        if name == "confirm_tolerated" and before in TESTING:
            self.tolerated = True
        if after in HOLDS:
            self.held = True
        if name == "release_hold":
            self.held = False
        if after == "il2_discontinued":
            self.stopped = True
        if stops(name, sent) and self.injected_at is not None and happened is not None:
            self.stopped = self.stopped or happened >= self.injected_at


def story_round(body: dict[str, Any], known: int) -> int:
    changed = body["changes"].get("round", known)
    assert isinstance(changed, int)
    return changed


def stops(name: str, sent: dict[str, Any]) -> bool:
    """Whether a report is by itself a reason to discontinue: E01, E02, E03, N05."""
    if name == "labs_recorded" and "creatinine" in sent:
        return Decimal(sent["creatinine"]["value"]) > 3
    if name in {"vital_signs_recorded", "electrocardiogram_recorded"}:
        return sent.get("rhythm") in SUPRAVENTRICULAR
    if name == "adverse_event_reported":
        return sent["term"] in STOPPING_TERMS
    return name == "echocardiogram_recorded" and sent["echocardiogram"] == "dysfunction"


class Courses(RuleBasedStateMachine):
    """A course to which anything happens, in any order, late or in time, with every override."""

    @initialize(beginning=st.sampled_from(sorted(BEGINNINGS)))
    def begin(self, beginning: str) -> None:
        self.story = BEGINNINGS[beginning]().fork()
        self.shadow = Shadow()
        self.seen = 0
        self.bodies: dict[int, dict[str, Any]] = {}
        self.catch_up()
        self.readings: list[tuple[Answer, str]] = []

    # --- what may happen --------------------------------------------------------------------------

    @rule(hours=st.sampled_from([0, 1, 2, 6, 12, 24, 48, 72, 24 * 7, 24 * 29]))
    def wait(self, hours: int) -> None:
        self.story.advance(hours=hours)
        self.catch_up()

    @rule(sent=st.data(), late=st.sampled_from([0, 0, 0, 1, 20, 70]))
    def report(self, sent: st.DataObject, late: int) -> None:
        name = sent.draw(st.sampled_from(REPORTS), label="report")
        answer = self.send(name, sent, late)

        assert answer.verdict in {"accepted", "deviation"}, f"{name}: {said(answer)}"
        self.note(answer, name)

    @rule(sent=st.data(), late=st.sampled_from([0, 0, 5]), force=st.booleans())
    def request(self, sent: st.DataObject, late: int, force: bool) -> None:
        self.send(sent.draw(st.sampled_from(REQUESTS), label="request"), sent, late, force=force)

    @rule(amount=st.sampled_from(AMOUNTS), code=st.sampled_from([*CODES, "not-published"]))
    def order_with_every_override(self, amount: str, code: str) -> None:
        """Everything of the day is normal, and a clinician gives a reason for whatever is soft."""
        day_of_visit(self.story)
        self.catch_up()
        order = f"{amount} M[IU]"
        for event in ("order_test_dose", "order_dose"):
            self.story.sends(
                event, role="clinician", amount=order, split=split(order),
                override=GUARDS[event], code=code,
            )  # fmt: skip
            self.catch_up()

    @rule(amount=st.sampled_from(["7 M[IU]", "10 M[IU]"]))
    def visit(self, amount: str) -> None:
        """A visit as it should be, as far as the course allows it."""
        day_of_visit(self.story)
        for event in ("order_test_dose", "order_dose"):
            self.story.sends(event, role="clinician", amount=amount, split=split(amount),
                             override=GUARDS[event], code="clinical-judgement")  # fmt: skip
        answer = self.story.sends("dose_given", role="nurse", amount=amount)
        assert not answer.refused
        for _ in range(2):
            self.story.advance(hours=3)
            day_of_visit(self.story)
        self.story.sends("confirm_tolerated", role="clinician")
        self.catch_up()

    @rule(sent=st.data(), right=st.booleans())
    @precondition(lambda self: getattr(self, "readings", []))
    def correct(self, sent: st.DataObject, right: bool) -> None:
        wrong, name = sent.draw(st.sampled_from(self.readings), label="wrong")
        declared = {field.input: field for field in EVENTS[wrong.event].fields}[name]
        fields = sent.draw(data(EVENTS[wrong.event]), label="right")
        value = fields.get(declared.name) if right else None
        answer = self.story.corrects(wrong, name, value, role="clinician")

        assert answer.verdict == "accepted", said(answer)
        self.catch_up()

    # --- what must hold --------------------------------------------------------------------------

    def teardown(self) -> None:
        if hasattr(self, "story"):
            assert len(self.story.records) == self.story.snapshot.seq == self.seen
            self.story.verify()

    # --- how -------------------------------------------------------------------------------------

    def send(self, name: str, sent: st.DataObject, late: int, *, force: bool = False) -> Answer:
        event = EVENTS[name]
        how: dict[str, Any] = {"role": sent.draw(st.sampled_from(event.roles), label="role")}
        if event.reason_codes:
            how["reason"] = event.reason_codes[0]
        if force and GUARDS[name]:
            how |= {"override": GUARDS[name], "code": "clinical-judgement"}
        if late:
            how["at"] = self.story.clock.now() - timedelta(hours=late)
        answer = self.story.sends(name, data=sent.draw(data(event), label="data"), **how)
        self.catch_up()
        return answer

    def note(self, answer: Answer, name: str) -> None:
        body = self.bodies[answer.seq]
        inputs = [f.input for f in EVENTS[name].fields if f.name in body["event"]["data"]]
        self.readings += [(answer, declared) for declared in inputs if declared is not None]

    def catch_up(self) -> None:
        """Look at every record since, with what was known before it."""
        for record in self.story.service.records(self.story.course, after=self.seen):
            self.seen += 1
            assert record.seq == self.seen, "a record was lost"
            body = json.loads(record.body)
            self.judge(body)
            self.shadow.see(body, self.story)
            self.bodies[self.seen] = body

    def judge(self, body: dict[str, Any]) -> None:
        name, verdict = body["event"]["event"], body["verdict"]
        if name == CORRECTED or name in REPORTS:
            assert verdict != "refused", f"a report was refused: {name}"
        if name not in {"order_dose", "order_test_dose"} or verdict == "refused":
            return
        amount = Decimal(body["event"]["data"]["amount"]["value"])
        assert amount <= 22, "above the ceiling"
        assert body["state"][0] not in HOLDS, "while held"
        if name == "order_test_dose":
            assert 3 <= amount <= 7, "a test dose of 3 to 7"
            return
        assert self.shadow.tolerated, "without a tolerated test dose"
        assert not self.shadow.held, "before a hold was released"
        assert not self.shadow.stopped, "after a discontinuation of the same round"
        assert amount <= 19 or self.shadow.few_comorbidities, "above 19 without few comorbidities"


Courses.TestCase.settings = settings(
    max_examples=200,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestCourses = Courses.TestCase
