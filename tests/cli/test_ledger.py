"""Checkpoints, proofs, witnesses and time stamps at a terminal.

The time stamp under `data/timestamp` was made by OpenSSL's `ts` as an authority of its own, whose
certificates were made up for it, over the text of the checkpoint beside it.
"""

from __future__ import annotations

import hashlib
import sqlite3
from base64 import b64decode
from contextlib import closing
from pathlib import Path

import pytest

from engine import keys
from engine.core import note
from engine.core.heads import HeadProof, head_of
from engine.core.ledger import Inclusion
from engine.core.note import Head, VerifierKey, checked
from tests.cli.conftest import DATA, GAUGES, Ran, Regimen

NAME = "clinic.example/ledger"
STAMP = DATA / "timestamp"


@pytest.fixture
def signed(gauges: Regimen, monkeypatch: pytest.MonkeyPatch) -> Regimen:
    """A database of two gauges whose ledger has a key."""
    assert gauges("ledger", "new-key", NAME, "ledger.key").code == 0
    monkeypatch.setenv("REGIMEN_LEDGER_KEY", "ledger.key")
    return gauges


def tamper(*statements: str) -> None:
    """What whoever owns the file can do: the guards go first."""
    with closing(sqlite3.connect("regimen.db")) as connection, connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for (name,) in names.fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)


def verifier(regimen: Regimen) -> str:
    key: str = regimen("ledger", "keys", "--json").json()["keys"][0]
    return key


def more(regimen: Regimen, n: int = 1) -> None:
    """Other courses."""
    text = Path(GAUGES).read_text().replace("gauge-", f"gauge-{n}x")
    Path("more.jsonl").write_text(text.replace('"patient": "', f'"patient": "p{n}-'))
    assert regimen("apply", "more.jsonl").code == 0


def test_a_checkpoint_is_printed_as_it_was_signed_and_its_key_is_told(signed: Regimen):
    ran = signed("checkpoint")
    found = note.parse(ran.out.encode())
    key = VerifierKey.parse(verifier(signed))

    assert ran.code == 0
    assert Head.parse(found.text).size == 6
    assert key.name == Head.parse(found.text).origin == f"{NAME}/default"
    assert checked(found, [key], keys.verify).held


def test_a_checkpoint_without_a_key_says_that_it_is_not_signed(gauges: Regimen):
    ran = gauges("checkpoint", "--out", "kept")

    assert ran.code == 0
    assert "Not signed: REGIMEN_LEDGER_KEY names no key" in ran.err
    assert note.parse(Path("kept").read_bytes(), unsigned=True).signatures == ()
    assert gauges("checkpoint", "--json").json()["signed"] is False
    assert gauges("verify", "--checkpoint", "kept").code == 0


def test_a_new_key_is_never_put_in_the_place_of_another(signed: Regimen):
    before = Path("ledger.key").read_text()
    ran = signed("ledger", "new-key", NAME, "ledger.key")

    assert (ran.code, Path("ledger.key").read_text()) == (2, before)
    assert Path("ledger.key").stat().st_mode & 0o777 == 0o600


def test_no_command_shows_a_secret(signed: Regimen):
    secret = Path("ledger.key").read_text().strip().split("+", 4)[4]  # which may have a plus, too
    for command in (("checkpoint", "--json"), ("ledger", "keys"), ("prove", "gauge-1", "--json")):
        ran = signed(*command)
        assert secret not in ran.out + ran.err


def test_a_key_is_changed_while_both_sign_and_all_are_listed(
    signed: Regimen, monkeypatch: pytest.MonkeyPatch
):
    signed("checkpoint")
    signed("ledger", "new-key", NAME, "next.key")
    monkeypatch.setenv("REGIMEN_LEDGER_KEY", "ledger.key, next.key")
    both = signed("checkpoint", "--json").json()
    monkeypatch.setenv("REGIMEN_LEDGER_KEY", "next.key")
    after = signed("checkpoint", "--json").json()

    assert len(both["keys"]) == 2
    assert after["keys"] == both["keys"][1:]
    assert signed("ledger", "keys", "--json").json()["keys"] == both["keys"]


def test_the_history_as_a_kept_checkpoint_says_is_a_yes(signed: Regimen):
    signed("checkpoint", "--out", "kept")
    more(signed)
    signed("checkpoint")
    ran = signed("verify", "--checkpoint", "kept", "--key", verifier(signed))

    assert ran.code == 0
    assert "ledger: 12 records sealed, 0 not yet, the first 6 as the checkpoint says" in ran.out
    assert "What came after the last checkpoint" in ran.out


def test_without_a_checkpoint_it_is_told_what_cannot_be_found(signed: Regimen):
    signed("checkpoint")

    assert "cannot find: an end that was cut off from everything" in signed("verify").out
    assert len(signed("verify", "--json").json()["ledger"]["cannot_find"]) == 1
    more(signed)
    told = signed("verify", "--json").json()["ledger"]
    assert (told["unsealed"] > 0, len(told["cannot_find"])) == (True, 2)
    assert "not sealed yet, the end of a course can be cut off" in told["cannot_find"][1]
    assert "ledger" not in signed("verify", "gauge-1", "--json").json()


def test_an_end_that_was_cut_off_whole_is_found_by_the_kept_checkpoint_alone(signed: Regimen):
    """The last course, with everything that is made from it."""
    signed("checkpoint", "--out", "kept")
    tamper(
        *(f"DELETE FROM regimen_{t} WHERE course = 'gauge-2'" for t in ("records", "courses",
          "leaves", "messages", "readings", "timers", "visits", "feed")),
        "DELETE FROM regimen_checkpoints",
        "DELETE FROM regimen_sealing",
    )  # fmt: skip
    alone = signed("verify")
    held = signed("verify", "--checkpoint", "kept", "--json")

    assert alone.code == 0
    assert held.code == 1
    kinds = {flaw["kind"] for flaw in held.json()["ledger"]["flaws"]}
    assert kinds == {"truncated", "checkpoint"}
    assert held.json()["ledger"]["flaws"][0]["index"] == 5


def test_a_record_that_was_edited_with_its_hash_is_named(signed: Regimen):
    signed("checkpoint", "--out", "kept")
    tamper("UPDATE regimen_records SET body = CAST(body || ' ' AS BLOB) WHERE course = 'gauge-2'")
    ran = signed("verify", "--checkpoint", "kept")

    assert ran.code == 1
    assert "leaf 5, course gauge-2, record 1: edited" in ran.out


def test_a_checkpoint_of_somebody_else_is_not_taken_for_ours(signed: Regimen):
    signed("checkpoint", "--out", "kept")
    signed("ledger", "new-key", NAME, "other.key")
    other = keys.named(keys.read_key(Path("other.key")), f"{NAME}/default").verifier.text()
    ran = signed("verify", "--checkpoint", "kept", "--key", other)

    assert ran.code == 1
    assert "is not signed by the key that you named" in ran.out


def test_a_checkpoint_of_another_ledger_is_said_to_be_so_and_never_that_this_one_forked(
    signed: Regimen, monkeypatch: pytest.MonkeyPatch
):
    signed("checkpoint")
    signed("ledger", "new-key", "other.example/ledger", "other.key")
    monkeypatch.setenv("REGIMEN_LEDGER_KEY", "other.key")
    assert signed("apply", GAUGES, "--db", "other.db").code == 0
    assert signed("checkpoint", "--db", "other.db", "--out", "kept").code == 0
    monkeypatch.setenv("REGIMEN_LEDGER_KEY", "ledger.key")
    ran = signed("verify", "--checkpoint", "kept", "--json")
    proved = signed("prove", "--consistency", "kept")

    (flaw,) = ran.json()["ledger"]["flaws"]
    assert (ran.code, flaw["kind"]) == (1, "checkpoint")
    assert f"is of other.example/ledger/default, and this ledger is {NAME}/default" in flaw["what"]
    assert proved.code == 2
    assert f"--consistency: expected a checkpoint of {NAME}/default" in proved.err


def test_a_file_that_is_not_there_is_named(signed: Regimen):
    assert "nowhere.txt: expected a file" in signed("verify", "--checkpoint", "nowhere.txt").err


@pytest.mark.parametrize(
    ("text", "said"),
    [(b"", "line 1"), (b"origin\n07\nAAAA\n\n", "line 2"), (b"origin\n7\nAAAA\n\n", "line 3")],
)
def test_a_file_that_is_no_checkpoint_is_bad_input_and_the_line_is_named(
    signed: Regimen, text: bytes, said: str
):
    Path("kept").write_bytes(text)
    ran = signed("verify", "--checkpoint", "kept")

    assert ran.code == 2
    assert said in ran.err


def test_a_course_is_proved_by_the_last_checkpoint(signed: Regimen):
    head = Head.parse(note.parse(signed("checkpoint").out.encode()).text)
    more(signed)
    answer = signed("prove", "gauge-1", "--json").json()

    assert [one["record"] for one in answer["proofs"]] == [1, 2, 3, 4, 5]
    for one in answer["proofs"]:
        found = Inclusion(
            course="gauge-1",
            seq=one["record"],
            index=one["index"],
            salt=b64decode(one["salt"]),
            proof=tuple(map(b64decode, one["proof"])),
        )
        assert found.holds(one["hash"], head.size, head.root)
    leaves = [
        Inclusion(course="gauge-1", seq=one["record"], index=one["index"],
                  salt=b64decode(one["salt"]), proof=())
        for one in answer["proofs"]
    ]  # fmt: skip
    shown = answer["head"]
    path = tuple(map(b64decode, shown["proof"]))
    proof = HeadProof(size=head.size, place=shown["place"], path=path)
    assert head.courses is not None
    assert proof.holds(head_of(leaves, answer["proofs"][-1]["hash"]), head.courses)
    assert not proof.holds(head_of(leaves[:-1], answer["proofs"][-2]["hash"]), head.courses)
    told = signed("prove", "gauge-1").out
    assert "In checkpoint 1 of 6 records" in told
    assert "The course had no other records then" in told


def test_a_course_whose_last_records_are_gone_is_not_proved(signed: Regimen):
    signed("checkpoint")
    tamper("DELETE FROM regimen_leaves WHERE course = 'gauge-1' AND seq = 5")

    assert signed("prove", "gauge-1").code == 1


def test_the_proof_of_a_record_is_a_tlog_proof(signed: Regimen):
    signed("checkpoint", "--out", "kept")
    assert signed("prove", "gauge-2", "1", "--out", "proof").code == 0
    head, _, rest = Path("proof").read_text().partition("\n\n")
    name, extra, index, *hashes = head.split("\n")

    assert (name, index) == ("c2sp.org/tlog-proof@v1", "index 5")
    assert len(b64decode(extra.removeprefix("extra "))) == 16
    assert [len(b64decode(one)) for one in hashes] == [32, 32]
    assert rest == Path("kept").read_text()


def test_what_is_not_in_the_checkpoint_is_not_proved(signed: Regimen):
    assert "see `regimen checkpoint`" in signed("prove", "gauge-1").err
    signed("checkpoint")
    more(signed)

    for asked in (["gauge-1x1"], ["gauge-1x1", "2"]):
        ran = signed("prove", *asked)
        assert ran.code == 2
        assert "is not sealed in checkpoint 1: see `regimen checkpoint`" in ran.err
    ran = signed("prove", "gauge-1", "9")
    assert (ran.code, "RECORD: expected a record of gauge-1, 1 to 5" in ran.err) == (2, True)
    ran = signed("prove", "gauge-3")
    assert (ran.code, "course 'gauge-3' does not exist" in ran.err) == (2, True)
    assert signed("prove").code == 2


def test_a_record_that_is_not_what_was_sealed_is_not_proved(signed: Regimen):
    signed("checkpoint")
    tamper("UPDATE regimen_records SET body = CAST(body || ' ' AS BLOB) WHERE course = 'gauge-2'")
    ran = signed("prove", "gauge-2")

    assert ran.code == 1
    assert "record 1 of gauge-2 is not what is sealed" in ran.err


# --- witnesses -----------------------------------------------------------------------------------


@pytest.fixture
def watched(signed: Regimen) -> Regimen:
    """A ledger with a witness, who was never asked so far."""
    made = signed("ledger", "new-key", "witness.example/w1", "w1.key", "--witness", "--json")
    Path("w1.pub").write_text(made.json()["key"])
    return signed


def ask(regimen: Regimen, *old: str) -> None:
    regimen("checkpoint")
    ran = regimen("prove", *(("--consistency", *old) if old else ("--first",)), "--out", "request")
    assert ran.code == 0, ran


def cosign(regimen: Regimen, *options: str) -> Ran:
    return regimen(
        "ledger", "cosign", "request", "--witness", "w1.key", "--seen", "seen",
        "--key", verifier(regimen), *options,
    )  # fmt: skip


def test_a_witness_signs_what_goes_on_from_what_it_saw_and_its_line_is_kept(watched: Regimen):
    ask(watched)
    first = cosign(watched, "--first", "--out", "cosigned")
    more(watched)
    ask(watched, "seen")
    second = cosign(watched, "--out", "cosigned")
    added = watched("ledger", "witnessed", "cosigned", "--key", Path("w1.pub").read_text())

    assert (first.code, second.code) == (0, 0)
    assert Path("cosigned").read_bytes() == Path("seen").read_bytes()
    assert added.out == "1 line of witnesses added.\n"
    line = Path("cosigned").read_text().splitlines()[-1]
    assert line.startswith("\u2014 witness.example/w1 ")
    assert line in watched("checkpoint").out
    keyed = ("--key", verifier(watched), "--key", Path("w1.pub").read_text())
    assert watched("verify", "--checkpoint", "cosigned", *keyed).code == 0


def test_a_witness_signs_no_tree_that_does_not_begin_as_it_saw(watched: Regimen):
    ask(watched)
    cosign(watched, "--first")
    tamper(
        *(f"DELETE FROM regimen_{t}" for t in ("leaves", "nodes", "checkpoints", "sealing"))
    )  # sealed anew, with other salts: another tree of the same records
    more(watched)
    watched("checkpoint")
    forged = watched("prove", "--first", "--out", "request")
    text = Path("request").read_text()
    Path("request").write_text(text.replace("old 0", "old 6", 1))
    ran = cosign(watched)

    assert forged.code == 0
    assert watched("prove", "--consistency", "seen").code == 1
    assert ran.code == 1
    assert "the tree does not begin as it was seen" in ran.err


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        (lambda text: text.replace("old 6", "old 5"), 1, "size 6 was seen last"),
        (lambda text: text.replace("old 6", "old 06"), 2, "line 1"),
        (lambda text: text.replace("\n\n", "\nAAAA\n\n", 1), 2, "a hash: 32 bytes"),
        (lambda text: text.replace("/default", "/another"), 1, "not signed by the key of its"),
        (lambda text: text.replace("12\n", "13\n"), 1, "not signed by the key of its ledger"),
    ],
    ids=["another size", "a zero ahead", "no hash", "another tree", "another head"],
)
def test_a_witness_signs_nothing_that_was_changed_on_the_way(
    watched: Regimen, change, code: int, said: str
):
    """What does not hold is a negative answer; what is no request at all is bad input."""
    ask(watched)
    cosign(watched, "--first")
    more(watched)
    ask(watched, "seen")
    Path("request").write_text(change(Path("request").read_text()))
    before = Path("seen").read_bytes()
    ran = cosign(watched)

    assert ran.code == code
    assert said in ran.err
    assert Path("seen").read_bytes() == before


def test_a_witness_says_whether_it_saw_anything_before(watched: Regimen):
    ask(watched)

    assert "--first" in cosign(watched).err
    cosign(watched, "--first")
    assert "--first" in cosign(watched, "--first").err


def test_a_ledgers_key_does_not_witness(watched: Regimen):
    ask(watched)
    ran = watched(
        "ledger", "cosign", "request", "--witness", "ledger.key", "--seen", "seen", "--first",
        "--key", verifier(watched),
    )  # fmt: skip

    assert ran.code == 2
    assert "the key of a witness" in ran.err


def test_a_ledgers_own_signature_is_no_line_of_a_witness(watched: Regimen):
    """Kept once more, it stood on the audit page as a signature that does not hold."""
    watched("checkpoint", "--out", "kept")
    before = watched("checkpoint").out
    ran = watched("ledger", "witnessed", "kept", "--key", verifier(watched))

    assert ran.code == 2
    assert "--key: expected the key of a witness, not of a ledger" in ran.err
    assert watched("checkpoint").out == before


# --- time stamps ---------------------------------------------------------------------------------


def test_a_time_stamp_of_a_trusted_authority_says_by_when_a_checkpoint_was_there(regimen: Regimen):
    checkpoint, response = str(STAMP / "checkpoint"), str(STAMP / "response.tsr")
    ran = regimen("ledger", "stamped", checkpoint, response, "--root", str(STAMP / "root.pem"),
                  "--json")  # fmt: skip

    assert ran.code == 0
    assert ran.json()["at"] == "2026-11-26T19:33:24Z"


@pytest.mark.parametrize(
    ("checkpoint", "response", "root", "code", "said"),
    [
        ("changed", "response.tsr", "root.pem", 1, "Mismatch"),
        ("checkpoint", "response.tsr", "other.pem", 1, "verifying certificates"),
        ("checkpoint", "changed.tsr", "root.pem", 1, "expected the time stamp"),
        ("checkpoint", "root.pem", "root.pem", 2, "expected the time stamp"),
        ("checkpoint", "response.tsr", "checkpoint", 2, "certificates in PEM"),
    ],
    ids=["another text", "nobody trusted", "a changed stamp", "no stamp", "no certificate"],
)
def test_a_time_stamp_that_does_not_hold_is_refused(  # noqa: PLR0917  # each is one of a case
    regimen: Regimen, checkpoint: str, response: str, root: str, code: int, said: str
):
    for name in ("checkpoint", "response.tsr", "root.pem", "other.pem"):
        Path(name).write_bytes((STAMP / name).read_bytes())
    Path("changed").write_text(Path("checkpoint").read_text().replace("\n5\n", "\n6\n"))
    stamp = bytearray(Path("response.tsr").read_bytes())
    stamp[-5] ^= 1
    Path("changed.tsr").write_bytes(stamp)
    ran = regimen("ledger", "stamped", checkpoint, response, "--root", root)

    assert ran.code == code
    assert said in ran.err


def test_a_request_for_a_time_stamp_is_of_the_text_alone(regimen: Regimen):
    """Nobody has to ask again when a witness adds a line."""
    text = (STAMP / "checkpoint").read_text()
    ran = regimen("ledger", "stamp", str(STAMP / "checkpoint"), "--out", "query.tsq")

    assert ran.code == 0
    assert hashlib.sha256(text[:-1].encode()).digest() in Path("query.tsq").read_bytes()
