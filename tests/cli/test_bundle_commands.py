"""What an auditor takes along at a terminal: a bundle, and the verifier that needs nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine import bootstrap, keys
from engine.core.note import KeyKind
from engine.ledger import Ledger
from engine.settings import Settings
from tests.bundle.forgery import closed, ended, parts_of
from tests.bundle.standalone import FILE, verify
from tests.cli.conftest import Regimen

LIMIT = "deviation_limit=3"
TOLD_OF_A_FILE = ("source", "keys", "asked", "cannot_find")


def checkpoint(name: str) -> str:
    """Seal what is there and write the checkpoint to a file; the verifier key of who signed."""
    settings = Settings(database_url="sqlite:///regimen.db")
    service = bootstrap.service(settings)
    signer = keys.new_key("clinic.example/ledger", KeyKind.LOG, b"\x01" * 32)
    made = _signing(bootstrap.ledger(settings, service), signer).checkpoint()
    Path(name).write_bytes(made.note.encode())
    service.store.close()  # type: ignore[attr-defined]
    return made.keys[0].text()


def _signing(ledger: Ledger, signer: keys.SigningKey) -> Ledger:
    ledger._signers = (signer,)
    return ledger


def test_a_bundle_is_proved_against_the_checkpoint_that_somebody_holds(gauges: Regimen):
    key = checkpoint("held")
    assert gauges("export", "gauge-1", "--checkpoint", "held", "--out", "b.jsonl").code == 0

    options = ("--checkpoint", "held", "--key", key)
    ran = gauges("verify", "b.jsonl", *options)
    assert ran.code == 0
    assert "gauge-1 in b.jsonl: 5 records, whole, in the tree of 6, head " in ran.out
    assert verify(Path("b.jsonl"), *options).code == 0


def test_it_is_said_by_whose_keys_the_checkpoint_of_a_bundle_is_signed(gauges: Regimen):
    key = checkpoint("held")
    assert gauges("export", "--out", "b.jsonl").code == 0
    assert gauges("export", "gauge-1", "--format", "1", "--out", "b.json").code == 0

    enclosed = "its checkpoint is signed by keys from the bundle itself, not yours"
    for options in ((), ("--checkpoint", "held")):
        assert gauges("verify", "b.jsonl", *options).out.count(enclosed) == 1
        told = gauges("verify", "b.jsonl", *options, "--json").json()["courses"]
        assert [one["keys"] for one in told] == ["enclosed", "enclosed"]
        assert all(enclosed in one["cannot_find"][-1] for one in told)

    ran = gauges("verify", "b.jsonl", "--key", key)
    assert "by the keys that you gave: clinic.example/ledger/default." in ran.out
    told = gauges("verify", "b.jsonl", "--key", key, "--json").json()["courses"]
    assert [(one["keys"], one["cannot_find"]) for one in told] == [("given", [])] * 2

    assert "b.json: it has no checkpoint: who made it" in gauges("verify", "b.json").out
    assert gauges("verify", "b.json", "--json").json()["courses"][0]["keys"] == "none"


def test_it_is_said_what_a_bundle_was_asked_for_since_one_of_some_shows_of_no_others(
    gauges: Regimen,
):
    """The manifest is signed by nobody: a bundle of all can be made one of some, less a course."""
    checkpoint("held")
    for name, options in (("all", ()), ("one", ("gauge-1",)), ("since", ("--since", "2020-01-01"))):
        assert gauges("export", *options, "--out", f"{name}.jsonl").code == 0
    assert gauges("export", "gauge-1", "--format", "1", "--out", "old.json").code == 0
    whole = gauges("verify", "all.jsonl")

    assert whole.out.count("all.jsonl: it was asked for all courses of tenant default.") == 1
    said = "it was asked for some courses by name: whether there are others is not told."
    assert f"one.jsonl: {said}" in gauges("verify", "one.jsonl").out
    assert f"old.json: {said}" in gauges("verify", "old.json").out
    since = "courses with a record since 2020-01-01T00:00:00Z: whether others have one is not told."
    assert f"since.jsonl: it was asked for {since}" in gauges("verify", "since.jsonl").out
    told = gauges("verify", "all.jsonl", "--json").json()["courses"]
    assert [one["asked"] for one in told] == [{"tenant": True}] * 2


def test_who_holds_a_checkpoint_is_told_how_many_records_since_are_of_courses_left_out(
    gauges: Regimen,
):
    """A file that says it was asked for what changed since may still lack a course that did."""
    checkpoint("held")
    for course in ("gauge-1", "gauge-2"):
        signing = ("--record", "1", "--meaning", "reviewed", "--role", "metrologist")
        assert gauges("sign", course, *signing, "--name", "Kim Bell").code == 0
    checkpoint("newer")
    exported = gauges("export", "--since", "2020-01-01", "--checkpoint", "held", "--out", "b.jsonl")
    assert exported.code == 0
    parts = parts_of(Path("b.jsonl"))
    second = next(
        n for n, one in enumerate(parts) if one.get("course", {}).get("course") == "gauge-2"
    )
    closed(parts[:second], Path("less.jsonl"))
    nothing = [one for one in parts[:second] if not {"course", "record", "definition"} & one.keys()]
    closed(nothing, Path("none.jsonl"))
    between = "sealed between the checkpoint that you hold and its own"

    def told(file: str, *options: str) -> tuple[str, int | None]:
        ran = gauges("verify", file, *options)
        assert ran.code == 0
        (line,) = (line for line in ran.out.splitlines() if "it was asked for" in line)
        asked = gauges("verify", file, *options, "--json").json()["courses"]
        (left_out,) = {one["left_out"] for one in asked}
        return line.partition("Z: ")[2], left_out

    hold = ("--checkpoint", "held")
    assert told("b.jsonl", *hold) == (f"no other course has one that was {between}.", 0)
    lacking = f"records {between} are of other courses, which it does not hold."
    since = [sum(one["record"]["leaf"]["index"] >= 6 for one in some if "record" in one)
             for some in (parts[second:], parts)]  # fmt: skip
    assert len(set(since)) == 2
    assert told("less.jsonl", *hold) == (f"{since[0]} {lacking}", since[0])
    assert told("none.jsonl", *hold) == (f"{since[1]} {lacking}", since[1])
    assert told("less.jsonl") == ("whether others have one is not told.", None)
    assert told("b.jsonl", "--checkpoint", "newer") == (
        "whether others have one is not told.",
        None,
    )
    assert "none.jsonl: it holds no course" in gauges("verify", "none.jsonl").out


@pytest.mark.parametrize("how", [(), ("--re-decide",)], ids=["replay", "re-decide"])
def test_a_bundle_that_is_replayed_is_told_by_whose_keys_as_one_that_is_verified(
    gauges: Regimen, how: tuple[str, ...]
):
    checkpoint("held")
    assert gauges("export", "--out", "b.jsonl").code == 0
    (said,) = (line for line in gauges("verify", "b.jsonl").out.splitlines() if "keys" in line)
    ran = gauges("replay", "b.jsonl", *how)

    assert ran.out.splitlines().count(said) == 1
    told = gauges("replay", "b.jsonl", *how, "--json").json()["courses"]
    assert [one["keys"] for one in told] == ["enclosed", "enclosed"]
    assert [one["asked"] for one in told] == [{"tenant": True}] * 2


@pytest.mark.parametrize(
    "how",
    [("--step", "2"), ("--at", "2100-01-01T00:00:00Z"), ("--sense", "believed")],
    ids=["step", "at", "sense"],
)
def test_steps_of_a_bundle_are_told_by_whose_keys_as_one_that_is_verified(
    gauges: Regimen, how: tuple[str, ...]
):
    checkpoint("held")
    assert gauges("export", "--out", "b.jsonl").code == 0
    (keys_line,) = (line for line in gauges("verify", "b.jsonl").out.splitlines() if "keys" in line)
    ran = gauges("replay", "b.jsonl", "gauge-1", *how)
    told = gauges("replay", "b.jsonl", "gauge-1", *how, "--json").json()

    assert ran.out.splitlines()[-1] == keys_line
    assert ran.out.splitlines()[-2] == "b.jsonl: it was asked for all courses of tenant default."
    assert (told["keys"], told["asked"]) == ("enclosed", {"tenant": True})
    assert keys_line.removeprefix("b.jsonl: ") in told["cannot_find"]
    of_the_database = gauges("replay", "gauge-1", *how, "--json").json()
    assert told == {**of_the_database, **{name: told[name] for name in TOLD_OF_A_FILE}}


def test_whose_keys_are_meant_is_said_of_each_file_and_not_of_one_that_is_not_whole(
    gauges: Regimen,
):
    checkpoint("held")
    for name in ("a.jsonl", "b.jsonl", "cut.jsonl"):
        assert gauges("export", "gauge-1", "--out", name).code == 0
    Path("cut.jsonl").write_bytes(Path("cut.jsonl").read_bytes()[:3000])
    ran = gauges("verify", "a.jsonl", "cut.jsonl", "b.jsonl")

    said = "signed by keys from the bundle itself, not yours: who made it cannot be told."
    assert [line.split(":")[0] for line in ran.out.splitlines() if said in line] == [
        "a.jsonl",
        "b.jsonl",
    ]
    assert "keys" not in gauges("verify", "gauge-1", "--json").json()["courses"][0]


def test_a_bundle_that_another_key_signed_is_a_negative_answer(gauges: Regimen):
    checkpoint("held")
    assert gauges("export", "gauge-1", "--out", "b.jsonl").code == 0
    other = keys.new_key("clinic.example/ledger/default", KeyKind.LOG, b"\x02" * 32).verifier.text()

    ran = gauges("verify", "b.jsonl", "--key", other)
    assert ran.code == 1
    assert "checkpoint: expected a signature of clinic.example/ledger/default that holds" in ran.out
    assert verify(Path("b.jsonl"), "--key", other).code == 1


def test_a_course_whose_last_records_were_left_out_of_a_bundle_is_a_negative_answer(
    gauges: Regimen,
):
    checkpoint("held")
    assert gauges("export", "gauge-1", "--checkpoint", "held", "--out", "b.jsonl").code == 0
    parts = parts_of(Path("b.jsonl"))
    for keep in range(1, 5):
        closed(parts[: keep - 5], Path("cut.jsonl"))
        for options in ((), ("--checkpoint", "held")):
            ran = gauges("verify", "cut.jsonl", *options)
            assert ran.code == 1
            assert f"record {keep}: head: it is not shown to be the last of its course" in ran.out


def test_a_bundle_without_a_map_of_course_heads_says_what_it_cannot_tell(gauges: Regimen):
    said = "Whether its last records were left out cannot be told"
    assert gauges("export", "gauge-1", "--format", "1", "--out", "b.json").code == 0
    assert gauges("export", "gauge-1", "--out", "b.jsonl").code == 0
    for name in ("b.json", "b.jsonl"):
        ran = gauges("verify", name)
        assert ran.code == 0
        assert said in ran.out
        answer = gauges("verify", name, "--json").json()
        assert said in answer["courses"][0]["cannot_find"][0]

    checkpoint("held")
    gauges("export", "gauge-1", "--out", "b.jsonl")
    assert said not in gauges("verify", "b.jsonl").out


def test_a_whole_tenant_is_exported_when_no_course_is_named(gauges: Regimen):
    checkpoint("held")
    answer = gauges("export", "--out", "all.jsonl", "--json").json()

    assert (answer["courses"], answer["records"], answer["unsealed"]) == (2, 6, 0)
    assert answer["checkpoint"] == 6
    ran = gauges("verify", "all.jsonl", "--json")
    assert [course["course"] for course in ran.json()["courses"]] == ["gauge-1", "gauge-2"]
    assert verify(Path("all.jsonl")).code == 0


def test_courses_are_named_by_argument_and_by_option(gauges: Regimen):
    named = gauges("export", "gauge-1", "--course", "gauge-2", "--out", "two.jsonl", "--json")

    assert named.json()["courses"] == 2


def test_whole_courses_that_changed_since_are_exported(gauges: Regimen):
    answer = gauges("export", "--since", "2020-01-01", "--out", "s.jsonl", "--json").json()
    none = gauges("export", "--since", "2099-01-01T00:00:00Z", "--out", "n.jsonl", "--json").json()

    assert (answer["courses"], none["courses"]) == (2, 0)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("gauge-1", "--since", "2026-03-02"), "--since: expected no course by name beside it"),
        (("--since", "yesterday"), "--since: expected a date such as"),
        (("--format", "1"), "--format: expected 2"),
        (("gauge-1", "--checkpoint", "nowhere"), "--checkpoint: expected a file that can be read"),
    ],
)
def test_what_cannot_be_exported_is_bad_input(gauges: Regimen, options: tuple[str, ...], said: str):
    ran = gauges("export", *options)

    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err


def test_a_bundle_without_proofs_says_how_to_get_them(gauges: Regimen):
    ran = gauges("export", "gauge-1", "--out", "b.jsonl")

    assert "No checkpoint was made yet, so it has no proofs: `regimen checkpoint`" in ran.out


def test_what_could_not_be_exported_leaves_no_file_and_the_old_one(gauges: Regimen):
    Path("b.jsonl").write_text("mine")
    assert gauges("export", "gauge-9", "--out", "b.jsonl").code == 2

    assert Path("b.jsonl").read_text() == "mine"
    assert sorted(p.name for p in Path().iterdir() if p.name.startswith(".b")) == []


def test_a_new_file_may_be_read_by_whom_others_may(gauges: Regimen):
    umask = os.umask(0o022)
    try:
        assert gauges("export", "gauge-1", "--out", "b.jsonl").code == 0
    finally:
        os.umask(umask)

    assert Path("b.jsonl").stat().st_mode & 0o777 == 0o644


def test_a_bundle_that_was_cut_off_is_a_negative_answer(gauges: Regimen):
    whole = gauges("export").out
    ran = gauges("verify", "-", stdin=whole[: len(whole) // 2])

    assert ran.code == 1
    assert "-: line " in ran.out


def test_what_is_wrong_with_a_file_is_told_by_its_name_and_is_no_further_course(gauges: Regimen):
    assert gauges("export", "gauge-1", "--out", "b.jsonl").code == 0
    Path("b.jsonl").write_text(Path("b.jsonl").read_text().replace("accepted", "refused!", 1))
    ran = gauges("verify", "b.jsonl")

    assert ran.code == 1
    assert "gauge-1 in b.jsonl: record 1: content" in ran.out
    assert "\nb.jsonl: line " in ran.out
    assert "courses" not in ran.out

    assert gauges("export", "--out", "b.jsonl").code == 0
    Path("b.jsonl").write_text(Path("b.jsonl").read_text().replace("accepted", "refused!", 1))
    said = "2 courses, 1 with something wrong, and 1 file not whole."
    assert said in gauges("verify", "b.jsonl").out


FORGED = {
    "the signature is another": ("checkpoint", "a signature of clinic.example/ledger/default"),
    "the last records are left out": ("head", "is not shown to be the last of its course"),
    "a course is left out": ("tenant", "every record of the tree"),
}


@pytest.mark.parametrize("crime", FORGED)
@pytest.mark.parametrize("command", [("replay", "--step", "1"), ("what-if", "--set", LIMIT)])
def test_nothing_is_shown_or_asked_of_a_file_that_is_not_as_its_checkpoint_says(
    gauges: Regimen, crime: str, command: tuple[str, ...]
):
    checkpoint("held")
    assert gauges("export", "--out", "b.jsonl").code == 0
    parts = parts_of(Path("b.jsonl"))
    if crime == "the signature is another":
        note = next(part["checkpoint"] for part in parts if "checkpoint" in part)
        text = note["note"]  # the last letter has bits that must be zero: it stays
        note["note"] = text[:-30] + text[-30:-10].swapcase() + text[-10:]
    elif crime == "a course is left out":
        del parts[[n for n, part in enumerate(parts) if "course" in part][1] :]
    else:
        del parts[[n for n, part in enumerate(parts) if "course" in part][1] - 1]
    closed(parts, Path("b.jsonl"))
    name, *options = command
    course = ["gauge-1"] if name == "replay" else []
    ran = gauges(name, "b.jsonl", *course, *options)

    assert ran.code == 1
    told = " ".join(ran.out.split())
    assert all(said in told for said in FORGED[crime])
    assert "step 1" not in ran.out
    assert "1 judged" not in ran.out


def test_a_checkpoint_proves_files_and_nothing_else(gauges: Regimen):
    checkpoint("held")
    ran = gauges("verify", "gauge-1", "--checkpoint", "held")

    assert ran.code == 2
    assert "--checkpoint: expected no courses beside it" in ran.err


def test_the_verifier_is_written_as_it_is_and_runs_by_itself(gauges: Regimen):
    answer = gauges("verifier", "--out", "verifier.py", "--json").json()
    assert Path("verifier.py").read_bytes() == FILE.read_bytes()
    assert answer["bytes"] == FILE.stat().st_size

    assert gauges("export", "gauge-1", "--out", "b.jsonl").code == 0
    command = [sys.executable, "-I", "-S", "verifier.py", "b.jsonl"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "course gauge-1: 5 records" in done.stdout


def test_the_verifier_comes_through_a_pipe(gauges: Regimen):
    assert gauges("verifier").out == FILE.read_text()


@pytest.mark.parametrize(
    "name", ["a\x1b[2J\x1b[H", "a\nWHOLE\n", "a\r", "a\u202eb", "\ud800"], ids=ascii
)
def test_no_name_in_a_bundle_clears_the_screen_or_begins_a_line(regimen: Regimen, name: str):
    """A bundle comes from whom one does not trust, and names its courses and definitions itself."""
    manifest = {"format": 2, "kind": "regimen-bundle", "tenant": "t", "asked": {"courses": [name]}}
    counted = {"courses": 1, "records": 0, "definitions": []}
    parts = [{**manifest, **counted}, {"course": {"course": name, "records": 0}}]
    lines = "".join(json.dumps(part, separators=(",", ":")) + "\n" for part in parts)
    Path("evil.jsonl").write_bytes(ended(lines.encode()))

    ours = regimen("verify", "evil.jsonl")
    theirs = verify(Path("evil.jsonl"))

    assert ours.code in (1, 2)
    assert theirs.code == 1
    for told in (ours.out + ours.err, theirs.told):
        assert not set(told) & set("\x1b\r\u202e\ud800"), told
        assert "WHOLE" not in told.splitlines()
    assert ascii(name)[1:-1] in theirs.told
