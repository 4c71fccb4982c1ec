"""Texts are erased on a legal basis and leave every proof green; a legal hold keeps them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.answer import Answer
from engine.core.encoding import instant_text
from engine.errors import InvalidInput, NotPermitted
from engine.store.memory import MemoryStore
from engine.store.sql import SqlStore
from tests.service.bench import INSTRUMENT, Bench

KEEPER = {"id": "kim", "role": "records"}
WORDS = ("a pianist of forty", "she plays at night")


@pytest.fixture(params=["memory", "database"])
def room(request: pytest.FixtureRequest, store: SqlStore, tenant: str) -> Bench:
    """A course with two texts, in records 2 and 3, on each store."""
    bench = Bench(MemoryStore() if request.param == "memory" else store, tenant)
    bench.install(INSTRUMENT)
    bench.enrolled("C-1")
    for words in WORDS:
        bench.service.submit(bench.measurement("C-1", reason={"text": words}))
    return bench


def erase(room: Bench, **data: Any) -> Answer:
    reason = {"code": data.pop("basis", "gdpr-17-1-b")}
    own = {name: data.pop(name) for name in ("actor", "id") if name in data}
    body = room.body("C-1", "course.erased", data=data, reason=reason, actor=KEEPER)
    return room.service.submit(body | own)


def hold(room: Bench, how: str, name: str = "case-7", **more: Any) -> Answer:
    body = room.body("C-1", f"course.legal_hold_{how}", data={"hold": name},
                     reason={"code": "litigation"}, actor=KEEPER)  # fmt: skip
    return room.service.submit(body | more)


def texts(room: Bench) -> list[str | None]:
    with room.store.transaction(room.tenant, write=False) as tx:
        return [text for seq in (2, 3) for _, text in tx.texts("C-1", seq).values()]


def kept(room: Bench) -> list[tuple[int, str]]:
    with room.store.transaction(room.tenant, write=False) as tx:
        return list(tx.kept_texts("C-1"))


@pytest.mark.parametrize(
    ("what", "left"),
    [({}, [None, None]), ({"record": 2}, [None, WORDS[1]]),
     ({"record": 3, "path": "reason.text"}, [WORDS[0], None])],
    ids=["all", "a record's", "one"],
)  # fmt: skip
def test_texts_and_their_salts_are_erased_and_every_proof_stays_green(
    room: Bench, what: dict[str, Any], left: list[str | None]
):
    assert kept(room) == [(2, "reason.text"), (3, "reason.text")]
    answer = erase(room, **what)

    assert (answer.verdict, answer.seq) == ("accepted", 4)
    assert texts(room) == left
    assert kept(room) == [(n, "reason.text") for n, text in zip((2, 3), left, strict=True) if text]
    with room.store.transaction(room.tenant, write=False) as tx:
        for seq, text in zip((2, 3), left, strict=True):
            (salt, _) = tx.texts("C-1", seq)["reason.text"]
            assert bool(salt) is (text is not None)
    assert room.proved("C-1")
    assert room.auditor.replay("C-1") == room.row("C-1")


def test_an_erasure_is_recorded_with_who_asked_and_on_which_legal_basis(room: Bench):
    erase(room, record=2)
    body = json.loads(room.records("C-1")[3].body)

    assert body["event"]["actor"] == KEEPER
    assert body["event"]["reason"] == {"code": "gdpr-17-1-b"}
    assert body["event"]["data"] == {"record": 2}


def test_it_moves_no_course_and_answers_no_question(room: Bench):
    before = room.row("C-1")
    erase(room)
    after = room.row("C-1")

    moving = ("state", "variables", "questions", "timers", "visits", "last_at")
    assert {name: before[name] for name in moving} == {name: after[name] for name in moving}


def test_an_event_sent_again_after_its_text_was_erased_gets_its_answer(room: Bench):
    body = room.measurement("C-1", reason={"text": "in the night"})
    first = room.service.submit(body)
    erase(room, record=first.seq)
    again = room.service.submit(body)

    assert (again.seq, again.repeated, again.decision) == (first.seq, True, first.decision)


def test_an_erasure_sent_again_is_one_erasure(room: Bench):
    first = erase(room, id="erase-1")
    body = room.body("C-1", "course.erased", id="erase-1", data={},
                     reason={"code": "gdpr-17-1-b"}, actor=KEEPER)  # fmt: skip
    again = room.service.submit(body)

    assert (again.seq, again.repeated) == (first.seq, True)


@pytest.mark.parametrize(
    ("what", "field"),
    [({"record": 1}, "data.record"), ({"record": 99}, "data.record"),
     ({"record": 2, "path": "reason.code"}, "data.path"), ({"path": "reason.text"}, "data.record"),
     ({"record": 2, "path": "a b"}, "data.path"), ({"record": 0}, "data.record"),
     ({"what": 1}, "data.what")],
)  # fmt: skip
def test_what_is_not_there_is_not_erased(room: Bench, what: dict[str, Any], field: str):
    with pytest.raises(InvalidInput) as wrong:
        erase(room, **what)

    assert wrong.value.field == field
    assert texts(room) == list(WORDS)


def test_what_is_erased_already_is_not_erased_again(room: Bench):
    erase(room)
    with pytest.raises(InvalidInput, match="was not erased before"):
        erase(room)

    assert len(room.records("C-1")) == 4


@pytest.mark.parametrize(
    ("change", "field"),
    [({"reason": None}, "reason"), ({"reason": {"text": "asked"}}, "reason.code"),
     ({"reason": {"code": "x", "text": "she asked"}}, "reason.text"),
     ({"actor": {"id": "a", "role": "metrologist"}}, "actor.role")],
)  # fmt: skip
def test_an_erasure_needs_a_legal_basis_and_somebody_who_keeps_records(
    room: Bench, change: dict[str, Any], field: str
):
    body = room.body("C-1", "course.erased", data={}, reason={"code": "x"}, actor=KEEPER)
    sent = {name: part for name, part in (body | change).items() if part is not None}
    with pytest.raises((InvalidInput, NotPermitted)) as wrong:
        room.service.submit(sent)

    assert str(wrong.value).startswith(field)
    assert texts(room) == list(WORDS)


def test_under_a_legal_hold_an_erasure_is_refused_and_the_refusal_is_recorded(room: Bench):
    assert hold(room, "placed").verdict == "accepted"
    refused = erase(room)

    assert (refused.verdict, refused.decision["reason"]) == ("refused", "legal-hold")
    assert texts(room) == list(WORDS)
    assert hold(room, "released").verdict == "accepted"
    assert erase(room).verdict == "accepted"
    assert texts(room) == [None, None]
    assert [r.verdict for r in room.records("C-1")[3:]] == [
        "accepted", "refused", "accepted", "accepted",
    ]  # fmt: skip
    assert room.proved("C-1")


def test_every_legal_hold_has_to_be_released_by_its_name(room: Bench):
    for name in ("case-7", "case-8"):
        hold(room, "placed", name)
    assert room.row("C-1")["legal_holds"] == {"case-7": 4, "case-8": 5}
    refused = hold(room, "released", "case-9")
    assert refused.decision["reason"] == "no-such-legal-hold"
    hold(room, "released", "case-7")
    assert erase(room).decision["reason"] == "legal-hold"
    hold(room, "released", "case-8")

    assert "legal_holds" not in room.row("C-1")
    assert erase(room).verdict == "accepted"
    assert room.proved("C-1")


def test_a_legal_hold_keeps_no_treatment_from_going_on(room: Bench):
    hold(room, "placed")

    assert room.service.submit(room.release("C-1")).verdict == "accepted"


def test_a_legal_hold_of_one_course_is_none_of_another(room: Bench):
    room.enrolled("C-2")
    room.service.submit(room.measurement("C-2", reason={"text": "another"}))
    hold(room, "placed")
    body = room.body("C-2", "course.erased", reason={"code": "x"}, actor=KEEPER)

    assert room.service.submit(body).verdict == "accepted"
    assert texts(room) == list(WORDS)


def test_the_printed_names_of_signers_go_only_when_they_are_named(room: Bench):
    hashed = room.records("C-1")[1].hash
    proof = {"kind": "host", "by": "ann", "at": instant_text(room.clock.now())}
    data = {"record": 2, "hash": hashed, "meaning": "reviewed", "printed_name": "Dr Ann",
            "proof": proof}  # fmt: skip
    room.service.submit(room.body("C-1", "course.signed", data=data))
    erase(room)
    assert kept(room) == [(4, "data.printed_name")]
    erase(room, record=4)

    assert kept(room) == []
    assert room.proved("C-1")


def test_an_erasure_that_is_tried_changes_nothing(room: Bench):
    body = room.body("C-1", "course.erased", data={}, reason={"code": "x"}, actor=KEEPER)

    assert room.service.dry_run(body).verdict == "accepted"
    assert texts(room) == list(WORDS)
    assert len(room.records("C-1")) == 3
