"""Notes are those of the C2SP specifications, read strictly, and what was changed does not hold.

The published values are from `sumdb/note/note_test.go` of github.com/golang/mod, from the texts of
c2sp.org/signed-note, tlog-checkpoint and tlog-cosignature, and, for a witness's key and time, from
`note/note_cosigv1_test.go` of github.com/transparency-dev/formats.
"""

from __future__ import annotations

import sys
from base64 import b64decode, b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import keys
from engine.core.note import (
    MOST_LINES,
    Head,
    KeyKind,
    Note,
    Signature,
    SigningKey,
    VerifierKey,
    checked,
    message_of,
    parse,
)
from engine.errors import InvalidInput

PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETERS_SECRET = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
ENOCH = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
WITNESS = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"
TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
PETERS_LINE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXg"
    "KvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
ENOCHS_LINE = (
    "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01"
    "oOTGwnWLox33WWd1RvMc+QQ=\n"
)
POEM = (
    "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\n"
    "ed è subito sera.\n"
    "\n"
    "— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrM"
    "ouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n"
)
CHECKPOINT = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    "\n"
    "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcy"
    "v2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b"
    "2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
)
SIGNED = (TEXT + "\n" + PETERS_LINE + ENOCHS_LINE).encode()


def key(text: str) -> VerifierKey:
    return VerifierKey.parse(text)


def secret(name: str = "clinic.example/ledger", kind: KeyKind = KeyKind.LOG) -> SigningKey:
    return keys.new_key(name, kind, bytes(range(32)))


@pytest.mark.parametrize("text", [PETER, ENOCH, WITNESS])
def test_a_published_verifier_key_is_read_and_written_as_it_was(text):
    assert key(text).text() == text


def test_every_mangled_verifier_key_is_refused():
    """As the test of the specification's library does it: each part, each character but one."""
    mangled = [
        PETER[i:j]
        for i in range(len(PETER) + 1)
        for j in range(i + 1, len(PETER) + 1)
        if (i, j) != (0, len(PETER))
    ]
    mangled += [PETER[:n] + chr(ord(PETER[n]) + 1) + PETER[n + 1 :] for n in range(len(PETER))]
    mangled += [
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ]
    for text in mangled:
        with pytest.raises(InvalidInput, match="key"):
            key(text)


def test_a_published_signing_key_signs_as_it_was_published():
    peter = SigningKey.parse(PETERS_SECRET, keys.public_of)
    signed = Note(text=TEXT).with_signatures(keys.signature(peter, TEXT))

    assert peter.verifier == key(PETER)
    assert peter.text() == PETERS_SECRET
    assert signed.encode().decode() == TEXT + "\n" + PETERS_LINE


def test_every_mangled_signing_key_is_refused_and_never_shown():
    mangled = [PETERS_SECRET[:n] for n in range(len(PETERS_SECRET))]
    mangled += [PETERS_SECRET[n:] for n in range(1, len(PETERS_SECRET))]
    mangled += [
        PETERS_SECRET[:n] + chr(ord(PETERS_SECRET[n]) + 1) + PETERS_SECRET[n + 1 :]
        for n in range(len(PETERS_SECRET))
    ]
    for text in mangled:
        with pytest.raises(InvalidInput) as wrong:
            SigningKey.parse(text, keys.public_of)
        assert "AYEKFALV" not in str(wrong.value)


def test_a_key_does_not_show_its_secret_when_it_is_printed():
    peter = SigningKey.parse(PETERS_SECRET, keys.public_of)

    assert repr(peter.seed) not in repr(peter)
    assert "seed" not in repr(peter)


def test_the_published_signatures_hold_and_those_of_strangers_are_passed_over():
    note = parse(SIGNED)
    both = checked(note, [key(PETER), key(ENOCH)], keys.verify)
    one = checked(note, [key(PETER)], keys.verify)
    none = checked(note, [key(WITNESS)], keys.verify)

    assert note.text == TEXT
    assert note.encode() == SIGNED
    assert [who for who, _ in both.held] == [key(PETER), key(ENOCH)]
    assert (one.held[0][0], one.false, one.others) == (key(PETER), (), 1)
    assert (none.held, none.false, none.others) == ((), (), 2)


@pytest.mark.parametrize("text", [POEM, CHECKPOINT, POEM.replace("sera", "")])
def test_a_published_note_is_read_and_written_as_it_was(text):
    assert parse(text.encode()).encode().decode() == text


def test_the_published_checkpoint_says_whose_tree_how_large_and_which_root():
    note = parse(CHECKPOINT.encode())
    head = Head.parse(note.text)

    assert (head.origin, head.size) == ("example.com/behind-the-sofa", 20852163)
    assert b64encode(head.root) == b"CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="
    assert head.text() == note.text
    assert note.signatures[1].name == "witness.example.com/w1"
    assert note.signatures[1].at == 1679315147  # the time in the example of tlog-cosignature


def test_the_published_time_of_a_witness_is_found():
    data = b64decode(
        "ZGhGuQAAAABm/qTPeyKXD+R2rzyQsxPiP8mXum7qq/iF0u4vanlqJyocWODBt97w9uL+8qT7S5gxEHWWOworDcFi"
        "EBYJXORmnFBOBA=="
    )

    assert Signature(name="w", key_id=data[:4], signature=data[4:]).at == 1727964367


def test_a_witness_signs_the_message_that_the_specification_shows():
    text = parse(CHECKPOINT.encode()).text

    assert message_of(key(WITNESS), text, 1679315147).decode() == (
        "cosignature/v1\n"
        "time 1679315147\n"
        "example.com/behind-the-sofa\n"
        "20852163\n"
        "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    )


def test_a_witness_signs_with_its_time_which_cannot_be_changed():
    witness = secret("witness.example/w1", KeyKind.WITNESS)
    made = keys.signature(witness, TEXT, 1_700_000_000)
    later = Signature(
        name=made.name,
        key_id=made.key_id,
        signature=(1_700_000_001).to_bytes(8, "big") + made.signature[8:],
    )
    good, bad = (checked(Note(text=TEXT, signatures=(one,)), [witness.verifier], keys.verify)
                 for one in (made, later))  # fmt: skip

    assert (len(good.held), good.false) == (1, ())
    assert made.at == 1_700_000_000
    assert (bad.held, bad.false) == ((), (witness.verifier,))


def test_a_key_of_one_kind_does_not_pass_for_the_other():
    log, witness = secret(kind=KeyKind.LOG), secret(kind=KeyKind.WITNESS)
    plain = Note(text=TEXT).with_signatures(keys.signature(log, TEXT))
    renamed = Signature(
        name=witness.name, key_id=witness.verifier.id, signature=plain.signatures[0].signature
    )

    assert log.verifier.id != witness.verifier.id
    assert checked(plain, [witness.verifier], keys.verify).held == ()
    found = checked(Note(text=TEXT, signatures=(renamed,)), [witness.verifier], keys.verify)
    assert (found.held, found.false) == ((), (witness.verifier,))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 255))
def test_no_changed_byte_of_a_signed_note_goes_unnoticed(place, change):
    """It is no note any more, or its signature is missing or does not hold."""
    data = (TEXT + "\n" + PETERS_LINE).encode()
    place %= len(data)
    changed = data[:place] + bytes([data[place] ^ change]) + data[place + 1 :]
    try:
        found = checked(parse(changed), [key(PETER)], keys.verify)
    except InvalidInput:
        return

    assert not found.held


def test_a_false_signature_is_told_even_where_another_holds():
    note = parse(SIGNED.replace(b"rwz+eBzm", b"rwz+eBzn"))
    found = checked(note, [key(PETER), key(ENOCH)], keys.verify)

    assert [who for who, _ in found.held] == [key(PETER)]
    assert found.false == (key(ENOCH),)


def test_a_key_that_signs_again_has_one_line():
    log = secret()
    once = Note(text=TEXT).with_signatures(keys.signature(log, TEXT))

    assert once.with_signatures(keys.signature(log, TEXT)) == once
    assert len(once.with_signatures(keys.signature(secret("other"), TEXT)).signatures) == 2


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (TEXT.encode(), "line 3"),
        (TEXT.encode() + b"\n", "line 4: expected a signature"),
        ((TEXT + "\n" + PETERS_LINE).encode()[:-1], "line 4: expected an end of the line"),
        (b"\x01" + SIGNED, "line 1: expected no control"),
        (SIGNED.replace(b"then", b"th\ren"), "line 2: expected no control"),
        (b"a\n" + b"\xff" + SIGNED, "line 2: expected UTF-8"),
        (SIGNED + b"Unexpected line.\n", "line 6: expected a signature"),
        (SIGNED.replace("— Peter".encode(), b"- Peter"), "line 4: expected a signature"),
        (SIGNED.replace(b"PeterNeumann", b"Bad Name"), "line 4: expected a signature"),
        (SIGNED.replace(b"EnochRoot", b"Enoch+Root"), "line 5: expected a signature"),
        (SIGNED.replace(b"EnochRoot ", b"EnochRoot  "), "line 5: expected a signature"),
        (SIGNED.replace(b"+QQ=", b"+QQ"), "line 5: expected a signature of more than"),
        (SIGNED.replace(b"+QQ=", b"+QR="), "line 5: expected a signature of more than"),
        (TEXT.encode() + b"\n" + "— Peter x08gow==\n".encode(), "line 4: expected a signature of"),
        (b"\n" + PETERS_LINE.encode(), "line"),
        (SIGNED + PETERS_LINE.encode() * MOST_LINES, "no more than 100 signatures"),
        (b"x" * 1_000_001, "at most 1000000 bytes"),
        (b"", "line 1"),
    ],
)
def test_what_is_no_note_is_refused_and_the_line_is_named(data, line):
    with pytest.raises(InvalidInput, match=line):
        parse(data)


def test_a_note_without_signatures_is_read_only_where_that_is_asked_for():
    bare = Note(text=TEXT).encode()

    assert parse(bare, unsigned=True) == Note(text=TEXT)
    with pytest.raises(InvalidInput, match="a signature"):
        parse(bare)


ROOT = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("origin\n5\n", "line 3: expected three lines"),
        (f"origin\n5\n{ROOT}", "line 3: expected three lines"),
        (f"\n5\n{ROOT}\n", "line 1: expected a line"),
        (f"origin\n05\n{ROOT}\n", "line 2: expected the size"),
        (f"origin\n-5\n{ROOT}\n", "line 2: expected the size"),
        (f"origin\n+5\n{ROOT}\n", "line 2: expected the size"),
        (f"origin\n5 \n{ROOT}\n", "line 2: expected the size"),
        (f"origin\n\u0665\n{ROOT}\n", "line 2: expected the size"),
        (f"origin\n9999999999999999999\n{ROOT}\n", "line 2: expected a size below"),
        (f"origin\n5\n{ROOT[:-1]}\n", "line 3: expected the root"),
        (f"origin\n5\n{ROOT[:-2]}J=\n", "line 3: expected the root"),
        ("origin\n5\nAAAA\n", "line 3: expected the root"),
        (f"origin\n5\n{ROOT}\n\nmore\n", "line 4: expected a line"),
    ],
)
def test_what_is_no_checkpoint_is_refused_and_the_line_is_named(text, line):
    with pytest.raises(InvalidInput, match=line):
        Head.parse(text)


def test_lines_after_the_root_are_kept_for_whoever_knows_them():
    head = Head.parse(f"origin\n0\n{ROOT}\none\ntwo\n")

    assert head.extension == ("one", "two")
    assert Head.parse(head.text()) == head


def test_a_key_is_kept_in_a_new_file_that_only_its_owner_may_read(tmp_path):
    file = tmp_path / "ledger.key"
    keys.write_key(file, secret())

    assert file.stat().st_mode & 0o777 == 0o600
    assert keys.read_key(file) == secret()
    with pytest.raises(InvalidInput, match="not there yet"):
        keys.write_key(file, secret())


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o620])
def test_a_key_that_others_may_read_or_change_is_not_used(tmp_path, mode):
    file = tmp_path / "ledger.key"
    keys.write_key(file, secret())
    file.chmod(mode)

    with pytest.raises(InvalidInput, match="only its owner"):
        keys.read_key(file)


@pytest.mark.parametrize("library", [True, False], ids=["with the library", "without"])
def test_signatures_are_checked_alike_without_the_library(
    monkeypatch: pytest.MonkeyPatch, library: bool
):
    note = parse(SIGNED)
    false = parse(SIGNED.replace(b"rwz+eBzm", b"rwz+eBzn"))
    if not library:
        monkeypatch.setitem(sys.modules, "cryptography.exceptions", None)
        monkeypatch.setattr(keys, "_ed25519", lambda: pytest.fail("it is not there"))

    assert len(checked(note, [key(PETER), key(ENOCH)], keys.verify).held) == 2
    assert checked(false, [key(ENOCH)], keys.verify).false == (key(ENOCH),)


def test_without_the_library_nothing_is_signed_and_it_is_said_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.asymmetric", None)

    with pytest.raises(InvalidInput, match=r"regimen-engine\[audit\]"):
        keys.new_key("clinic.example/ledger", KeyKind.LOG, bytes(32))


@pytest.mark.parametrize("name", ["", "two words", "a+b", "a\nb", "a\u00a0b", "x" * 201])
def test_a_name_that_no_key_may_have_is_refused(name):
    with pytest.raises(InvalidInput, match="NAME"):
        keys.new_key(name, KeyKind.LOG, bytes(32))
