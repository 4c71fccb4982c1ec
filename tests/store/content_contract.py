"""What every store promises of readings, timers, visits, messages, texts and definitions."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from engine.core.sealing import SealedText
from engine.core.snapshot import Armed, Booking, Window
from engine.core.view import Reading
from engine.ports import Outgoing
from tests.store.writing import DAY, IL2, NOON, WINDOW, Clinic, definition

HOUR = timedelta(hours=1)


class ContentContract:
    """Inherit, and give a fixture `clinic`: a tenant of the store that is tested."""

    # --- readings -----------------------------------------------------------------------------

    def test_a_reading_comes_back_exactly(self, clinic: Clinic):
        brought = [
            Reading("platelets", Decimal("29.50"), NOON, DAY, 1),
            Reading("urine", Decimal(400), NOON, DAY, 1, timedelta(hours=24, microseconds=1)),
            Reading("rhythm", "sinus", NOON, DAY, 1),
            Reading("conscious", True, NOON, DAY, 1),
            Reading("born", date(1950, 1, 31), NOON, DAY, 1),
            Reading("ldh", None, NOON, DAY, 1, flaw="impossible"),
            Reading("stage", "IIIC", None, None, 1),
        ]
        clinic.begun(readings=brought)

        with clinic.reading() as tx:
            found = tx.readings("C-1", {r.input: None for r in brought})
        values = {name: reading.value for name, (reading,) in found.items()}
        assert values == {
            "platelets": "29.5",
            "urine": "400",
            "rhythm": "sinus",
            "conscious": True,
            "born": "1950-01-31",
            "ldh": None,
            "stage": "IIIC",
        }
        assert found["urine"] == [
            Reading("urine", "400", NOON, DAY, 1, timedelta(hours=24, microseconds=1))
        ]
        assert found["ldh"][0].flaw == "impossible"
        assert (found["stage"][0].at, found["stage"][0].on) == (None, None)

    def test_readings_are_cut_at_their_instant_and_undated_ones_come_last(self, clinic: Clinic):
        times = [NOON + HOUR, NOON, None, NOON - timedelta(microseconds=1)]
        clinic.stored(
            *(
                clinic.decision(
                    seq=seq, readings=[Reading("platelets", Decimal(seq), at, at and DAY, seq)]
                )
                for seq, at in enumerate(times, 1)
            )
        )

        with clinic.reading() as tx:
            every = tx.readings("C-1", {"platelets": None})["platelets"]
            since = tx.readings("C-1", {"platelets": NOON})["platelets"]
        assert [r.seq for r in every] == [4, 2, 1, 3]
        assert [r.seq for r in since] == [2, 1, 3]

    def test_each_input_is_cut_at_an_instant_of_its_own(self, clinic: Clinic):
        clinic.begun(
            readings=[Reading(name, Decimal(1), NOON, DAY, 1) for name in ("ldh", "pulse", "urea")]
        )

        with clinic.reading() as tx:
            found = tx.readings("C-1", {"ldh": NOON + HOUR, "pulse": NOON, "unheard of": None})
        assert {name: len(readings) for name, readings in found.items()} == {
            "ldh": 0,
            "pulse": 1,
            "unheard of": 0,
        }

    def test_readings_of_another_course_are_not_seen(self, clinic: Clinic):
        clinic.begun("C-1", readings=[Reading("pulse", Decimal(80), NOON, DAY, 1)])
        clinic.begun("C-2", readings=[Reading("pulse", Decimal(90), NOON, DAY, 1)])

        with clinic.reading() as tx:
            (reading,) = tx.readings("C-2", {"pulse": None})["pulse"]
        assert reading.value == "90"

    def test_a_corrected_reading_gives_way_and_so_does_its_correction(self, clinic: Clinic):
        def reading(value: int, seq: int, corrects: int | None = None) -> Reading:
            return Reading("pulse", Decimal(value), NOON, DAY, seq, corrects=corrects)

        clinic.stored(
            clinic.decision(readings=[reading(80, 1), Reading("urea", Decimal(5), NOON, DAY, 1)]),
            clinic.decision(seq=2, readings=[reading(90, 2)]),
            clinic.decision(seq=3, readings=[reading(81, 3, corrects=1)]),
            clinic.decision(seq=4, readings=[reading(82, 4, corrects=1)]),
        )

        with clinic.reading() as tx:
            found = tx.readings("C-1", {"pulse": None, "urea": None})
        assert [(r.value, r.seq, r.corrects) for r in found["pulse"]] == [
            ("90", 2, None),
            ("82", 4, 1),
        ]
        assert [r.value for r in found["urea"]] == ["5"]

    def test_a_correction_of_the_time_moves_a_reading_out_of_and_into_a_window(
        self, clinic: Clinic
    ):
        early, late = NOON - HOUR, NOON + HOUR
        clinic.stored(
            clinic.decision(readings=[Reading("pulse", Decimal(1), late, DAY, 1)]),
            clinic.decision(seq=2, readings=[Reading("urea", Decimal(2), early, DAY, 2)]),
            clinic.decision(
                seq=3, readings=[Reading("pulse", Decimal(3), early, DAY, 3, corrects=1)]
            ),
            clinic.decision(
                seq=4, readings=[Reading("urea", Decimal(4), late, DAY, 4, corrects=2)]
            ),
        )

        with clinic.reading() as tx:
            found = tx.readings("C-1", {"pulse": NOON, "urea": NOON})
        assert {name: [r.seq for r in readings] for name, readings in found.items()} == {
            "pulse": [],
            "urea": [4],
        }

    # --- timers, visits, messages, texts ------------------------------------------------------

    def test_timers_are_armed_moved_and_removed(self, clinic: Clinic):
        clinic.stored(
            clinic.decision(timers={"a": Armed(NOON, 1), "b": Armed(NOON, 1)}),
            clinic.decision(seq=2, timers={"a": Armed(NOON + HOUR, 2), "b": None, "c": None}),
        )

        with clinic.reading() as tx:
            assert tx.stored_caches("C-1")[0] == {"a": Armed(NOON + HOUR, 2)}

    def test_due_timers_come_earliest_first_and_not_before_their_time(self, clinic: Clinic):
        tick = timedelta(microseconds=1)
        clinic.begun("C-1", timers={"b": Armed(NOON, 1), "a": Armed(NOON + tick, 1)})
        clinic.begun("C-2", timers={"a": Armed(NOON - HOUR, 1)})

        with clinic.reading() as tx:
            due = tx.due_timers(NOON, 10)
            first = tx.due_timers(NOON + HOUR, 2)
        assert [(d.course, d.name, d.due, d.seq) for d in due] == [
            ("C-2", "a", NOON - HOUR, 1),
            ("C-1", "b", NOON, 1),
        ]
        assert first == due

    def test_visits_are_due_moved_and_removed(self, clinic: Clinic):
        later = Window(2, *(day + timedelta(days=7) for day in (DAY, DAY, DAY)))
        clinic.stored(
            clinic.decision(visits={"dose": WINDOW, "blood": WINDOW}),
            clinic.decision(seq=2, visits={"dose": later, "blood": None, "echo": None}),
        )

        with clinic.reading() as tx:
            assert tx.stored_caches("C-1")[1] == {"dose": later}

    def test_the_end_of_a_minimum_gap_comes_back_exactly(self, clinic: Clinic):
        gap = replace(WINDOW, not_before=NOON)
        clinic.begun(visits={"dose": gap, "blood": WINDOW})

        with clinic.reading() as tx:
            assert tx.stored_caches("C-1")[1] == {"dose": gap, "blood": WINDOW}
            assert {v.name: v.window for v in tx.visits(DAY)} == {"dose": gap, "blood": WINDOW}

    def test_a_booking_is_kept_as_it_was_last_told(self, clinic: Clinic):
        first = Booking("dose", 1, NOON, 60, "booked")
        moved = replace(first, start=NOON + HOUR, changes=1)
        unnumbered = Booking("dose", None, NOON, None, "cancelled")
        clinic.stored(
            clinic.decision(booking=("b1", first, DAY)),
            clinic.decision(seq=2, booking=("b1", moved, DAY)),
            clinic.decision(seq=3, booking=("b2", unnumbered, DAY)),
        )

        with clinic.reading() as tx:
            assert tx.bookings("C-1") == {"b1": moved, "b2": unnumbered}
            assert tx.bookings("C-2") == {}

    def test_what_a_course_waits_for_is_told_in_lists(self, clinic: Clinic):
        clinic.stored(
            clinic.decision(waits="hold", questions=2, findings=1, conflicts="on-hold"),
            clinic.decision("C-2", waits=None),
        )

        with clinic.reading() as tx:
            lines = {
                line.course: (line.waits, line.questions, line.findings, line.conflicts)
                for line in tx.courses()
            }
        assert lines == {"C-1": ("hold", 2, 1, "on-hold"), "C-2": (None, 0, 0, None)}

    def test_due_visits_come_earliest_first_at_every_site_or_one(self, clinic: Clinic):
        week = timedelta(days=7)
        later = Window(1, DAY + week, DAY + week, DAY + week)
        clinic.begun("C-1", visits={"dose": later, "blood": WINDOW})
        clinic.begun("C-2", visits={"dose": WINDOW}, site="south", state="held")

        with clinic.reading() as tx:
            today = tx.visits(DAY)
            south = tx.visits(DAY, "south")
            before = tx.visits(DAY - timedelta(days=1))
            every = tx.visits(DAY + week)
        assert [(v.course, v.name) for v in today] == [("C-1", "blood"), ("C-2", "dose")]
        assert [(v.course, v.name) for v in every][-1] == ("C-1", "dose")
        assert before == []
        (visit,) = south
        assert (visit.course, visit.site, visit.state) == ("C-2", "south", "held")
        assert (visit.zone, visit.window) == ("America/Los_Angeles", WINDOW)

    def test_messages_wait_oldest_first_until_they_are_delivered(self, clinic: Clinic):
        said = [Outgoing(kind="hold", body=b"{}"), Outgoing(kind="consult", body='"é"'.encode())]
        clinic.stored(
            clinic.decision(messages=said),
            clinic.decision(seq=2, messages=said[:1]),
        )

        with clinic.writing() as tx:
            waiting = tx.waiting(10)
            assert tx.waiting(1) == waiting[:1]
            tx.delivered(waiting[0], NOON)
            tx.delivered(waiting[0], NOON + HOUR)
        with clinic.reading() as tx:
            assert tx.waiting(10) == waiting[1:]
        assert [(m.seq, m.n, m.kind, m.body) for m in waiting] == [
            (1, 1, "hold", b"{}"),
            (1, 2, "consult", '"é"'.encode()),
            (2, 1, "hold", b"{}"),
        ]
        assert waiting[0].recorded_at == NOON + timedelta(seconds=1)

    def test_texts_are_kept_by_record_and_place(self, clinic: Clinic):
        text = SealedText(path="reason.text", salt="pepper", text="fell ill", sha256="5e")
        clinic.begun(texts=[text])
        clinic.stored(clinic.decision(seq=2))

        with clinic.reading() as tx:
            assert tx.texts("C-1", 1) == {"reason.text": ("pepper", "fell ill")}
            assert tx.texts("C-1", 2) == {}

    # --- definitions --------------------------------------------------------------------------

    def test_a_definition_comes_back_byte_for_byte_and_stays_as_it_is(self, clinic: Clinic):
        with clinic.writing() as tx:
            assert tx.definition(IL2.digest) is None
            tx.define(IL2)
            tx.define(IL2)
            assert tx.definition(IL2.digest) == IL2
        with clinic.writing() as tx:
            tx.define(IL2)

        with clinic.reading() as tx:
            assert tx.definitions() == [IL2]
            assert tx.prose(IL2.prose_digest) == IL2.prose
            assert tx.prose("sha256:unheard of") is None

    def test_newer_prose_is_kept_beside_the_prose_that_a_definition_came_with(self, clinic: Clinic):
        newer = definition(prose='{"title":"naïve"}'.encode())
        clinic.begun()
        with clinic.writing() as tx:
            tx.define(newer)

        with clinic.reading() as tx:
            assert tx.prose(newer.prose_digest) == newer.prose
            assert tx.definition(newer.digest) == IL2

    def test_definitions_come_by_name_and_version(self, clinic: Clinic):
        every = [definition("b", "1"), definition("a", "2"), definition("a", "10")]
        with clinic.writing() as tx:
            for one in every:
                tx.define(one)

        with clinic.reading() as tx:
            labels = [(d.name, d.version) for d in tx.definitions()]
        assert labels == [("a", "10"), ("a", "2"), ("b", "1")]
