"""What the pages say is run: commands, their exit codes and output, and Python examples.

In a `console` block a line after `$ ` is run by the shell, in one folder a page; the lines below it
must appear in what it prints, in their order, `...` standing for anything. `# exits 1` at the end
of a command says with what it exits. A `python` block is run; the blocks of a page share their
names. A block with `title="FILE"` is written to that file first.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
FENCE = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
TITLE = re.compile(r'title="([^"]+)"')
EXITS = re.compile(r"\s+# exits (\d)$")
MADE_BY_CI = ("git clone", "cd ", "make ", ". ")
"""Commands that need a fresh clone: CI runs them, and here only their targets are looked up."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_and_example_of_the_page_runs(page: Path, tmp_path: Path) -> None:
    names: dict[str, object] = {"__name__": "__main__"}
    ran = 0
    before = Path.cwd()
    os.chdir(tmp_path)
    try:
        for language, attributes, content in FENCE.findall(page.read_text()):
            if title := TITLE.search(attributes):
                (tmp_path / title[1]).write_text(content)
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
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "100",
        "NO_COLOR": "1",
        "TERM": "dumb",
    }
    environment.pop("REGIMEN_DATABASE_URL", None)
    done = subprocess.run(
        EXITS.sub("", command), shell=True, cwd=folder, env=environment, capture_output=True,
        text=True, timeout=120, check=False,
    )  # fmt: skip
    printed = done.stdout + done.stderr

    assert done.returncode == (int(exits[1]) if exits else 0), f"$ {command}\n{printed}"
    place = 0
    for line in (line.strip() for line in expected):
        if line in ("", "..."):
            continue
        found = printed.find(line, place)
        assert found >= 0, f"$ {command}\nexpected: {line}\nprinted:\n{printed}"
        place = found + len(line)


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
