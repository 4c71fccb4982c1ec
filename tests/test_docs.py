"""What the pages say is run: commands, their exit codes and output, and Python examples.

In a `console` block a line after `$ ` is run by the shell, in one folder a page; the lines below it
must appear in what it prints, in their order, `...` standing for anything. `# exits 1` at the end
of a command says with what it exits. A `python` block is run; the blocks of a page share their
names. A block with `title="FILE"` is written to that file first.

What a `console background` block runs goes on until the page ends, such as the service that the
rest of it asks; the page goes on once the lines below it are printed. Such a page names its ports
8000 and 9000, and gets others that are free.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
FENCE = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
TITLE = re.compile(r'title="([^"]+)"')
EXITS = re.compile(r"\s+# exits (\d)$")
BACKGROUND = " background"
PORTS = (8000, 9000)
A_COMMAND, A_PAGE = 120, 1200
"""Seconds after which either hangs. A page has up to seventy commands."""
MADE_BY_CI = ("git clone", "cd ", "make ", ". ")
"""Commands that need a fresh clone: CI runs them, and here only their targets are looked up."""


@pytest.fixture
def running() -> Iterator[list[subprocess.Popen[bytes]]]:
    """What runs in the background, until the test ends."""
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for process in reversed(started):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.mark.timeout(A_PAGE)
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_and_example_of_the_page_runs(
    page: Path, tmp_path: Path, running: list[subprocess.Popen[bytes]]
) -> None:
    names: dict[str, object] = {"__name__": "__main__"}
    ran = 0
    before = Path.cwd()
    os.chdir(tmp_path)
    blocks = FENCE.findall(_with_free_ports(page.read_text()))
    try:
        for language, attributes, content in blocks:
            if title := TITLE.search(attributes):
                (tmp_path / title[1]).write_text(content)
            elif language == "console" and BACKGROUND in attributes:
                running.append(_started(content, tmp_path))
                ran += 1
            elif language == "console":
                ran += _console(content, tmp_path)
            elif language == "python":
                # The page is ours: what it says is what is run.
                exec(compile(content, f"{page.name} example", "exec"), names)
                ran += 1
    finally:
        os.chdir(before)

    assert ran or page.name == "benchmarks.md", f"{page.name} has nothing that runs"


def test_the_first_page_makes_the_command_found_before_it_is_called() -> None:
    """Who ran only `make demo` has no `regimen` on the path."""
    typed = re.findall(r"^\$ (.*)$", (ROOT / "README.md").read_text(), re.MULTILINE)
    first = next(n for n, command in enumerate(typed) if command.startswith("regimen"))

    assert ". .venv/bin/activate" in typed[:first]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_the_page_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def _console(content: str, folder: Path) -> int:
    ran = 0
    for part in re.split(r"^\$ ", content, flags=re.MULTILINE)[1:]:
        lines = part.rstrip("\n").split("\n")
        command = lines.pop(0)
        while command.endswith("\\"):
            command = f"{command[:-1]} {lines.pop(0).strip()}"
        if command.startswith(MADE_BY_CI):
            _known(command)
            continue
        _ran(command, lines, folder)
        ran += 1
    return ran


def _ran(command: str, expected: list[str], folder: Path) -> None:
    exits = EXITS.search(command)
    done = subprocess.run(
        EXITS.sub("", command), shell=True, cwd=folder, env=_environment(), capture_output=True,
        text=True, timeout=A_COMMAND, check=False,
    )  # fmt: skip
    printed = done.stdout + done.stderr

    assert done.returncode == (int(exits[1]) if exits else 0), f"$ {command}\n{printed}"
    absent = _absent(expected, printed)
    assert absent is None, f"$ {command}\nexpected: {absent}\nprinted:\n{printed}"


def _started(content: str, folder: Path) -> subprocess.Popen[bytes]:
    """The one command of a block, once it printed what is expected of it."""
    command, *expected = content.removeprefix("$ ").rstrip("\n").split("\n")
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(
            command, shell=True, cwd=folder, env=_environment(), stdout=out, stderr=out,
            start_new_session=True,
        )  # fmt: skip
        for _ in range(1200):
            printed = os.pread(out.fileno(), 1_000_000, 0).decode()
            if _absent(expected, printed) is None:
                return process
            if process.poll() is not None:
                break
            time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    raise AssertionError(f"$ {command}\nexpected: {expected}\nprinted:\n{printed}")


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("REGIMEN_")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**kept, "PATH": path, "COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"}


def _absent(expected: list[str], printed: str) -> str | None:
    """The first line that is not printed where it was expected."""
    place = 0
    for line in (line.strip() for line in expected):
        if line in ("", "..."):
            continue
        found = printed.find(line, place)
        if found < 0:
            return line
        place = found + len(line)
    return None


def _with_free_ports(text: str) -> str:
    if f"```console{BACKGROUND}" not in text:
        return text
    with contextlib.ExitStack() as held:
        for port in PORTS:
            listener = held.enter_context(socket.create_server(("127.0.0.1", 0)))
            text = re.sub(rf"\b{port}\b", str(listener.getsockname()[1]), text)
    return text


def _known(command: str) -> None:
    if command.startswith(". "):
        # What `make` makes here is what the shell is told to read.
        venv = re.search(r"^VENV := (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
        assert venv, "the Makefile names no environment"
        assert command == f". {venv[1]}/bin/activate"
    if command.startswith("make "):
        makefile = (ROOT / "Makefile").read_text()
        for target in command.split()[1:]:
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"no target {target}"
