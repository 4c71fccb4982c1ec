"""What is installed from the wheel stands alone: no source tree, no extra, no network."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PAGES = {".html", ".css", ".js", ".svg", ".typ"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", target, ROOT)
    (built,) = target.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of an environment with the wheel and what it requires without any extra."""
    place = tmp_path_factory.mktemp("installed") / "venv"
    venv.create(place, with_pip=False, symlinks=True)
    python = place / "bin" / "python"
    run(
        *(sys.executable, "-m", "pip", "--python", python, "install"),
        *("--quiet", "--no-index", "--no-deps", wheel),
    )
    (site,) = place.glob("lib/python3.*/site-packages")
    (package,) = Distribution.discover(name="regimen-engine", path=[str(site)])
    for required in required_by(package, set()):
        for top in {file.parts[0] for file in required.files or () if ".." not in file.parts}:
            if not (link := site / top).exists():
                link.symlink_to(Path(str(required.locate_file(top))))
    return place / "bin"


def test_the_wheel_carries_everything_that_python_files_need_beside_them(wheel: Path):
    with zipfile.ZipFile(wheel) as archive:
        packed = set(archive.namelist())
    expected = {
        path.relative_to(ROOT).as_posix().replace("migrations/", "engine/migrations/", 1)
        for folder in ("engine", "workflows", "migrations")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in {".py", ".jsonl", ".json", ".mako", ".typed", *PAGES}
    }

    assert expected <= packed
    assert {"engine/py.typed", "workflows/py.typed", "workflows/published.json"} <= packed
    assert any(name.startswith("workflows/") and name.endswith(".jsonl") for name in packed)
    assert any(name.startswith("engine/migrations/versions/") for name in packed)


def test_the_wheel_puts_nothing_else_at_the_top(wheel: Path):
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}

    assert {top for top in tops if not top.endswith(".dist-info")} == {"engine", "workflows"}


def test_the_installed_package_is_not_the_source_tree(installed: Path, tmp_path: Path):
    where = "import engine, workflows; print(engine.__file__, workflows.__file__)"

    assert str(ROOT) not in run(installed / "python", "-c", where, cwd=tmp_path)


def test_the_installed_command_migrates_an_empty_database(installed: Path, tmp_path: Path):
    database = tmp_path / "courses.db"
    run(installed / "regimen", "migrate", cwd=tmp_path, database=f"sqlite:///{database}")

    assert database.stat().st_size > 0


def test_the_installed_command_runs_its_demonstration(installed: Path, tmp_path: Path):
    assert run(installed / "regimen", "demo", cwd=tmp_path)


def required_by(package: Distribution, seen: set[str]) -> Iterator[Distribution]:
    for line in package.requires or ():
        requirement = Requirement(line)
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        if requirement.name not in seen:
            seen.add(requirement.name)
            required = distribution(requirement.name)
            yield required
            yield from required_by(required, seen)


def run(*command: str | Path, cwd: Path = ROOT, database: str | None = None) -> str:
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        command,
        check=False,
        capture_output=True,
        text=True,
        cwd=cwd,
        env=inherited | ({"REGIMEN_DATABASE_URL": database} if database else {}),
    )
    assert done.returncode == 0, f"{command} failed:\n{done.stdout}{done.stderr}"
    return done.stdout
