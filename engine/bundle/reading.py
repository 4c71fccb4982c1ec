"""A bundle is read: a course at a time, whatever its size, in either format.

A record keeps its stored hash, so that a changed one is found when it is verified and not refused
here. What cannot be read at all is damaged, and is named by its place.
"""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from io import BytesIO
from typing import Any, BinaryIO

from engine.bundle.form import FORMAT, KIND, ONE_DOCUMENT, DamagedBundle, heads_from, leaf_from
from engine.core.encoding import digest, instant_from, parse
from engine.core.heads import HeadProof
from engine.core.history import Fault, verify
from engine.core.ledger import Inclusion
from engine.core.machine import Machine
from engine.core.note import Head, Note, VerifierKey
from engine.core.note import parse as parsed_note
from engine.core.record import Record
from engine.core.redecision import Difference, decide_again
from engine.errors import InvalidInput, UnknownWorkflow
from engine.ports import Definition
from engine.registry import compiled


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A course as exported: what it takes to verify it and to decide it again, and nothing else.

    `leaves` are of its records in their order, `None` where one was not sealed. `heads` are the
    proofs of how far it had come, by the size of the tree. `machines` are what was compiled of the
    definitions, which the courses of one file share.
    """

    tenant: str
    course: str
    records: tuple[Record, ...]
    definitions: tuple[Definition, ...]
    leaves: tuple[Inclusion | None, ...] = ()
    heads: Mapping[int, HeadProof] = field(default_factory=dict)
    announced: int | None = None
    machines: dict[str, Machine] = field(default_factory=dict, repr=False, compare=False)

    def verify(self) -> Fault | None:
        """The first bad record, as of a course in a database; and whether anything is missing."""
        if not self.records:
            return Fault(seq=1, kind="gap", what="the file holds no record of the course")
        fault = verify(self.records, course=self.course, tenant=self.tenant)
        if fault is not None:
            return fault
        enclosed = {definition.digest for definition in self.definitions}
        for record in self.records:
            used = json.loads(record.body)["workflow"]
            if used not in enclosed:
                what = f"the file lacks the definition that it was decided by, {used}"
                return Fault(seq=record.seq, kind="definition", what=what)
        if self.announced not in (None, len(self.records)):
            what = f"the file announces {self.announced} records"
            return Fault(seq=len(self.records) + 1, kind="gap", what=what)
        return None

    def decide_again(self) -> list[Difference]:
        """Every difference between the recorded decisions and the enclosed definitions'."""
        return list(decide_again(self.records, self.machine))

    def machine(self, wanted: str) -> Machine:
        """An enclosed definition, compiled. Raises UnknownWorkflow."""
        if wanted not in self.machines:
            found = next((one for one in self.definitions if one.digest == wanted), None)
            if found is None:
                raise UnknownWorkflow(wanted, (one.digest for one in self.definitions))
            self.machines[wanted] = compiled(found)
        return self.machines[wanted]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """The checkpoint of a bundle, whom it names as having signed, and what it continues.

    `continues` are the proofs that earlier trees, by their sizes, are where it begins.
    """

    note: Note
    head: Head
    keys: tuple[VerifierKey, ...]
    continues: Mapping[int, tuple[bytes, ...]]


class BundleFile:
    """A bundle as a stream. Once the first course is asked for, `checkpoint` is what it has.

    Raises InvalidInput for what is no bundle, and DamagedBundle, while courses are read, for one of
    which a part was changed.
    """

    def __init__(self, stream: BinaryIO) -> None:
        first = stream.readline().removeprefix(BOM_UTF8)  # with which some editors begin a file
        whole = first if b'"format":2' in first else first + stream.read()
        if not whole.strip():  # as a pipe is into which nothing was written
            raise InvalidInput("bundle", "what `export` writes", found="nothing")
        try:
            raw = parse(whole)
        except ValueError as wrong:
            raise InvalidInput("bundle", "what `export` writes", found=str(wrong)) from wrong
        if not isinstance(raw, dict) or raw.get("kind") != KIND:
            raise InvalidInput("kind", "a file that `export` wrote")
        if raw.get("format") not in (ONE_DOCUMENT, FORMAT):
            raise InvalidInput("format", f"format {ONE_DOCUMENT} or {FORMAT}")
        self.format: int = raw["format"]
        self.checkpoint: Sealed | None = None
        self._raw, self._stream = raw, stream
        self._hash, self._lines = sha256(first), 1
        self._definitions: dict[str, Definition] = {}
        self._machines: dict[str, Machine] = {}
        if not isinstance(raw.get("tenant"), str):
            raise InvalidInput("tenant", "whose courses they are")
        self.tenant: str = raw["tenant"]

    @property
    def whole_tenant(self) -> bool:
        """Whether it says that it holds all courses."""
        return "tenant" in self.asked

    @property
    def asked(self) -> Mapping[str, Any]:
        """What it says that was asked for; nothing where that is not readable, which is a fault."""
        if self.format == ONE_DOCUMENT:
            return {"courses": [self._raw.get("course")]}
        asked = self._raw.get("asked")
        return asked if isinstance(asked, dict) else {}

    def courses(self) -> Iterator[Bundle]:
        """The courses, in their order."""
        if self.format == ONE_DOCUMENT:
            yield self._document()
            return
        course: dict[str, Any] | None = None
        found, names = {"courses": 0, "records": 0}, set[str]()
        for name, content in self._parts():
            if name == "definition":
                self._define(content, f"definitions[{len(self._definitions)}]")
            elif name == "checkpoint":
                if names or self.checkpoint is not None:  # courses are held against it as they come
                    raise DamagedBundle("checkpoint", "one, before the courses")
                self.checkpoint = _sealed(content)
            elif name == "course":
                if course is not None:
                    yield self._made(course)
                course = {**content, "held": ([], [])}
                whose = str(content.get("course"))
                if whose in names:
                    raise DamagedBundle("course", "each course once")
                names.add(whose)
                found["courses"] += 1
            elif name == "record" and course is not None:
                held, leaves = course["held"]
                n = len(held)
                record = _record(content, f"records[{n}]")
                leaf = content.get("leaf")
                place = f"{record.course}.records[{n}].leaf"
                made = None if leaf is None else leaf_from(leaf, record.course, record.seq, place)
                held.append(record)
                leaves.append(made)
                found["records"] += 1
            elif name == "end":
                if course is not None:  # what is wrong with it says more than that the end differs
                    yield self._made(course)
                self._end(content)
            else:
                raise DamagedBundle(f"line {self._lines}", "a part of a bundle in its place")
        self._require_announced(found)
        self._require_asked(names)

    def _parts(self) -> Iterator[tuple[str, Any]]:
        """The lines up to the end, and that."""
        for line in self._stream:
            place = f"line {self._lines + 1}"
            try:
                ((name, content),) = parse(line).items()
            except (AttributeError, TypeError, ValueError) as wrong:
                raise DamagedBundle(place, "a part of a bundle", found=str(wrong)) from wrong
            if name == "end":
                yield name, content
                return
            if not isinstance(content, dict):
                raise DamagedBundle(place, "a part of a bundle")
            yield name, content
            self._hash.update(line)
            self._lines += 1
        raise DamagedBundle("end", "the last line, but the file was cut off")

    def _end(self, content: object) -> None:
        found = {"lines": self._lines, "digest": "sha256:" + self._hash.hexdigest()}
        if content != found:
            expected = "the number and the digest of the lines before it"
            raise DamagedBundle(f"line {self._lines + 1}", expected)
        if self._stream.read(1):
            raise DamagedBundle("end", "nothing after it")

    def _require_announced(self, found: Mapping[str, int]) -> None:
        counted = {**found, "definitions": sorted(self._definitions)}
        for name, number in counted.items():
            if self._raw.get(name) != number:
                raise DamagedBundle(name, "as many as the file holds")

    def _require_asked(self, names: set[str]) -> None:
        asked = self._raw.get("asked")
        if not isinstance(asked, dict) or list(asked) not in (["tenant"], ["since"], ["courses"]):
            raise DamagedBundle("asked", "courses, since or tenant")
        named = asked.get("courses", [])
        if not isinstance(named, list) or ("courses" in asked and set(map(str, named)) != names):
            raise DamagedBundle("asked.courses", "those that the file holds")

    def _define(self, content: Any, place: str) -> None:  # noqa: ANN401  # JSON
        made = _definition(content, place)
        self._definitions[made.digest] = made

    def _made(self, course: Mapping[str, Any]) -> Bundle:
        try:
            name, announced = course["course"], course["records"]
        except KeyError as wrong:
            raise DamagedBundle("course", "its name and how many records it has") from wrong
        if not isinstance(name, str) or type(announced) is not int:
            raise DamagedBundle("course", "its name and how many records it has")
        # Of lists, whose length is known: else Python keeps each tuple of before for another use.
        records, leaves = map(tuple, course["held"])
        return Bundle(
            tenant=self.tenant,
            course=name,
            records=records,
            definitions=tuple(self._definitions.values()),
            leaves=leaves,
            heads=heads_from(course.get("heads", ()), str(name)),
            announced=announced,
            machines=self._machines,
        )

    def _document(self) -> Bundle:
        raw = self._raw
        try:
            for n, item in enumerate(raw["definitions"]):
                self._define(item, f"definitions[{n}]")
            records = tuple(_record(item, f"records[{n}]") for n, item in enumerate(raw["records"]))
            course = raw["course"]
        except (KeyError, TypeError, AttributeError) as wrong:
            expected = "records and definitions as `export` writes them"
            raise InvalidInput("bundle", expected) from wrong
        return Bundle(
            tenant=self.tenant,
            course=course,
            records=records,
            definitions=tuple(self._definitions.values()),
            machines=self._machines,
        )


def read_bundle(data: bytes) -> Bundle:
    """The one course of a bundle.

    Raises InvalidInput, naming the member, when it is none, and when it holds more than one.
    """
    found = list(BundleFile(BytesIO(data)).courses())
    if len(found) != 1:
        raise InvalidInput("bundle", "a file of one course", found=f"one of {len(found)}")
    return found[0]


def _record(item: Mapping[str, Any], place: str) -> Record:
    try:
        body = item["body"].encode()
        # Strictly: of a member given twice, others may read the first.
        said: Any = parse(body)
        at = said["event"].get("at")
        return Record(
            course=said["course"],
            seq=said["seq"],
            event_id=said["event"]["id"],
            event=said["event"]["event"],
            verdict=said["verdict"],
            at=instant_from(at) if isinstance(at, str) else None,
            recorded_at=instant_from(said["recorded_at"]),
            prev_hash=said["prev"],
            hash=item["hash"],
            body=body,
        )
    except (ValueError, KeyError, TypeError, AttributeError) as wrong:
        raise DamagedBundle(f"{place}.body", "the bytes of a record") from wrong


def _definition(item: Mapping[str, Any], place: str) -> Definition:
    try:
        semantic, prose = item["semantic"].encode(), item["prose"].encode()
        said, told = parse(semantic), parse(prose)
        named = said["name"], said["version"]
        known, prose_digest = item["digest"], item["prose_digest"]
    except (ValueError, KeyError, TypeError, AttributeError) as wrong:
        raise DamagedBundle(place, "a definition as `export` writes it") from wrong
    if digest(said) != known:
        raise DamagedBundle(f"{place}.digest", "the digest of the enclosed definition")
    if digest(told) != prose_digest:
        raise DamagedBundle(f"{place}.prose_digest", "the digest of the enclosed prose")
    return Definition(
        digest=known,
        name=named[0],
        version=named[1],
        semantic=semantic,
        prose_digest=prose_digest,
        prose=prose,
    )


def _sealed(content: Mapping[str, Any]) -> Sealed:
    try:
        note = parsed_note(content["note"].encode(), unsigned=True)
        return Sealed(
            note=note,
            head=Head.parse(note.text),
            keys=tuple(VerifierKey.parse(one) for one in content["keys"]),
            continues={
                one["size"]: tuple(bytes.fromhex(node) for node in one["path"])
                for one in content.get("consistency", ())
            },
        )
    except InvalidInput as wrong:
        raise DamagedBundle(f"checkpoint.{wrong.field}", wrong.expected) from wrong
    except (KeyError, TypeError, ValueError, AttributeError) as wrong:
        raise DamagedBundle("checkpoint", "a checkpoint as `export` writes it") from wrong
