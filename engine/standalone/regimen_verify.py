#!/usr/bin/env python3
"""Check a Regimen evidence bundle, trusting neither its operator nor the engine that wrote it.

    python regimen_verify.py FILE [--checkpoint FILE] [--key VKEY]

One file, Python 3.11 or newer, the standard library and nothing else, built to be judged in twenty
minutes: lines 1 to 599 are the whole argument, in the order in which a bundle is read.

 1. The file is a bundle, whole up to its end, and holds what it says it holds. Each definition has
    the SHA-256 by which records name it.
 2. The checkpoint is signed (Ed25519), and its tree continues that of the one which you hold.
 3. Each record has its SHA-256, follows its predecessor, and is a leaf of the checkpoint's tree.
    The last is what that checkpoint, and yours, say that its course had come to.
    What was known at it is rebuilt from the records before it: readings with their ages, flaws and
    corrections, variables, the state. Every requirement and rule of the definition is weighed on
    that again, and all that was recorded must follow: each verdict, accepted or refused and why,
    rules fired, advice, messages, the next state, variables, readings and timers.

Lines 600 to 1407 are the tools that it names: (A) what an event brings, (B) JSON, (C) conditions,
(D) readings, (E) values with units, (F) trees and signatures, (G) the command. Each can be looked
up by itself; to read them all takes half an hour more. Ed25519 is written out, under the names of
its standard, so that nothing has to be installed, and trusted, where this runs.

It does NOT recompute, and takes as recorded:

 - the findings that say in words why a verdict is what it is, and what an open question waits for;
 - civil dates and wall-clock times (zone data changes; they must lie within 15 hours of UTC);
 - visits that became due, bookings and arrangements: no guard looks at them;
 - whether the patient has another open course of the same workflow;
 - events of the engine that it does not know: it makes sure that they change nothing guards see.

It cannot know whether what was sent was true, nor who was at the keyboard. Free texts are not in a
bundle, only their salted hashes. Without --checkpoint it cannot tell a log that was made anew by
whoever has the signing key, and in no case that records which are newer than the checkpoint in the
file were left out. Of single courses it cannot tell whether that key put one twice into the map of
course heads, or sealed it again since: a bundle of the whole tenant can.

Exit: 0 all of it holds, 1 something does not (the first bad position is named), 2 no bundle,
or a key or checkpoint of yours that cannot be used.
"""

from __future__ import annotations

import argparse
import calendar
import functools
import hashlib
import json
import operator
import re
import sys
from base64 import b64decode
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TextIO, TypeAlias

Json: TypeAlias = Any
Value: TypeAlias = Any
"""Quantity, bool, str, date, datetime, timedelta or Span. None is unknown, which is never no."""


class NoBundle(Exception):
    """The file is not what this program reads."""


class Wrong(Exception):
    """Something does not hold: one word for what, and a sentence why."""


MALFORMED = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What reading something that is not as it should be comes to: it is wrong too."""


def require(holds: object, kind: str, why: str) -> None:
    """Stop at the first thing that does not hold."""
    if not holds:
        raise Wrong(f"{kind}: {why}")


def sha256(data: bytes) -> bytes:
    """The hash that everything here is named by."""
    return hashlib.sha256(data).digest()


# --- 1. The file --------------------------------------------------------------------------------


PARTS = ("definition", "checkpoint", "course", "record", "end")


def lines(file: BinaryIO, first: bytes) -> Iterator[tuple[str, Json]]:
    """What the lines after the first hold, up to an end that counts and digests those before it."""
    digest, part = hashlib.sha256(first), ""
    for before, line in enumerate(file, start=1):  # how many lines came before it
        require(part != "end", "file", "something comes after the end")
        try:
            ((part, content),) = parse(line).items()
        except MALFORMED as wrong:
            raise Wrong(f"file: line {before + 1} cannot be read: {wrong}") from wrong
        require(part in PARTS, "file", "it has a part that is not known here")
        counted = {"lines": before, "digest": f"sha256:{digest.hexdigest()}"}
        require(part != "end" or content == counted, "file", "a line is not what it was")
        digest.update(line)
        yield part, content
    require(part == "end", "file", "the end is not there: it was cut off")


class Audit:
    """What is found while the lines of a bundle go by: what is `told` of it, what is `wrong`."""

    def __init__(self, held: str | None, keys: list[str]) -> None:
        self.held, self.keys = held, keys  # an earlier checkpoint, and who must have signed
        self.proof_asked = held is not None or bool(keys)
        self.told, self.wrong = list[str](), list[str]()
        self.definitions: dict[str, Definition] = {}
        self.tree = Checkpoint("", 0, b"", b"", 0)  # none yet
        # By checkpoint, where it has a map of course heads: what was shown of that map, which is
        # the place of a course in it, and of the course's first record in the tree.
        self.maps: dict[Checkpoint, dict[int, int]] = {}
        self.course: Course | None = None
        self.courses, self.records, self.sealed = list[str](), 0, 0

    def read(self, path: Path) -> None:
        """Check line after line: the manifest, definitions, the checkpoint, each course with its
        records, the end. What is wrong with one course hides no other; anything else that is wrong
        ends the reading.
        """
        with path.open("rb") as file:
            first, place = file.readline(), "file"
            try:
                self.manifest = parse(first)
                kind = self.manifest["kind"], self.manifest["format"]
            except MALFORMED as wrong:
                raise NoBundle(f"it does not begin as one: {wrong}") from wrong
            if kind != ("regimen-bundle", 2):
                raise NoBundle("it is none of format 2; `regimen verify` reads format 1 too")
            try:
                self.tenant, self.asked = self.manifest["tenant"], self.manifest["asked"]
                self.told.append(f"tenant {self.tenant!r}, asked {json.dumps(self.asked)}")
                for place, content in lines(file, first):  # to take_definition and so on, below
                    getattr(self, f"take_{place}")(content)
            except (*MALFORMED, Wrong) as wrong:
                self.note(place, wrong)

    def note(self, place: str, wrong: Exception) -> None:
        said = str(wrong) if isinstance(wrong, Wrong) else f"content: cannot be read: {wrong!r}"
        self.wrong.append(f"{place}: {said}")

    def take_definition(self, content: Json) -> None:
        """Each of its parts has the SHA-256 by which records name it."""
        for name, text in (("digest", "semantic"), ("prose_digest", "prose")):
            found = "sha256:" + sha256(content[text].encode()).hex()
            require(found == content[name], "definition", f"its {text} part has not its {name}")
        one = self.definitions[content["digest"]] = Definition(parse(content["semantic"]))
        self.told.append(f"definition {one.name}: {content['digest']}")

    def take_checkpoint(self, content: Json) -> None:
        """It is of this tenant, signed, and the continuation of the one that is held."""
        first = not self.tree.origin and not self.courses
        require(first, "checkpoint", "it is not the only one, before the courses")
        keys = self.keys or content["keys"]
        new = self.tree = opened(content["note"], keys)
        mine = new.origin.endswith(f"/{self.tenant}")
        require(mine, "checkpoint", f"it is of another log, {new.origin}")
        whose = "the keys that you gave" if self.keys else "keys from the bundle itself, not yours"
        whose = whose if keys else "nobody"
        self.told.append(f"checkpoint of {new.origin}: {new.size} leaves, signed by {whose}")
        old = new if self.held is None else opened(self.held, [])
        require(old.origin == new.origin, "checkpoint", f"yours is of {old.origin}")
        require(old.size <= new.size, "checkpoint", "yours is of a later, larger tree")
        path = {one["size"]: one["path"] for one in content.get("consistency", [])}.get(old.size)
        proven = continues(old, new, path or [])
        require(proven, "checkpoint", f"it is not shown to continue yours of {old.size} leaves")
        mapped = new.heads or not old.heads
        require(mapped, "checkpoint", "it has no map of course heads, as yours has")
        if self.held is not None:
            self.told.append(f"  it continues the one that you hold, of {old.size} leaves")
        self.maps = {tree: {} for tree in (old, new) if tree.heads}

    def take_course(self, content: Json) -> None:
        self.end_course()
        require(content["course"] not in self.courses, "order", "the course is there twice")
        self.courses.append(content["course"])
        self.course = Course(self.tenant, content["course"])
        self.announced, self.heads = content["records"], content.get("heads", [])

    def take_record(self, content: Json) -> None:
        course = self.course
        if course is None:
            raise Wrong("file: a record of no course")
        if course.bad:
            return
        place = f"course {course.name} record {course.seq + 1}"
        try:
            course.take(content, self.definitions)
            self.prove(course, content)
        except (*MALFORMED, Wrong) as wrong:
            course.bad = True
            self.note(place, wrong)

    def prove(self, course: Course, content: Json) -> None:
        """A record is a leaf of the checkpoint's tree, after those of the records before it."""
        if (leaf := content.get("leaf")) is None:
            require(not self.proof_asked, "unsealed", "no checkpoint holds it yet")
            return
        all_before = len(course.leaves) == course.seq - 1
        require(all_before, "proof", "it is sealed, and one before it is not")
        require(self.tree.origin, "proof", "there is no checkpoint that it could lead to")
        index, salt = leaf["index"], bytes.fromhex(leaf["salt"])
        before = course.leaves[-1].place if course.leaves else -1
        require(before < index < self.tree.size, "proof", "its leaf is out of order")
        require(len(salt) == 16, "proof", "its salt has not 16 bytes")
        hashed = sha256(b"\x00" + salt + bytes.fromhex(course.head))
        _, root = climbed(leaf["path"], index, self.tree.size - 1, hashed)
        require(root == self.tree.root, "proof", "it is not that leaf of the tree")
        course.leaves.append(Leaf(index, salt, hashed))

    def prove_last(self, leaves: list[Leaf], tree: Checkpoint) -> None:
        """A checkpoint says that a course had these leaves in its tree, and no others."""
        shown = {one["size"]: one for one in self.heads}.get(tree.size, {"place": -1, "path": []})
        numbers = (tree.size, leaves[0].place, len(leaves))
        counts = b"".join(number.to_bytes(8) for number in numbers)
        head = sha256(b"\x00" + leaves[-1].salt + counts + leaves[-1].hashed)
        place = shown["place"]
        _, root = climbed(shown["path"], place, tree.courses - 1, head)
        last = place in range(tree.courses) and root == tree.heads
        require(last, "head", f"it is not shown to be the last of its course in {tree.size} leaves")
        self.maps[tree][place] = leaves[0].place

    def end_course(self) -> None:
        """All of its records are here: as many as announced, and as checkpoints say."""
        course = self.course
        if course is None or course.bad:
            return
        if not course.seq or course.seq != self.announced:
            self.note(f"course {course.name}", Wrong(f"gap: {self.announced} records announced"))
        for tree in self.maps:
            leaves = [leaf for leaf in course.leaves if leaf.place < tree.size]
            try:
                if leaves:  # else it began later
                    self.prove_last(leaves, tree)
            except (*MALFORMED, Wrong) as wrong:
                self.note(f"course {course.name} record {len(leaves)}", wrong)
                break
        self.records, self.sealed = self.records + course.seq, self.sealed + len(course.leaves)
        unsealed = course.seq - len(course.leaves)
        self.told.append(
            f"course {course.name}: {course.seq} records"
            + (f", {unsealed} not sealed" if unsealed else "")
            + f", {course.weighed} verdicts weighed again, head {course.head}"
            + (f"; as recorded: {', '.join(sorted(course.trusted))}" if course.trusted else "")
        )

    def take_end(self, _: Json) -> None:
        """All is there that was announced and asked; of a whole tenant, every leaf of the tree."""
        self.end_course()
        if self.wrong:
            return  # what is wrong with a course says more than that the counts differ
        found = {"courses": len(self.courses), "records": self.records,
                 "definitions": sorted(self.definitions)}  # fmt: skip
        for name, number in found.items():
            require(self.manifest[name] == number, "file", f"not all {name} are here")
        known = list(self.asked) in (["tenant"], ["since"], ["courses"])
        named = sorted(self.asked.get("courses", self.courses)) == sorted(self.courses)
        require(known and named, "file", "not the courses that were asked")
        require(self.tree.origin or not self.proof_asked, "checkpoint", "it has none")
        if self.tree.origin and "tenant" in self.asked:
            missing = self.tree.size - self.sealed
            require(not missing, "gap", f"{missing} records of the tree are not here")
            for tree, begun in self.maps.items():
                firsts = [begun[place] for place in sorted(begun)]
                once = len(firsts) == tree.courses and firsts == sorted(set(firsts))
                require(once, "head", f"not each course is once in the map of {tree.size} leaves")
        elif not self.maps:
            self.told.append("whether last records were left out cannot be told: it has no map")


# --- 2. The checkpoint: a signed note (C2SP) over a Merkle tree (RFC 9162) ----------------------


class Checkpoint(NamedTuple):
    """The head of a log: whose it is, how many leaves its tree has, and the root of that; the root
    over how far each course had come (empty: it does not say so), and how many courses there are.
    """

    origin: str
    size: int
    root: bytes
    heads: bytes
    courses: int


class Leaf(NamedTuple):
    """A record in that tree: its place, the salt that hides it, and its hash with that."""

    place: int
    salt: bytes
    hashed: bytes


def opened(note: str, keys: list[str]) -> Checkpoint:
    """The checkpoint in a note, which each of the keys must have signed."""
    text, gap, signatures = note.rpartition("\n\n")
    require(gap, "checkpoint", "it is no signed note")
    for key in keys:
        holds = is_signed(f"{text}\n", signatures, key)
        require(holds, "checkpoint", f"no signature of {key} holds")
    origin, size, root, *more = text.split("\n")
    maps = [line.split(" ")[1:] for line in more if line.startswith("course-heads ")]
    courses, heads = maps[0] if maps else ("0", "")
    said = Checkpoint(origin, int(size), b64decode(root), b64decode(heads), int(courses))
    once = len(maps) < 2 and len(said.heads) == 32 * len(maps)
    require(once, "checkpoint", "it does not say once how far courses had come")
    return said


# --- 3. Records: hash, chain, and each decided again --------------------------------------------


CORRECTIONS = ("course.corrected", "course.entered_in_error")
REBUILT = ("variables", "latest", "firing", "questions", "timers", "fired")
RECORDED = ("visits", "civil", "bookings", "arranged", "signed", "unsigned", "legal_holds",
            "open_findings")  # fmt: skip
"""What a course remembers: the sections that follow from its records, and those taken from them."""


class Course:
    """One course: after each record, all that the next decision can rest on."""

    def __init__(self, tenant: str, name: str) -> None:
        self.tenant, self.name, self.bad = tenant, name, False
        self.seq, self.head, self.leaves = 0, "0" * 64, list[Leaf]()
        self.ids, self.hashes, self.trusted = set[str](), list[str](), set[str]()
        self.digest, self.recorded_at, self.weighed = "", datetime.min.replace(tzinfo=UTC), 0
        # What it remembers, as records say it; and of that, as values to weigh:
        self.row: dict[str, Json] = {name: {} for name in (*REBUILT, *RECORDED)}
        self.row |= {"state": None, "last_at": None}
        self.variables: dict[str, Value] = {}
        self.readings: dict[str, list[Reading]] = {}
        self.signatures: dict[str, list[Json]] = {}  # records of them, by the event signed

    def take(self, line: Json, definitions: dict[str, Definition]) -> None:
        """Check the next record: its hash, its place in the chain, and what was decided."""
        text, seq = line["body"].encode(), self.seq + 1
        require(sha256(text).hex() == line["hash"], "content", "its bytes do not have the hash")
        body = parse(text)
        event, digest, at = body["event"], body["workflow"], instant(body["recorded_at"])
        require(body["format"] == 1, "content", "it is no record of format 1")
        require(body["seq"] == seq, "gap", f"it is record {body['seq']}")
        whose = (body["tenant"], body["course"], event["course"])
        require(whose == (self.tenant, self.name, self.name), "order", "it is another course's")
        require(body["prev"] == self.head, "link", "it does not follow the record before it")
        require(at >= self.recorded_at, "order", "it was recorded before its predecessor")
        require(event["id"] not in self.ids, "order", "its event was recorded before")
        require(digest in definitions, "definition", f"{digest} decided it and is not enclosed")
        require(self.digest in ("", digest), "definition", "another decided what came before")
        self.definition, self.digest, self.recorded_at = definitions[digest], digest, at
        self.body, self.event, self.kind = body, event, event["event"]
        self.check()
        self.ids.add(event["id"])
        self.hashes.append(line["hash"])
        self.seq, self.head = seq, line["hash"]

    def check(self) -> None:
        """Decide a record again, and hold everything that was recorded against it."""
        body, recorded = self.body, dict(self.body["decision"])
        row = patched(self.row, body["changes"])  # what the course remembers after it, as recorded
        self.after = dict(self.row)  # the same as it follows: filled below, and compared at the end
        self.at, self.last_at = instant(self.event["at"]), instant(self.row["last_at"])
        self.late = bool(self.at and self.last_at and self.at < self.last_at)
        self.data: dict[str, Value] = {}  # of the event, and the readings that it brings:
        self.brought: list[tuple[str, Reading]] = []
        self.revised, self.signed = set[str](), list[int]()  # inputs; records of signatures
        self.needs, self.attempts = list[Json](), list[Json]()  # of the way that opens; shut ways
        begins = self.kind in ("course.enrolled", "course.adopted")
        require(begins == (self.seq == 0), "decision", "a course begins with its first record")
        if begins:
            decision = self.begin()
        elif self.kind.startswith("course.") and self.kind not in CORRECTIONS:
            decision = recorded  # of bookings and the like, which change nothing that guards see
            self.trusted.add(self.kind)
            if self.kind == "course.signed" and decision["verdict"] == "accepted":
                note_signature(self, self.event["data"])
        else:
            decision = self.decide()
        if "unknown" in recorded:  # what each waits for is words
            recorded["unknown"] = sorted(recorded["unknown"])
        same("decision", recorded, decision)
        same("verdict", body["verdict"], decision["verdict"])
        same("state", body["state"], [self.row["state"], self.after["state"]])
        same("changes.questions", sorted(row["questions"]), sorted(self.after["questions"]))
        self.after |= {name: row[name] for name in ("questions", *RECORDED)}
        self.after["variables"] = {name: stored(value) for name, value in self.variables.items()}
        same("changes", row, self.after)
        self.row = row

    def begin(self) -> Json:
        """A course begins: in the initial state, or adopted in one that somebody attests."""
        event, definition = self.event, self.definition
        known = (self.digest, definition.name, definition.raw["name"])
        require(event["workflow"] in known, "definition", "it was enrolled in another workflow")
        self.after |= {name: event[name] for name in ("patient", "site", "zone")}
        self.after |= {"digest": self.digest, "prose": self.body["prose"]}
        self.after |= {"state": definition.raw["initial"], "last_at": stored(self.at)}
        self.after |= {"retrospective": event.get("retrospective", False), "round": 1}
        self.variables = dict(definition.initial)
        if self.kind == "course.adopted":
            said = event["data"]
            self.after |= {"state": said["state"], "round": said.get("round", 1)}
            self.variables = attested(definition, said.get("variables", {}))
        self.after["timers"] = waiting(self)
        return {"verdict": "accepted"}

    def decide(self) -> Json:
        """Requests, reports and corrections: facts first, then requirements, then rules."""
        declared, at = self.definition.events.get(self.kind), self.at
        if declared is None:  # the engine's own: a correction
            require(self.kind in CORRECTIONS, "decision", "the workflow has no such event")
            self.brought = [corrected(self, self.event["data"])]
            at = self.brought[0][1].at or at
        else:
            require_sender(self, declared)
            self.data, self.brought = sent(self, declared)
        self.known = self.readings  # and from here on with those that the event brings
        self.readings, self.revised = with_brought(self)
        # Guards are asked twice, on the same readings: as of when it happened (`then`), and as of
        # the latest time known (`now`). They differ where something was told late.
        self.then = Seen(self, at)
        self.now = Seen(self, at and latest_of(at, self.at, self.last_at))
        if declared is None:
            return self.take_up("accepted", {})
        if declared["kind"] == "request":
            return self.request(declared)
        self.update(declared, self.then)
        way = self.way(asks=False)
        return self.take_up("deviation" if way.get("deviation", not way) else "accepted", way)

    def request(self, declared: Json) -> Json:
        """A request is granted when a way opens; otherwise it is refused, and why is recorded."""
        max_age, way, reason = constant(declared.get("max_age")), {}, None
        dated = max_age is not None and self.at is not None and not self.after["retrospective"]
        named = self.event.get("override", {}).get("guards", [])
        if dated and self.recorded_at - self.at > max_age:
            reason = "too-old"
        elif not self.definition.ways(self.kind, self.after["state"]):
            reason = "illegal-transition"
        elif way := self.way(asks=True):
            reason = lacks_signatures(self, declared.get("signature"))
        elif any(one["guard"] in named for shut in self.attempts for one in shut["kept_by"]):
            reason = "override-not-permitted"
        else:
            reason = "guard-undecided" if self.undecided() else "guard-failed"
        if not reason:
            return self.take_up("accepted", way)
        self.readings = self.known  # nothing changes
        return lean(verdict="refused", reason=reason, late=self.late, attempts=self.attempts)

    def way(self, *, asks: bool) -> Json:
        """The way that opens: the first whose requirements are all yes or overridden. After one
        that could not be weighed no other opens, except where a report goes when nothing better
        does. A course that is closed stays so while its patient has another open one.
        """
        state, states = self.after["state"], self.definition.states
        stays_closed = states[state].get("closed") and self.body["decision"].get("another_open")
        for way in self.definition.ways(self.kind, state):
            if self.undecided() and not way.get("deviation"):
                continue
            barred = stays_closed and not states[way.get("target") or state].get("closed")
            needs = [] if barred else way.get("requires", [])
            self.needs = [self.requirement(need, asks=asks) for need in needs]
            shut = [one for one in self.needs if one["verdict"] != "yes" and "passed" not in one]
            if not barred and not shut:
                return way
            self.attempts.append({"transition": way["name"], "kept_by": shut})
        self.needs = []
        return {}

    def undecided(self) -> bool:
        """Whether a way stayed shut only for what is unknown."""
        kept_by = [shut["kept_by"] for shut in self.attempts if shut["kept_by"]]
        return any(all(one["verdict"] == "unknown" for one in shut) for shut in kept_by)

    def requirement(self, need: Json, *, asks: bool) -> Json:
        """A requirement at the event's time. A request's must not have become a no since then."""
        self.weighed += 1
        guard = self.definition.guards[need["guard"]]["condition"]
        answer = self.then.weigh(guard)
        if answer is True and asks and self.now.weigh(guard) is False:
            answer = False
        passed = answer is not True and self.overridden(need, answer)
        return lean(guard=need["guard"], verdict=WORD[answer], passed=passed)

    def overridden(self, need: Json, answer: Value) -> bool:
        """Whether the event passes a requirement that is not yes, and may."""
        override = self.event.get("override")
        if override is None or need["guard"] not in override["guards"]:
            return False
        code, role = override["code"], self.event["actor"]["role"]
        unpublished = code == self.definition.raw.get("not_published")
        told_later = answer is None and self.after["retrospective"] and unpublished
        allowed = code in need.get("codes", []) and role in need.get("roles", [])
        return told_later or bool(need.get("soft") and allowed)

    def take_up(self, verdict: str, way: Json) -> Json:
        """What follows once an event is taken: the way's updates, then what every rule asks."""
        definition, after = self.definition, self.after
        messages = [{"kind": kind, "about": way["name"]} for kind in way.get("messages", [])]
        advice, rules, moved_by = list(way.get("advice", [])), list[Json](), None
        state = after["state"] = way.get("target") or after["state"]
        if way.get("opens_round"):
            after["round"] += 1
            self.variables |= definition.per_round
        self.update(way, self.then)
        fired, unknown, no = self.watch()
        fired.sort(key=lambda one: definition.actions[one[0]["action"]]["rank"])
        for rule, fresh, seen in reversed(fired):  # so that the first rank's updates stand
            self.update(rule if fresh else {}, seen)
        for rule, fresh, _ in fired:
            action, told = definition.actions[rule["action"]], list[str]()
            if fresh:  # else it held before, and was told then
                told = rule.get("advice", [])
                kind = action.get("message") or action["name"]
                messages.append(lean(kind=kind, about=rule["guard"], advice=told))
            advice += [name for name in told if name not in advice]
            target = definition.target(action["name"], state)
            if moved_by is None and target != state:
                moved_by, after["state"] = rule["guard"], target
            one = lean(rule=rule["guard"], action=action["name"], delivered=fresh, advice=told)
            rules.append(one)
        latest = {name: newest(self, self.readings, name).json() for name, _ in self.brought}
        after["latest"] = after["latest"] | latest
        after["last_at"] = stored(latest_of(self.last_at, self.at))
        if definition.events.get(self.kind, {}).get("timer"):
            after["fired"] = after["fired"] | {self.event["id"].split(":")[1]: stored(self.at)}
        after["timers"] = waiting(self)
        return lean(verdict=verdict, transition=way.get("name"), late=self.late,
                    weighed=self.needs, another_open=self.body["decision"].get("another_open"),
                    attempts=self.attempts, fired=rules, signed=self.signed, unknown=unknown, no=no,
                    moved_by=moved_by, advice=advice, messages=messages)  # fmt: skip

    def update(self, part: Json, seen: Seen) -> None:
        """New values of variables, as a part of the definition states them: all, then set."""
        declared, updates = self.definition.variables, part.get("updates", {}).items()
        new = [(name, seen.weigh(tree), declared[name].get("unit")) for name, tree in updates]
        self.variables |= {name: in_unit(value, unit) for name, value, unit in new}

    def watch(self) -> tuple[list[tuple[Json, bool, Seen]], list[str], list[str]]:
        """Weigh every rule in scope: those that fired, the unknown ones, those at no. Of one that
        fired, whether that is fresh (it did not hold before, or looks at what was told), and when.
        """
        told = {name for name, _ in self.brought} | self.data.keys()
        fired, unknown, no = list[tuple[Json, bool, Seen]](), list[str](), list[str]()
        firing, weighed = dict[str, int](), set[str]()
        rules = self.definition.rules[self.after["state"]]
        for rule in rules:
            guard, at_event = rule["guard"], "events" in rule
            if at_event and self.kind not in rule["events"]:
                continue
            self.weighed += 1
            weighed.add(guard)
            condition = self.definition.guards[guard]["condition"]
            brought = not told.isdisjoint(self.definition.asks[guard])
            seen = self.then if at_event else self.now
            now = answer = seen.weigh(condition)
            if now is not True and brought and self.then.weigh(condition) is True:
                answer, seen = True, self.then  # it held at the event's own time, and not since
            if answer is True:
                fresh = guard not in self.row["firing"] or at_event or brought
                fired.append((rule, fresh, seen))
            elif answer is False:
                no.append(guard)
            if now is None:
                unknown.append(guard)
            elif now is True and not at_event:  # since which record it has held
                firing[guard] = self.row["firing"].get(guard, self.seq + 1)
        others = {rule["guard"] for rule in rules} - weighed  # whose questions stay open
        still = others.intersection(self.row["questions"])
        self.after |= {"firing": firing, "questions": {*still, *unknown}}
        return fired, sorted(unknown), no


def same(place: str, recorded: Json, again: Json) -> None:
    """Stop at the first member where what was recorded is not what follows. Findings are words."""
    if recorded is again:
        return
    if isinstance(recorded, dict) and isinstance(again, dict):
        for name in sorted((recorded.keys() | again.keys()) - {"findings"}):
            same(f"{place}.{name}", recorded.get(name), again.get(name))
    elif isinstance(recorded, list) and isinstance(again, list) and len(recorded) == len(again):
        for one, other in zip(recorded, again, strict=True):
            same(place, one, other)
    elif recorded != again or type(recorded) is not type(again):
        old, new = (json.dumps(one, ensure_ascii=False)[:120] for one in (recorded, again))
        raise Wrong(f"decision: {place}: recorded {old}, weighed again {new}")


# === The tools: each is a thing of its own, to be looked up where the argument names it ===========


# --- A. What an event brings: data, readings, corrections, timers, signatures -------------------


def require_sender(course: Course, declared: Json) -> None:
    """A timer's event is what a waiting timer sends; all others come from a role that may."""
    if not declared.get("timer"):
        allowed = course.event["actor"]["role"] in declared["roles"]
        require(allowed, "decision", "its sender's role may not send it")
        return
    _, name, seq = course.event["id"].split(":")
    sends = course.definition.timers[name]["event"] == course.kind
    waits = course.row["timers"].get(name) == [stored(course.at), int(seq)]
    require(sends and waits, "decision", "no timer was waiting to send it then")


def sent(course: Course, declared: Json) -> tuple[dict[str, Value], list[tuple[str, Reading]]]:
    """The data of an event, and the readings among them, in the definition's units."""
    field, data, brought = course.definition.field, dict[str, Value](), list[tuple[str, Reading]]()
    fields = {one["name"]: one for one in declared.get("fields", [])}
    for name, raw in course.event.get("data", {}).items():
        require(name in fields, "decision", "data that the definition has not")
        one = field(fields[name])
        if one["kind"] == "list":
            members = [field(member) for member in one["members"] if member["kind"] != "text"]
            data[name] = [{m["name"]: taken(m, item.get(m["name"]), None).usable() for m in members}
                          for item in raw]  # fmt: skip
        elif one["kind"] != "text":
            reading = taken(one, raw, course.at)
            data[name] = reading.usable()
            if one["input"]:
                on = civil_date(course.body["civil"], reading.at)
                brought.append((one["input"], reading._replace(on=on, seq=course.seq + 1)))
    return data, brought


def corrected(course: Course, said: Json) -> tuple[str, Reading]:
    """What a correction puts in the place of a wrong reading."""
    name, held = said["input"], course.readings.get(said["input"], [])
    found = [one for one in held if said["record"] in (one.seq, one.origin())]
    require(found, "decision", "it corrects a reading that was not recorded")
    wrong = found[0]
    if said.get("entered_in_error") or course.kind == "course.entered_in_error":
        one = wrong._replace(value=None, flaw=IN_ERROR)
    else:
        one = taken(course.definition.field({"name": name, "input": name}), said["value"], None)
        at = one.at or wrong.at
        on = civil_date(course.body["civil"], at)
        one = one._replace(at=at, on=on, over=one.over or wrong.over)
    return name, one._replace(seq=course.seq + 1, corrects=wrong.origin())


def with_brought(course: Course) -> tuple[dict[str, list[Reading]], set[str]]:
    """All readings, those that the event brings among them; and the inputs of which it changes what
    lay before the newest.
    """
    readings, revised = dict(course.readings), set[str]()
    for name, one in course.brought:
        last, held = newest(course, course.readings, name), readings.get(name, [])
        if one.corrects or (last.seq and one.place() < last.place()):
            revised.add(name)
        held = [other for other in held if other.origin() != one.corrects]
        readings[name] = sorted([*held, one], key=Reading.place)
    return readings, revised


def newest(course: Course, readings: dict[str, list[Reading]], name: str) -> Reading:
    """The latest reading; one entered in error only while there is no other (semantics 2)."""
    found = readings.get(name, [])
    right = [one for one in found if one.flaw != course.definition.in_error]
    return (right or found or [NOTHING])[-1]


def attested(definition: Definition, said: Json) -> dict[str, Value]:
    """The variables of a course that began elsewhere: what nobody attests is unknown."""
    return {name: taken(definition.field(one), said.get(name), None).usable()
            for name, one in definition.variables.items()}  # fmt: skip


def waiting(course: Course) -> Json:
    """The timers that wait: those of the state whose instant is known and has not come yet. They
    see all readings and no event, and keep a wall-clock time as it was found first.
    """
    course.data, course.revised, timers = {}, set(), dict[str, Json]()
    seen = Seen(course, course.at)
    seen.cut, seen.held = END_OF_TIME, course.row["civil"]
    seen.last = seen.last if course.seq else None
    for name, timer in course.definition.timers.items():
        if course.definition.covers(timer["places"], course.after["state"]):
            due, armed = stored(seen.weigh(timer["due"])), course.row["timers"].get(name)
            if due is not None and course.after["fired"].get(name) != due:
                timers[name] = armed if armed and armed[0] == due else [due, course.seq + 1]
    return timers


def note_signature(course: Course, said: Json) -> None:
    """A signature is of a record, by its hash, or of the whole of an event that will come."""
    if "event" in said:
        course.signatures.setdefault(said["event"]["id"], []).append(course.body)
    else:
        hashed = course.hashes[said["record"] - 1 : said["record"]]
        require(hashed == [said["hash"]], "signature", "it is of a record of another hash")


def lacks_signatures(course: Course, asked: Json) -> str | None:
    """Why a request that must be signed beforehand is not granted, if it is not."""
    event = course.event
    given, name = course.signatures.get(event["id"], []), event["actor"]["id"]
    if asked is None:
        return None
    if not given or event["id"] not in course.row["signed"]:
        return "unsigned"
    if unsealed(given[0]["event"]["data"]["event"]) != unsealed(event):
        return "altered"
    for one in given:
        age = course.recorded_at - instant(one["recorded_at"])
        if "within" not in asked or age <= constant(asked["within"]):
            course.signed.append(one["seq"])
    signers = {one["event"]["actor"]["id"] for one in given if one["seq"] in course.signed}
    enough = name in signers and (len(signers) > 1 or not asked.get("second"))
    return None if enough else "unsigned"


def unsealed(event: Json) -> Json:
    """What a signature covers of an event: all but free texts, and when it was expected."""
    if isinstance(event, list):
        return [unsealed(one) for one in event]
    if not isinstance(event, dict):
        return event
    if event.keys() == {"sha256"}:
        return None
    return {name: unsealed(part) for name, part in event.items() if name != "expected_revision"}


# --- B. JSON ------------------------------------------------------------------------------------


def parse(text: str | bytes) -> Json:
    """JSON in which nothing can be read in two ways: no member twice, no floats."""

    def members(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
        if len(dict(pairs)) != len(pairs):
            raise ValueError("a member is given twice")
        return dict(pairs)

    return json.loads(text, object_pairs_hook=members, parse_float=int, parse_constant=int)


def patched(row: Json, changes: Json) -> Json:
    """What a course remembers after what a record says it changed; what is null goes away."""
    after = {**row, **changes}
    for name, change in changes.items():
        if isinstance(change, dict):
            merged = row[name] | change
            after[name] = {key: value for key, value in merged.items() if value is not None}
    return after


def lean(**members: Json) -> Json:
    """Without what is absent, empty or false, as records are written."""
    return {name: value for name, value in members.items() if value}


# --- C. Definitions, and how their conditions are weighed ---------------------------------------


class Definition:
    """One protocol, as its digest says."""

    def __init__(self, semantic: Json) -> None:
        def named(section: str) -> dict[str, Json]:
            return {one["name"]: one for one in semantic.get(section, [])}

        self.raw, self.semantics = semantic, semantic["semantics"]
        self.in_error = IN_ERROR if self.semantics >= 2 else ""  # a flaw of what never was
        self.name = f"{semantic['name']}@{semantic['version']}"
        self.states, self.events, self.actions = map(named, ("states", "events", "actions"))
        self.inputs, self.variables, self.guards = map(named, ("inputs", "variables", "guards"))
        self.timers = named("timers")
        self.rules = {state: [rule for rule in semantic.get("rules", [])
                              if self.covers(rule.get("places", ["*"]), state)]
                      for state in self.states}  # in scope of it  # fmt: skip
        self.asks = {name: asked(guard["condition"]) for name, guard in self.guards.items()}
        stated = named("parameters").items()
        self.parameters: dict[str, Value] = {name: constant(one["value"]) for name, one in stated}
        self.initial = {name: in_unit(constant(one.get("initial")), one.get("unit"))
                        for name, one in self.variables.items()}  # fmt: skip
        self.per_round = {name: initial for name, initial in self.initial.items()
                          if self.variables[name].get("per_round")}  # fmt: skip

    def covers(self, places: list[str], state: str) -> bool:
        """Whether a list of states, stages or * (everywhere) covers a state."""
        return not {state, self.states[state]["stage"], "*"}.isdisjoint(places)

    def ways(self, event: str, state: str) -> list[Json]:
        """The transitions of an event from a state, in the order in which they are tried."""
        found = [one for one in self.raw.get("transitions", [])
                 if one["event"] == event and self.covers(one["sources"], state)]  # fmt: skip
        return sorted(found, key=lambda t: (t.get("deviation", False), -t.get("priority", 0)))

    def target(self, action: str, state: str) -> str:
        """Where an action moves a course: the state's own target, else its stage's, else *'s."""
        targets = self.actions[action].get("targets", {})
        places = (state, self.states[state]["stage"], "*")
        return str(next((targets[place] for place in places if place in targets), state))

    def field(self, one: Json) -> Json:
        """A field; one that brings a reading is what its input says, within the bounds of both."""
        of = self.inputs.get(one.get("input"), {})
        found = {**one, **of, "input": of.get("name"), "name": one["name"]}
        for op, side in ((">=", "low"), ("<=", "high")):
            stated = [x[side] for x in (one, of) if side in x]
            found[op] = [Quantity(Decimal(number), found.get("unit")) for number in stated]
        return found


ANSWER = {"yes": True, "no": False, "unknown": None}
WORD = {True: "yes", False: "no", None: "unknown"}
ASKING = {"input", "taken_at", "taken_on", "field", "sum_of", "revised", "sustained", "total",
          "count_of", "sum"}  # fmt: skip


def asked(tree: Json) -> set[str]:
    """The inputs and fields that are named in a condition."""
    if not isinstance(tree, dict | list):
        return set()
    parts = list(tree.items() if isinstance(tree, dict) else enumerate(tree))
    found = {part for name, part in parts if name in ASKING and isinstance(part, str)}
    return found.union(*(asked(part) for _, part in parts))


class Seen:
    """What one weighing sees at an instant: of the readings, those that were taken until `cut`."""

    def __init__(self, of: Course, now: datetime | None) -> None:
        self.of, self.now, self.cut = of, now, now or END_OF_TIME
        self.last: Value = latest_of(of.last_at, now)
        self.held: dict[str, str] = {}  # wall-clock times that timers keep

    def weigh(self, tree: Json) -> Value:
        """What a condition comes to; None where that is unknown, or where there is no condition."""
        if tree is None:
            return None
        for form in tree:
            if form in FORMS:
                return FORMS[form](self, tree)
        raise Wrong(f"definition: a condition of a form that is not known here: {tree}")

    def operate(self, tree: Json) -> Value:
        """One value of several; unknown when one is. a - b - c is (a - b) - c."""
        values = [self.weigh(part) for part in tree["of"]]
        known = None not in values
        return functools.reduce(functools.partial(step, tree["op"]), values) if known else None

    def kleene(self, parts: list[Json], *, decides: bool) -> Value:
        """All of (one no decides) or any of (one yes decides); else one unknown stays unknown."""
        unknown = False
        for part in parts:
            answer = self.weigh(part)
            if answer is decides:
                return decides
            unknown = unknown or answer is None
        return None if unknown else not decides

    def choose(self, tree: Json) -> Value:
        answer = self.weigh(tree["if"])
        return None if answer is None else self.weigh(tree["then"] if answer else tree["else"])

    def pick(self, tree: Json) -> Value:
        """The part at a position, counted from 1; unknown outside."""
        at, parts = self.weigh(tree["pick"]), tree["from"]
        there = at is not None and at.number in range(1, len(parts) + 1)
        return self.weigh(parts[int(at.number) - 1]) if there else None

    def wall_clock(self, tree: Json) -> Value:
        """The instant of a time on the site's wall. A timer keeps the one that was found first."""
        if (on := self.weigh(tree["on"])) is None:
            return None
        key = f"{on}T{tree['civil_time']}"
        at = instant(self.held.get(key) or self.of.body["civil"][key])
        near = abs(at - instant(f"{key}:00Z")) < timedelta(hours=15)
        require(near, "civil", f"{stored(at)} is not {key}")
        return at

    def day(self, at: Value) -> Value:
        return civil_date(self.of.body["civil"], at)

    # Windows over readings. A bound that is not known makes the answer unknown.

    def readings(self, name: str) -> Iterator[Reading]:
        """The readings of an input, newest first; what was in error never was (semantics 2)."""
        gone, found = self.of.definition.in_error, reversed(self.of.readings.get(name, []))
        return (one for one in found if one.flaw != gone and (one.at is None or one.at <= self.cut))

    def newest(self, name: str) -> Reading:
        """The latest reading; one without a value and a time where there is none."""
        return next(self.readings(name), NOTHING)

    def window(self, name: str, tree: Json, *, flawed: bool = False) -> list[Reading] | None:
        """The readings from the horizon and `since` on, newest first, and those without a time.
        `flawed` ones are left out, unless they are asked for.
        """
        readings, since = list(self.readings(name)), self.weigh(tree.get("since"))
        if not readings:
            return []
        if self.now is None or (since is None and "since" in tree):
            return None
        start = latest_of(self.now - constant(tree["horizon"]), since)
        near = [one for one in readings if one.at is None or one.at >= start]
        return [one for one in near if flawed or one.flaw is None]

    def latest(self, tree: Json) -> Value:
        """The latest reading, up to an instant: unknown when flawed, too old or before `since`."""
        found, end, age = self.newest(tree["input"]), self.now, tree.get("max_age")
        if "since" in tree or "until" in tree:
            end = self.weigh(tree["until"]) if "until" in tree else end
            near = self.window(tree["input"], tree, flawed=True)
            if near is None or end is None:
                return None
            found = next((one for one in near if one.at and one.at <= end), NOTHING)
        if age is None and "since" not in tree:
            age = self.of.definition.inputs[tree["input"]].get("max_age")
        fresh = age is None or (end and found.at and end - found.at <= constant(age))
        return found.usable() if fresh else None

    def sustained(self, tree: Json) -> Value:
        """Whether the run of readings that ends with the newest is long enough: all satisfy the
        comparison; those counted are `apart`, at least `count`, over `span`.
        """
        bound, span = self.weigh(tree["threshold"]), self.weigh(tree["span"])
        count, readings = self.weigh(tree["count"]), self.window(tree["sustained"], tree)
        if None in (bound, span, count, readings):
            return None
        if not readings:
            return ANSWER[tree["zero"]]
        apart, counted = constant(tree.get("apart")) or timedelta(0), list[datetime]()
        for reading in readings:
            if not step(tree["is"], reading.value, bound):
                break
            if reading.at is None:
                return None
            if not counted or counted[-1] - reading.at >= apart:
                counted.append(reading.at)
                if len(counted) >= count.number and counted[0] - reading.at >= span:
                    return True
        return ANSWER[tree["few"]] if counted else False

    def total(self, tree: Json) -> Value:
        """Whether the total over a span that readings cover completely satisfies a comparison."""
        bound, span = self.weigh(tree["threshold"]), self.weigh(tree["span"])
        readings = self.window(tree["total"], tree)
        if None in (bound, span, readings):
            return None
        if not readings:
            return ANSWER[tree["zero"]]
        found = covered(readings, span)
        return ANSWER[tree["few"]] if found is None else step(tree["is"], found, bound)

    def count(self, tree: Json) -> Value:
        """How many readings lie within the last civil days, today included. From semantics 2 on,
        what was taken counts also where its value cannot be used.
        """
        days, today = self.weigh(tree["days"]), self.day(self.now)
        flawed = self.of.definition.semantics >= 2
        readings = self.window(tree["count_of"], tree, flawed=flawed)
        if None in (days, today, readings) or None in (dates := [one.on for one in readings or ()]):
            return None
        first = today - timedelta(days=int(days.number) - 1)
        found = sum(1 for on in dates if on >= first)
        return Quantity(Decimal(found)) if found or tree["zero"] != "unknown" else None

    def sum(self, tree: Json) -> Value:
        """The sum of the readings of a window; unknown when one has no value or no time."""
        readings = self.window(tree["sum"], tree, flawed=True)
        if readings is None or any(one.flaw is not None or one.at is None for one in readings):
            return None
        unknown = not readings and tree["zero"] == "unknown"
        return None if unknown else total([one.value for one in readings])


def known(function: Callable[[Value], Value], value: Value) -> Value:
    """What a function makes of a value; of an unknown one nothing is known."""
    return None if value is None else function(value)


FORMS: dict[str, Callable[[Seen, Json], Value]] = {
    "op": Seen.operate, "if": Seen.choose, "pick": Seen.pick, "civil_time": Seen.wall_clock,
    "all": lambda seen, tree: seen.kleene(tree["all"], decides=False),
    "any": lambda seen, tree: seen.kleene(tree["any"], decides=True),
    "not": lambda seen, tree: known(operator.not_, seen.weigh(tree["not"])),
    "known": lambda seen, tree: seen.weigh(tree["known"]) is not None,
    "one_of": lambda seen, tree: known(tree["one_of"].__contains__, seen.weigh(tree["item"])),
    "input": Seen.latest, "sustained": Seen.sustained, "total": Seen.total,
    "count_of": Seen.count, "sum": Seen.sum,
    "taken_at": lambda seen, tree: seen.newest(tree["taken_at"]).at,
    "taken_on": lambda seen, tree: seen.newest(tree["taken_on"]).on,
    "revised": lambda seen, tree: tree["revised"] in seen.of.revised,
    "open_question": lambda seen, tree: tree["open_question"] in seen.of.after["questions"],
    "variable": lambda seen, tree: seen.of.variables.get(tree["variable"]),
    "field": lambda seen, tree: seen.of.data.get(tree["field"]),
    "sum_of": lambda seen, tree: known(
        lambda items: total([item[tree["member"]] for item in items]),
        seen.of.data.get(tree["sum_of"])),
    "const": lambda _, tree: constant(tree["const"]),
    "parameter": lambda seen, tree: seen.of.definition.parameters[tree["parameter"]],
    "now": lambda seen, _: seen.now, "today": lambda seen, _: seen.day(seen.now),
    "latest_day": lambda seen, _: seen.day(seen.last),
    "round": lambda seen, _: Quantity(Decimal(seen.of.after["round"])),
    "late": lambda seen, _: seen.of.late,
    "retrospective": lambda seen, _: seen.of.after["retrospective"],
}  # fmt: skip
"""The forms of a condition, each under the member that it alone has."""


# --- D. Readings: what was observed, and when ---------------------------------------------------


IN_ERROR, MICROSECOND = "entered-in-error", timedelta(microseconds=1)
END_OF_TIME = datetime.max.replace(tzinfo=UTC)


class Reading(NamedTuple):
    """One value of an input, in the input's unit; `flaw` says why it cannot be used.

    `at` is when it was taken, `on` the civil date of that, `seq` the record that brought it, `over`
    how long an interval reading took, `corrects` the record that first brought what it replaces.
    """

    value: Value
    at: Value
    on: Value = None
    seq: int = 0
    over: Value = None
    flaw: str | None = None
    corrects: int | None = None

    def origin(self) -> int:
        """The record that first brought it, right or wrong."""
        return self.corrects or self.seq

    def usable(self) -> Value:
        return None if self.flaw else self.value

    def place(self) -> tuple[datetime, int]:
        """Readings lie in the order in which they were taken; those without a time come last."""
        return self.at or END_OF_TIME, self.seq

    def json(self) -> list[Json]:
        """As a course remembers it: in order, without what is missing at the end."""
        seconds = self.over and Quantity(Decimal(self.over // MICROSECOND) / 1_000_000)
        found = [*map(stored, (self.value, self.at, self.on, self.seq, seconds)), *self[5:]]
        while found[-1] is None:
            found.pop()
        return found


def taken(field: Json, raw: Json, at: datetime | None) -> Reading:
    """What was sent for a field, as a value in its unit."""
    sent = raw if isinstance(raw, dict) else {"value": raw}
    at, over = instant(sent["at"]) if "at" in sent else at, None
    if sent["value"] is None:
        return Reading(None, at, flaw="not-published")
    if "over" in sent:
        length = in_unit(typed("quantity", sent["over"]["value"], sent["over"]["unit"]), "us")
        over = int(length.number) * MICROSECOND
    value = in_unit(typed(field["kind"], sent["value"], sent.get("unit")), field.get("unit"))
    low, high = (all(step(op, value, bound) for bound in field[op]) for op in (">=", "<="))
    return Reading(value, at, over=over, flaw=None if low and high else "impossible")


def covered(newest_first: list[Reading], span: timedelta) -> Value:
    """The total over the span that ends with the newest; None unless it is covered completely. Of a
    reading that began before the span, its share; one that overlaps another counts not twice.
    """
    found, begin = Decimal(0), newest_first[0].at or END_OF_TIME
    first = begin - span
    for reading in newest_first:
        if reading.at is None or reading.over is None or reading.at < begin:
            return None
        if reading.at > begin:
            continue
        number, began = reading.value.number, reading.at - reading.over
        if began < first:
            part, whole = reading.at - first, reading.over
            share = CONTEXT.divide(Decimal(part // MICROSECOND), Decimal(whole // MICROSECOND))
            number = CONTEXT.multiply(number, share)
        found, begin = CONTEXT.add(found, number), min(begin, began)
        if begin <= first:
            return Quantity(found, newest_first[0].value.unit)
    return None


NOTHING = Reading(None, None, flaw="never taken")


# --- E. Values: exact decimals with units, times ------------------------------------------------


CONTEXT = Context(
    34, ROUND_HALF_EVEN, -6143, 6144, 1, 0, [], [InvalidOperation, DivisionByZero, Overflow]
)
# Each base dimension is a prime number: then a product of units has the product of dimensions.
LENGTH, MASS, TIME, AMOUNT, CHARGE, ENZYME, BIOLOGICAL, MONTH, HEAT = map(
    Fraction, (2, 3, 5, 7, 11, 13, 17, 19, 23)
)
ONE, PRESSURE = Fraction(1), MASS / LENGTH / TIME**2
UNITS = {  # UCUM symbols, with their size in base units and their dimension
    "1": (ONE, ONE), "10*": (Fraction(10), ONE), "10^": (Fraction(10), ONE),
    "%": (Fraction(1, 100), ONE), "g": (ONE, MASS), "m": (ONE, LENGTH), "s": (ONE, TIME),
    "L": (Fraction(1, 1000), LENGTH**3), "l": (Fraction(1, 1000), LENGTH**3),
    "Pa": (Fraction(1000), PRESSURE), "m[Hg]": (Fraction(133_322_000), PRESSURE),
    "mol": (ONE, AMOUNT), "eq": (ONE, CHARGE), "U": (ONE, ENZYME), "[IU]": (ONE, BIOLOGICAL),
    "min": (Fraction(60), TIME), "h": (Fraction(3600), TIME), "d": (Fraction(86_400), TIME),
    "wk": (Fraction(604_800), TIME), "mo": (ONE, MONTH), "a": (Fraction(12), MONTH),
    "K": (ONE, HEAT), "Cel": (ONE, HEAT), "[degF]": (Fraction(5, 9), HEAT),
}  # fmt: skip
OFFSETS = {"Cel": Fraction("273.15"), "[degF]": Fraction("459.67")}  # from absolute zero
PREFIXES = {"f": -15, "p": -12, "n": -9, "u": -6, "m": -3, "c": -2, "d": -1, "k": 3, "M": 6, "G": 9}
TERM = re.compile(  # an operator, a symbol with its power, a remark in braces
    r"([./]?)(?:(10[*^]|1(?![0-9+-])|%|(?:[A-Za-z]|\[[A-Za-z]+\])+)([+-]?[0-9]{1,2})?)?(\{[^}]*\})?"
)


@functools.cache
def scale(unit: str) -> tuple[Fraction, Fraction]:
    """Size and dimension of a UCUM unit."""
    size, dimension, place = ONE, ONE, 0
    while place < len(unit):
        term = TERM.match(unit, place)
        if term is None or term.end() == place:
            raise Wrong(f"unit: {unit!r} cannot be read")
        symbol, place = term[2] or "1", term.end()
        power = int(term[3] or 1) * (-1 if term[1] == "/" else 1)
        prefix = ONE
        if symbol not in UNITS:
            prefix, symbol = Fraction(10) ** PREFIXES[symbol[0]], symbol[1:]
        size *= (prefix * UNITS[symbol][0]) ** power
        dimension *= UNITS[symbol][1] ** power
    return size, dimension


class Quantity(NamedTuple):
    """A number with its unit; a plain number has none."""

    number: Decimal
    unit: str | None = None


class Span(NamedTuple):
    """A civil span: whole months, clamped to the month's end, then days. Never elapsed time."""

    months: int
    days: int


def in_unit(value: Value, unit: str | None) -> Value:
    """A quantity in another unit: exactly, then rounded once. All else as it is."""
    if not isinstance(value, Quantity) or not unit or not value.unit or unit == value.unit:
        return value
    (size, dimension), (target, other) = scale(value.unit), scale(unit)
    require(dimension == other, "unit", f"{value.unit!r} is not {unit!r}")
    absolute = (Fraction(value.number) + OFFSETS.get(value.unit, 0)) * size
    exact = absolute / target - OFFSETS.get(unit, 0)
    return Quantity(CONTEXT.divide(Decimal(exact.numerator), Decimal(exact.denominator)), unit)


def instant(sent: Json) -> Value:
    """An instant, which needs a zone; None for a time that was not published, or not exactly."""
    if not isinstance(sent, str):
        return None
    found = datetime.fromisoformat(sent)
    require(found.tzinfo, "record", f"{sent!r} has no zone")
    return found.astimezone(UTC)


def civil_date(civil: Json, at: Value) -> Value:
    """The date on the site's wall at an instant, as the record has it."""
    if at is None:
        return None
    found = date.fromisoformat(civil[stored(at)])
    near = abs(at - instant(f"{found}T12:00:00Z")) < timedelta(hours=15 + 12)
    require(near, "civil", f"{found} is not the date at {stored(at)}")
    return found


def latest_of(*instants: Value) -> Value:
    """The latest of instants, of which any may be missing."""
    return max(filter(None, instants), default=None)


def typed(kind: str, raw: Json, unit: str | None = None) -> Value:
    """A value of a kind, as it is sent and as definitions state it."""
    if kind in ("quantity", "number"):
        return Quantity(CONTEXT.plus(Decimal(raw)), unit)
    if kind == "date":
        return date.fromisoformat(raw)
    return instant(raw) if kind == "instant" else raw


def constant(written: Json) -> Value:
    """A value that a definition states."""
    if written is None:
        return None
    if "seconds" in written:
        return timedelta(**written)
    if "months" in written or "days" in written:
        return Span(written.get("months", 0), written.get("days", 0))
    ((kind, raw),) = written.items()
    return typed(kind, *raw) if kind == "quantity" else typed(kind, raw)


def stored(value: Value) -> Json:
    """A value as records hold it."""
    if isinstance(value, Quantity):
        text = format(value.number, "f") if value.number else "0"
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(value, datetime):
        return value.isoformat().removesuffix("+00:00") + "Z"
    return value.isoformat() if isinstance(value, date) else value


COMPARE: dict[str, Callable[[Value, Value], Value]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "==": operator.eq, "!=": operator.ne, "min": min, "max": max,
}  # fmt: skip
DECIMAL = {**COMPARE, "+": CONTEXT.add, "-": CONTEXT.subtract, "*": CONTEXT.multiply}


def step(op: str, a: Value, b: Value) -> Value:
    """One operator on two known values; of quantities, the second in the unit of the first."""
    if isinstance(a, Quantity) and isinstance(b, Quantity):
        found = DECIMAL[op](a.number, in_unit(b, a.unit).number)
        return found if isinstance(found, bool) else Quantity(found, a.unit or b.unit)
    if op in COMPARE:
        return COMPARE[op](a, b)
    if op == "*":
        return Span(a[0] * int(b[0]), a[1] * int(b[0])) if isinstance(a, Span) else a * int(b[0])
    if isinstance(b, Span):
        sign = 1 if op == "+" else -1
        year, month = divmod(a.year * 12 + a.month - 1 + sign * b.months, 12)
        day = min(a.day, calendar.monthrange(year, month + 1)[1])
        return date(year, month + 1, day) + timedelta(days=sign * b.days)
    found = a + b if op == "+" else a - b
    return found if isinstance(a, datetime | timedelta) else Quantity(Decimal(found.days))


def total(values: list[Value]) -> Value:
    """The sum of quantities, zero of none; unknown when one of them is."""
    known, nothing = None not in values, Quantity(Decimal(0))
    return functools.reduce(functools.partial(step, "+"), values, nothing) if known else None


# --- F. Proofs: Merkle trees (RFC 9162), signed notes (C2SP), Ed25519 (RFC 8032, 5.1) -----------


def key_of(vkey: str) -> tuple[str, str, bytes]:
    """A verifier key taken apart: its name, its number, and the kind with the 32 bytes."""
    name, number, encoded = (*vkey.strip().split("+", 2), "", "")[:3]
    key = b64decode(encoded)
    require(len(key) == 33 and key[0] in (1, 4), "key", f"{vkey!r} is no NAME+NUMBER+KEY")
    mine = sha256(f"{name}\n".encode() + key)[:4].hex() == number
    require(mine, "key", f"{vkey!r} has not its number: it was mistyped or cut off")
    return name, number, key


def is_signed(text: str, signatures: str, vkey: str) -> bool:
    """Whether one of the lines is the signature of a key, given as `name+number+base64`."""
    name, number, key = key_of(vkey)
    for line in signatures.splitlines():
        signer, _, encoded = line.removeprefix("\u2014 ").rpartition(" ")
        raw = b64decode(encoded)
        given, said = raw[4:], text
        if key[0] == 4:  # of a witness, who says when; else of the log itself
            given, said = raw[12:], f"cosignature/v1\ntime {int.from_bytes(raw[4:12])}\n{text}"
        if (signer, raw[:4].hex()) == (name, number) and signed(key[1:], given, said.encode()):
            return True
    return False


def climbed(path: list[str], index: int, last: int, begin: bytes) -> tuple[bytes, bytes]:
    """The roots that a proof leads to, up from a node (RFC 9162, 2.1.3.2 and 2.1.4.2): of the tree
    up to `index`, and of that up to `last`. One too short or too long leads to none.
    """
    left = right = begin
    for text in path:
        other = bytes.fromhex(text)
        if last == 0 or len(other) != 32:
            return b"", b""
        if index & 1 or index == last:
            left, right = sha256(b"\x01" + other + left), sha256(b"\x01" + other + right)
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        else:
            right = sha256(b"\x01" + right + other)
        index, last = index >> 1, last >> 1
    return (left, right) if last == 0 else (b"", b"")


def continues(old: Checkpoint, new: Checkpoint, path: list[str]) -> bool:
    """Whether the new tree begins with the leaves of the old one."""
    if old.size in (0, new.size):
        return old.root == (new.root if old.size else sha256(b""))
    index, last = old.size - 1, new.size - 1
    while index & 1:
        index, last = index >> 1, last >> 1
    if index == 0:  # a whole tree of its own is its own first node
        path = [old.root.hex(), *path]
    begin = bytes.fromhex(path[0]) if path else b""
    return climbed(path[1:], index, last, begin) == (old.root, new.root)


P = 2**255 - 19  # the names are those of 5.1, and of the program in section 6
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
Point: TypeAlias = tuple[int, int, int, int]


def point_add(a: Point, b: Point) -> Point:
    """The sum of two points in extended coordinates (5.1.4)."""
    (x1, y1, z1, t1), (x2, y2, z2, t2) = a, b
    e, f = (y1 - x1) * (y2 - x2) % P, (y1 + x1) * (y2 + x2) % P
    g, h = 2 * t1 * t2 * D % P, 2 * z1 * z2 % P
    e, f, g, h = f - e, h - g, h + g, f + e
    return e * f % P, g * h % P, f * g % P, e * h % P


def point_mul(number: int, point: Point) -> Point:
    """A point added to itself so often."""
    if number == 0:
        return 0, 1, 1, 0
    twice = point_mul(number // 2, point_add(point, point))
    return point_add(twice, point) if number & 1 else twice


def point_decompress(data: bytes) -> Point:
    """The point of 32 bytes (5.1.3)."""
    sign, y = divmod(int.from_bytes(data, "little"), 2**255)
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if len(data) != 32 or y >= P or (x * x - square) % P or (sign and not x):
        raise ValueError("no point of the curve")
    x = x if x & 1 == sign else P - x
    return x, y, 1, x * y % P


B = point_decompress((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def signed(key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether a signature is that of the key over the message (5.1.7)."""
    try:
        a, r = point_decompress(key), point_decompress(signature[:32])
    except ValueError:
        return False
    s = int.from_bytes(signature[32:], "little")
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    (x1, y1, z1, _), (x2, y2, z2, _) = point_mul(s, B), point_add(r, point_mul(k, a))
    equal = (x1 * z2 - x2 * z1) % P == 0 == (y1 * z2 - y2 * z1) % P
    return len(signature) == 64 and s < L and equal


# --- G. The command -----------------------------------------------------------------------------


def say(*told: str, to: TextIO) -> None:
    """A line each, as it is: no name in a bundle may begin a line, or clear a screen of some."""
    for line in told:
        safe = "".join(one if one.isprintable() else ascii(one)[1:-1] for one in line)
        coding = to.encoding or "ascii"
        print(safe.encode(coding, "backslashreplace").decode(coding), file=to)


def main() -> int:
    """Check a file and say what was found."""
    parser = argparse.ArgumentParser(description="Check a Regimen evidence bundle.")
    parser.add_argument("file", type=Path, metavar="FILE", help="the bundle")
    parser.add_argument("--checkpoint", type=Path, metavar="FILE", help="an earlier one, yours")
    text = "who must have signed the checkpoint, the log itself or a witness; repeatable"
    parser.add_argument("--key", action="append", default=[], metavar="VKEY", help=text)
    asked = parser.parse_args()
    try:  # what is yours comes first: a mistake in it says nothing against the bundle
        held = None if asked.checkpoint is None else asked.checkpoint.read_text("utf-8")
        if held is not None:
            opened(held, [])
        for key in asked.key:
            key_of(key)
    except (*MALFORMED, OSError, Wrong) as wrong:
        say(f"NOT CHECKED: what you gave cannot be used: {wrong}", to=sys.stderr)
        return 2
    try:
        audit = Audit(held, asked.key)
        audit.read(asked.file)
    except (NoBundle, OSError) as wrong:
        say(f"NO BUNDLE: {wrong}", to=sys.stderr)
        return 2
    say(*audit.told, to=sys.stdout)
    print("not recomputed: findings in words, civil times, visits, bookings (the head says it all)")
    wrong_places = [f"WRONG {place}" for place in audit.wrong]
    say(*wrong_places, "NOT WHOLE" if audit.wrong else "WHOLE", to=sys.stdout)
    return 1 if audit.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
