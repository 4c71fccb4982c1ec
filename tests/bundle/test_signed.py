"""Signatures in a bundle: of records by their hash, and of requests before they were sent."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine import keys
from engine.core.encoding import canonical
from engine.core.note import KeyKind
from engine.core.record import hash_of
from engine.store.memory import MemoryStore
from tests.bundle.forgery import closed, document
from tests.bundle.standalone import audited, verify
from tests.bundle.trees import key
from tests.bundle.yard import FIRST, Yard
from tests.service.bench import Bench
from tests.service.test_signing import BOTH, SIGNED, Desk


@pytest.fixture
def desk() -> Desk:
    bench = Bench(MemoryStore(), "signing")
    bench.install(SIGNED)
    found = Desk(bench)
    measured = found.measured()
    found.sign("measured", record=measured)
    found.sign("verified", "bob", record=measured)
    return found


def send(desk: Desk, act: dict[str, Any]) -> str:
    answer = desk.bench.service.submit(act)
    return str(answer.decision.get("reason", answer.verdict))


def wrong(desk: Desk, folder: Path, change: Callable[[list[Any]], object] = bool) -> list[str]:
    """What is wrong with the course as exported, its bodies changed and linked anew."""
    said = json.loads(desk.bench.auditor.export(desk.course))
    bodies = [json.loads(record["body"]) for record in said["records"]]
    change(bodies)
    head, records = "0" * 64, []
    for body in bodies:
        body["prev"] = head
        text = canonical(body)
        head = hash_of(text)
        records.append({"hash": head, "body": text.decode()})
    parts = document(said["tenant"], said["course"], said["definitions"], records)
    return audited(closed(parts, folder / "bundle"))


def test_a_request_that_both_signed_is_granted(desk: Desk, tmp_path: Path) -> None:
    act = desk.release(id="release-1")
    desk.signed(act, *BOTH)

    assert send(desk, act) == "accepted"
    assert wrong(desk, tmp_path) == []


def test_a_request_is_refused_for_each_reason_that_signatures_give(
    desk: Desk, tmp_path: Path
) -> None:
    assert send(desk, desk.release(id="release-1")) == "unsigned"
    act = desk.release(id="release-2")
    desk.signed(act, BOTH[0])
    assert send(desk, act) == "unsigned"
    act = desk.release(id="release-3")
    desk.signed(act, *BOTH)
    assert send(desk, act | {"reason": {"code": "another"}}) == "altered"
    act = desk.release(id="release-4")
    desk.signed(act, *BOTH)
    desk.bench.clock.advance(minutes=61)
    assert send(desk, act) == "too-old"

    assert wrong(desk, tmp_path) == []


def test_a_request_that_was_made_one_that_nobody_signed_is_refused(
    desk: Desk, tmp_path: Path
) -> None:
    act = desk.release(id="release-1")
    desk.signed(act, *BOTH)
    send(desk, act)

    def other_event(bodies: list[Any]) -> None:
        bodies[-1]["event"]["reason"] = {"code": "another"}

    def one_signature(bodies: list[Any]) -> None:
        bodies[-1]["decision"]["signed"].pop()

    assert 'weighed again "altered"' in wrong(desk, tmp_path, other_event)[0]
    assert "decision.signed" in wrong(desk, tmp_path, one_signature)[0]


def test_a_signature_that_was_moved_to_another_record_is_refused(
    desk: Desk, tmp_path: Path
) -> None:
    def moved(bodies: list[Any]) -> None:
        bodies[2]["event"]["data"]["record"] = 1

    def rewritten(bodies: list[Any]) -> None:
        bodies[1]["engine"] = "another"

    for crime in (moved, rewritten):
        (found,) = wrong(desk, tmp_path, crime)
        assert found.endswith("record 3: signature: it is of a record of another hash")


def test_a_checkpoint_may_be_held_by_the_key_of_a_witness(tmp_path: Path) -> None:
    yard = Yard().tell()
    made = yard.tree.seal()
    witness = key("", n=5, kind=KeyKind.WITNESS)
    seen = keys.signature(witness, made.note.text, at=1_770_000_000)
    yard.tree.made[-1] = type(made)(
        number=1, at=made.at, head=made.head, note=made.note.with_signatures(
            *made.note.signatures, seen), keys=made.keys,
    )  # fmt: skip
    path = yard.exported(tmp_path / "bundle", FIRST)

    assert verify(path, "--key", witness.verifier.text()).code == 0
    assert verify(path, "--key", witness.verifier.text(), "--key", made.keys[0].text()).code == 0
    another = key("", n=6, kind=KeyKind.WITNESS).verifier.text()
    assert verify(path, "--key", another).wrong[0].startswith("checkpoint: ")
    later = bytearray(seen.key_id + seen.signature)
    later[11] ^= 1  # the time that the witness signed
    forged = base64.b64encode(bytes(later)).decode()
    told = path.read_bytes().replace(base64.b64encode(seen.key_id + seen.signature),
                                     forged.encode())  # fmt: skip
    path.write_bytes(told)
    assert verify(path, "--key", witness.verifier.text()).wrong[0].startswith("checkpoint: ")


def test_a_key_or_checkpoint_of_the_auditor_that_is_none_says_nothing_against_the_bundle(
    tmp_path: Path,
) -> None:
    yard = Yard().tell()
    vkey = yard.tree.seal().keys[0].text()
    path = yard.exported(tmp_path / "bundle", FIRST)
    other = tmp_path / "other"
    other.write_text("no note")

    for given, why in (
        (("--key", "mistyped"), "key: 'mistyped' is no NAME+NUMBER+KEY"),
        (("--key", f"x{vkey}"), "it was mistyped or cut off"),
        (("--key", vkey[:-4]), "is no NAME+NUMBER+KEY"),
        (("--checkpoint", other), "checkpoint: it is no signed note"),
        (("--checkpoint", tmp_path / "nowhere"), "nowhere"),
    ):
        said = verify(path, *given)
        assert (said.code, said.wrong) == (2, ())
        assert said.told.startswith("NOT CHECKED: what you gave cannot be used: ")
        assert why in said.told
