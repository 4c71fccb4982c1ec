#!/usr/bin/env python3
"""Check a Regimen evidence bundle, trusting neither its operator nor the engine that wrote it.

    python regimen_verify.py FILE [--checkpoint FILE] [--key VKEY]

One file, Python 3.11 or newer, the standard library and nothing else. It is written to be read from
top to bottom, in the order in which things are checked:

 1. FILE is a bundle, and is whole up to its end.
 2. Each definition has the SHA-256 that it is named by.
 3. The checkpoint is signed (Ed25519), and its tree continues that of the one which you hold.
 4. Each record has its SHA-256, follows its predecessor, and is a leaf of the checkpoint's tree.
 5. What was known at each record is rebuilt from the records before it: readings with their ages,
    flaws and corrections, variables, the state. Every requirement and rule of the definition is
    weighed on that again, and all that was recorded must follow: each verdict, accepted or refused
    and why, rules fired, advice, messages, the next state, variables, readings and timers.

Parts 1 to 4 are a quarter of it and need no knowledge of the engine. Part 5 comes in four: values
and units; what was known; conditions; decisions. Whoever has twenty minutes reads the first four
parts and `Decision.decide` with what it calls.

It does NOT recompute, and takes as recorded:

 - the findings that say in words why a verdict is what it is, and what an open question waits for;
 - civil dates and wall-clock times (zone data changes; they must lie within 15 hours of UTC);
 - visits that became due, bookings and arrangements: no guard looks at them;
 - whether the patient has another open course of the same workflow;
 - events of the engine that it does not know: it makes sure that they change nothing guards see.

It cannot know whether what was sent was true, nor who was at the keyboard. Free texts are not in a
bundle, only their salted hashes. Without --checkpoint it cannot tell a log that was made anew by
whoever has the signing key; and of a bundle of single courses, no checkpoint can tell whether their
last records were left out: a bundle of the whole tenant can, and an earlier head that you noted.

Exit: 0 all of it holds, 1 something does not (the first bad position is named), 2 no bundle.
"""

from __future__ import annotations

import argparse
import base64
import functools
import hashlib
import itertools
import json
import operator
import re
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, TypeVar

Json: TypeAlias = Any
Value: TypeAlias = Any
"""Of a guard: Decimal, bool, str, date, datetime, timedelta or Span. None is unknown, never no."""

MALFORMED = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


class NoBundle(Exception):
    """The file is not what this program reads."""


class Wrong(Exception):
    """Something does not hold: one word for what, and a sentence why."""


def require(holds: object, kind: str, why: str) -> None:
    """Stop at the first thing that does not hold."""
    if not holds:
        raise Wrong(f"{kind}: {why}")


def main() -> int:
    """Check a file and say what was found."""
    parser = argparse.ArgumentParser(description="Check a Regimen evidence bundle.")
    parser.add_argument("file", type=Path, metavar="FILE", help="the bundle")
    parser.add_argument("--checkpoint", type=Path, metavar="FILE", help="an earlier one, yours")
    text = "who must have signed the checkpoint, the log itself or a witness; repeatable"
    parser.add_argument("--key", action="append", default=[], metavar="VKEY", help=text)
    asked = parser.parse_args()
    try:
        held = None if asked.checkpoint is None else asked.checkpoint.read_text("utf-8")
        audit = Audit(held, asked.key)
        audit.read(asked.file)
    except (NoBundle, OSError, UnicodeDecodeError) as wrong:
        print(f"NO BUNDLE: {wrong}", file=sys.stderr)
        return 2
    print(*audit.told, sep="\n")
    print("not recomputed: findings in words, civil times, visits, bookings; the head of this")
    print("  program says what else")
    for place in audit.wrong:
        print(f"WRONG {place}")
    print("NOT WHOLE" if audit.wrong else "WHOLE")
    return 1 if audit.wrong else 0


class Audit:
    """What is found while the parts of a bundle go by."""

    def __init__(self, held: str | None, keys: list[str]) -> None:
        self.held, self.keys = held, keys
        self.manifest: Json = {}
        self.definitions: dict[str, Definition] = {}
        self.checkpoint: Checkpoint | None = None
        self.course: Course | None = None
        self.names: set[str] = set()
        self.records, self.sealed = 0, 0
        self.told: list[str] = []
        self.wrong: list[str] = []

    def read(self, path: Path) -> None:
        """Check one part after the other; what is wrong with one course hides no other course."""
        place = "file"
        try:
            for part, content in parts_of(path):
                place = part
                if part != "record" or self.course is None:
                    self.take(part, content)
                elif not self.course.bad:
                    place = f"course {self.course.name} record {self.course.seq + 1}"
                    try:
                        self.record(self.course, content)
                    except (*MALFORMED, Wrong) as wrong:
                        self.course.bad = self.note(place, wrong)
            require(self.manifest, "file", "it has no manifest")
        except (*MALFORMED, Wrong) as wrong:
            self.note(place, wrong)

    def note(self, place: str, wrong: Exception) -> bool:
        said = str(wrong) if isinstance(wrong, Wrong) else f"content: cannot be read: {wrong!r}"
        self.wrong.append(f"{place}: {said}")
        return True

    def take(self, part: str, content: Json) -> None:
        """Any part but a record."""
        if part == "manifest":
            self.manifest = content
            self.told.append(f"bundle of tenant {content['tenant']!r}, asked {content['asked']}")
        elif part == "definition":
            self.define(content)
        elif part == "checkpoint":
            self.seal(content)
        elif part == "course":
            self.end_course()
            require(content["course"] not in self.names, "order", "the course is there twice")
            self.names.add(content["course"])
            self.course = Course(self.manifest["tenant"], content["course"], content["records"])
        elif part == "end":
            self.end_course()
            self.end()
        else:
            raise Wrong(f"file: it has a part {part!r} that is not known here")

    def define(self, content: Json) -> None:
        """A definition: its bytes must have the digest, for which each record names it."""
        for name, text in (("digest", "semantic"), ("prose_digest", "prose")):
            found = "sha256:" + sha256(content[text].encode()).hex()
            require(found == content[name], "definition", f"its {text} part has not its {name}")
        semantic = parse(content["semantic"])
        self.definitions[content["digest"]] = Definition(semantic)
        name = f"{semantic['name']}@{semantic['version']}"
        self.told.append(f"definition {name}: {content['digest']}")

    def seal(self, content: Json) -> None:
        """The checkpoint: of this tenant, signed, and the continuation of the one that is held."""
        keys = self.keys or content["keys"]
        new = self.checkpoint = opened(content["note"], keys)
        mine = new.origin.endswith("/" + self.manifest["tenant"])
        require(mine, "checkpoint", f"it is of another log, {new.origin}")
        whose = "the keys that you gave" if self.keys else "keys from the bundle itself, not yours"
        whose = whose if keys else "nobody"
        self.told.append(f"checkpoint of {new.origin}: {new.size} leaves, signed by {whose}")
        if self.held is not None:
            old = opened(self.held, [])
            require(old.origin == new.origin, "checkpoint", f"yours is of {old.origin}")
            require(old.size <= new.size, "checkpoint", "yours is of a later, larger tree")
            proofs = {one["size"]: hashes(one["path"]) for one in content.get("consistency", [])}
            proven = continues(old, new, proofs.get(old.size, []))
            require(proven, "checkpoint", f"it is not shown to continue yours of {old.size} leaves")
            self.told.append(f"  it continues the one that you hold, of {old.size} leaves")

    def record(self, course: Course, content: Json) -> None:
        """A record: in its place in the chain, decided as it must be, and in the tree."""
        course.take(content, self.definitions)
        if "leaf" not in content:
            require(self.held is None and not self.keys, "unsealed", "no checkpoint holds it yet")
            course.unsealed += 1
            return
        require(not course.unsealed, "proof", "it is sealed, and one before it is not")
        leaf, index = content["leaf"], content["leaf"]["index"]
        if self.checkpoint is None:
            raise Wrong("proof: there is no checkpoint that it could lead to")
        require(course.index < index < self.checkpoint.size, "proof", "its leaf is out of order")
        salt = bytes.fromhex(leaf["salt"])
        require(len(salt) == 16, "proof", "its salt has not 16 bytes")
        hashed = sha256(b"\x00" + salt + bytes.fromhex(content["hash"]))
        root = root_of(hashed, index, self.checkpoint.size, hashes(leaf["path"]))
        require(root == self.checkpoint.root, "proof", "it is not that leaf of the tree")
        course.index = index
        self.sealed += 1

    def end_course(self) -> None:
        course = self.course
        if course is None or course.bad:
            return
        if course.seq != course.announced:
            self.note(f"course {course.name}", Wrong(f"gap: {course.announced} records announced"))
        unsealed = f", {course.unsealed} not sealed" if course.unsealed else ""
        self.told.append(
            f"course {course.name}: {course.seq} records{unsealed}, "
            f"{course.weighed} verdicts weighed again, head {course.head}"
        )
        self.records += course.seq
        if course.foreign:
            self.told.append(f"  taken as recorded: {', '.join(sorted(course.foreign))}")

    def end(self) -> None:
        """Whether all is there that was announced; of a whole tenant, every leaf of the tree."""
        for name, number in (
            ("courses", len(self.names)), ("records", self.records),
            ("definitions", sorted(self.definitions)),
        ):  # fmt: skip
            require(self.manifest[name] == number or self.wrong, "file", f"not all {name} are here")
        asked = self.manifest["asked"]
        known = list(asked) in (["tenant"], ["since"], ["courses"])
        named = sorted(asked.get("courses", self.names)) == sorted(self.names)
        require((known and named) or self.wrong, "file", "not the courses that were asked")
        if self.checkpoint is None:
            require(self.held is None and not self.keys, "checkpoint", "it has none")
        elif "tenant" in asked:
            missing = self.checkpoint.size - self.sealed
            require(not missing or self.wrong, "gap", f"{missing} records of the tree are not here")


# --- 1. The file ------------------------------------------------------------------------------


def parse(text: str | bytes) -> Json:
    """JSON in which nothing can be read in two ways: no member twice, no floats."""

    def members(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ValueError("a member is given twice")
        return found

    def refuse(found: str) -> None:
        raise ValueError(f"{found} is no exact number")

    return json.loads(text, object_pairs_hook=members, parse_float=refuse, parse_constant=refuse)


def sha256(data: bytes) -> bytes:
    """The hash that everything here is named by."""
    return hashlib.sha256(data).digest()


def parts_of(path: Path) -> Iterator[tuple[str, Json]]:
    """The parts of a bundle in their order, each as its name and its content.

    Format 2 has a part on each line: the manifest, definitions, the checkpoint, then each course
    with its records, and an end that counts and digests the lines before it. Format 1 is one JSON
    document with one course.
    """
    with path.open("rb") as file:
        first = file.readline()
        whole = first if b'"format":2' in first else first + file.read()
        try:
            manifest = parse(whole)
            kind, version = manifest["kind"], manifest["format"]
        except MALFORMED as wrong:
            raise NoBundle(f"it does not begin as one: {wrong}") from wrong
        if kind != "regimen-bundle" or version not in (1, 2):
            raise NoBundle("it is no bundle of format 1 or 2")
        if version == 1:
            yield from parts_of_format_1(manifest)
            return
        yield "manifest", manifest
        digest, lines = hashlib.sha256(first), 1
        for line in file:
            try:
                ((part, content),) = parse(line).items()
            except MALFORMED as wrong:
                raise Wrong(f"file: line {lines + 1} cannot be read: {wrong}") from wrong
            if part == "end":
                require(content["lines"] == lines, "file", "lines were put in or taken out")
                found = "sha256:" + digest.hexdigest()
                require(content["digest"] == found, "file", "a line is not what it was")
                require(not file.read(1), "file", "something comes after the end")
                yield part, content
                return
            yield part, content
            digest.update(line)
            lines += 1
        raise Wrong("file: the end is not there: it was cut off")


def parts_of_format_1(bundle: Json) -> Iterator[tuple[str, Json]]:
    """The same of the older form."""
    course, definitions, records = bundle["course"], bundle["definitions"], bundle["records"]
    digests, whose = sorted(one["digest"] for one in definitions), {"courses": [course]}
    announced = {"courses": 1, "records": len(records), "definitions": digests}
    yield "manifest", {"tenant": bundle["tenant"], "asked": whose, **announced}
    yield from (("definition", one) for one in definitions)
    yield "course", {"course": course, "records": max(1, len(records))}
    yield from (("record", one) for one in records)
    yield "end", {}


# --- 3. Checkpoints: signed notes (C2SP) over Merkle trees (RFC 9162) ----------------------------


P = 2**255 - 19  # Ed25519, as RFC 8032 5.1 writes it down
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
Point: TypeAlias = tuple[int, int, int, int]


def add(a: Point, b: Point) -> Point:
    """The sum of two points in extended coordinates (5.1.4)."""
    e, f = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    g, h = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    return (
        (f - e) * (h - g) % P,
        (h + g) * (f + e) % P,
        (h - g) * (h + g) % P,
        (f - e) * (f + e) % P,
    )


def times(number: int, point: Point) -> Point:
    """A point added to itself so often."""
    total: Point = (0, 1, 1, 0)
    while number:
        total = add(total, point) if number & 1 else total
        point, number = add(point, point), number >> 1
    return total


def decompressed(data: bytes) -> Point | None:
    """The point of 32 bytes (5.1.3); None where there is none."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if y >= P or (x * x - square) % P or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


BASE = decompressed((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def signed(key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether a signature is that of the key over the message (5.1.7)."""
    a, r = decompressed(key), decompressed(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if len(signature) != 64 or a is None or r is None or BASE is None or s >= ORDER:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % ORDER
    left, right = times(s, BASE), add(r, times(k, a))
    return not (
        (left[0] * right[2] - right[0] * left[2]) % P
        or (left[1] * right[2] - right[1] * left[2]) % P
    )


class Checkpoint(NamedTuple):
    """The head of a log: whose it is, how many leaves its tree has, and the root of that."""

    origin: str
    size: int
    root: bytes


def opened(note: str, keys: list[str]) -> Checkpoint:
    """The checkpoint in a note, which each of the keys must have signed."""
    text, gap, signatures = note.rpartition("\n\n")
    require(gap, "checkpoint", "it is no signed note")
    for key in keys:
        holds = is_signed(f"{text}\n", signatures, key)
        require(holds, "checkpoint", f"no signature of {key} holds")
    origin, size, root = text.split("\n")[:3]
    return Checkpoint(origin, int(size), base64.b64decode(root))


def is_signed(text: str, signatures: str, vkey: str) -> bool:
    """Whether one of the lines is the signature of a key, given as `name+number+base64`."""
    name, number, encoded = vkey.strip().split("+", 2)
    key = base64.b64decode(encoded)
    require(
        sha256(f"{name}\n".encode() + key)[:4].hex() == number, "key", f"{name}: not its number"
    )
    kind, key, found = key[:1], key[1:], False
    for line in signatures.splitlines():
        signer, _, encoded = line.removeprefix("\u2014 ").rpartition(" ")
        raw = base64.b64decode(encoded)
        if signer != name or raw[:4].hex() != number:
            continue
        if kind == b"\x01":  # of the log
            found = found or signed(key, raw[4:], text.encode())
        elif kind == b"\x04":  # of a witness, who says when
            message = f"cosignature/v1\ntime {int.from_bytes(raw[4:12], 'big')}\n{text}"
            found = found or signed(key, raw[12:], message.encode())
    return found


def hashes(path: list[str]) -> list[bytes]:
    """The hashes of a proof."""
    found = [bytes.fromhex(one) for one in path]
    require(all(len(one) == 32 for one in found), "proof", "a hash has not 32 bytes")
    return found


def node(left: bytes, right: bytes) -> bytes:
    """The hash of a tree, of those of its halves."""
    return sha256(b"\x01" + left + right)


def root_of(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """The root that an inclusion proof leads to (RFC 9162, 2.1.3.2)."""
    last, found = size - 1, leaf
    for other in path:
        require(last > 0, "proof", "it is too long")
        if index & 1 or index == last:
            found = node(other, found)
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        else:
            found = node(found, other)
        index, last = index >> 1, last >> 1
    require(last == 0, "proof", "it is too short")
    return found


def continues(old: Checkpoint, new: Checkpoint, path: list[bytes]) -> bool:
    """Whether the new tree begins with the leaves of the old one (RFC 9162, 2.1.4.2)."""
    if old.size == new.size:
        return old.root == new.root
    if old.size == 0:
        return old.root == sha256(b"")
    if not path:
        return False
    first, last, nodes = old.size - 1, new.size - 1, list(path)
    if old.size & (old.size - 1) == 0:  # a whole tree of its own is its own first node
        nodes.insert(0, old.root)
    while first & 1:
        first, last = first >> 1, last >> 1
    left = right = nodes[0]
    for other in nodes[1:]:
        if last == 0:
            return False
        if first & 1 or first == last:
            left, right = node(other, left), node(other, right)
            while first and not first & 1:
                first, last = first >> 1, last >> 1
        else:
            right = node(right, other)
        first, last = first >> 1, last >> 1
    return last == 0 and (left, right) == (old.root, new.root)


# --- 5a. Values: exact decimals, units, times --------------------------------------------------


CONTEXT = Context(
    34, ROUND_HALF_EVEN, -6143, 6144, 1, 0, [], [InvalidOperation, DivisionByZero, Overflow]
)
PREFIXES = {"f": -15, "p": -12, "n": -9, "u": -6, "m": -3, "c": -2, "d": -1, "k": 3, "M": 6, "G": 9}
PRESSURE = {"length": -1, "mass": 1, "time": -2}
METRIC: dict[str, tuple[Fraction, dict[str, int]]] = {
    "g": (Fraction(1), {"mass": 1}), "m": (Fraction(1), {"length": 1}),
    "s": (Fraction(1), {"time": 1}), "L": (Fraction(1, 1000), {"length": 3}),
    "l": (Fraction(1, 1000), {"length": 3}), "Pa": (Fraction(1000), PRESSURE),
    "m[Hg]": (Fraction(133_322_000), PRESSURE), "mol": (Fraction(1), {"substance": 1}),
    "eq": (Fraction(1), {"equivalents": 1}), "U": (Fraction(1), {"enzyme activity": 1}),
    "[IU]": (Fraction(1), {"biological activity": 1}),
}  # fmt: skip
PLAIN: dict[str, tuple[Fraction, dict[str, int]]] = {
    "1": (Fraction(1), {}), "10*": (Fraction(10), {}), "10^": (Fraction(10), {}),
    "%": (Fraction(1, 100), {}), "min": (Fraction(60), {"time": 1}),
    "h": (Fraction(3600), {"time": 1}), "d": (Fraction(86_400), {"time": 1}),
    "wk": (Fraction(604_800), {"time": 1}), "mo": (Fraction(1), {"month": 1}),
    "a": (Fraction(12), {"month": 1}),
}  # fmt: skip
TEMPERATURES = {  # value in kelvin = (value + offset) * factor
    "K": (Fraction(1), Fraction(0)), "Cel": (Fraction(1), Fraction("273.15")),
    "[degF]": (Fraction(5, 9), Fraction("459.67")),
}  # fmt: skip
TERM = re.compile(
    r"([./]?)(?:(10[*^]|1(?![0-9+-])|%|(?:[A-Za-z]|\[[A-Za-z]+\])+)([+-]?[0-9]{1,2})?)?(\{[^}]*\})?"
)


def scale(unit: str) -> tuple[Fraction, Fraction, dict[str, int]]:
    """Factor, offset and dimension of a UCUM unit."""
    if unit in TEMPERATURES:
        return *TEMPERATURES[unit], {"temperature": 1}
    factor, dimension, place = Fraction(1), dict[str, int](), 0
    while place < len(unit):
        term = TERM.match(unit, place)
        if term is None or term.end() == place:
            raise Wrong(f"unit: {unit!r} cannot be read")
        symbol, place = term[2] or "1", term.end()
        power = int(term[3] or 1) * (-1 if term[1] == "/" else 1)
        known = PLAIN.get(symbol) or METRIC.get(symbol)
        if known is None and symbol[0] in PREFIXES and symbol[1:] in METRIC:
            size, of = METRIC[symbol[1:]]
            known = Fraction(10) ** PREFIXES[symbol[0]] * size, of
        if known is None:
            raise Wrong(f"unit: {unit!r} is not known")
        factor *= known[0] ** power
        for base, exponent in known[1].items():
            dimension[base] = dimension.get(base, 0) + exponent * power
    return factor, Fraction(0), {base: n for base, n in dimension.items() if n}


def converted(value: Decimal, source: str, target: str) -> Decimal:
    """The number in another unit: exactly, then rounded once."""
    if source == target:
        return value
    a, b = scale(source), scale(target)
    require(a[2] == b[2], "unit", f"{source!r} is not {target!r}")
    exact = (Fraction(value) + a[1]) * a[0] / b[0] - b[1]
    return CONTEXT.divide(Decimal(exact.numerator), Decimal(exact.denominator))


class Span(NamedTuple):
    """A civil span: whole months, clamped to the month's end, then days. Never elapsed time."""

    months: int
    days: int


def moved(start: date, span: Span) -> date:
    """A date moved by a civil span."""
    months = start.year * 12 + start.month - 1 + span.months
    year, month = months // 12, months % 12 + 1
    following = date(year + month // 12, month % 12 + 1, 1)
    last_day = (following - timedelta(days=1)).day
    return date(year, month, min(start.day, last_day)) + timedelta(days=span.days)


def instant(text: str) -> datetime:
    """An instant, which needs a zone."""
    found = datetime.fromisoformat(text)
    require(found.tzinfo, "record", f"{text!r} has no zone")
    return found.astimezone(UTC)


def instant_or_none(sent: Json) -> datetime | None:
    """An event's time; None when it was not published, or is coarser than an instant."""
    return instant(sent) if isinstance(sent, str) else None


def elapsed(written: Json) -> Value:
    """A length of time that a definition states; None where it states none."""
    return written and timedelta(**written)


def constant(written: Json) -> tuple[str | None, Value]:
    """A value that a definition states, with its unit."""
    match written:
        case None:
            return None, None
        case {"quantity": [amount, unit]}:
            return unit, Decimal(amount)
        case {"number": amount}:
            return None, Decimal(amount)
        case {"yesno": value} | {"code": value}:
            return None, value
        case {"date": day}:
            return None, date.fromisoformat(day)
        case {"seconds": _}:
            return None, timedelta(**written)
    return None, Span(written.get("months", 0), written.get("days", 0))


def stored(value: Value) -> Json:
    """A value as records hold it."""
    if isinstance(value, Decimal):
        text = format(value, "f") if value else "0"
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(value, datetime):
        return value.isoformat().removesuffix("+00:00") + "Z"
    return value.isoformat() if isinstance(value, date) else value


def typed(kind: str, raw: Json) -> Value:
    """A value as it was sent or stored, by the kind that the definition declares."""
    if kind in ("quantity", "number"):
        return CONTEXT.plus(Decimal(raw))
    if kind == "date":
        return date.fromisoformat(raw)
    return instant(raw) if kind == "instant" else raw


# --- 5b. What is known when guards are weighed --------------------------------------------------


END_OF_TIME = datetime.max.replace(tzinfo=UTC)


class Reading(NamedTuple):
    """One value of an input, in the input's unit; `flaw` says why it cannot be used.

    `at` is when it was taken, `on` the civil date of that, `seq` the record that brought it, `over`
    how long an interval reading took, `corrects` the record that first brought what it replaces.
    """

    value: Value
    at: datetime | None
    on: date | None
    seq: int
    over: timedelta | None = None
    flaw: str | None = None
    corrects: int | None = None

    def origin(self) -> int:
        """The record that first brought it, right or wrong."""
        return self.corrects or self.seq

    def place(self) -> tuple[datetime, int]:
        """Readings lie in the order in which they were taken; those without a time come last."""
        return self.at or END_OF_TIME, self.seq

    def json(self) -> list[Json]:
        over = self.over and stored(Decimal(self.over // timedelta(microseconds=1)) / 1_000_000)
        at, on = self.at and stored(self.at), self.on and stored(self.on)
        found = [stored(self.value), at, on, self.seq, over, self.flaw, self.corrects]
        while found[-1] is None:
            found.pop()
        return found


def with_one_more(readings: list[Reading], reading: Reading) -> list[Reading]:
    """An input's readings with another in its place; a correction replaces what it corrects."""
    if reading.corrects is not None:
        readings = [r for r in readings if r.origin() != reading.corrects]
    if not readings or readings[-1].place() <= reading.place():
        return [*readings, reading]
    return sorted([*readings, reading], key=Reading.place)


IN_ERROR, FAR, DAY = "entered-in-error", timedelta(hours=15), timedelta(days=1)
MICRO = timedelta(microseconds=1)


class Civil:
    """Civil times at the site, as the record has them; timers go on with those that they hold."""

    def __init__(self, recorded: dict[str, str], held: dict[str, str]) -> None:
        self.recorded, self.held = recorded, held

    def day(self, at: datetime | None) -> date | None:
        """The date on the site's wall at an instant."""
        if at is None:
            return None
        key = stored(at)
        require(key in self.recorded, "civil", f"the date at {key} is not recorded")
        found = date.fromisoformat(self.recorded[key])
        midnight = datetime(found.year, found.month, found.day, tzinfo=UTC)
        require(-FAR < at - midnight < FAR + DAY, "civil", f"{found} is not the date at {key}")
        return found

    def instant(self, on: date, time: str) -> datetime:
        """The instant of a wall-clock time. A timer keeps the one that was found first."""
        key = f"{on.isoformat()}T{time}"
        found = self.held.get(key) or self.recorded.get(key)
        require(found, "civil", f"the instant of {key} is not recorded")
        at = instant(str(found))
        require(abs(at - instant(f"{key}:00Z")) < FAR, "civil", f"{found} is not {key}")
        return at


class Known:
    """What one weighing sees: nothing taken after `cut`, corrections applied."""

    def __init__(
        self, course: Course, civil: Civil, now: datetime | None, cut: datetime | None,
        readings: dict[str, list[Reading]], variables: dict[str, Value], data: dict[str, Value],
    ) -> None:  # fmt: skip
        self.now, self.cut, self.all = now, cut, readings
        self.variables, self.data = variables, data
        self.civil = civil
        self.today: Value = civil.day(now)
        self.last = latest_of(course.last_at, now)
        self.round: int = course.round
        self.retrospective: bool = course.retrospective
        self.questions: Json = course.row["questions"]
        self.forgets = course.definition.semantics >= 2
        self.late: bool = False
        self.revised = set[str]()
        self.seen = dict[str, list[Reading]]()

    def readings(self, name: str) -> list[Reading]:
        """The readings of an input, oldest first."""
        found = self.seen.get(name)
        if found is None:
            found = self.all.get(name, [])
            if self.cut and found and found[-1].place()[0] > self.cut:
                found = [r for r in found if r.at is None or r.at <= self.cut]
            if self.forgets:  # what was entered in error is as if it had never been taken
                found = [r for r in found if r.flaw != IN_ERROR]
            self.seen[name] = found
        return found

    def newest(self, name: str) -> Reading | None:
        found = self.readings(name)
        return found[-1] if found else None


def latest_of(one: datetime | None, other: datetime | None) -> datetime | None:
    """The later of two instants, of which either may be missing."""
    return max(one, other) if one and other else one or other


# --- 5c. Definitions, and how their conditions are weighed --------------------------------------


Weigh: TypeAlias = Callable[[Known], Value]
Tree: TypeAlias = tuple[str | None, Weigh]  # the unit of what it gives, and how it is found
COMPARE: dict[str, Callable[[Value, Value], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
BARE: dict[str, Weigh] = {
    "now": lambda known: known.now, "today": lambda known: known.today,
    "latest_day": lambda known: known.civil.day(known.last),
    "round": lambda known: Decimal(known.round), "late": lambda known: known.late,
}  # fmt: skip
ANSWER = {"yes": True, "no": False, "unknown": None}
WORD = {True: "yes", False: "no", None: "unknown"}
T = TypeVar("T")


def kept(method: Callable[..., T]) -> Callable[..., T]:
    """A question to a definition, by names, whose answer is kept: a definition never changes."""

    def ask(self: Definition, *asked: str | None) -> T:
        key = (method.__name__, *asked)
        if key not in self.answers:
            self.answers[key] = method(self, *asked)
        return self.answers[key]  # type: ignore[no-any-return]  # it is what the method gave

    return ask


CONSTANT: Any = None
"""What a constant needs to know to be weighed."""


class Definition:
    """One protocol, as its digest says. Its conditions become functions when first weighed."""

    def __init__(self, semantic: Json) -> None:
        def named(section: str) -> dict[str, Json]:
            return {one["name"]: one for one in semantic.get(section, [])}

        self.raw, self.semantics = semantic, semantic["semantics"]
        self.states, self.events, self.actions = map(named, ("states", "events", "actions"))
        self.inputs, self.variables, self.guards = map(named, ("inputs", "variables", "guards"))
        self.timers = named("timers")
        self.parameters = {name: one["value"] for name, one in named("parameters").items()}
        self.answers: dict[Json, Json] = {}

    def covers(self, places: list[str], state: str) -> bool:
        """Whether a list of states, stages or * (everywhere) covers a state."""
        return not {state, self.states[state]["stage"], "*"}.isdisjoint(places)

    @kept
    def ways(self, event: str, state: str) -> list[Json]:
        """The transitions of an event from a state, in the order in which they are tried."""
        found = [one for one in self.raw.get("transitions", [])
                 if one["event"] == event and self.covers(one["sources"], state)]  # fmt: skip
        return sorted(found, key=lambda t: (t.get("deviation", False), -t.get("priority", 0)))

    @kept
    def rules(self, state: str, event: str | None) -> list[Json]:
        """The rules in scope in a state at an event; at any event, when none is named."""
        return [rule for rule in self.raw.get("rules", [])
                if event in rule.get("events", [event]) or event is None
                if self.covers(rule.get("places", ["*"]), state)]  # fmt: skip

    @kept
    def timers_of(self, state: str) -> list[Json]:
        """The timers of a state."""
        return [one for one in self.raw.get("timers", []) if self.covers(one["places"], state)]

    @kept
    def due(self, timer: str) -> Weigh:
        """When a timer comes back."""
        return self.tree(self.timers[timer]["due"], None)[1]

    def target(self, action: str, state: str) -> str | None:
        """Where an action moves a course: the state's own target, else its stage's, else *'s."""
        targets = self.actions[action].get("targets", {})
        for place in (state, self.states[state]["stage"], "*"):
            if place in targets:
                return None if targets[place] == state else str(targets[place])
        return None

    @kept
    def fields(self, event: str) -> dict[str, Json]:
        """The members of an event's data; one that brings a reading is what its input says."""
        return {one["name"]: self.field(one) for one in self.events[event].get("fields", [])}

    def initial(self, variable: str) -> Value:
        """What a variable holds before anything is known."""
        declared = self.variables[variable]
        unit, value = constant(declared.get("initial"))
        return aligned(declared.get("unit"), (unit, lambda _: value))(CONSTANT)

    @kept
    def reading(self, name: str) -> Json:
        """What a correction brings of an input."""
        return self.field({"name": name, "input": name})

    def field(self, one: Json) -> Json:
        """A field with what its input says, and the bounds of both."""
        of = self.inputs.get(one.get("input"), {})
        bounds = {
            side: [Decimal(x[side]) for x in (one, of) if side in x] for side in ("low", "high")
        }
        return {**one, **of, "input": of.get("name"), "name": one["name"], **bounds}

    @kept
    def guard(self, name: str, event: str) -> Weigh:
        """A guard as weighed at an event, whose fields it may ask for."""
        return self.tree(self.guards[name]["condition"], event)[1]

    @kept
    def asks_for(self, guard: str) -> set[str]:
        """The inputs and fields that a guard looks at."""
        return set(asked(self.guards[guard]["condition"]))

    @kept
    def updates(self, section: str, name: str, event: str) -> list[tuple[str, Weigh]]:
        """The new values of variables that a part of it states, each in its variable's unit."""
        named = "guard" if section == "rules" else "name"
        part = next(one for one in self.raw[section] if one[named] == name)
        return [(variable, aligned(self.variables[variable].get("unit"), self.tree(tree, event)))
                for variable, tree in part.get("updates", {}).items()]  # fmt: skip

    def tree(self, written: Json, event: str | None) -> Tree:
        """A condition as a function of what is known. One case for each form that there is."""

        def inner(part: Json) -> Tree:
            return self.tree(part, event)

        match written:
            case {"now": _} | {"today": _} | {"latest_day": _} | {"round": _} | {"late": _}:
                return None, BARE[next(iter(written))]
            case {"retrospective": _}:
                return None, lambda known: known.retrospective
            case {"const": value}:
                unit, fixed = constant(value)
                return unit, lambda _: fixed
            case {"parameter": name}:
                unit, fixed = constant(self.parameters[name])
                return unit, lambda _: fixed
            case {"variable": name}:
                return self.variables[name].get("unit"), lambda known: known.variables.get(name)
            case {"field": name}:
                unit = self.fields(event)[name].get("unit")
                return unit, lambda known: known.data.get(name)
            case {"sum_of": name, "member": member}:
                of = {one["name"]: one.get("unit") for one in self.fields(event)[name]["members"]}
                return of[member], lambda known: items_total(known.data.get(name), member)
            case {"input": name}:
                return self.inputs[name].get("unit"), self.latest(written, event)
            case {"taken_at": name}:
                return None, lambda known: (r := known.newest(name)) and r.at
            case {"taken_on": name}:
                return None, lambda known: (r := known.newest(name)) and r.on
            case {"revised": name}:
                return None, lambda known: name in known.revised
            case {"open_question": rule}:
                return None, lambda known: rule in known.questions
            case {"civil_time": time, "on": on}:
                day = inner(on)[1]
                return None, lambda known: (d := day(known)) and known.civil.instant(d, time)
            case {"op": ("min" | "max") as op, "of": parts}:
                unit, runs = alike([inner(part) for part in parts])
                choose = min if op == "min" else max
                return (
                    unit,
                    lambda known: (
                        None if None in (found := [run(known) for run in runs]) else choose(found)
                    ),
                )
            case {"op": ("+" | "-" | "*") as op, "of": parts}:
                unit, one = inner(parts[0])
                for part in parts[1:]:  # a - b - c is (a - b) - c
                    one = both(lambda a, b: arithmetic(op, a, b), one, aligned(unit, inner(part)))
                return unit, one
            case {"op": op, "of": [left, right]}:
                unit, one = inner(left)
                return None, both(COMPARE[op], one, aligned(unit, inner(right)))
            case {"pick": index, "from": parts}:
                at, (unit, runs) = inner(index)[1], alike([inner(part) for part in parts])
                return (
                    unit,
                    lambda known: (
                        runs[int(n) - 1](known)
                        if (n := at(known)) in range(1, len(runs) + 1)
                        else None
                    ),
                )
            case {"if": condition, "then": then, "else": otherwise}:
                weigh, first, second = inner(condition)[1], inner(then), inner(otherwise)
                unit = second[0] if then == {"const": None} else first[0]
                one, other = first[1], aligned(unit, second)
                return (
                    unit,
                    lambda known: (
                        None if (v := weigh(known)) is None else one(known) if v else other(known)
                    ),
                )
            case {"one_of": codes, "item": item}:
                look = inner(item)[1]
                return None, lambda known: None if (v := look(known)) is None else v in codes
            case {"known": item}:
                look = inner(item)[1]
                return None, lambda known: look(known) is not None
            case {"not": item}:
                look = inner(item)[1]
                return None, lambda known: None if (v := look(known)) is None else not v
            case {"all": parts}:
                return None, kleene([inner(part)[1] for part in parts], decides=False)
            case {"any": parts}:
                return None, kleene([inner(part)[1] for part in parts], decides=True)
            case {"sustained": _}:
                return None, self.sustained(written, event)
            case {"total": _}:
                return None, self.total(written, event)
            case {"count_of": _}:
                return None, self.count(written, event)
            case {"sum": name}:
                return self.inputs[name].get("unit"), self.sum(written, event)
        raise Wrong(f"definition: a condition of a form that is not known here: {written}")

    # Windows over readings. A bound that is not known makes the answer unknown.

    def part(self, written: Json, name: str, event: str | None, unit: str | None = None) -> Weigh:
        """A member of a window that is itself a condition; one that is absent gives nothing."""
        found = written.get(name)
        return (lambda _: None) if found is None else aligned(unit, self.tree(found, event))

    def window(self, name: str, written: Json, event: str | None, *, flawed: bool) -> Weigh:
        """The readings from the horizon or `since` on, newest first; None where that is unknown.

        Those without a time are in it. `flawed` ones are left out, unless they are asked for.
        """
        horizon, since = elapsed(written["horizon"]), self.part(written, "since", event)

        def look(known: Known) -> Value:
            if not (readings := known.readings(name)):
                return []
            bound = since(known)
            if known.now is None or (bound is None and "since" in written):
                return None
            start = max(known.now - horizon, bound or known.now - horizon)
            taken = itertools.takewhile(lambda r: r.at is None or r.at >= start, readings[::-1])
            return [one for one in taken if flawed or one.flaw is None]

        return look

    def latest(self, written: Json, event: str | None) -> Weigh:
        """The latest reading: unknown when flawed, too old, or outside its bounds."""
        name = written["input"]
        own_age, said_age = (elapsed(x.get("max_age")) for x in (self.inputs[name], written))
        max_age = own_age if said_age is None else said_age
        if "since" not in written and "until" not in written:

            def newest(known: Known) -> Value:
                last = known.newest(name)
                if last is None or last.flaw is not None:
                    return None
                if max_age is not None and (
                    known.now is None or last.at is None or known.now - last.at > max_age
                ):
                    return None
                return last.value

            return newest
        horizon = elapsed(written["horizon"])
        since, until = self.part(written, "since", event), self.part(written, "until", event)
        age = said_age if "since" in written else max_age

        def between(known: Known) -> Value:
            start, end = since(known), until(known) if "until" in written else known.now
            if known.now is None or end is None or ("since" in written and start is None):
                return None
            oldest = known.now - horizon
            for reading in reversed(known.readings(name)):
                if reading.at is None or reading.at > end:
                    continue
                if reading.at < oldest or (start is not None and reading.at < start):
                    return None
                if reading.flaw is not None or (age is not None and end - reading.at > age):
                    return None
                return reading.value
            return None

        return between

    def sustained(self, written: Json, event: str | None) -> Weigh:
        """Whether the run of readings that ends with the newest is long enough.

        All satisfy the comparison; those counted are `apart`, at least `count`, over `span`.
        """
        name, compare = written["sustained"], COMPARE[written["is"]]
        limit = self.part(written, "threshold", event, self.inputs[name].get("unit"))
        count, span = self.part(written, "count", event), self.part(written, "span", event)
        look = self.window(name, written, event, flawed=False)
        apart = elapsed(written.get("apart")) or timedelta(0)

        def weigh(known: Known) -> Value:
            bound, needed, length = limit(known), count(known), span(known)
            readings = look(known)
            if None in (bound, needed, length, readings):
                return None
            if not readings:
                return ANSWER[written["zero"]]
            counted: list[datetime] = []
            for reading in readings:
                if not compare(reading.value, bound):
                    break
                if reading.at is None:
                    return None
                if not counted or counted[-1] - reading.at >= apart:
                    counted.append(reading.at)
                    if len(counted) >= needed and counted[0] - reading.at >= length:
                        return True
            return ANSWER[written["few"]] if counted else False

        return weigh

    def total(self, written: Json, event: str | None) -> Weigh:
        """Whether the total over a span that readings cover completely satisfies a comparison."""
        name, compare = written["total"], COMPARE[written["is"]]
        limit = self.part(written, "threshold", event, self.inputs[name].get("unit"))
        span, look = (
            self.part(written, "span", event),
            self.window(name, written, event, flawed=False),
        )

        def weigh(known: Known) -> Value:
            bound, length, readings = limit(known), span(known), look(known)
            if None in (bound, length, readings):
                return None
            if not readings:
                return ANSWER[written["zero"]]
            found = covered(readings, length)
            return ANSWER[written["few"]] if found is None else compare(found, bound)

        return weigh

    def count(self, written: Json, event: str | None) -> Weigh:
        """How many readings lie within the last civil days, today included.

        From semantics 2 on, what was taken counts also where its value cannot be used.
        """
        look = self.window(written["count_of"], written, event, flawed=self.semantics >= 2)
        days = self.part(written, "days", event)

        def weigh(known: Known) -> Value:
            length, readings = days(known), look(known)
            if None in (length, readings, known.today) or any(one.on is None for one in readings):
                return None
            first = known.today - (int(length) - 1) * DAY
            found = sum(1 for one in readings if one.on >= first)
            return Decimal(found) if found or written["zero"] != "unknown" else None

        return weigh

    def sum(self, written: Json, event: str | None) -> Weigh:
        """The sum of the readings of a window; unknown when one has no value or no time."""
        look = self.window(written["sum"], written, event, flawed=True)

        def weigh(known: Known) -> Value:
            readings = look(known)
            if readings is None or any(one.flaw is not None or one.at is None for one in readings):
                return None
            found = functools.reduce(CONTEXT.add, (one.value for one in readings), Decimal(0))
            return found if readings or written["zero"] != "unknown" else None

        return weigh


def aligned(unit: str | None, tree: Tree) -> Weigh:
    """What a tree gives, in another unit."""
    own, run = tree
    if unit is None or own is None or own == unit:
        return run
    return lambda known: None if (v := run(known)) is None else converted(v, own, unit)


def alike(trees: list[Tree]) -> tuple[str | None, list[Weigh]]:
    """Several trees, in the unit of the first."""
    unit = trees[0][0]
    return unit, [aligned(unit, tree) for tree in trees]


def both(step: Callable[[Value, Value], Value], one: Weigh, other: Weigh) -> Weigh:
    """A step on two values; unknown when one of them is."""

    def weigh(known: Known) -> Value:
        a = one(known)
        b = None if a is None else other(known)
        return None if b is None else step(a, b)

    return weigh


def kleene(parts: list[Weigh], *, decides: bool) -> Weigh:
    """All of (one no decides) or any of (one yes decides); else one unknown leaves it unknown."""

    def weigh(known: Known) -> Value:
        unknown = False
        for part in parts:
            answer = part(known)
            if answer is decides:
                return decides
            unknown = unknown or answer is None
        return None if unknown else not decides

    return weigh


def arithmetic(op: str, a: Value, b: Value) -> Value:
    """Sum, difference or product of numbers, dates with spans, instants with elapsed times."""
    if op == "*":
        if isinstance(a, Span):
            return Span(a.months * int(b), a.days * int(b))
        return CONTEXT.multiply(a, b) if isinstance(a, Decimal) else a * int(b)
    if isinstance(a, Decimal):
        return CONTEXT.add(a, b) if op == "+" else CONTEXT.subtract(a, b)
    if isinstance(b, Span):
        return moved(a, b if op == "+" else Span(-b.months, -b.days))
    if isinstance(a, date) and not isinstance(a, datetime):
        return Decimal((a - b).days)
    return a + b if op == "+" else a - b


def covered(newest_first: list[Reading], span: timedelta) -> Decimal | None:
    """The total over the span that ends with the newest; None unless it is covered completely.

    Of a reading that began before the span, its share; one that overlaps another counts not twice.
    """
    newest = newest_first[0].at
    if newest is None:
        return None
    found, first, begin = Decimal(0), newest - span, newest
    for reading in newest_first:
        if reading.at is None or reading.over is None or reading.at < begin:
            return None
        if reading.at > begin:
            continue
        value, began = reading.value, reading.at - reading.over
        if began < first:
            share = CONTEXT.divide(
                *(Decimal(x // MICRO) for x in (reading.at - first, reading.over))
            )
            value = CONTEXT.multiply(value, share)
        found, begin = CONTEXT.add(found, value), min(begin, began)
        if begin <= first:
            return found
    return None


def items_total(items: list[dict[str, Value]] | None, member: str) -> Decimal | None:
    """The sum of a member over the items of a list; unknown when one lacks it."""
    if items is None or any(item.get(member) is None for item in items):
        return None
    return functools.reduce(CONTEXT.add, (item[member] for item in items), Decimal(0))


def asked(tree: Json) -> Iterator[str]:
    """The inputs and fields that are named in a condition."""
    if isinstance(tree, list):
        for part in tree:
            yield from asked(part)
    elif isinstance(tree, dict):
        for name, part in tree.items():
            if isinstance(part, str) and name in ASKING:
                yield part
            yield from asked(part)


ASKING = {"input", "taken_at", "taken_on", "field", "sum_of", "revised", "sustained", "total",
          "count_of", "sum"}  # fmt: skip


# --- 5d. Courses: each record decided again -----------------------------------------------------


REBUILT = ("variables", "latest", "firing", "questions", "timers", "fired")
RECORDED = (
    "visits",
    "civil",
    "bookings",
    "arranged",
    "signed",
    "unsigned",
    "legal_holds",
    "open_findings",
)  # nothing that a guard looks at
CORRECTIONS = ("course.corrected", "course.entered_in_error")


class Course:
    """One course between two records: all that the next decision can rest on."""

    def __init__(self, tenant: str, name: str, announced: int) -> None:
        self.tenant, self.name, self.announced = tenant, name, announced
        self.seq, self.head, self.index = 0, "0" * 64, -1
        self.weighed, self.unsealed, self.bad = 0, 0, False
        self.ids, self.foreign, self.hashes = set[str](), set[str](), list[str]()
        self.signatures: dict[str, list[tuple[int, str, datetime, Json]]] = {}
        self.recorded_at: Value = None
        self.last_at: datetime | None = None
        self.digest, self.state, self.round, self.retrospective = "", "", 1, False
        self.variables: dict[str, Value] = {}
        self.readings: dict[str, list[Reading]] = {}
        self.row: dict[str, dict[str, Json]] = {section: {} for section in (*REBUILT, *RECORDED)}

    def take(self, line: Json, definitions: dict[str, Definition]) -> None:
        """Check one record: its hash, its place in the chain, and what was decided."""
        text = line["body"].encode()
        require(sha256(text).hex() == line["hash"], "content", "its bytes do not have the hash")
        body = parse(text)
        event, digest = body["event"], body["workflow"]
        require(body["format"] == 1, "content", "it is no record of format 1")
        require(body["seq"] == self.seq + 1, "gap", f"it is record {body['seq']}")
        whose = (body["tenant"], body["course"], event["course"])
        require(whose == (self.tenant, self.name, self.name), "order", "it is another course's")
        require(body["prev"] == self.head, "link", "it does not follow the record before it")
        at, before = instant(body["recorded_at"]), self.recorded_at
        require(not before or at >= before, "order", "it was recorded before its predecessor")
        require(event["id"] not in self.ids, "order", "its event was recorded before")
        require(digest in definitions, "definition", f"{digest} decided it and is not enclosed")
        require(self.digest in ("", digest), "definition", "another decided what came before")
        self.definition, self.digest, self.recorded_at = definitions[digest], digest, at
        Decision(self, body).check()
        self.ids.add(event["id"])
        self.hashes.append(line["hash"])
        self.seq, self.head = self.seq + 1, line["hash"]


class Decision:
    """One record decided again; at the end its members are what the course is from then on."""

    def __init__(self, course: Course, body: Json) -> None:
        self.course, self.body, self.event = course, body, body["event"]
        self.definition, self.name = course.definition, body["event"]["event"]
        self.civil = Civil(body["civil"], {})
        self.event_at: Value = instant_or_none(self.event["at"])
        self.late = bool(self.event_at and course.last_at and self.event_at < course.last_at)
        self.state, self.round, self.last_at = course.state, course.round, course.last_at
        self.variables, self.readings = dict(course.variables), dict(course.readings)
        self.row = dict(course.row)
        self.brought: list[tuple[str, Reading]] = []
        self.data: dict[str, Value] = {}
        self.signed: list[int] = []

    def check(self) -> None:
        """Decide, and hold everything that was recorded against it."""
        recorded, changes, course = bare(self.body["decision"]), self.body["changes"], self.course
        begins = self.name in ("course.enrolled", "course.adopted")
        require(begins == (course.seq == 0), "decision", "a course begins with its first record")
        head: Json = {}
        if begins:
            decision, head = {"verdict": "accepted"}, self.begin()
        elif self.name.startswith("course.") and self.name not in CORRECTIONS:
            decision = recorded  # of bookings and the like, which change nothing that guards see
            course.foreign.add(self.name)
            if self.name == "course.signed" and decision["verdict"] == "accepted":
                self.note_signature()
        else:
            decision = self.decide()
        same("decision", recorded, decision)
        same("verdict", self.body["verdict"], decision["verdict"])
        same("state", self.body["state"], [course.state or None, self.state])
        for name in () if begins else ("state", "round", "last_at"):
            if getattr(self, name) != getattr(course, name):
                head[name] = stored(getattr(self, name))
        for section in RECORDED:
            self.row[section] = patched(course.row[section], changes.get(section, {}))
        asked = patched(course.row["questions"], changes.get("questions", {}))
        same("changes.questions", sorted(asked), sorted(self.row["questions"]))
        self.row["questions"] = asked  # which are open was rebuilt, what they wait for was not
        for section in REBUILT:
            before, after = course.row[section], self.row[section]
            delta = {name: value for name, value in after.items() if before.get(name) != value}
            delta |= dict.fromkeys(before.keys() - after.keys())
            head |= {section: delta} if delta else {}
        same("changes", {n: v for n, v in changes.items() if n not in RECORDED}, head)
        for name in ("state", "round", "last_at", "variables", "readings", "row"):
            setattr(course, name, getattr(self, name))

    def known(self, now: datetime | None, cut: datetime | None) -> Known:
        """What guards see at an instant, of what was taken until then."""
        known = Known(self.course, self.civil, now, cut, self.readings, self.variables, self.data)
        known.round, known.late = self.round, self.late
        return known

    def begin(self) -> Json:
        """A course begins: in the initial state, or adopted in one that somebody attests."""
        event, definition, course = self.event, self.definition, self.course
        name, version = definition.raw["name"], definition.raw["version"]
        known = (course.digest, f"{name}@{version}", name)
        require(event["workflow"] in known, "definition", "it was enrolled in another workflow")
        self.state, self.last_at = definition.raw["initial"], self.event_at
        course.retrospective = event.get("retrospective", False)
        self.variables = {name: definition.initial(name) for name in definition.variables}
        if self.name == "course.adopted":
            attested = event["data"]
            self.state, self.round = attested["state"], attested.get("round", 1)
            self.variables = dict.fromkeys(self.variables)
            for name, raw in attested.get("variables", {}).items():
                if raw is not None:
                    one = taken(definition.field(definition.variables[name]), raw, None)
                    self.variables[name] = None if one.flaw else one.value
        seen = self.known(self.event_at, None)
        seen.last = None
        self.wait(seen)
        self.row["variables"] = encoded(self.variables)
        return {
            "digest": course.digest, "prose": self.body["prose"], "patient": event["patient"],
            "site": event["site"], "zone": event["zone"], "retrospective": course.retrospective,
            "state": self.state, "round": self.round, "last_at": stored(self.last_at),
        }  # fmt: skip

    def decide(self) -> Json:
        """Requests, reports and corrections: facts first, then requirements, then rules."""
        definition, course, at = self.definition, self.course, self.event_at
        declared = definition.events.get(self.name)
        if declared is None:
            require(self.name in CORRECTIONS, "decision", "the workflow has no such event")
            at = self.correct() or at
        else:
            self.sent_by(declared)
            self.read()
        revised = set()
        for name, one in self.brought:
            newest = self.newest(course.readings, name)
            if one.corrects is not None or (newest and one.place() < newest.place()):
                revised.add(name)
            self.readings[name] = with_one_more(self.readings.get(name, []), one)
        self.at, self.then = at, self.known(at, at)
        self.then.revised = revised
        if declared is None:
            self.look_now()
            return self.taken("accepted", {}, [], [])
        if declared["kind"] == "request":
            return self.request(declared)
        self.look_now()
        self.update("events", self.name, self.then)
        way, weighed, closed, _ = self.ways(asks=False)
        deviates = way is None or way.get("deviation")
        return self.taken("deviation" if deviates else "accepted", way or {}, weighed, closed)

    def look_now(self) -> None:
        """What is known at the latest time known, where the event tells of an earlier one."""
        last, self.now = latest_of(self.course.last_at, self.event_at), self.then
        if self.at is not None and last is not None and self.at < last:
            self.now = self.known(last, last)
            self.now.revised = self.then.revised

    def request(self, declared: Json) -> Json:
        """A request is granted when a way opens; otherwise it is refused, and why is recorded."""
        max_age, recorded_at = elapsed(declared.get("max_age")), self.course.recorded_at
        dated = self.event_at is not None and not self.course.retrospective
        if max_age is not None and dated and recorded_at - self.event_at > max_age:
            return self.refused("too-old", [])
        if not self.definition.ways(self.name, self.course.state):
            return self.refused("illegal-transition", [])
        self.look_now()
        way, weighed, closed, undecided = self.ways(asks=True)
        if way is not None:
            lack = self.lacks_signatures(declared.get("signature"))
            if lack is not None:
                return self.refused(lack, closed)
            return self.taken("accepted", way, weighed, closed)
        named = self.event.get("override", {}).get("guards", [])
        if any(one["guard"] in named for shut in closed for one in shut["kept_by"]):
            return self.refused("override-not-permitted", closed)
        return self.refused("guard-undecided" if undecided else "guard-failed", closed)

    def note_signature(self) -> None:
        """A signature is of a record, by its hash, or of the whole of an event that will come."""
        said, signer = self.event["data"], self.event["actor"]["id"]
        if "event" in said:
            given = self.course.signatures.setdefault(said["event"]["id"], [])
            given.append((self.course.seq + 1, signer, self.course.recorded_at, said["event"]))
        else:
            hashed = self.course.hashes[said["record"] - 1 : said["record"]]
            require(hashed == [said["hash"]], "signature", "it is of a record of another hash")

    def lacks_signatures(self, asked: Json) -> str | None:
        """Why a request that must be signed beforehand is not granted, if it is not."""
        if asked is None:
            return None
        given = self.course.signatures.get(self.event["id"], [])
        if not given or self.event["id"] not in self.course.row["signed"]:
            return "unsigned"
        if unsealed(given[0][3]) != unsealed(self.event):
            return "altered"
        within, now = elapsed(asked.get("within")), self.course.recorded_at
        in_time = [one for one in given if within is None or now - one[2] <= within]
        self.signed = [one[0] for one in in_time]
        signers = {one[1] for one in in_time}
        first = self.event["actor"]["id"] in signers
        return None if first and (len(signers) > 1 or not asked.get("second")) else "unsigned"

    def refused(self, reason: str, closed: list[Json]) -> Json:
        """Nothing changes."""
        self.readings = self.course.readings
        return lean(verdict="refused", reason=reason, late=self.late, attempts=closed)

    def ways(self, *, asks: bool) -> tuple[Json, list[Json], list[Json], bool]:
        """The way that opens, its requirements, the ways that stay closed, and whether undecided.

        It is the first whose requirements are all yes or overridden. After one that could not be
        weighed no other opens, except where a report goes when nothing better does.
        """
        closed: list[Json] = []
        undecided, state = False, self.course.state
        another_open = self.body["decision"].get("another_open") and self.is_closed(state)
        for way in self.definition.ways(self.name, state):
            if undecided and not way.get("deviation"):
                continue
            if another_open and not self.is_closed(way.get("target") or state):
                closed.append({"transition": way["name"], "kept_by": []})
                continue
            weighed, shut = [], []
            for need in way.get("requires", []):
                answer = self.answer(need["guard"], asks=asks)
                passed = answer is not True and self.overridden(need, answer)
                one = lean(guard=need["guard"], verdict=WORD[answer], passed=passed)
                weighed.append(one)
                if answer is not True and not passed:
                    shut.append(one)
            if not shut:
                return way, weighed, closed, undecided
            closed.append({"transition": way["name"], "kept_by": shut})
            undecided = undecided or all(one["verdict"] == "unknown" for one in shut)
        return None, [], closed, undecided

    def answer(self, guard: str, *, asks: bool) -> bool | None:
        """A requirement at the event's time. A request's must not have become a no since then."""
        self.course.weighed += 1
        weigh = self.definition.guard(guard, self.name)
        answer: bool | None = weigh(self.then)
        if answer is True and asks and self.now is not self.then and weigh(self.now) is False:
            return False
        return answer

    def overridden(self, need: Json, answer: bool | None) -> bool:
        """Whether the event passes a requirement that is not yes, and may."""
        override = self.event.get("override")
        if override is None or need["guard"] not in override["guards"]:
            return False
        unpublished = override["code"] == self.definition.raw.get("not_published")
        if answer is None and self.course.retrospective and unpublished:
            return True
        role = self.event["actor"]["role"]
        allowed = role in need.get("roles", []) and override["code"] in need.get("codes", [])
        return allowed and bool(need.get("soft"))

    def is_closed(self, state: str) -> bool:
        return bool(self.definition.states[state].get("closed"))

    def taken(self, verdict: str, way: Json, weighed: list[Json], closed: list[Json]) -> Json:
        """What follows once an event is taken: the way's updates, then every rule in scope."""
        definition, course = self.definition, self.course
        messages = [{"kind": kind, "about": way["name"]} for kind in way.get("messages", [])]
        advice = list(way.get("advice", []))
        self.state = way.get("target") or course.state
        if way.get("opens_round"):
            self.round = self.then.round = self.now.round = self.round + 1
            for name, variable in definition.variables.items():
                if variable.get("per_round"):
                    self.variables[name] = definition.initial(name)
        if way:
            self.update("transitions", way["name"], self.then)
        fired, unknown, no = self.watch()
        said, moved_by, state = [], None, self.state
        for rule, action, fresh in fired:  # by rank
            if fresh:
                told = rule.get("advice", [])
                advice += [name for name in told if name not in advice]
                kind = action.get("message") or action["name"]
                messages.append(lean(kind=kind, about=rule["guard"], advice=told))
            target = definition.target(action["name"], state)
            if moved_by is None and target is not None:
                moved_by, self.state = rule["guard"], target
            said.append(lean(rule=rule["guard"], action=action["name"], delivered=fresh,
                             advice=rule.get("advice", []) if fresh else []))  # fmt: skip
        self.last_at = latest_of(course.last_at, self.event_at)
        latest = {name: one.json() for name, _ in self.brought
                  if (one := self.newest(self.readings, name))}  # fmt: skip
        self.row |= {"variables": encoded(self.variables), "latest": course.row["latest"] | latest}
        if (definition.events.get(self.name) or {}).get("timer"):
            _, name, _ = self.event["id"].split(":")
            self.row["fired"] = course.row["fired"] | {name: stored(self.event_at)}
        self.data = {}
        seen = self.known(self.event_at, None)
        seen.questions = self.row["questions"]
        self.wait(seen)
        return lean(verdict=verdict, transition=way.get("name"), late=self.late, weighed=weighed,
                    another_open=self.body["decision"].get("another_open"), attempts=closed,
                    fired=said, signed=self.signed, unknown=unknown, no=no, moved_by=moved_by,
                    advice=advice, messages=messages)  # fmt: skip

    def update(self, section: str, part: str, known: Known) -> None:
        """New values of variables: all are found before the first is set."""
        updates = self.definition.updates(section, part, self.name)
        new = [(name, run(known)) for name, run in updates]
        self.variables.update(new)

    def watch(self) -> tuple[list[tuple[Json, Json, bool]], list[str], list[str]]:
        """Weigh every rule in scope: those that fired, by rank, the unknown ones, those at no."""
        definition, seq, row = self.definition, self.course.seq + 1, self.course.row
        told = {name for name, _ in self.brought} | self.data.keys()
        fired, unknown, no, firing = [], list[str](), list[str](), dict[str, int]()
        rules = definition.rules(self.state, self.name)
        for rule in rules:
            guard, at_event = rule["guard"], "events" in rule
            self.course.weighed += 1
            weigh = definition.guard(guard, self.name)
            seen = self.then if at_event else self.now
            brought = not definition.asks_for(guard).isdisjoint(told)
            now = answer = weigh(seen)
            if now is not True and brought and seen is not self.then and weigh(self.then) is True:
                answer, seen = True, self.then  # it held at the event's own time, and not since
            if answer is True:
                fresh = guard not in row["firing"] or at_event or brought
                fired.append((rule, definition.actions[rule["action"]], fresh, seen))
            elif answer is False:
                no.append(guard)
            if now is None:
                unknown.append(guard)
            elif now is True and not at_event:
                firing[guard] = row["firing"].get(guard, seq)
        fired.sort(key=lambda one: one[1]["rank"])
        for rule, _, fresh, seen in reversed(fired):  # so that the first rank's updates stand
            if fresh:
                self.update("rules", rule["guard"], seen)
        asked = [rule["guard"] for rule in definition.rules(self.state, None) if "events" in rule]
        left = set(asked) - {rule["guard"] for rule in rules}  # of events that this one is not
        kept = {name: what for name, what in row["questions"].items() if name in left}
        self.row |= {"firing": firing, "questions": kept | {name: [] for name in unknown}}
        return [one[:3] for one in fired], sorted(unknown), no

    def newest(self, readings: dict[str, list[Reading]], name: str) -> Reading | None:
        """The latest reading; one entered in error only while there is no other (semantics 2)."""
        found = readings.get(name, [])
        right = [one for one in found if one.flaw != IN_ERROR or self.definition.semantics < 2]
        return next(reversed(right or found), None)

    def wait(self, known: Known) -> None:
        """The timers that wait: those of the state whose instant is known and has not come yet."""
        before, timers = self.course.row["timers"], dict[str, Json]()
        known.civil = Civil(self.body["civil"], self.course.row["civil"])
        for timer in self.definition.timers_of(self.state):
            name, due = timer["name"], stored(self.definition.due(timer["name"])(known))
            if due is not None and self.row["fired"].get(name) != due:
                armed = before.get(name)
                timers[name] = armed if armed and armed[0] == due else [due, self.course.seq + 1]
        self.row["timers"] = timers

    def sent_by(self, declared: Json) -> None:
        """A timer's event is what a waiting timer sends; all others come from a role that may."""
        if not declared.get("timer"):
            allowed = self.event["actor"]["role"] in declared["roles"]
            require(allowed, "decision", "its sender's role may not send it")
            return
        _, name, seq = self.event["id"].split(":")
        sends = self.definition.timers[name]["event"] == self.name
        waiting = self.course.row["timers"].get(name) == [stored(self.event_at), int(seq)]
        require(sends and waiting, "decision", "no timer was waiting to send it then")

    def read(self) -> None:
        """The data and the readings of an event, in the definition's units."""
        sent, fields = self.event.get("data", {}), self.definition.fields(self.name)
        require(sent.keys() <= fields.keys(), "decision", "data that the definition has not")
        for name, field in fields.items():
            if name not in sent or field["kind"] == "text":
                continue
            if field["kind"] == "list":
                self.data[name] = [self.item(field, item) for item in sent[name]]
                continue
            one = taken(field, sent[name], self.event_at)
            self.data[name] = None if one.flaw else one.value
            if field["input"]:
                one = one._replace(on=self.civil.day(one.at), seq=self.course.seq + 1)
                self.brought.append((field["input"], one))

    def item(self, field: Json, item: Json) -> dict[str, Value]:
        """One object of a list."""
        found = {}
        for member in field["members"]:
            if member["name"] in item and member["kind"] != "text":
                one = taken(self.definition.field(member), item[member["name"]], None)
                found[member["name"]] = None if one.flaw else one.value
        return found

    def correct(self) -> datetime | None:
        """What a correction puts in the place of a wrong reading; gives when that was taken."""
        said, seq = self.event["data"], self.course.seq + 1
        name, number = said["input"], said["record"]
        held = self.course.readings.get(name, [])
        wrong = next((one for one in held if number in (one.seq, one.origin())), None)
        if wrong is None:
            raise Wrong("decision: it corrects a reading that was not recorded")
        if said.get("entered_in_error") or self.name == "course.entered_in_error":
            one = wrong._replace(value=None, flaw=IN_ERROR)
        else:
            value = said["value"]
            one = taken(self.definition.reading(name), value, self.event_at)
            own_time = isinstance(value, dict) and "at" in value and one.at is not None
            at = one.at if own_time else wrong.at
            one = one._replace(at=at, on=self.civil.day(at), over=one.over or wrong.over)
        self.brought.append((name, one._replace(seq=seq, corrects=wrong.origin())))
        return one.at


def taken(field: Json, raw: Json, at: datetime | None) -> Reading:
    """What was sent, in the definition's unit; its record and civil date are not known yet."""
    over, unit = None, ""
    if isinstance(raw, dict):
        at = instant_or_none(raw["at"]) if "at" in raw else at
        if raw["value"] is None:
            return Reading(None, at, None, 0, None, "not-published")
        if "over" in raw:
            length = converted(Decimal(raw["over"]["value"]), raw["over"]["unit"], "us")
            over = int(length) * MICRO
        raw, unit = raw["value"], raw.get("unit", "")
    value = typed(field["kind"], raw)
    if field["kind"] == "quantity":
        value = converted(value, unit, field["unit"])
    possible = all(value >= low for low in field["low"]) and all(value <= h for h in field["high"])
    return Reading(value, at, None, 0, over, None if possible else "impossible")


def patched(section: Json, changes: Json) -> Json:
    """A section after its changes; what is null goes away."""
    return {name: value for name, value in (section | changes).items() if value is not None}


def encoded(values: dict[str, Value]) -> dict[str, Json]:
    """Variables as a course holds them: those that are set."""
    return {name: stored(value) for name, value in values.items() if value is not None}


def lean(**members: Json) -> Json:
    """Without what is absent, empty or false, as records are written."""
    return {name: value for name, value in members.items() if value}


def unsealed(event: Json) -> Json:
    """What a signature covers of an event: all but free texts, and when it was expected."""
    if isinstance(event, list):
        return [unsealed(one) for one in event]
    if not isinstance(event, dict) or event.keys() == {"sha256"}:
        return None if isinstance(event, dict) else event
    return {name: unsealed(part) for name, part in event.items() if name != "expected_revision"}


def bare(recorded: Json) -> Json:
    """A recorded decision without the findings in words."""
    if isinstance(recorded, list):
        return [bare(one) for one in recorded]
    if not isinstance(recorded, dict):
        return recorded
    found = {name: bare(value) for name, value in recorded.items() if name != "findings"}
    return found | ({"unknown": sorted(found["unknown"])} if "unknown" in found else {})


def same(place: str, recorded: Json, again: Json) -> None:
    """Stop at the first member where what was recorded is not what follows."""
    if isinstance(recorded, dict) and isinstance(again, dict):
        for name in sorted(recorded.keys() | again.keys()):
            same(f"{place}.{name}", recorded.get(name), again.get(name))
    elif recorded != again or type(recorded) is not type(again):
        old, new = (json.dumps(one, ensure_ascii=False)[:120] for one in (recorded, again))
        raise Wrong(f"decision: {place}: recorded {old}, weighed again {new}")


if __name__ == "__main__":
    sys.exit(main())
