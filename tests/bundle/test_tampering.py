"""Every crime against a bundle is found by whoever holds one earlier checkpoint, and named rightly.

The stand-alone verifier and `regimen verify` are asked alike. The forger closes the file again each
time, so that nothing is found by its last line alone.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from engine.bundle.form import Asked, DamagedBundle
from engine.bundle.proof import Proof
from engine.bundle.reading import BundleFile
from engine.cli.checked import replayed_file, verified_file
from engine.core.encoding import canonical
from engine.core.ledger import Checkpoint
from engine.core.note import Head
from engine.core.record import hash_of
from engine.errors import InvalidInput
from tests.bundle import forgery
from tests.bundle.forgery import Parts, closed, parts_of, records
from tests.bundle.standalone import CODE, audited
from tests.bundle.trees import key
from tests.bundle.yard import FIRST, KINDS, SECOND, THIRD, Yard


class Case:
    """A tenant, the checkpoint that an auditor holds, and what was exported to them later."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.yard = Yard().tell()
        self.held: Checkpoint = self.yard.tree.seal()
        self.yard.says(SECOND, "lowered", "driver")  # the log went on since
        self.yard.tree.seal()
        self.one = parts_of(self.export(FIRST))
        self.all = parts_of(self.export())

    def export(self, *courses: str) -> Path:
        asked = Asked(courses=courses)
        return self.yard.exported(self.folder / "whole", asked=asked, held=self.held.head)

    def found(self, parts: Parts) -> str:
        """The first thing that is wrong, as the stand-alone verifier says; the engine agrees."""
        return self.judged(closed(parts, self.folder / "forged"))

    def judged(self, path: Path) -> str:
        wrong = audited(path, self.held.note.encode().decode())
        ours = engine_says(path, self.held.head)
        assert bool(wrong) == bool(ours), (wrong, ours)
        return wrong[0] if wrong else ""


def engine_says(path: Path, held: Head | None = None, **proof: Any) -> str:
    """What `regimen verify` finds first; with the decisions, what `replay --re-decide` finds."""
    proving = Proof(held=held, **proof)
    try:
        with path.open("rb") as stream:
            bundle = BundleFile(stream)
            for n, course in enumerate(bundle.courses()):
                if n == 0:
                    proving.checkpoint(bundle.tenant, bundle.checkpoint)
                fault = course.verify() or proving.records(course, bundle.checkpoint)
                if fault is not None:
                    return f"course {course.course} {fault}"
            if bundle.whole_tenant:
                proving.whole(bundle.checkpoint)
    except (DamagedBundle, InvalidInput) as wrong:
        return str(wrong)
    return ""


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    # The same signature is looked at thousands of times; only here it is remembered.
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(CODE, "signed", lru_cache(CODE.signed))
        return Case(tmp_path_factory.mktemp("bundles"))


@pytest.fixture(autouse=True)
def remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CODE, "signed", _SIGNED)
    monkeypatch.setattr("engine.bundle.proof.signed", _SIGNED)


_SIGNED = lru_cache(CODE.signed)


def test_what_is_not_tampered_with_is_whole(case: Case) -> None:
    assert case.found(case.one) == case.found(case.all) == ""


def test_every_kind_of_record_is_in_the_bundles(case: Case) -> None:
    told = [b["event"]["event"] for b in forgery.bodies(case.all)]
    verdicts = {b["verdict"] for b in forgery.bodies(case.all)}

    assert set(told) >= KINDS
    assert verdicts == {"accepted", "refused", "deviation"}


RECORDS = range(18)
"""Those of the first course; a test below says that there are so many."""


def test_each_record_of_the_first_course_is_looked_at_below(case: Case) -> None:
    assert len(records(case.one)) == len(RECORDS)


@pytest.mark.parametrize("n", RECORDS)
def test_a_changed_member_does_not_have_the_hash(case: Case, n: int) -> None:
    for path in forgery.places(forgery.bodies(case.one)[n]):
        for crime in (forgery.altered(path), forgery.removed(path)):
            found = case.found(forgery.rewritten(case.one, n, crime))
            assert found.startswith(f"course {FIRST} record {n + 1}: content: "), (path, found)


@pytest.mark.parametrize("n", RECORDS)
def test_a_changed_member_with_a_new_hash_is_found_in_its_place(case: Case, n: int) -> None:
    for path in forgery.places(forgery.bodies(case.one)[n]):
        crime = forgery.rewritten(case.one, n, forgery.altered(path))
        found = case.found(forgery.rehashed(crime, n))
        assert found.startswith(f"course {FIRST} record {n + 1}: "), (path, found)


@pytest.mark.parametrize("n", RECORDS)
def test_a_changed_member_in_a_chain_that_is_linked_anew_is_found_in_its_place(
    case: Case, n: int
) -> None:
    for path in forgery.places(forgery.bodies(case.one)[n]):
        crime = forgery.rewritten(case.one, n, forgery.altered(path))
        linked = forgery.rechained(crime, keep=n if path == ("prev",) else -1)
        found = case.found(linked)
        assert found.startswith(f"course {FIRST} record {n + 1}: "), (path, found)


def test_a_chain_that_is_linked_anew_and_says_that_it_was_not_sealed_yet_is_refused(
    case: Case,
) -> None:
    crime = forgery.rewritten(case.one, 3, lambda body: body.update(engine="2"))

    assert case.found(forgery.unsealed(forgery.rechained(crime))).endswith(
        "unsealed: no checkpoint holds it yet"
    )


def test_an_adopted_course_is_held_to_what_was_attested(case: Case) -> None:
    start = next(n for n, p in enumerate(case.all) if p.get("course", {}).get("course") == THIRD)
    n = records(case.all).index(start + 1)
    for path in forgery.places(forgery.bodies(case.all)[n]):
        crime = forgery.rewritten(case.all, n, forgery.altered(path))
        found = case.found(forgery.rechained(crime, keep=n if path == ("prev",) else -1))
        assert found.startswith(f"course {THIRD} record 1: "), (path, found)


@pytest.mark.parametrize("n", RECORDS)
def test_a_record_that_was_taken_out_is_missed(case: Case, n: int) -> None:
    crime = [*case.one]
    del crime[records(case.one)[n]]
    if n < RECORDS[-1]:
        missed = f"course {FIRST} record {n + 1}: gap: it is record {n + 2}"
        assert case.found(crime) == missed
        linked = case.found(forgery.rechained(crime, renumbered=True))
        assert linked.startswith(f"course {FIRST} record {n + 1}: ")


@pytest.mark.parametrize("n", RECORDS)
def test_a_record_that_is_there_twice_is_found(case: Case, n: int) -> None:
    place = records(case.one)[n]
    crime = [*case.one[: place + 1], deepcopy(case.one[place]), *case.one[place + 1 :]]

    assert case.found(crime) == f"course {FIRST} record {n + 2}: gap: it is record {n + 1}"
    linked = case.found(forgery.rechained(crime, renumbered=True))
    assert linked == f"course {FIRST} record {n + 2}: order: its event was recorded before"


@pytest.mark.parametrize("n", RECORDS[:-1])
def test_records_that_changed_places_are_found(case: Case, n: int) -> None:
    place = records(case.one)[n]
    crime = [*case.one]
    crime[place], crime[place + 1] = crime[place + 1], crime[place]

    assert case.found(crime) == f"course {FIRST} record {n + 1}: gap: it is record {n + 2}"
    linked = case.found(forgery.rechained(crime, renumbered=True))
    assert linked.startswith(f"course {FIRST} record {n + 1}: ")


def test_a_file_that_was_cut_anywhere_is_found(case: Case) -> None:
    whole = case.export(FIRST).read_bytes()
    ends = [n + 1 for n, byte in enumerate(whole) if byte == 10]
    cut = case.folder / "cut"
    for end in (*ends[:-1], *(end - 7 for end in ends[1:])):
        cut.write_bytes(whole[:end])
        assert case.judged(cut).partition(": ")[2].startswith("file: "), end


def test_a_line_that_was_put_after_the_end_is_found(case: Case) -> None:
    path = case.export(FIRST)
    path.write_bytes(path.read_bytes() + b"{}\n")

    assert case.judged(path).endswith("file: something comes after the end")


def test_a_record_of_another_course_is_found(case: Case) -> None:
    of_second = next(p for p in case.all if SECOND in p.get("record", {}).get("body", ""))
    place = records(case.one)[0]
    crime = [*case.one[:place], of_second, *case.one[place + 1 :]]

    assert case.found(crime) == f"course {FIRST} record 1: order: it is another course's"


def test_a_course_that_was_left_out_of_a_whole_tenant_is_missed(case: Case) -> None:
    start = next(n for n, p in enumerate(case.all) if p.get("course", {}).get("course") == THIRD)

    assert case.found(case.all[:start]).endswith("gap: 2 records of the tree are not here")


def test_last_records_that_were_left_out_of_a_whole_tenant_are_missed(case: Case) -> None:
    assert case.found(case.all[:-1]).startswith(f"course {THIRD} record 1: head: ")


def test_a_tenant_without_courses_is_no_log_of_26_records(case: Case) -> None:
    crime = [part for part in case.all if "course" not in part and "record" not in part]

    assert case.found(crime).endswith("gap: 26 records of the tree are not here")


DEFINED = ("semantic", "prose", "digest", "prose_digest")


@pytest.mark.parametrize("member", DEFINED)
def test_an_edited_definition_is_not_the_one_that_decided(case: Case, member: str) -> None:
    crime = deepcopy(case.one)
    text = crime[1]["definition"][member]
    crime[1]["definition"][member] = text.replace("1", "2", 1)
    assert crime != case.one

    assert "definition: " in case.found(crime)


def test_a_definition_that_was_edited_and_named_anew_decided_nothing(case: Case) -> None:
    crime = deepcopy(case.one)
    defined = crime[1]["definition"]
    defined["semantic"] = defined["semantic"].replace('"100"', '"50"')
    defined["digest"] = "sha256:" + CODE.sha256(defined["semantic"].encode()).hex()
    found = case.found(crime)

    assert found.startswith(f"course {FIRST} record 1: definition: ")
    assert found.endswith("decided it and is not enclosed")


def test_a_definition_that_was_taken_out_is_missed(case: Case) -> None:
    found = case.found([part for part in case.one if "definition" not in part])

    assert found.startswith(f"course {FIRST} record 1: definition: ")


@pytest.mark.parametrize("n", RECORDS)
def test_an_edited_proof_does_not_lead_to_the_root(case: Case, n: int) -> None:
    place = records(case.one)[n]
    leaf = case.one[place]["record"]["leaf"]
    for path in forgery.places(leaf):
        for crime in (forgery.altered(path), forgery.removed(path)):
            forged = deepcopy(case.one)
            crime(forged[place]["record"]["leaf"])
            found = case.found(forged)
            assert found.startswith(f"course {FIRST} record {n + 1}: "), (path, found)


def test_a_proof_that_was_taken_out_is_missed(case: Case) -> None:
    crime = deepcopy(case.one)
    del crime[records(crime)[4]]["record"]["leaf"]

    assert case.found(crime) == (f"course {FIRST} record 5: unsealed: no checkpoint holds it yet")


NOTE: dict[str, Callable[[str], str]] = {
    "origin": lambda text: text.replace("clinic", "clinik"),
    "size": lambda text: text.replace("\n26\n", "\n27\n"),
    "root": lambda text: text.replace(text.split("\n")[2], base64.b64encode(bytes(32)).decode()),
    "signature": lambda text: text[:-12] + forgery.other(text[-12:-8]) + text[-8:],
    "no signature": lambda text: text.split("\n\n")[0] + "\n\n",
    "no note": lambda _: "",
}  # fmt: skip


@pytest.mark.parametrize("crime", NOTE)
def test_an_edited_checkpoint_is_refused(case: Case, crime: str) -> None:
    change = NOTE[crime]
    forged = deepcopy(case.one)
    sealed = forged[2]["checkpoint"]
    assert change(sealed["note"]) != sealed["note"]
    sealed["note"] = change(sealed["note"])

    assert case.found(forged).startswith("checkpoint: ")


def test_a_checkpoint_that_was_taken_out_is_missed(case: Case) -> None:
    crime = [part for part in case.one if "checkpoint" not in part]

    assert ": proof: there is no checkpoint that it could lead to" in case.found(crime)


def test_a_checkpoint_is_not_shown_to_continue_the_one_that_is_held(case: Case) -> None:
    for change in (lambda s: s.pop("consistency"), lambda s: s["consistency"][0]["path"].pop(),
                   lambda s: s["consistency"][0].update(size=3)):  # fmt: skip
        crime = deepcopy(case.one)
        change(crime[2]["checkpoint"])
        assert "checkpoint: it is not shown to continue yours of 24 leaves" in case.found(crime)


def test_the_checkpoint_of_another_tenant_is_refused(case: Case) -> None:
    other = Yard("yard-2").tell()
    made = other.tree.seal()
    crime = deepcopy(case.one)
    crime[2]["checkpoint"] |= {
        "note": made.note.encode().decode(), "keys": [key.text() for key in made.keys]
    }  # fmt: skip
    assert case.found(crime) == (
        "checkpoint: checkpoint: it is of another log, clinic.example/ledger/yard-2"
    )

    path = closed(case.one, case.folder / "forged")
    (wrong,) = audited(path, made.note.encode().decode())
    assert wrong == "checkpoint: checkpoint: yours is of clinic.example/ledger/yard-2"
    assert "yard-2" in engine_says(path, made.head)


def test_the_bundle_of_another_tenant_is_refused(case: Case) -> None:
    crime = deepcopy(case.one)
    crime[0]["tenant"] = "yard-2"

    assert "it is of another log" in case.found(crime)


def test_a_log_that_was_made_anew_and_signed_by_the_same_key_is_another_one(case: Case) -> None:
    """Whoever has the signing key, the database and all the time there is."""
    forged = Yard()
    forged.bench.clock.advance(seconds=1)
    made = parts_of(_remade(forged, case.folder))
    path = closed(made, case.folder / "forged")
    (wrong,) = audited(path, case.held.note.encode().decode())

    assert wrong == "checkpoint: checkpoint: it is not shown to continue yours of 24 leaves"
    assert engine_says(path, case.held.head)

    assert audited(path) == [], "without a checkpoint nobody can tell: docs/audit.md says so"
    assert engine_says(path) == ""


def test_a_log_that_was_made_anew_by_another_key_is_refused_with_the_key_alone(case: Case) -> None:
    forged = Yard()
    forged.tree.signer = key("yard-1", n=9)
    forged.bench.clock.advance(seconds=1)
    path = _remade(forged, case.folder)
    mine = case.yard.tree.signer.verifier

    (wrong,) = audited(path, keys=(mine.text(),))
    assert wrong.startswith("checkpoint: checkpoint: no signature of ")
    assert "a signature of" in engine_says(path, keys=(mine,))
    assert audited(path) == [], "the bundle brings its own key: hold yours"


def test_a_second_checkpoint_proves_nothing_of_the_courses_behind_it(case: Case) -> None:
    """Whoever has no key at all, and a genuine bundle: another course comes under a root of own."""
    forged = Yard()
    forged.tree.signer = key("yard-1", n=9)
    forged.bench.clock.advance(seconds=1)
    of_another = parts_of(_remade(forged, case.folder, THIRD))
    course = next(n for n, part in enumerate(of_another) if "course" in part)
    second = checkpoint_of(of_another)
    crime = deepcopy([*case.one, of_another[course], second, *of_another[course + 1 :]])
    crime[0]["asked"] = {"courses": [FIRST, THIRD]}
    path = closed(crime, case.folder / "forged")
    mine = case.yard.tree.signer.verifier

    assert audited(path, keys=(mine.text(),))
    assert engine_says(path, keys=(mine,)) == "checkpoint: expected one, before the courses"
    assert case.judged(path)
    late = [part for part in case.one if "checkpoint" not in part]
    for parts in (case.one, late):
        found = case.found([*parts, checkpoint_of(case.one)])
        assert "checkpoint" in found


def checkpoint_of(parts: Parts) -> dict[str, Any]:
    """The line that has it."""
    return next(part for part in parts if "checkpoint" in part)


def _remade(forged: Yard, folder: Path, course: str = FIRST) -> Path:
    forged.tell()
    forged.says(SECOND, "lowered", "driver")
    forged.tree.seal()
    return forged.exported(folder / "remade", course)


@pytest.mark.parametrize(
    "asked",
    [
        {"courses": [FIRST, SECOND]},
        {"courses": []},
        {},
        {"tenant": {}},
        {"since": 1, "tenant": 1},
        {"courses": None},
        {"courses": 1},
        {"courses": FIRST},
        None,
        1,
        True,
    ],
)
def test_a_file_that_does_not_hold_what_was_asked_is_refused(case: Case, asked: Any) -> None:
    crime = deepcopy(case.one)
    crime[0]["asked"] = asked

    assert case.found(crime).startswith("end: ")
    told = verified_file(str(case.folder / "forged"), Proof())
    assert any(one.wrong for one in told), "and the terminal has words for it"


@pytest.mark.parametrize(("member", "value"), [("records", None), ("records", True), ("course", 1)])
def test_a_course_that_does_not_say_its_name_or_its_number_is_none(
    case: Case, member: str, value: Any
) -> None:
    path = closed(case.one, case.folder / "forged")
    lines = path.read_bytes().splitlines()[:-1]
    begins = next(n for n, line in enumerate(lines) if line.startswith(b'{"course":'))
    course = json.loads(lines[begins])
    course["course"][member] = value
    lines[begins] = canonical(course)
    path.write_bytes(forgery.ended(b"".join(line + b"\n" for line in lines)))

    assert case.judged(path)


AMBIGUOUS = {
    "a member twice": '{"seq":1,',
    "a number that is none": '{"more":NaN,',
    "a fraction": '{"more":1.5,',
    "nested beyond reading": '{"more":' + "[" * 100_000 + "]" * 100_000 + ",",
}


@pytest.mark.parametrize("how", AMBIGUOUS)
def test_bytes_of_a_record_that_can_be_read_in_two_ways_are_none(case: Case, how: str) -> None:
    """The last of the chain and hashed as they are, so that all else agrees with itself."""
    parts = forgery.unsealed(case.one)
    record = parts[records(parts)[-1]]["record"]
    record["body"] = record["body"].replace("{", AMBIGUOUS[how], 1)
    record["hash"] = hash_of(record["body"].encode())
    path = closed(parts, case.folder / "forged")

    assert audited(path)
    assert engine_says(path)


@pytest.mark.parametrize("value", [None, [], {}, 2, "other"], ids=repr)
def test_a_member_of_another_kind_is_named_before_anything_is_decided_again(
    case: Case, value: object
) -> None:
    """Chained and hashed anew, with a value for each member that it cannot have."""
    parts, last = forgery.unsealed(case.one), len(RECORDS) - 1
    for name in ("changes", "civil", "decision", "format", "verdict", "workflow"):
        crime = forgery.rewritten(parts, last, lambda body, name=name: body.update({name: value}))
        path = closed(forgery.rechained(crime), case.folder / "forged")
        engine = [wrong for one in replayed_file(str(path), re_decide=True) for wrong in one.wrong]

        assert engine, (name, value)


@pytest.mark.parametrize("n", RECORDS)
def test_a_record_that_tells_of_another_outcome_than_it_decided_is_found(
    case: Case, n: int
) -> None:
    """By `replay --re-decide` too, although its chain is whole."""
    parts = forgery.unsealed(case.one)
    for told in ({"verdict": "other"}, {"state": ["idle", "elsewhere"]}, {"state": []}):
        crime = forgery.rewritten(parts, n, lambda body, told=told: body.update(told))
        path = closed(forgery.rechained(crime), case.folder / "forged")
        engine = [wrong for one in replayed_file(str(path), re_decide=True) for wrong in one.wrong]

        assert audited(path), told
        assert any(next(iter(told)) in wrong for wrong in engine), (told, engine)
