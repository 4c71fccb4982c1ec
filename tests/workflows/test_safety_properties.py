"""No sequence of events, however adverse, grants what the protocol forbids or loses what happened.

A shadow of the course is kept from what was sent and answered, and never from what the course
remembers: it is the protocol's word against the engine's.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
)

from engine.answer import Answer
from engine.core.encoding import instant_from, instant_text
from engine.core.event import CORRECTIONS
from engine.testing import Story, said
from tests.workflows.anything import AMOUNTS, EVENTS, GUARDS, REPORTS, REQUESTS, data
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
from tests.workflows.shadow import HOLDS, Shadow, is_reason_to_stop

pytestmark = pytest.mark.no_cover
"""What is run here a hundred thousand times, other tests run once; measuring it takes as long."""

REASON, NOT_PUBLISHED = "clinical-judgement", "not-published"
EXITS = ("contact_lost", "transfer_reported", "follow_up_ended", "withdrawal_reported",
         "death_reported")  # fmt: skip
RECORDED = tuple(name for name in REPORTS if name not in {*EXITS, "dose_given"})
STOPS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("adverse_event_reported", {"term": "confusion", "grade": 1}),
    ("adverse_event_reported", {"term": "atrial_fibrillation", "grade": 1}),
    ("electrocardiogram_recorded", {"rhythm": "atrial_fibrillation"}),
    ("labs_recorded", {"creatinine": "3.1 mg/dL"}),
    ("echocardiogram_recorded", {"echocardiogram": "dysfunction"}),
)


def preparing_a_restart() -> Story:
    """In maintenance a new lesion was found, and another round is being prepared."""
    story = in_maintenance().until("2026-06-15 09:00")
    story.sends("lesion_finding_reported", finding="new_cutaneous")
    story.sends("request_restart", role="clinician", finding="new_cutaneous")
    assert story.state == "restart_baseline"
    return story


LATE = st.sampled_from([0, 0, 0, 1, 20, 70])
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
    "preparing a restart": preparing_a_restart,
    "retrospective": lambda: begun(retrospective=True),
}


class Courses(RuleBasedStateMachine):
    """A course to which anything happens, in any order, late or in time, with every override."""

    beginnings: ClassVar[tuple[str, ...]]

    @initialize(sent=st.data())
    def begin(self, sent: st.DataObject) -> None:
        beginning = sent.draw(st.sampled_from(self.beginnings), label="beginning")
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

    @rule(sent=st.data(), late=LATE)
    def report(self, sent: st.DataObject, late: int) -> None:
        """Anything but an exit, an injection or a reason to stop: these have steps of their own."""
        name = sent.draw(st.sampled_from(RECORDED), label="report")
        fields = sent.draw(data(EVENTS[name]), label="fields")
        if not is_reason_to_stop(name, fields):
            self.reports(name, sent, late, fields)

    @rule(sent=st.data(), late=LATE)
    def inject(self, sent: st.DataObject, late: int) -> None:
        self.reports("dose_given", sent, late, sent.draw(data(EVENTS["dose_given"]), label="dose"))

    @rule(fact=st.sampled_from(STOPS), late=LATE, tempted=st.booleans())
    def stop(self, fact: tuple[str, dict[str, Any]], late: int, tempted: bool) -> None:
        """A reason to discontinue, in time or late, wherever the course is."""
        name, fields = fact
        at = self.story.clock.now() - timedelta(hours=late)
        assert not self.story.sends(name, role="nurse", at=at, **fields).refused
        self.catch_up()
        if tempted:
            self.tempt()

    @rule(sent=st.data(), late=st.sampled_from([0, 0, 5]), force=st.booleans())
    def request(self, sent: st.DataObject, late: int, force: bool) -> None:
        name = sent.draw(st.sampled_from(REQUESTS), label="request")
        fields = sent.draw(data(EVENTS[name]), label="fields")
        self.send(name, sent, late, fields, force=force)

    @rule(exit_=st.sampled_from(EXITS), back=st.booleans(), between=st.booleans())
    def leave(self, exit_: str, back: bool, between: bool) -> None:
        """Out and, mostly, in again: no state may be got rid of on the way."""
        scope = {"scope": "all"} if exit_ == "withdrawal_reported" else {}
        assert not self.story.sends(exit_, **scope).refused
        if between:
            self.story.advance(hours=9)
        if back or exit_ != "death_reported":
            for again in ("contact_regained", "exit_corrected"):
                reason = "entered-in-error" if again == "exit_corrected" else None
                assert not self.story.sends(again, role="clinician", reason=reason).refused
            self.tempt()
        self.catch_up()

    @rule(looked=st.booleans())
    def go_on(self, looked: bool) -> None:
        """Whatever lets a course go on after a hold or a review, with every override."""
        if looked:
            self.story.sends("echocardiogram_recorded", echocardiogram="no_dysfunction")
        day_of_visit(self.story)
        for event in ("toxicity_resolved", "observation_completed"):
            self.story.sends(event, role="clinician")
        for event in ("release_hold", "confirm_tolerated", "resume_escalation"):
            self.story.sends(event, role="clinician", override=GUARDS[event], code=REASON)
        self.story.sends("extend_window", role="clinician", weeks=6,
                         override=GUARDS["extend_window"], code=REASON)  # fmt: skip
        self.catch_up()

    @rule(
        amount=st.sampled_from(AMOUNTS),
        few=st.booleans(),
        code=st.sampled_from([REASON] * 9 + [NOT_PUBLISHED]),
    )
    def order_with_every_override(self, amount: str, few: bool, code: str) -> None:
        """Everything of the day is normal, and a clinician gives a reason for whatever is soft."""
        self.story.sends("comorbidities_attested", few_comorbidities=few)
        day_of_visit(self.story)
        for event in ("order_test_dose", "order_dose"):
            for order in ("22.1 M[IU]", "21.6 M[IU]", f"{amount} M[IU]"):
                self.story.sends(event, role="clinician", amount=order, split=split(order),
                                 override=GUARDS[event], code=code)  # fmt: skip
                self.catch_up()

    @rule(amount=st.sampled_from(["7 M[IU]", "10 M[IU]"]))
    def visit(self, amount: str) -> None:
        """A visit as it should be, as far as the course allows it."""
        day_of_visit(self.story)
        for event in ("order_test_dose", "order_dose"):
            self.story.sends(event, role="clinician", amount=amount, split=split(amount),
                             override=GUARDS[event], code=REASON)  # fmt: skip
        answer = self.story.sends("dose_given", role="nurse", amount=amount)
        assert not answer.refused
        for _ in range(2):
            self.story.advance(hours=3)
            day_of_visit(self.story)
        self.story.sends("confirm_tolerated", role="clinician")
        self.catch_up()

    @rule(which=st.integers(0, 9), acted=st.booleans())
    @precondition(lambda self: getattr(self, "open_findings", {}))
    def dispose(self, which: int, acted: bool) -> None:
        """Whoever may pass a requirement says what is made of a finding: the course stays."""
        found = sorted(self.open_findings.items())
        name, finding = found[which % len(found)]
        record = finding.record if finding.correction is None else finding.correction
        more = {"disposition": "acted", "record": record} if acted else {}
        before = self.story.state
        answer = self.story.sends(
            "course.finding_disposed",
            role=self.story.workflow.disposers[0],
            reason="looked-at",
            data={"finding": int(name), "disposition": "accepted", **more},
        )

        assert not answer.refused, said(answer)
        assert name not in self.story.snapshot.open_findings
        assert self.story.state == before
        self.catch_up()

    @rule(
        which=st.integers(0, 9),
        right=st.booleans(),
        named=st.booleans(),
        earlier=st.sampled_from([0, 0, 1, 50]),
    )
    @precondition(lambda self: self.shadow.doses)
    def correct_a_dose(self, which: int, right: bool, named: bool, earlier: int) -> None:
        """Any injection may have been none, or another amount at another time.

        That it was none is said by the event of its own, or as it was said before there was one.
        """
        dose = self.shadow.doses[-1 - which % len(self.shadow.doses)]
        value: dict[str, Any] = {"value": "5", "unit": "M[IU]"}
        if earlier and dose.at is not None:
            value["at"] = instant_text(dose.at - timedelta(hours=earlier))
        wrong = next(a for a in self.story.answers if a.seq == dose.seq)
        if named and not right:
            answer = self.story.retracts(wrong, "il2_dose", role="clinician")
        else:
            given = value if right else None
            answer = self.story.corrects(wrong, "il2_dose", given, role="clinician")

        assert not answer.refused, said(answer)
        self.catch_up()
        self.tempt()

    @rule(sent=st.data(), right=st.booleans())
    @precondition(lambda self: getattr(self, "readings", []))
    def correct(self, sent: st.DataObject, right: bool) -> None:
        wrong, name = sent.draw(st.sampled_from(self.readings), label="wrong")
        declared = {field.input: field for field in EVENTS[wrong.event].fields}[name]
        fields = sent.draw(data(EVENTS[wrong.event]), label="right")
        value = fields.get(declared.name) if right else None
        answer = self.story.corrects(wrong, name, value, role="clinician")

        assert not answer.refused, said(answer)
        self.catch_up()

    # --- what must hold --------------------------------------------------------------------------

    def teardown(self) -> None:
        if hasattr(self, "story"):
            assert len(self.story.records) == self.story.snapshot.seq == self.seen
            self.story.verify()

    # --- how -------------------------------------------------------------------------------------

    def tempt(self) -> None:
        """Try to go on as if nothing had happened."""
        self.go_on(looked=False)
        self.story.advance(hours=48)
        self.order_with_every_override("7", few=False, code=REASON)

    def send(
        self, name: str, sent: st.DataObject, late: int, fields: dict[str, Any], *,
        force: bool = False,
    ) -> Answer:  # fmt: skip
        event = EVENTS[name]
        how: dict[str, Any] = {"role": sent.draw(st.sampled_from(event.roles), label="role")}
        if event.reason_codes:
            how["reason"] = event.reason_codes[0]
        if force and GUARDS[name]:
            how |= {"override": GUARDS[name], "code": REASON}
        if late:
            how["at"] = self.story.clock.now() - timedelta(hours=late)
        answer = self.story.sends(name, data=fields, **how)
        self.catch_up()
        return answer

    def reports(self, name: str, sent: st.DataObject, late: int, fields: dict[str, Any]) -> None:
        answer = self.send(name, sent, late, fields)

        assert answer.verdict in {"accepted", "deviation"}, f"{name}: {said(answer)}"
        self.note(answer, name)

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
            self.shadow.see(body)
            self.bodies[self.seen] = body
        self.open_findings = self.story.snapshot.open_findings
        self.count()

    def count(self) -> None:
        """What the course remembers of its doses is what is on record of them."""
        given, known = self.shadow.given, self.story.variables
        if any(dose.at is None for dose in given) or self.story.round != 1:
            return
        last = max((dose.at for dose in given if dose.at is not None), default=None)
        assert known["dose_total"] == known["round_dose_total"] == self.shadow.total
        assert known["test_doses"] + known["doses_given"] == len(given)
        assert known["last_dose_at"] == last

    def judge(self, body: dict[str, Any]) -> None:
        name, verdict = body["event"]["event"], body["verdict"]
        if name in CORRECTIONS or name in REPORTS:
            assert verdict != "refused", f"a report was refused: {name}"
        if verdict == "refused":
            return
        if name == "release_hold" and body["state"][0] in HOLDS:
            assert self.shadow.cleared, "without an echocardiogram that rules out dysfunction"
        if name not in {"order_dose", "order_test_dose"}:
            return
        amount = Decimal(body["event"]["data"]["amount"]["value"])
        assert amount <= 22, "above the ceiling"
        assert body["state"][0] not in HOLDS, "while held"
        if name == "order_test_dose":
            assert 3 <= amount <= 7, "a test dose of 3 to 7"
            opens_round = body["state"][0] in {"baseline", "restart_baseline"}
            assert opens_round or not self.shadow.stopped, "repeated after a discontinuation"
            return
        assert self.shadow.tolerated, "without a tolerated test dose"
        given = [dose for dose in self.shadow.given if dose.round == self.shadow.round]
        assert given, "without any injection on record"
        assert all(
            self.shadow.observed_until(dose) <= instant_from(body["event"]["at"]) for dose in given
        ), "while a dose is observed"
        assert self.shadow.granted, "in a round that nobody granted"
        assert not self.shadow.held, "before a hold was released"
        assert not self.shadow.stopped, "after a discontinuation of the same round"
        assert amount <= 19 or self.shadow.few_comorbidities, "above 19 without few comorbidities"


class BeforeDoses(Courses):
    beginnings = ("nothing", "baseline", "after the test dose", "retrospective")


class AmongDoses(Courses):
    beginnings = ("escalating",) * 5 + ("assessing", "before a dose", "after a dose")


class Held(Courses):
    beginnings = ("held",)


class AfterDoses(Courses):
    beginnings = ("tail", "maintenance", "preparing a restart")


def tried(machine: type[Courses], examples: int) -> Any:
    """So many courses of a kind, as a test of its own: one takes a second, or ten."""
    mine = type(machine)(machine.__name__, (machine,), {})
    mine.TestCase.settings = settings(
        max_examples=examples,
        stateful_step_count=25,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    return mine.TestCase


TestBeforeDoses = tried(BeforeDoses, 30)
TestAmongDoses, TestMoreAmongDoses, TestYetMoreAmongDoses = (
    tried(AmongDoses, 20) for _ in range(3)
)
TestHeld, TestMoreHeld = (tried(Held, examples) for examples in (18, 17))
TestAfterDoses, TestMoreAfterDoses = (tried(AfterDoses, examples) for examples in (13, 12))
