"""The stand-alone verifier: what it needs, and that it agrees with what was once recorded."""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path

import pytest

from engine.testing import Story
from tests.bundle.forgery import closed, document
from tests.bundle.standalone import CODE, FILE, audited, verify
from tests.histories.history import histories, load
from tests.histories.test_histories import ALTERED, FAULTS
from workflows import instrument_calibration

GOOD = {path.stem: path for path in histories("good")}
BROKEN = {path.stem: path for path in histories("broken")}
EXPECTED = {
    "a-changed-byte": "record 4: content: ",
    "a-record-hashed-again": "record 5: link: ",
    "a-record-taken-out": "record 5: gap: it is record 6",
    "the-first-record-taken-out": "record 1: gap: it is record 2",
    "two-records-swapped": "record 4: gap: it is record 5",
    "a-record-twice": "record 5: gap: it is record 4",
    "a-record-of-another-course": "record 4: order: ",
    "recorded-before-its-predecessor": "record 5: order: ",
    "a-refusal-made-an-acceptance": "record 3: decision: decision.verdict: ",
    "a-value-made-smaller": "record 2: decision: changes.latest.deviation: ",
    "a-state-made-another": "record 9: decision: changes.state: ",
    "two-decisions-altered": "record 3: decision: decision.verdict: ",
}
"""The first bad position of each broken history, and the reason."""


def test_it_is_one_file_of_the_standard_library() -> None:
    imported = {
        name.partition(".")[0]
        for node in ast.walk(ast.parse(FILE.read_text()))
        for name in _imported(node)
    }

    assert imported <= sys.stdlib_module_names
    assert "engine" not in imported


def test_its_head_says_which_lines_are_the_argument_and_which_the_tools() -> None:
    lines = FILE.read_text().splitlines()
    tools = next(n for n, line in enumerate(lines, 1) if line.startswith("# === The tools"))

    assert f"lines 1 to {tools - 1} are the whole argument" in CODE.__doc__
    assert f"Lines {tools} to {len(lines)} are the tools" in CODE.__doc__
    assert tools <= 600, "more is not read in twenty minutes"


@pytest.mark.parametrize("name", GOOD)
def test_a_good_history_is_whole_and_decided_alike(name: str, tmp_path: Path) -> None:
    assert audited(_bundle(GOOD[name], tmp_path)) == []


def test_every_broken_history_has_its_reason() -> None:
    assert EXPECTED.keys() == BROKEN.keys() == FAULTS.keys() | ALTERED.keys()


@pytest.mark.parametrize("name", EXPECTED)
def test_a_broken_history_is_refused_for_the_right_reason(name: str, tmp_path: Path) -> None:
    (wrong,) = audited(_bundle(BROKEN[name], tmp_path))

    assert wrong.startswith(f"course course-1 {EXPECTED[name]}")


def test_it_says_what_it_found_and_exits_with_it(tmp_path: Path) -> None:
    good = verify(_bundle(GOOD["instrument-calibration"], tmp_path))
    assert (good.code, good.wrong) == (0, ())
    assert "course course-1: 9 records" in good.told
    assert "not recomputed: " in good.told

    broken = verify(_bundle(BROKEN["two-decisions-altered"], tmp_path))
    assert broken.code == 1
    assert "NOT WHOLE" in broken.told


@pytest.mark.parametrize("text", ["", "{}", "[]", "not json", '{"kind":"other","format":1}'])
def test_a_file_that_is_no_bundle_is_said_to_be_none(text: str, tmp_path: Path) -> None:
    (tmp_path / "other").write_text(text)

    assert verify(tmp_path / "other").code == 2


def test_a_file_that_is_not_there_is_no_bundle(tmp_path: Path) -> None:
    assert verify(tmp_path / "nowhere").code == 2


SIGNED = {
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a":
        ("", ("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
             "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b")),
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c":
        ("72", ("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
               "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00")),
    "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025":
        ("af82", ("6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
                 "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a")),
}  # fmt: skip
"""Keys, messages and signatures of RFC 8032, 7.1."""


@pytest.mark.parametrize("public", SIGNED)
def test_signatures_are_those_of_rfc_8032(public: str) -> None:
    key, (said, signed) = bytes.fromhex(public), map(bytes.fromhex, SIGNED[public])

    assert CODE.signed(key, signed, said)
    assert not CODE.signed(key, signed, said + b"x")
    assert not CODE.signed(key, signed[:-1] + b"\x10", said)
    assert not CODE.signed(key, b"\xff" * 64, said)
    assert not CODE.signed(key, signed[:63], said)


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and node.module else []


def _bundle(history: Path, folder: Path) -> Path:
    """A history as the file that `export` would have written."""
    told = load(history)
    definitions = [
        {
            "digest": one.digest, "semantic": one.semantic.decode(),
            "prose_digest": one.prose_digest, "prose": one.prose.decode(),
        }
        for one in told.definitions
    ]  # fmt: skip
    records = [json.loads(line) for line in history.read_bytes().splitlines()]
    return closed(document(told.tenant, told.course, definitions, records), folder / "bundle")


def test_a_bundle_of_the_older_form_is_left_to_the_engine(tmp_path: Path) -> None:
    story = Story(instrument_calibration.WORKFLOW, start="2026-03-02 08:00")
    path = tmp_path / "bundle.json"
    path.write_bytes(story.verify().auditor.export(story.course))
    said = verify(path)

    assert said.code == 2
    assert "`regimen verify` reads format 1" in said.told
