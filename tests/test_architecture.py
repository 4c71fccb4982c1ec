"""What the import contracts cannot say: the core needs Python and, in one file, `transitions`."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CORE = sorted((ROOT / "engine" / "core").rglob("*.py"))


@pytest.mark.parametrize("module", CORE, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_core_imports_the_standard_library_and_itself_alone(module: Path) -> None:
    allowed = {"engine", "transitions"} if module.name == "machine.py" else {"engine"}
    foreign = {name for name in _imported(module) if name not in sys.stdlib_module_names | allowed}

    assert not foreign, f"{module.name} imports {', '.join(sorted(foreign))}"


def _imported(module: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found
