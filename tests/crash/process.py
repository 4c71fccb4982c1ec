"""Processes that write to a database, and are killed while they do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
AHEAD = 4096
"""How many bytes a writer may have said that nobody has read: so a kill is never too late."""

COMMAND = (sys.executable, "-c", "from engine.cli import main; main()")


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """What a process said that it had written."""

    course: str
    seq: int


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended, and what it had acknowledged by then."""

    code: int
    acknowledged: Sequence[Acknowledged]
    said: str = ""


def environment(url: str) -> dict[str, str]:
    """With a log line for each decision, written once it is committed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("REGIMEN_")}
    return kept | {
        "REGIMEN_DATABASE_URL": url,
        "REGIMEN_LOG": "json",
        "REGIMEN_LOG_LEVEL": "info",
        "PYTHONPATH": str(ROOT),
    }


def regimen(url: str, *arguments: str, largest_file: int | None = None) -> Ended:
    """The command line, until it is done; with `largest_file` no file may have more bytes."""
    limit = f"import resource as r; r.setrlimit(r.RLIMIT_FSIZE, ({largest_file},) * 2); "
    ran = subprocess.run(
        [*COMMAND[:-1], ("" if largest_file is None else limit) + COMMAND[-1], *arguments],
        env=environment(url), capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    return Ended(ran.returncode, acknowledged_in(ran.stderr), ran.stdout + ran.stderr)


def applying(url: str, file: Path) -> subprocess.Popen[str]:
    """`regimen apply`, whose log lines are its acknowledgements."""
    return subprocess.Popen(
        [*COMMAND, "apply", str(file)],
        env=environment(url), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        pipesize=AHEAD,
    )  # fmt: skip


def submitting(url: str, file: Path) -> subprocess.Popen[str]:
    """A loop over the file that prints each answer as it gets it."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.crash.writer", url, str(file)],
        env=environment(url), stdout=subprocess.PIPE, text=True, cwd=ROOT, pipesize=AHEAD,
    )  # fmt: skip


def working(url: str, **settings: str) -> subprocess.Popen[str]:
    """`regimen work`, until it is told to stop."""
    return subprocess.Popen(
        [*COMMAND, "work", "--interval", "0.1"],
        env=environment(url) | settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


@contextmanager
def ending(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """A process that does not outlive its test."""
    with process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def killed(process: subprocess.Popen[str], *, after: int, delay: float) -> Ended:
    """Kill a process some seconds after it acknowledged so many events."""
    acknowledged: list[Acknowledged] = []
    with ending(process):
        for line in process.stderr or process.stdout or ():
            if not line.endswith("\n"):
                break  # cut off by the kill: nobody could read it as an acknowledgement
            told = acknowledged_in(line)
            acknowledged += told
            if told and len(acknowledged) == after:
                time.sleep(delay)
                process.kill()
        return Ended(process.wait(timeout=60), acknowledged)


def acknowledged_in(said: str) -> list[Acknowledged]:
    """What a process acknowledged in lines that it wrote."""
    lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    return [Acknowledged(line["course"], line["seq"]) for line in lines if "seq" in line]
