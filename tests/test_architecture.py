"""What the import contracts cannot say: what the core needs, and what a client of the service."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CORE = sorted((ROOT / "engine" / "core").rglob("*.py"))
CLIENT = sorted((ROOT / "engine" / "client").rglob("*.py"))
LOADED = "import sys, engine.client; print(*sys.modules)"


@pytest.mark.parametrize("module", CORE, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_core_imports_the_standard_library_and_itself_alone(module: Path) -> None:
    allowed = {"engine", "transitions"} if module.name == "machine.py" else {"engine"}
    foreign = {name for name in _imported(module) if name not in sys.stdlib_module_names | allowed}

    assert not foreign, f"{module.name} imports {', '.join(sorted(foreign))}"


@pytest.mark.parametrize("module", CLIENT, ids=lambda path: path.stem)
def test_the_client_imports_the_standard_library_an_http_library_and_itself(module: Path) -> None:
    allowed = sys.stdlib_module_names | {"anyio", "engine", "httpx2"}
    foreign = {name for name in _imported(module) if name not in allowed}
    engine = {name for name in _imported(module, whole=True) if name.startswith("engine")}

    assert not foreign, f"{module.name} imports {', '.join(sorted(foreign))}"
    assert all(name.startswith("engine.client") for name in engine), engine


def test_whoever_imports_the_client_loads_no_database_and_no_server_library() -> None:
    command = [sys.executable, "-c", LOADED]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = set(done.stdout.split())

    assert not loaded & {"alembic", "fastapi", "pydantic", "sqlalchemy", "starlette", "structlog"}


def _imported(module: Path, *, whole: bool = False) -> set[str]:
    """The packages that a module imports, or the modules by their whole names."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found if whole else {name.partition(".")[0] for name in found}
