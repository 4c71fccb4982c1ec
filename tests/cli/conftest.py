"""The command as a person runs it, in a folder of its own."""

from __future__ import annotations

import functools
import json
import os
from pathlib import Path
from typing import Any

import pytest
import typer.testing
from typer.testing import CliRunner

from engine.cli.app import app

# The tree of commands is made from their signatures once, as in a process of its own.
typer.testing._get_command = functools.cache(typer.testing._get_command)

DATA = Path(__file__).parent / "data"
GAUGES = str(DATA / "gauges.jsonl")
FLAWED = str(DATA / "flawed.jsonl")


class Ran:
    """What a command left behind."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code = code
        self.out = out
        self.err = err

    def json(self) -> Any:
        """The one JSON document of stdout."""
        return json.loads(self.out)

    def __repr__(self) -> str:
        return f"exit {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


class Regimen:
    """Runs `regimen` in the current folder."""

    def __call__(self, *arguments: str, stdin: str | bytes | None = None) -> Ran:
        result = CliRunner().invoke(app, list(arguments), input=stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ran(result.exit_code, result.stdout, result.stderr)


@pytest.fixture
def regimen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Regimen:
    """The command in an empty folder, without anything in the environment."""
    for name in [name for name in os.environ if name.startswith("REGIMEN_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    return Regimen()


@pytest.fixture
def gauges(regimen: Regimen) -> Regimen:
    """The command in a folder whose database holds two gauges."""
    assert regimen("apply", GAUGES).code == 0
    return regimen
