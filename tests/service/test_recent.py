"""Going on from where a course was left gives what reading its row would give, or is not done."""

from __future__ import annotations

import json
from contextlib import suppress

from engine.recent import MOST, Left, Recent, Standing
from engine.store.sql import SqlStore
from engine.submission import Desk
from tests.service.bench import BAD, INSTRUMENT, Bench, said


def test_a_course_is_found_as_it_was_left(bench: Bench):
    bench.in_service("gauge")
    with bench.store.transaction(bench.tenant, write=False) as tx:
        stored = tx.row("gauge") or b""

    left = bench.service.setting.recent.of(stored)

    assert left.snapshot is not None
    assert left.row == json.loads(stored)


def test_a_course_that_another_process_moved_is_read_anew(store: SqlStore, bench: Bench):
    bench.in_service("gauge")
    other = Bench(store, bench.tenant, clock=bench.clock)

    moved = other.service.submit(other.measurement("gauge", BAD, id="theirs"))
    answer = bench.service.submit(bench.measurement("gauge", id="ours"))

    assert (moved.seq, answer.seq) == (4, 5)
    assert answer.state_before == moved.state
    assert bench.proved("gauge")


def test_what_was_rolled_back_is_not_gone_on_from(bench: Bench):
    bench.in_service("gauge")

    with suppress(ZeroDivisionError), bench.store.transaction(bench.tenant) as tx:
        Desk(setting=bench.service.setting, tx=tx).submit(bench.measurement("gauge", BAD))
        raise ZeroDivisionError

    answer = bench.service.submit(bench.measurement("gauge"))
    assert (answer.seq, answer.state_before) == (4, "in_service")
    assert bench.proved("gauge")


def test_what_is_only_tried_pushes_out_nothing(bench: Bench):
    bench.in_service("gauge")
    bench.enrolled("caliper")
    recent = bench.service.setting.recent
    before = dict(recent._left)

    bench.service.dry_run(bench.measurement("gauge"))
    bench.service.dry_run(bench.enrolment("balance"))
    with suppress(ZeroDivisionError), bench.store.transaction(bench.tenant) as tx:
        Desk(setting=bench.service.setting, tx=tx).submit(bench.measurement("gauge", BAD))
        raise ZeroDivisionError

    assert recent._left == before
    assert before


def test_a_batch_goes_on_from_where_it_left_a_course_itself(bench: Bench):
    bench.in_service("gauge")
    with bench.store.transaction(bench.tenant) as tx:
        desk = Desk(setting=bench.service.setting, tx=tx)
        desk.submit(bench.measurement("gauge"))
        stored = tx.row("gauge") or b""

        assert desk._left.of(stored).snapshot is not None
        assert bench.service.setting.recent.of(stored).snapshot is None


def test_with_and_without_it_the_records_say_the_same(bench: Bench, store: SqlStore):
    bench.in_service("gauge")
    bench.service.submit(bench.measurement("gauge", BAD))
    forgetful = Bench(store, f"{bench.tenant}-forgetful", clock=bench.clock)
    forgetful.install(INSTRUMENT)
    for record in bench.records("gauge"):
        forgetful.service.setting.recent._left.clear()
        forgetful.service.submit(json.loads(record.body)["event"])

    assert said(forgetful.records("gauge")) == said(bench.records("gauge"))


def test_only_so_many_courses_are_kept_and_the_oldest_go_first():
    recent = Recent(most=2)
    left = [Standing({"n": n}, b"%d" % n) for n in range(3)]

    for one in left:
        recent.keep(one, instead=None)

    assert recent.of(b"2") is left[2]
    assert recent.of(b"0") is not left[0]
    assert MOST > 2


def test_what_a_transaction_left_takes_the_place_of_what_it_found_once_it_is_committed():
    recent = Recent()
    found, between, left, other = (Standing({"n": n}, b"%d" % n) for n in range(4))
    recent.keep(found, instead=None)
    ours = Left(recent, most=2)
    ours.keep(between, instead=recent.of(b"0"))
    ours.keep(left, instead=ours.of(b"1"))
    ours.keep(other, instead=None)

    assert list(recent._left) == [b"0"]
    ours.committed()
    assert list(recent._left) == [b"2", b"3"]


def test_a_transaction_keeps_only_so_many_courses_itself():
    ours = Left(Recent(), most=2)
    left = [Standing({"n": n}, b"%d" % n) for n in range(3)]

    for one in left:
        ours.keep(one, instead=None)

    assert ours.of(b"2") is left[2]
    assert ours.of(b"0") is not left[0]
