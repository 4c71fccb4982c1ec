"""The stand-alone verifier as an auditor runs it: one file, an interpreter, and nothing else."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

FILE = Path(__file__).parents[2] / "engine" / "standalone" / "regimen_verify.py"


@dataclass(frozen=True, slots=True)
class Verified:
    """What it said of a bundle."""

    code: int
    told: str
    wrong: tuple[str, ...]


def verify(bundle: Path, *options: str | Path) -> Verified:
    """In a process of its own that finds no package but the standard library."""
    command = [sys.executable, "-I", "-S", str(FILE), str(bundle), *map(str, options)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    told = done.stdout + done.stderr
    assert "Traceback" not in told, told
    wrong = tuple(
        line.removeprefix("WRONG ") for line in told.splitlines() if line.startswith("WRONG ")
    )
    return Verified(done.returncode, told, wrong)


def module() -> ModuleType:
    """Its code, for what would take too many processes."""
    spec = importlib.util.spec_from_file_location("regimen_verify", FILE)
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    sys.modules.setdefault("regimen_verify", found)
    spec.loader.exec_module(found)
    return found


def audited(bundle: Path, checkpoint: str | None = None, keys: tuple[str, ...] = ()) -> list[str]:
    """What is wrong with a bundle, without a process for it."""
    found = CODE.Audit(checkpoint, list(keys))
    found.read(bundle)
    wrong: list[str] = found.wrong
    return wrong


CODE = module()
