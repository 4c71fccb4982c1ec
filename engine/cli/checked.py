"""What verifying and replaying find of one course, in a database or in a file."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO

from engine.audit import ALL_GONE, Auditor
from engine.bundle.form import DamagedBundle
from engine.bundle.proof import Proof
from engine.bundle.reading import Bundle, BundleFile, Sealed
from engine.core import history
from engine.core.encoding import Json, canonical
from engine.core.playback import Playback
from engine.core.record import Record
from engine.errors import InvalidInput, NotFound
from engine.zones import Zones

STDIN, DATABASE = "-", "database"
FEW = 5
"""How many courses of a file are named where one has to be chosen."""
WHOLE, ADDS_UP, ALIKE = "whole", "adds up to its row", "decided again alike"
NO_COURSE = "?"
"""In the place of a course's name: what is wrong with a file, and no single course's fault."""
UNTOLD = "Whether its last records were left out cannot be told: it has no map of course heads."
NONE_HELD = "it holds no course"
UNKNOWN_MAKER = "who made it cannot be told"


class Keys(StrEnum):
    """Whose keys the checkpoint of a file was held against."""

    GIVEN = "given"
    ENCLOSED = "enclosed"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """By whose keys the checkpoint of a file is signed, as far as a reader can rely on that."""

    keys: Keys
    names: tuple[str, ...] = ()
    checkpoint: bool = True

    def __str__(self) -> str:
        if self.keys is Keys.GIVEN:
            return f"its checkpoint is signed by the keys that you gave: {', '.join(self.names)}."
        if self.keys is Keys.ENCLOSED:
            return (
                "its checkpoint is signed by keys from the bundle itself, not yours: "
                f"{UNKNOWN_MAKER}. --key names who must have signed."
            )
        why = "its checkpoint is signed by nobody" if self.checkpoint else "it has no checkpoint"
        return f"{why}: {UNKNOWN_MAKER}."


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedFor:
    """What a file says that it was asked for; nobody signed that.

    Whoever reads it has to know: of what it was not asked for it shows nothing. `left_out` is how
    many records, sealed between the checkpoint that is held and its own, are of no course of it.
    """

    tenant: str
    said: Mapping[str, Json]
    left_out: int | None = None

    def __str__(self) -> str:
        if "tenant" in self.said:
            return f"it was asked for all courses of tenant {self.tenant}."
        if "since" in self.said:
            since = f"courses with a record since {self.said['since']}"
            return f"it was asked for {since}: {self._others}"
        return "it was asked for some courses by name: whether there are others is not told."

    @property
    def _others(self) -> str:
        if self.left_out is None:
            return "whether others have one is not told."
        between = "sealed between the checkpoint that you hold and its own"
        if not self.left_out:
            return f"no other course has one that was {between}."
        if self.left_out == 1:
            return f"1 record {between} is of another course, which it does not hold."
        return f"{self.left_out} records {between} are of other courses, which it does not hold."


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The file of which steps are shown: whose keys it was held against, what it was asked for."""

    file: str
    signed: Signed
    asked: AskedFor

    def json(self) -> dict[str, Json]:
        unknown = self.signed.keys is not Keys.GIVEN
        return {
            "source": self.file,
            "cannot_find": [str(self.signed)] if unknown else [],
            "asked": dict(self.asked.said),
            "keys": str(self.signed.keys),
        }

    def lines(self) -> Iterator[str]:
        """What to tell below the steps, as below what is verified."""
        yield f"{self.file}: {self.asked}"
        yield f"{self.file}: {self.signed}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What was found of one course; `wrong` is empty when nothing is wrong with it.

    `head` is the hash of the last record: noted elsewhere, it shows later that none was cut off.
    `good` says what was found where nothing is wrong, `untold` what could not be found,
    `first_wrong` which record is wrong first, and `mismatch` which row beside them, if it is one.
    `signed` says by whose keys the checkpoint of its file is signed, and `asked` what its file was
    asked for, where that was looked at.
    """

    course: str
    source: str
    records: int
    head: str
    good: str
    wrong: tuple[str, ...] = ()
    untold: tuple[str, ...] = ()
    first_wrong: int | None = None
    mismatch: history.Mismatch | None = None
    signed: Signed | None = None
    asked: AskedFor | None = None

    def json(self) -> Json:
        signed = self.signed
        unknown = signed is not None and signed.keys is not Keys.GIVEN
        told: dict[str, Json] = {
            "course": self.course,
            "source": self.source,
            "records": self.records,
            "head": self.head,
            "whole": not self.wrong,
            "wrong": list(self.wrong),
            "cannot_find": [*self.untold, *([str(signed)] if unknown else [])],
            "mismatch": None if self.mismatch is None else self.mismatch.json(),
        }
        if self.asked is not None:
            told["asked"] = dict(self.asked.said)
            told["left_out"] = self.asked.left_out
        return told if signed is None else {**told, "keys": str(signed.keys)}

    def lines(self) -> Iterator[str]:
        """What to tell: that all is good, or everything that is wrong."""
        where = self.course if self.source == DATABASE else f"{self.course} in {self.source}"
        if self.course == NO_COURSE:
            where = self.source
            if not self.wrong:
                yield f"{where}: {self.good}"
                return
        number = "1 record" if self.records == 1 else f"{self.records} records"
        if not self.wrong:
            yield f"{where}: {number}, {self.good}, head {self.head[:16]}"
            yield from self.untold
        for wrong in self.wrong:
            yield f"{where}: {wrong}"


def verified(auditor: Auditor, course: str) -> Checked:
    """A course of a database, its chain and what is kept beside it. Raises NotFound."""
    looked = auditor.look(course)
    fault = looked.fault
    return Checked(
        course=course,
        source=DATABASE,
        records=looked.records,
        head=looked.head,
        good=WHOLE,
        wrong=() if fault is None else (str(fault),),
        first_wrong=None if fault is None else fault.seq,
        mismatch=None if fault is None else fault.mismatch,
    )


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


def verified_file(name: str, proof: Proof) -> Iterator[Checked]:
    """The courses of a file that `export` wrote: chains, definitions, and proofs.

    Raises InvalidInput for another file.
    """
    yield from _of_file(name, proof, re_decide=False)


def replayed_file(name: str, *, re_decide: bool) -> Iterator[Checked]:
    """Likewise, with `re_decide` decided again. Raises InvalidInput for another file."""
    yield from _of_file(name, Proof(), re_decide=re_decide)


def played_file(name: str, course: str | None) -> tuple[Playback, Origin] | Checked:
    """A course of a file, to be shown step by step; what is wrong with it, where something is.

    With it goes what is to be told of the file. Nothing is shown of a file that was changed. Raises
    InvalidInput for another file, and where the file has several courses and none is named.
    """
    chosen: list[Bundle] = []
    several: list[str] = []
    bad: list[Checked] = []
    proof = Proof()
    with opened(name) as stream:
        bundle = BundleFile(stream)
        try:
            for one, fault in proof.courses(bundle):
                several.append(one.course)
                if fault is not None:
                    bad.append(_of_course(name, one, bundle.checkpoint, fault, re_decide=False))
                if course in (None, one.course) and not chosen:
                    chosen.append(one)
        except DamagedBundle as wrong:
            return _of_no_course(name, wrong)
    if bad:
        return bad[0]
    if not chosen or (course is None and len(several) > 1):
        listed = ", ".join(several[:FEW]) + (", ..." if len(several) > FEW else "")
        raise InvalidInput("COURSE", f"beside the file, one of its courses: {listed or 'none'}")
    (found,) = chosen
    asked = AskedFor(tenant=bundle.tenant, said=bundle.asked)
    origin = Origin(file=name, signed=_signed(bundle, proof), asked=asked)
    return Playback(found.course, found.records, found.machine, Zones().of), origin


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


@contextmanager
def opened(name: str) -> Iterator[BinaryIO]:
    """A file that `export` wrote, or what comes through a pipe. Raises InvalidInput."""
    if name == STDIN:
        yield sys.stdin.buffer
        return
    try:
        with Path(name).open("rb") as stream:
            if not stream.read(1000).strip():
                raise InvalidInput(name, "a file that `export` wrote", found="an empty one")
            stream.seek(0)
            yield stream
    except OSError as wrong:
        raise InvalidInput(name, "a file that can be read", found=str(wrong)) from wrong


_GONE = f"record 1: gap: {ALL_GONE}"


def _stored(auditor: Auditor, course: str) -> tuple[list[Record], bytes | None]:
    """The records and the row of a course, of one moment. Raises NotFound without either."""
    with auditor.store.transaction(auditor.tenant, write=False) as tx:
        records, row = list(tx.records(course)), tx.row(course)
    if not records and row is None:
        raise NotFound(course)
    return records, row


def _of_file(name: str, proof: Proof, *, re_decide: bool) -> Iterator[Checked]:
    """Each course of a file; and what is wrong with the file, which is no course's fault."""
    with opened(name) as stream:
        bundle = BundleFile(stream)
        made: list[Checked] = []
        damaged: DamagedBundle | None = None
        try:
            for course, fault in proof.courses(bundle):
                found = _of_course(name, course, bundle.checkpoint, fault, re_decide=re_decide)
                if not re_decide and not _tells(bundle):
                    found = replace(found, untold=(UNTOLD,))
                made.append(replace(found, signed=_signed(bundle, proof)))
        except DamagedBundle as wrong:
            damaged = wrong
        whole = damaged is None and not any(one.wrong for one in made)
        left_out = proof.left_out(bundle.checkpoint) if whole else None
        asked = AskedFor(tenant=bundle.tenant, said=bundle.asked, left_out=left_out)
        if not made and whole:  # what it was asked for is to be told of an empty file too
            made.append(replace(_of_no_course(name), signed=_signed(bundle, proof)))
        yield from (replace(one, asked=asked) for one in made)
        if damaged is not None:
            yield _of_no_course(name, damaged)


def _tells(bundle: BundleFile) -> bool:
    """Whether a file shows that the last records of a course were not left out."""
    checkpoint = bundle.checkpoint
    return checkpoint is not None and (bundle.whole_tenant or checkpoint.head.courses is not None)


def _signed(bundle: BundleFile, proof: Proof) -> Signed:
    """Whose signatures were found to hold: `proof` has checked them."""
    found = bundle.checkpoint
    if found is None:
        return Signed(keys=Keys.NONE, checkpoint=False)
    used = proof.keys or found.keys
    keys = Keys.GIVEN if proof.keys else Keys.ENCLOSED if used else Keys.NONE
    return Signed(keys=keys, names=tuple(dict.fromkeys(key.name for key in used)))


def _of_course(
    name: str,
    bundle: Bundle,
    checkpoint: Sealed | None,
    fault: history.Fault | None,
    *,
    re_decide: bool,
) -> Checked:
    wrong = [] if fault is None else [str(fault)]
    if fault is None and re_decide:
        wrong = [str(one) for one in bundle.decide_again()]
    unsealed = sum(1 for leaf in bundle.leaves if leaf is None)
    good = ALIKE if re_decide else WHOLE
    if checkpoint is not None and not unsealed:
        good = f"{good}, in the tree of {checkpoint.head.size}"
    elif checkpoint is not None:
        good = f"{good}, {unsealed} not sealed yet"
    return _checked(bundle.course, name, bundle.records, wrong, good)


def _of_no_course(name: str, wrong: DamagedBundle | None = None) -> Checked:
    return _checked(NO_COURSE, name, (), () if wrong is None else (str(wrong),), NONE_HELD)


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
