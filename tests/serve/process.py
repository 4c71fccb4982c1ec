"""The service as it is run: a process of its own, whose address is read from what it says."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-c", "from engine.cli import main; main()")
SERVING = re.compile(r"Serving on (http://\S+),")
SECONDS_TO_START = 120


def environment(url: str | None, more: Mapping[str, str] | None = None) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("REGIMEN_")}
    chosen = {} if url is None else {"REGIMEN_DATABASE_URL": url}
    return kept | chosen | {"REGIMEN_LOG": "json", "PYTHONPATH": str(ROOT)} | (more or {})


class Process:
    """A service that runs; whatever it says is read, so that it never waits for a reader."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.lines: list[str] = []
        self.url = ""
        self._up = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def said(self) -> str:
        return "".join(self.lines)

    def up(self) -> Process:
        """Once it answers."""
        assert self._up.wait(SECONDS_TO_START), self.said
        assert self.url, self.said
        return self

    def send(self, told: signal.Signals) -> None:
        self._process.send_signal(told)

    def kill(self) -> None:
        self._process.kill()

    def ended(self, within: float = 60) -> int:
        """Its exit code."""
        code = self._process.wait(timeout=within)
        self._reader.join(timeout=within)
        return code

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self.ended()
        assert self._process.stderr is not None
        self._process.stderr.close()

    def _read(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self.lines.append(line)
            if found := SERVING.search(line):
                self.url = found[1]
                self._up.set()
        self._up.set()


def start(
    *arguments: str,
    url: str | None,
    folder: Path,
    more: Mapping[str, str] | None = None,
    command: str = "serve",
) -> Process:
    """Start `regimen serve` (or another command) in a folder."""
    return Process(
        subprocess.Popen(
            [*COMMAND, command, *arguments],
            env=environment(url, more), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
            text=True, cwd=folder,
        )
    )  # fmt: skip


@contextmanager
def serving(
    *arguments: str, url: str | None, folder: Path, more: Mapping[str, str] | None = None
) -> Iterator[Process]:
    """The demonstration's service at a free port, until the block ends."""
    process = start("--demo", "--port", "0", *arguments, url=url, folder=folder, more=more)
    try:
        yield process.up()
    finally:
        process.close()


def run(*arguments: str, url: str, more: Mapping[str, str] | None = None) -> str:
    """What a command prints. It must succeed."""
    done = subprocess.run(
        [*COMMAND, *arguments], env=environment(url, more), capture_output=True, text=True,
        check=False, timeout=SECONDS_TO_START,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout
