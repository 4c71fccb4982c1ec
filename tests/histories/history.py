"""Golden histories: courses as once recorded, which verify and are decided alike for ever.

A history is a file of JSON Lines, a record a line: its hash and the bytes that were hashed. The
definitions that it was decided by lie beside it under their digests.
"""

from __future__ import annotations

import json
from pathlib import Path

from engine.bundle.reading import Bundle, read_bundle
from engine.core.encoding import canonical, parse

HERE = Path(__file__).parent
DEFINITIONS = HERE / "definitions"


def lines(bundle: bytes) -> tuple[bytes, dict[str, bytes]]:
    """An exported course as the lines of a history, and its definitions as files by name."""
    said = parse(bundle)
    history = b"".join(canonical(record) + b"\n" for record in said["records"])
    return history, {_file(d["digest"]): canonical(d) + b"\n" for d in said["definitions"]}


def histories(folder: str) -> list[Path]:
    """The files of a folder, by name."""
    return sorted((HERE / folder).glob("*.jsonl"))


def load(path: Path) -> Bundle:
    """A history with the definitions that its records name."""
    records = [parse(line) for line in path.read_bytes().splitlines()]
    bodies = [json.loads(record["body"]) for record in records]
    digests = dict.fromkeys(body["workflow"] for body in bodies)
    return read_bundle(
        canonical(
            {
                "format": 1,
                "kind": "regimen-bundle",
                "tenant": bodies[-1]["tenant"],
                "course": bodies[-1]["course"],
                "records": records,
                "definitions": [_definition(digest) for digest in digests],
            }
        )
    )


def keep(folder: str, name: str, history: bytes, definitions: dict[str, bytes]) -> None:
    """Write a history and what it was decided by."""
    (HERE / folder).mkdir(exist_ok=True)
    DEFINITIONS.mkdir(exist_ok=True)
    (HERE / folder / f"{name}.jsonl").write_bytes(history)
    for file, data in definitions.items():
        (DEFINITIONS / file).write_bytes(data)


def clear(folder: str, names: str) -> None:
    """Forget the histories of a folder whose names are like this."""
    for path in (HERE / folder).glob(f"{names}.jsonl"):
        path.unlink()


def drop_unused() -> None:
    """Forget the definitions that no history was decided by any more."""
    used = {
        _file(definition.digest)
        for folder in ("good", "broken")
        for path in histories(folder)
        for definition in load(path).definitions
    }
    for path in DEFINITIONS.glob("*.json"):
        if path.name not in used:
            path.unlink()


def _definition(digest: str) -> object:
    return parse((DEFINITIONS / _file(digest)).read_bytes())


def _file(digest: str) -> str:
    return f"{digest.removeprefix('sha256:')[:16]}.json"
