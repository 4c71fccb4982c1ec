"""Crimes against a bundle by somebody who does them well: files are closed, chains linked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from hashlib import sha256
from pathlib import Path
from typing import Any

from engine.core.encoding import canonical
from engine.core.record import GENESIS, hash_of

Parts = list[dict[str, Any]]


def parts_of(bundle: Path) -> Parts:
    """The lines of a bundle, without its end."""
    return [json.loads(line) for line in bundle.read_bytes().splitlines()][:-1]


def document(tenant: str, course: str, definitions: Parts, records: Parts) -> Parts:
    """The lines of a bundle of one course without proofs, to be closed."""
    manifest = {
        "format": 2, "kind": "regimen-bundle", "tenant": tenant, "asked": {"courses": [course]},
    }  # fmt: skip
    return [
        manifest,
        *({"definition": one} for one in definitions),
        {"course": {"course": course, "records": len(records)}},
        *({"record": one} for one in records),
    ]


def closed(parts: Parts, path: Path) -> Path:
    """The lines as a file that is whole: announced as they are, counted and digested."""
    parts = deepcopy(parts)
    records, course = 0, None
    for part in parts:
        if "course" in part:
            course = part["course"]
            course["records"] = 0
        elif "record" in part and course is not None:
            course["records"] += 1
            records += 1
    courses = sum(1 for part in parts if "course" in part)
    digests = sorted({part["definition"]["digest"] for part in parts if "definition" in part})
    parts[0] |= {"courses": courses, "records": records, "definitions": digests}
    lines = b"".join(canonical(part) + b"\n" for part in parts)
    path.write_bytes(ended(lines))
    return path


def ended(lines: bytes) -> bytes:
    """Lines with the end that counts and digests them."""
    digest = "sha256:" + sha256(lines).hexdigest()
    return lines + canonical({"end": {"lines": lines.count(b"\n"), "digest": digest}}) + b"\n"


def records(parts: Parts) -> list[int]:
    """Where the records are among the lines."""
    return [n for n, part in enumerate(parts) if "record" in part]


def bodies(parts: Parts) -> list[dict[str, Any]]:
    return [json.loads(parts[n]["record"]["body"]) for n in records(parts)]


def rewritten(parts: Parts, n: int, change: Callable[[dict[str, Any]], object]) -> Parts:
    """The bytes of one record changed, and nothing else."""
    parts = deepcopy(parts)
    record = parts[records(parts)[n]]["record"]
    body = json.loads(record["body"])
    change(body)
    record["body"] = canonical(body).decode()
    return parts


def rehashed(parts: Parts, n: int) -> Parts:
    """One record with the hash of what it says now."""
    parts = deepcopy(parts)
    record = parts[records(parts)[n]]["record"]
    record["hash"] = hash_of(record["body"].encode())
    return parts


def rechained(parts: Parts, *, renumbered: bool = False, keep: int = -1) -> Parts:
    """Every record linked to the one before it and hashed; of one the link is kept as it is."""
    parts = deepcopy(parts)
    head, seq = GENESIS, 0
    for n, place in enumerate(records(parts)):
        if "course" in parts[place - 1]:
            head, seq = GENESIS, 0
        record = parts[place]["record"]
        body = json.loads(record["body"])
        if n != keep:
            body["prev"] = head
        seq += 1
        if renumbered:
            body["seq"] = seq
        record["body"] = canonical(body).decode()
        record["hash"] = head = hash_of(record["body"].encode())
    return parts


def unsealed(parts: Parts) -> Parts:
    """Without any proof, as if nothing had been sealed yet."""
    parts = [deepcopy(part) for part in parts if "checkpoint" not in part]
    for part in parts:
        part.get("record", {}).pop("leaf", None)
    return parts


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every member of a document, inner ones too."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, part in inner:
        yield (*path, key)
        if isinstance(part, dict | list):
            yield from places(part, (*path, key))


def altered(path: tuple[str | int, ...]) -> Callable[[dict[str, Any]], object]:
    """Another value in a place, of the same kind where there is one."""

    def change(document: Any) -> None:
        for key in path[:-1]:
            document = document[key]
        document[path[-1]] = other(document[path[-1]])

    return change


def removed(path: tuple[str | int, ...]) -> Callable[[dict[str, Any]], object]:
    """A member taken out."""

    def change(document: Any) -> None:
        for key in path[:-1]:
            document = document[key]
        del document[path[-1]]

    return change


def other(value: Any) -> Any:
    """Something else that looks like it."""
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case str() if value.isdigit():
            return str(int(value) + 1)
        case str() if value:
            last = "1" if value[-1] == "0" else "0" if value[-1].isdigit() else "q"
            return value[:-1] + (last if last != value[-1] else "w")
        case None:
            return 0
        case list():
            return [*value, "more"]
        case dict():
            return {**value, "more": "said"}
    return "something"
