"""A clinic's history, and whoever owns its database: every guard and every constraint is gone.

What was there can be put back after each crime. The owner of the database can also write all of it
anew, with everything that follows from it, as well as this engine does.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, ClassVar

from sqlalchemy import Connection, Table, delete, insert, select, text, update

from engine import keys
from engine.audit import Auditor
from engine.core.encoding import canonical, instant_from
from engine.core.heads import CourseHead, map_of
from engine.core.ledger import sealed
from engine.core.merkle import Tree
from engine.core.note import CourseMap, Head, KeyKind, Note, parse
from engine.core.record import GENESIS, hash_of
from engine.feed import Feed
from engine.inspection import Inspection, inspected
from engine.ledger import Ledger
from engine.ports import Copies
from engine.store.checkpoints import SqlCheckpoints
from engine.store.copies import rows_of
from engine.store.feed import SqlFeed
from engine.store.ledger import SqlLedger
from engine.store.sql import SqlStore
from engine.store.tables import (
    bookings,
    checkpoints,
    cosignatures,
    courses,
    feed,
    leaves,
    messages,
    nodes,
    readings,
    records,
    reviews,
    sealing,
    texts,
    timers,
    visits,
)
from engine.store.tree import FLOOR
from tests.service.bench import BAD, GOOD, Bench

NAME = "clinic.example/ledger"
KEY = keys.new_key(NAME, KeyKind.LOG, bytes([1]) * 32)
WITNESS = keys.new_key("witness.example/w1", KeyKind.WITNESS, bytes([2]) * 32)
THIEF = keys.new_key(NAME, KeyKind.LOG, bytes([3]) * 32)

OPENED: tuple[Table, ...] = (records, leaves, nodes, checkpoints, cosignatures)
"""The tables that get their rows as anybody likes them, twice if need be."""
OF_COURSES = (courses, timers, visits, bookings, reviews, readings, messages, texts, feed)
KEPT = (*OPENED, *OF_COURSES, sealing)

WARM = GOOD | {"room_temperature": {"value": "25", "unit": "Cel"}}

Bodies = dict[str, list[dict[str, Any]]]
Order = list[tuple[str, int, bytes]]


_OF_FEED = ("course", "seq", "n", "kind", "recorded_at")


class Clumsy(Exception):
    """Records were forged that do not add up: whoever does that is found without any checkpoint."""


@dataclass
class World:
    """A tenant whose database somebody else owns."""

    opened: ClassVar[Sequence[Table]] = OPENED
    kept: ClassVar[Sequence[Table]] = KEPT

    bench: Bench
    store: SqlStore
    held: Note = field(init=False)
    size: int = field(init=False)
    saved: dict[Table, list[dict[str, Any]]] = field(init=False)
    touched: set[Table] = field(default_factory=set)
    salts: Iterator[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        self._lived()
        with self.store.engine.begin() as connection:
            _opened(connection, self.opened)
        self.saved = {table: self.rows(table) for table in self.kept}

    @property
    def tenant(self) -> str:
        return self.bench.tenant

    @property
    def trusted(self) -> list[keys.SigningKey]:
        return [keys.named(KEY, f"{NAME}/{self.tenant}"), WITNESS]

    def ledger(self, signer: keys.SigningKey = KEY) -> Ledger:
        return Ledger(
            store=SqlLedger(self.store),
            checkpoints=SqlCheckpoints(self.store),
            feed=Feed(store=SqlFeed(self.store), tenant=self.tenant, clock=self.bench.clock),
            clock=self.bench.clock,
            salts=lambda length: hash_of(str(next(self.salts)).encode()).encode()[:length],
            signers=[signer],
        )

    # --- who verifies --------------------------------------------------------------------------

    def faults(self) -> list[str]:
        """What is found of the courses, one by one."""
        auditor = self.auditor()
        looked = [(course, auditor.verify(course)) for course in auditor.courses()]
        return [f"{course}: {fault}" for course, fault in looked if fault is not None]

    def auditor(self) -> Auditor:
        """One who has not looked at anything yet."""
        return replace(self.bench.auditor)

    def inspection(self, *, held: bool) -> Inspection:
        return inspected(
            SqlLedger(self.store),
            SqlCheckpoints(self.store),
            self.tenant,
            [self.held] if held else [],
            [key.verifier for key in self.trusted] if held else [],
        )

    # --- who owns the database -----------------------------------------------------------------

    def rows(self, table: Table) -> list[dict[str, Any]]:
        asked = select(table).where(table.c.tenant == self.tenant)
        with self.store.engine.begin() as connection:
            found = connection.execute(asked.order_by(*table.primary_key)).mappings()
            return [dict(row) for row in found]

    def put(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """These rows and no others."""
        self.touched.add(table)
        with self.store.engine.begin() as connection:
            connection.execute(delete(table).where(table.c.tenant == self.tenant))
            # A row may have been given to another tenant.
            connection.execute(delete(table).where(table.c.tenant == f"{self.tenant}x"))
            if rows:
                connection.execute(insert(table), [dict(row) for row in rows])

    def restore(self) -> None:
        if self.rows(sealing) != self.saved[sealing]:
            self.touched.add(sealing)
        for table in sorted(self.touched, key=lambda one: one.name):
            self.put(table, self.saved[table])
        self.touched.clear()

    def change(self, table: Table, n: int, **values: Any) -> None:
        rows = [dict(row) for row in self.saved[table]]
        rows[n] |= values
        self.put(table, rows)

    def bodies(self) -> Bodies:
        found: Bodies = {}
        for row in self.saved[records]:
            found.setdefault(row["course"], []).append(json.loads(row["body"]))
        return found

    def order(self) -> Order:
        return [(row["course"], row["seq"], row["salt"]) for row in self.saved[leaves]]

    def chained(self, bodies: Bodies, only: str | None = None) -> None:
        """Records chained anew from their first on, and the rows that they add up to."""
        kept = [row for row in self.saved[records] if only is not None and row["course"] != only]
        gone = {row["course"] for row in self.saved[courses]} - bodies.keys()
        for course in gone:
            for table in OF_COURSES:
                self.put(table, [r for r in self.rows(table) if r["course"] != course])
        made: list[dict[str, Any]] = []
        for course, its in bodies.items():
            if only not in (None, course):
                continue
            chain = _chain(self.tenant, course, its)
            made += chain
        self.put(records, kept + made)
        self._copies(sorted({row["course"] for row in made}))

    def rebuilt(self, bodies: Bodies) -> None:
        """Everything anew: chains, rows, leaves, nodes, and checkpoints with another signature."""
        self.chained(bodies)
        hashes = {(row["course"], row["seq"]): row["hash"] for row in self.rows(records)}
        left = {course: list(range(1, len(its) + 1)) for course, its in bodies.items()}
        order = []
        for course, _, _ in self.order():
            if left.get(course):
                order.append((course, left[course].pop(0)))
        order += [(course, seq) for course, seqs in left.items() for seq in seqs]
        salts = [salt for _, _, salt in self.order()] + [bytes(16)] * len(order)
        new_leaves = [
            {
                "tenant": self.tenant, "place": place, "course": course, "seq": seq,
                "salt": salts[place], "hash": sealed(salts[place], hashes[course, seq]),
            }
            for place, (course, seq) in enumerate(order)
        ]  # fmt: skip
        roots = self._planted(new_leaves, told=len(self.rows(feed)))
        self._resigned(roots, new_leaves)

    def sealed_again(self, course: str, last: int, *, twice: bool) -> None:
        """The records of a course up to one are sealed once more, under a checkpoint that says so.

        Whoever signs has signed it; its map has the course once, or `twice`.
        """
        its, newest = self.saved[leaves], self.saved[checkpoints][-1]
        hashes = {(row["course"], row["seq"]): row["hash"] for row in self.saved[records]}
        again = [row for row in its if row["course"] == course and row["seq"] <= last]
        salts = [bytes([n + 1]) * 16 for n in range(len(again))]
        its = its + [
            row | {"place": len(its) + n, "salt": salt, "hash": sealed(salt, hashes[course, n + 1])}
            for n, (row, salt) in enumerate(zip(again, salts, strict=True))
        ]
        size = len(its)
        root = self._planted(its, told=self.saved[sealing][0]["position"])[size]
        heads = heads_at(its, size)
        if twice:
            ending = heads_at([row | {"seq": n + 1} for n, row in enumerate(its[-last:])], last)[0]
            heads = [*heads_at(its, size - last), replace(ending, first=size - last)]
        line = map_of(size, heads).line()
        head = Head(origin=newest["origin"], size=size, root=root, extension=(line,))
        made = newest | self.signed(head, KEY) | {"number": newest["number"] + 1}
        self.put(checkpoints, [*self.saved[checkpoints], made])

    def _planted(self, its: Sequence[Mapping[str, Any]], told: int) -> dict[int, bytes]:
        """These leaves with their nodes and how far that has come; the root of each size."""
        tree, roots, made = Tree(), {0: Tree().root()}, []
        for row in its:
            made += [
                {"tenant": self.tenant, "level": n.level, "place": n.index, "hash": n.hash}
                for n in tree.append(row["hash"])
                if n.level >= FLOOR
            ]
            roots[tree.size] = tree.root()
        self.put(leaves, its)
        self.put(nodes, made)
        with self.store.engine.begin() as connection:
            connection.execute(
                update(sealing)
                .where(sealing.c.tenant == self.tenant)
                .values(size=tree.size, position=told)
            )
        return roots

    def _resigned(self, roots: Mapping[int, bytes], its: Sequence[Mapping[str, Any]]) -> None:
        made = []
        for row in self.saved[checkpoints]:
            new = min(row["size"], len(its))
            line = map_of(new, heads_at(its, new)).line()
            head = Head(origin=row["origin"], size=new, root=roots[new], extension=(line,))
            made.append(row | self.signed(head, THIEF))
        self.put(checkpoints, made)
        self.put(cosignatures, [])

    def signed(self, head: Head, by: keys.SigningKey) -> dict[str, Any]:
        """The columns of a checkpoint that says this, signed by a key."""
        key = keys.named(by, f"{NAME}/{self.tenant}")
        note = Note(text=head.text()).with_signatures(keys.signature(key, head.text()))
        return {
            "size": head.size, "root": head.root, "note": note.encode().decode(),
            "signers": json.dumps([key.verifier.text()]),
        }  # fmt: skip

    def mapped(self, n: int, courses: CourseMap | None, by: keys.SigningKey = KEY) -> Note:
        """A stored checkpoint with another map of courses, signed by whoever signs them."""
        row = self.saved[checkpoints][n]
        line = () if courses is None else (courses.line(),)
        head = Head(origin=row["origin"], size=row["size"], root=row["root"], extension=line)
        columns = self.signed(head, by)
        self.change(checkpoints, n, **columns)
        others = [r for r in self.saved[cosignatures] if r["number"] != row["number"]]
        self.put(cosignatures, others)
        return parse(columns["note"].encode())

    def _copies(self, changed: Sequence[str]) -> None:
        """What is kept beside the records of these courses, and the feed, as this engine does it.

        Raises Clumsy where the records do not add up to anything.
        """
        auditor = self.auditor()
        with self.store.transaction(self.tenant, write=False) as tx:
            found = {course: auditor.derived(tx, course) for course in auditor.courses()}
        made: dict[str, Copies] = {}
        for course, (looked, copies) in found.items():
            if copies is None:
                raise Clumsy(f"{course}: {looked.fault}")
            made[course] = copies
        told = [
            {"tenant": self.tenant, **{name: getattr(one, name) for name in _OF_FEED}}
            for copies in made.values()
            for one in copies.messages
        ]
        self.put(feed, [row | {"position": n} for n, row in enumerate(told, 1)])
        words = {row["sha256"]: row for row in self.saved[texts]}
        for course in changed:
            copies = made[course]
            mine = {"tenant": self.tenant, "course": course}
            brought = rows_of(self.tenant, copies)[readings]
            said = [
                words[digest] | mine | {"seq": seq, "path": path}
                for (seq, path), digest in copies.texts.items()
            ]
            for table, rows in ((readings, brought), (texts, said)):
                others = [row for row in self.rows(table) if row["course"] != course]
                self.put(table, [*others, *rows])
            self.touched |= set(OF_COURSES)
            with self.store.transaction(self.tenant) as tx:
                tx.write_anew(copies, self.bench.clock.now())

    # --- what happened -------------------------------------------------------------------------

    def _lived(self) -> None:
        """Courses with a record of every kind, a checkpoint that is kept, and what came after."""
        bench, say = self.bench, self.bench.service.submit
        ledger = self.ledger()
        ledger.seal()
        typing = {"code": "typing-error", "text": "Read off the wrong line."}
        bench.enrolled("C-1", "C-2", "C-3")
        for course in ("C-1", "C-2", "C-3"):
            bench.clock.advance(minutes=1)
            say(bench.release(course))
            say(bench.measurement(course, BAD if course == "C-2" else GOOD))
            say(bench.measurement(course, GOOD))
            bench.clock.advance(minutes=1)
            ledger.seal()
        wrong = {"record": 3, "input": "deviation"}
        say(bench.body("C-2", "course.corrected", reason=typing,
            data={**wrong, "value": {"value": "4", "unit": "um"}}))  # fmt: skip
        say(bench.body("C-2", "course.corrected", reason=typing,
            data={**wrong, "entered_in_error": True}))  # fmt: skip
        say(bench.release("C-1"))
        warm = {"code": "expansion-corrected", "guards": ["room_near_reference"], "text": "Warm."}
        say(bench.measurement("C-3", WARM))
        say(bench.release("C-3", override=warm))
        say(bench.measurement("C-3", BAD))
        ledger.checkpoint()
        bench.clock.advance(days=400)
        while bench.service.tick():
            pass
        say(bench.release("C-1"))
        say(bench.body("C-2", "instrument_scrapped"))
        say(bench.measurement("C-2", GOOD))
        made = ledger.checkpoint()
        line = keys.signature(WITNESS, made.note.text, 1_700_000_000)
        self.held = made.note.with_signatures(line)
        self.size = made.head.size
        ledger.witnessed(self.held, [WITNESS.verifier])
        bench.clock.advance(minutes=1)
        bench.enrolled("C-4")
        say(bench.measurement("C-4", GOOD))
        ledger.checkpoint()


def heads_at(its: Sequence[Mapping[str, Any]], size: int) -> list[CourseHead]:
    """How far each course had come in the tree of a size, of its leaves as rows."""
    found: dict[str, CourseHead] = {}
    for row in its[:size]:
        before = found.get(row["course"])
        found[row["course"]] = CourseHead(
            first=row["place"] if before is None else before.first,
            records=row["seq"], salt=row["salt"], leaf=row["hash"],
        )  # fmt: skip
    return list(found.values())


def _chain(tenant: str, course: str, bodies: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    made, prev = [], GENESIS
    for seq, body in enumerate(bodies, 1):
        data = canonical({**body, "course": course, "seq": seq, "prev": prev})
        event = body["event"]
        at = event.get("at")
        made.append(
            {
                "tenant": tenant,
                "course": course,
                "seq": seq,
                "event_id": event["id"],
                "event": event["event"],
                "verdict": body["verdict"],
                "at": instant_from(at) if isinstance(at, str) else None,
                "recorded_at": instant_from(body["recorded_at"]),
                "prev_hash": prev,
                "hash": hash_of(data),
                "body": data,
            }
        )
        prev = hash_of(data)
    return made


def _opened(connection: Connection, tables: Sequence[Table]) -> None:
    """Without guards and without constraints: whoever owns the tables can do that."""
    sqlite = connection.dialect.name == "sqlite"
    found = connection.execute(text(_SQLITE if sqlite else _POSTGRESQL)).all()
    for name, table in found:
        connection.execute(text(f"DROP TRIGGER {name}" + ("" if sqlite else f" ON {table}")))
    for table in tables:
        name = table.name
        connection.execute(text(f"ALTER TABLE {name} RENAME TO {name}_before"))
        connection.execute(text(f"CREATE TABLE {name} AS SELECT * FROM {name}_before"))
        connection.execute(text(f"DROP TABLE {name}_before" + ("" if sqlite else " CASCADE")))


_SQLITE = "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger'"
_POSTGRESQL = "SELECT tgname, tgrelid::regclass FROM pg_trigger WHERE NOT tgisinternal"
