"""Processes that write to a database, and are killed while they do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
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


def regimen(url: str, *arguments: str) -> Ended:
    """The command line, until it is done."""
    ran = subprocess.run(
        [*COMMAND, *arguments],
        env=environment(url), capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    return Ended(ran.returncode, (), ran.stdout + ran.stderr)


def applying(url: str, file: Path) -> subprocess.Popen[str]:
    """`regimen apply`, whose log lines are its acknowledgements."""
    return subprocess.Popen(
        [*COMMAND, "apply", str(file)],
        env=environment(url), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def submitting(url: str, file: Path) -> subprocess.Popen[str]:
    """A loop over the file that prints each answer as it gets it."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.crash.writer", url, str(file)],
        env=environment(url), stdout=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip


def killed(process: subprocess.Popen[str], *, after: int, delay: float) -> Ended:
    """Kill a process some seconds after it acknowledged so many events."""
    acknowledged: list[Acknowledged] = []
    with process:
        for line in process.stderr or process.stdout or ():
            if not line.endswith("\n"):
                break  # cut off by the kill: nobody could read it as an acknowledgement
            told = json.loads(line) if line.startswith("{") else {}
            if "seq" not in told:
                continue
            acknowledged.append(Acknowledged(told["course"], told["seq"]))
            if len(acknowledged) == after:
                time.sleep(delay)
                process.kill()
        return Ended(process.wait(timeout=60), acknowledged)
