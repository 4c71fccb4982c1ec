"""What verifying and replaying find of one course, in a database or in a file."""

from __future__ import annotations

import json
import sys
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.audit import Auditor, Bundle, read_bundle
from engine.core import history
from engine.core.encoding import Json, canonical
from engine.core.record import Record
from engine.errors import InvalidInput, NotFound

STDIN, DATABASE = "-", "database"
WHOLE, ADDS_UP, ALIKE = "whole", "adds up to its row", "decided again alike"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What was found of one course; `wrong` is empty when nothing is wrong with it.

    `head` is the hash of the last record: noted elsewhere, it shows later that none was cut off.
    `good` says what was found where nothing is wrong.
    """

    course: str
    source: str
    records: int
    head: str
    good: str
    wrong: tuple[str, ...] = ()

    def json(self) -> Json:
        return {
            "course": self.course,
            "source": self.source,
            "records": self.records,
            "head": self.head,
            "whole": not self.wrong,
            "wrong": list(self.wrong),
        }

    def lines(self) -> Iterator[str]:
        """What to tell: that all is good, or everything that is wrong."""
        where = "" if self.source == DATABASE else f" in {self.source}"
        number = "1 record" if self.records == 1 else f"{self.records} records"
        if not self.wrong:
            yield f"{self.course}{where}: {number}, {self.good}, head {self.head[:16]}"
        for wrong in self.wrong:
            yield f"{self.course}{where}: {wrong}"


def verified(auditor: Auditor, course: str) -> Checked:
    """A course of a database, its chain and its row. Raises NotFound."""
    records, _ = _stored(auditor, course)
    if not records:
        return _checked(course, DATABASE, records, (_GONE,), WHOLE)
    fault = auditor.verify(course)
    return _checked(course, DATABASE, records, () if fault is None else (str(fault),), WHOLE)


def replayed(auditor: Auditor, course: str, *, re_decide: bool) -> Checked:
    """A course of a database, rebuilt, and with `re_decide` decided again. Raises NotFound."""
    records, row = _stored(auditor, course)
    fault = history.verify(records, course=course, tenant=auditor.tenant)
    if not records:
        wrong = [_GONE]
    elif fault is not None:  # what the records say is worth nothing, then
        wrong = [str(fault)]
    else:
        wrong = list(_row_differences(history.replay(records) or {}, row))
        wrong += map(str, auditor.decide_again(course) if re_decide else ())
    return _checked(course, DATABASE, records, wrong, ALIKE if re_decide else ADDS_UP)


def verified_file(name: str) -> Checked:
    """An exported course, its chain and its definitions. Raises InvalidInput for another file."""
    return _of_bundle(name, _bundle(name), re_decide=False)


def replayed_file(name: str, *, re_decide: bool) -> Checked:
    """An exported course, with `re_decide` decided again. Raises InvalidInput for another file."""
    return _of_bundle(name, _bundle(name), re_decide=re_decide)


def is_file(name: str) -> bool:
    """Whether a name stands for an exported course, and not for one of the database."""
    try:
        return name == STDIN or Path(name).is_file()
    except PermissionError:  # where we may not look lies no file that we could read
        return False


def named_like_a_file(name: str) -> bool:
    """Whether a name is more likely that of a file than that of a course."""
    try:
        there = Path(name).exists()
    except OSError:  # a folder that we may not look into
        there = False
    return there or "/" in name or Path(name).suffix in (".json", ".jsonl")


_GONE = "record 1: gap: every record of the course is gone"


def _stored(auditor: Auditor, course: str) -> tuple[list[Record], bytes | None]:
    """The records and the row of a course, of one moment. Raises NotFound without either."""
    with auditor.store.transaction(auditor.tenant, write=False) as tx:
        records, row = list(tx.records(course)), tx.row(course)
    if not records and row is None:
        raise NotFound(course)
    return records, row


def _of_bundle(name: str, bundle: Bundle | InvalidInput, *, re_decide: bool) -> Checked:
    if isinstance(bundle, InvalidInput):
        return _checked("?", name, (), (str(bundle),), WHOLE)
    course, records, fault = bundle.course, bundle.records, bundle.verify()
    if fault is not None or not re_decide:
        return _checked(course, name, records, () if fault is None else (str(fault),), WHOLE)
    return _checked(course, name, records, map(str, bundle.decide_again()), ALIKE)


def _checked(
    course: str, source: str, records: Sequence[Record], wrong: Iterable[str], good: str
) -> Checked:
    return Checked(
        course=course,
        source=source,
        records=len(records),
        head=records[-1].hash if records else "",
        good=good,
        wrong=tuple(wrong),
    )


def _bundle(name: str) -> Bundle | InvalidInput:
    """The exported course, or what was changed in it so that it is none any more."""
    try:
        data = sys.stdin.buffer.read() if name == STDIN else Path(name).read_bytes()
    except OSError as wrong:
        raise InvalidInput(name, "a file that can be read", found=str(wrong)) from wrong
    if not data.strip():
        raise InvalidInput(name, "a file that `export` wrote", found="an empty one")
    try:
        return read_bundle(data.removeprefix(BOM_UTF8))  # with which some editors begin a file
    except InvalidInput as wrong:
        if wrong.field.startswith(("records[", "definitions[")):
            return wrong
        raise


def _row_differences(replayed: Mapping[str, Any], stored: bytes | None) -> Iterator[str]:
    """Every member of the row that is not what the records add up to."""
    if stored is None:
        yield "row: expected one, but it is gone"
        return
    if stored == canonical(replayed):
        return
    try:
        row = json.loads(stored)
    except ValueError:
        yield "row: not JSON"
        return
    flat, kept = dict(_members(replayed)), dict(_members(row))
    places = dict.fromkeys([*flat, *kept])
    differing = [place for place in places if flat.get(place) != kept.get(place)]
    for place in differing:
        again, now = (json.dumps(found.get(place)) for found in (flat, kept))
        yield f"row: {place}: the records add up to {again}, the row says {now}"
    if not differing:
        yield "row: the same values, in other bytes"


def _members(row: Mapping[str, Any]) -> Iterator[tuple[str, Json]]:
    for name, value in row.items():
        if isinstance(value, dict):
            yield from ((f"{name}.{part}", inner) for part, inner in value.items())
        else:
            yield name, value
