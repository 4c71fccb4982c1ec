"""What every store promises of courses and their records, and of writers who meet."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from engine.core.sealing import SealedText
from engine.core.snapshot import Armed
from engine.core.view import Reading
from engine.errors import Conflict, UnknownWorkflow
from engine.ports import Outgoing, Transaction, Waiting, Write
from tests.store.writing import DAY, IL2, NOON, WINDOW, Clinic, definition


class HostError(Exception):
    """Something that goes wrong in a host."""


class CourseContract:
    """Inherit, and give a fixture `clinic`: a tenant of the store that is tested."""

    # --- courses and records ------------------------------------------------------------------

    def test_a_closed_store_keeps_its_courses_and_opens_again(self, clinic: Clinic):
        clinic.begun()
        clinic.store.close()

        with clinic.reading() as tx:
            assert len(list(tx.records("C-1"))) == 1

    def test_of_a_course_that_does_not_exist_nothing_is_known(self, clinic: Clinic):
        with clinic.writing() as tx:
            assert tx.head("C-1", "e") is None
            assert tx.row("C-1") is None
            assert list(tx.records("C-1")) == []
            assert tx.record("C-1", 1) is None
            assert tx.texts("C-1", 1) == {}
            assert tx.stored_caches("C-1") == ({}, {})
            assert tx.readings("C-1", {"platelets": None}) == {"platelets": []}
            assert tx.readings("C-1", {}) == {}

    def test_a_stored_course_comes_back_byte_for_byte(self, clinic: Clinic):
        first = clinic.begun()

        with clinic.reading() as tx:
            head = tx.head("C-1", "another")
            assert head is not None
            assert (head.row, head.known) == (first.row, None)
            assert tx.row("C-1") == first.row
            assert list(tx.records("C-1")) == [first.record]
            assert tx.record("C-1", 1) == first.record

    def test_the_head_brings_the_record_that_has_the_event_id(self, clinic: Clinic):
        first = clinic.begun(event_id="visit-7")

        with clinic.writing() as tx:
            head = tx.head("C-1", "visit-7")
            assert head is not None
            assert head.known == first.record

    def test_an_event_id_of_another_course_is_not_known(self, clinic: Clinic):
        clinic.begun("C-1", event_id="visit-7")
        clinic.begun("C-2")

        with clinic.writing() as tx:
            head = tx.head("C-2", "visit-7")
            assert head is not None
            assert head.known is None

    def test_decisions_follow_each_other_within_a_transaction_and_across(self, clinic: Clinic):
        first = clinic.decision()
        second = clinic.decision(seq=2, previous=first.record)
        clinic.stored(first, second)
        third = clinic.stored(clinic.decision(seq=3, previous=second.record))

        with clinic.reading() as tx:
            assert list(tx.records("C-1")) == [first.record, second.record, third.record]
            assert list(tx.records("C-1", after=1)) == [second.record, third.record]
            assert tx.row("C-1") == third.row

    def test_everything_that_left_a_record_is_named_once_in_order(self, clinic: Clinic):
        for course in ("C-2", "C-10", "C-1"):
            clinic.begun(course)
        clinic.stored(clinic.decision("C-2", 2))

        with clinic.reading() as tx:
            assert tx.recorded() == ["C-1", "C-10", "C-2"]
            assert tx.recorded(after="C-1", limit=1) == ["C-10"]

    def test_everything_that_left_a_record_is_named_with_when_its_last_was_made(
        self, clinic: Clinic
    ):
        for course in ("C-2", "C-1"):
            clinic.begun(course)
        later = clinic.stored(clinic.decision("C-2", 2)).record

        with clinic.reading() as tx:
            first = tx.record("C-1", 1)
            assert first is not None
            whole = [("C-1", first.recorded_at), ("C-2", later.recorded_at)]
            assert tx.latest() == whole
            assert tx.latest(limit=1) == whole[:1]
            assert tx.latest(after="C-1") == whole[1:]

    def test_a_long_course_is_read_through_in_order(self, clinic: Clinic):
        writes = [clinic.decision(seq=seq) for seq in range(1, 1003)]
        clinic.stored(*writes)

        with clinic.reading() as tx:
            assert [r.seq for r in tx.records("C-1")] == list(range(1, 1003))
            assert [r.seq for r in tx.records("C-1", after=502)] == list(range(503, 1003))

    @pytest.mark.parametrize(
        "at",
        [
            None,
            datetime(1, 1, 1, tzinfo=UTC),
            datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        ],
    )
    def test_an_instant_comes_back_exactly_and_in_utc(self, clinic: Clinic, at: datetime | None):
        clinic.begun(at=at)

        with clinic.reading() as tx:
            record = tx.record("C-1", 1)
        assert record is not None
        assert record.at == at
        assert at is None or (record.at is not None and record.at.tzinfo is UTC)
        assert record.recorded_at.tzinfo is UTC

    def test_courses_are_listed_by_name_in_pages(self, clinic: Clinic):
        for name in ("b", "B", "a_2", "a-1", "a:3"):
            clinic.begun(name, site="south")

        with clinic.reading() as tx:
            lines = tx.courses()
            assert [line.course for line in lines] == ["B", "a-1", "a:3", "a_2", "b"]
            assert [line.course for line in tx.courses(after="a-1", limit=2)] == ["a:3", "a_2"]
        line = lines[0]
        assert (line.workflow, line.digest) == (IL2.name, IL2.digest)
        assert (line.patient, line.site) == ("patient of B", "south")
        assert (line.state, line.stage) == ("planned", "escalation")
        assert (line.seq, line.revision, line.open) == (1, 1, True)

    # --- all or nothing -----------------------------------------------------------------------

    def test_what_is_not_committed_is_seen_inside_and_not_outside(self, clinic: Clinic):
        clinic.begun()
        second = clinic.decision(seq=2)

        with clinic.writing() as tx:
            tx.append(second)
            assert tx.row("C-1") == second.row
            with clinic.reading() as other:
                assert other.row("C-1") != second.row
                assert len(list(other.records("C-1"))) == 1

    def test_when_the_block_raises_nothing_of_it_is_left(self, clinic: Clinic):
        clinic.begun()

        with pytest.raises(HostError):
            self.append_and_fail(clinic.writing(), self.full(clinic, seq=2))

        self.assert_only_the_first_is_there(clinic)

    def test_a_reader_sees_one_moment_while_a_writer_commits(self, clinic: Clinic):
        first = clinic.begun()

        with clinic.reading() as tx:
            assert tx.row("C-1") == first.row
            clinic.stored(self.full(clinic, seq=2))
            assert tx.row("C-1") == first.row
            assert list(tx.records("C-1")) == [first.record]
            assert tx.stored_caches("C-1") == ({}, {})

    # --- conflicts ----------------------------------------------------------------------------

    def test_a_decision_on_an_older_version_conflicts_and_writes_nothing(self, clinic: Clinic):
        clinic.begun()
        clinic.stored(clinic.decision(seq=2))

        with clinic.writing() as tx, pytest.raises(Conflict, match="another writer") as raised:
            tx.append(self.full(clinic, seq=2, event_id="too late"))

        assert raised.value.retriable
        assert raised.value.course == "C-1"
        with clinic.reading() as tx:
            assert len(list(tx.records("C-1"))) == 2
            self.assert_nothing_follows(clinic)

    def test_a_decision_on_a_course_that_is_not_there_conflicts(self, clinic: Clinic):
        clinic.begun()

        with clinic.writing() as tx, pytest.raises(Conflict) as raised:
            tx.append(clinic.decision("C-2", seq=2))

        assert raised.value.retriable

    def test_a_course_begins_once(self, clinic: Clinic):
        clinic.begun()

        with clinic.writing() as tx, pytest.raises(Conflict, match="exists already") as raised:
            tx.append(self.full(clinic, seq=1, event_id="again"))

        assert raised.value.retriable
        self.assert_only_the_first_is_there(clinic)

    def test_an_event_id_is_recorded_once(self, clinic: Clinic):
        clinic.begun(event_id="visit-7")

        with clinic.writing() as tx, pytest.raises(Conflict, match="event id") as raised:
            tx.append(self.full(clinic, seq=2, event_id="visit-7"))

        assert raised.value.retriable
        self.assert_only_the_first_is_there(clinic)

    def test_a_patient_has_one_open_course_of_a_workflow(self, clinic: Clinic):
        clinic.begun("C-1", patient="P")

        with clinic.writing() as tx, pytest.raises(Conflict, match="open course") as raised:
            tx.append(self.full(clinic, "C-2", patient="P"))

        assert not raised.value.retriable
        with clinic.reading() as tx:
            assert [line.course for line in tx.courses()] == ["C-1"]
            assert list(tx.records("C-2")) == []
            self.assert_nothing_follows(clinic, "C-2")

    def test_a_patient_may_have_courses_of_two_workflows(self, clinic: Clinic):
        other = definition("chemotherapy")
        clinic.stored(
            clinic.decision("C-1", patient="P"),
            clinic.decision("C-2", patient="P", workflow=other),
            workflows=(IL2, other),
        )

        with clinic.reading() as tx:
            assert len(tx.courses()) == 2

    def test_after_a_course_was_closed_the_patient_may_begin_another(self, clinic: Clinic):
        clinic.stored(
            clinic.decision("C-1", patient="P"),
            clinic.decision("C-1", 2, patient="P", open=False),
            clinic.decision("C-2", patient="P"),
        )

        with clinic.reading() as tx:
            assert [line.open for line in tx.courses()] == [False, True]

    def test_a_closed_course_reopens_only_while_no_other_is_open(self, clinic: Clinic):
        clinic.stored(
            clinic.decision("C-1", patient="P"),
            clinic.decision("C-1", 2, patient="P", open=False),
            clinic.decision("C-1", 3, patient="P", open=True),
            clinic.decision("C-1", 4, patient="P", open=False),
            clinic.decision("C-2", patient="P"),
        )

        with clinic.writing() as tx, pytest.raises(Conflict, match="open course") as raised:
            tx.append(clinic.decision("C-1", 5, patient="P", open=True))

        assert not raised.value.retriable
        clinic.stored(clinic.decision("C-1", 5, patient="P", open=False))

    def test_what_happened_may_be_decided_again_when_another_course_was_opened_meanwhile(
        self, clinic: Clinic
    ):
        """A report is never lost: decided again, it finds the other course and reopens nothing."""
        clinic.stored(
            clinic.decision("C-1", patient="P"),
            clinic.decision("C-1", 2, patient="P", open=False),
            clinic.decision("C-2", patient="P"),
        )

        with clinic.writing() as tx, pytest.raises(Conflict, match="open course") as raised:
            tx.append(clinic.decision("C-1", 3, patient="P", open=True, reported=True))

        assert raised.value.retriable

    def test_whether_a_patient_has_another_open_course_can_be_asked(self, clinic: Clinic):
        other = definition("chemotherapy")
        clinic.stored(
            clinic.decision("C-1", patient="P"),
            clinic.decision("C-2", patient="P", workflow=other),
            workflows=(IL2, other),
        )
        clinic.stored(clinic.decision("C-2", 2, patient="P", workflow=other, open=False))

        with clinic.reading() as tx:
            assert not tx.another_open("C-1", "P", IL2.name)
            assert tx.another_open("C-9", "P", IL2.name)
            assert not tx.another_open("C-9", "P", other.name)
            assert not tx.another_open("C-9", "Q", IL2.name)

    def test_a_course_needs_a_stored_definition(self, clinic: Clinic):
        clinic.begun("C-1")

        with clinic.writing() as tx:
            with pytest.raises(UnknownWorkflow):
                tx.append(clinic.decision("C-2", workflow=definition("unheard of")))
            tx.append(clinic.decision("C-3"))

        with clinic.reading() as tx:
            assert [line.course for line in tx.courses()] == ["C-1", "C-3"]

    def test_a_transaction_outlives_every_conflict(self, clinic: Clinic):
        clinic.begun("C-1", patient="P", event_id="one")
        lost = [
            clinic.decision("C-1"),
            clinic.decision("C-1", 3),
            clinic.decision("C-1", 2, event_id="one"),
            clinic.decision("C-2", patient="P"),
        ]

        with clinic.writing() as tx:
            for write in lost:
                with pytest.raises(Conflict):
                    tx.append(write)
            tx.append(clinic.decision("C-1", 2))

        with clinic.reading() as tx:
            assert [r.seq for r in tx.records("C-1")] == [1, 2]

    # --- most often one decision is all that is written ---------------------------------------

    def test_a_decision_alone_is_stored_when_its_block_ends(self, clinic: Clinic):
        clinic.begun()
        second = self.full(clinic, seq=2)

        with clinic.alone() as tx:
            assert tx.head("C-1", "C-1-2") is not None
            tx.append(second)

        with clinic.reading() as tx:
            assert tx.row("C-1") == second.row
            assert [r.seq for r in tx.records("C-1")] == [1, 2]
            assert tx.stored_caches("C-1") == ({"soon": Armed(NOON, 2)}, {"dose": WINDOW})

    def test_a_decision_alone_that_lost_a_race_conflicts_at_the_latest_when_its_block_ends(
        self, clinic: Clinic
    ):
        clinic.begun()
        clinic.stored(clinic.decision(seq=2))

        with pytest.raises(Conflict, match="another writer") as raised, clinic.alone() as tx:
            tx.append(self.full(clinic, seq=2, event_id="too late"))

        assert raised.value.retriable
        with clinic.reading() as tx:
            assert len(list(tx.records("C-1"))) == 2
        self.assert_nothing_follows(clinic)

    def test_a_patient_has_one_open_course_of_a_workflow_alone_too(self, clinic: Clinic):
        clinic.begun("C-1", patient="P")

        with pytest.raises(Conflict, match="open course") as raised, clinic.alone() as tx:
            tx.append(self.full(clinic, "C-2", patient="P"))

        assert not raised.value.retriable

    def test_of_a_decision_alone_whose_block_raises_nothing_is_left(self, clinic: Clinic):
        clinic.begun()

        with pytest.raises(HostError):
            self.append_and_fail(clinic.alone(), self.full(clinic, seq=2))

        self.assert_only_the_first_is_there(clinic)

    def test_what_follows_a_decision_sees_it_and_commits_with_it(self, clinic: Clinic):
        clinic.begun()
        second = self.full(clinic, seq=2)
        third = clinic.decision(seq=3, previous=second.record)

        with clinic.alone() as tx:
            tx.append(second)
            assert tx.row("C-1") == second.row
            with clinic.reading() as other:
                assert other.row("C-1") != second.row
            tx.append(third)

        with clinic.reading() as tx:
            assert [r.seq for r in tx.records("C-1")] == [1, 2, 3]

    def test_a_message_is_delivered_in_the_transaction_that_says_it(self, clinic: Clinic):
        second = self.full(clinic, seq=2)
        said = Waiting(
            course="C-1", seq=2, n=1, kind="hold", body=b"{}", recorded_at=second.record.recorded_at
        )
        clinic.begun()

        with clinic.alone() as tx:
            tx.append(second)
            tx.delivered(said, NOON)

        with clinic.reading() as tx:
            assert tx.waiting(9) == []

    def test_of_several_decisions_whose_block_raises_none_is_left(self, clinic: Clinic):
        clinic.begun()
        second = self.full(clinic, seq=2)

        third = clinic.decision(seq=3, previous=second.record)

        with pytest.raises(HostError):
            self.append_and_fail(clinic.alone(), second, third)

        self.assert_only_the_first_is_there(clinic)

    # --- tenants ------------------------------------------------------------------------------

    def test_tenants_know_nothing_of_each_other(self, clinic: Clinic):
        other = Clinic(clinic.store, f"{clinic.tenant}-other")
        clinic.stored(self.full(clinic, patient="P"))

        with other.writing() as tx:
            assert tx.head("C-1", "C-1-1") is None
            assert (tx.courses(), tx.definitions(), tx.waiting(9)) == ([], [], [])
            assert (tx.due_timers(NOON, 9), tx.visits(DAY)) == ([], [])
            assert tx.prose(IL2.prose_digest) is None
        mine = other.begun("C-1", patient="P")
        with clinic.reading() as tx:
            assert tx.record("C-1", 1) != mine.record

    # --- how ----------------------------------------------------------------------------------

    def full(self, clinic: Clinic, course: str = "C-1", seq: int = 1, **more) -> Write:
        """A decision with everything that can follow from one."""
        return clinic.decision(
            course,
            seq,
            readings=[Reading("pulse", Decimal(80), NOON, DAY, seq)],
            timers={"soon": Armed(NOON, seq)},
            visits={"dose": WINDOW},
            messages=[Outgoing(kind="hold", body=b"{}")],
            texts=[SealedText(path="reason.text", salt="s", text="t", sha256="5e")],
            **more,
        )

    def append_and_fail(self, block: AbstractContextManager[Transaction], *writes: Write) -> None:
        with block as tx:
            for write in writes:
                tx.append(write)
            raise HostError

    def assert_nothing_follows(self, clinic: Clinic, course: str = "C-1") -> None:
        with clinic.reading() as tx:
            assert tx.readings(course, {"pulse": None}) == {"pulse": []}
            assert tx.stored_caches(course) == ({}, {})
            assert tx.waiting(9) == []
            assert all(tx.texts(course, seq) == {} for seq in (1, 2))

    def assert_only_the_first_is_there(self, clinic: Clinic) -> None:
        self.assert_nothing_follows(clinic)
        with clinic.reading() as tx:
            assert [r.seq for r in tx.records("C-1")] == [1]
            (line,) = tx.courses()
            assert line.seq == 1
