"""A world in which every table has rows, and every one of them is open to whoever owns it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from sqlalchemy import insert

from engine.access import Tokens, operator
from engine.access_log import AccessLog
from engine.core.history import Mismatch
from engine.flown import Flown
from engine.store.access import SqlAccess
from engine.store.canaries import SqlCanaries
from engine.store.holdings import mismatches
from engine.store.tables import (
    calendar_feeds,
    cosignatures,
    definitions,
    deliveries,
    endpoints,
    feed,
    guard_reports,
    metadata,
    sites,
)
from tests.service.bench import GOOD
from tests.tampering.world import World


class House(World):
    """A clinic that was lived in: bookings, erasures, tokens, endpoints, canaries."""

    opened = tuple(reversed(metadata.sorted_tables))
    kept = opened

    def found(self) -> Iterator[Mismatch | str]:
        """What is found of everything, without a checkpoint: what costs least comes first."""
        flaw = self.log().verify(self.tenant).flaw
        yield from [] if flaw is None else [str(flaw)]
        yield from mismatches(self.store, self.tenant)
        auditor = self.auditor()
        for course in auditor.courses():
            fault = auditor.verify(course)
            if fault is not None:
                yield fault.mismatch or str(fault)
        yield from map(str, self.inspection(held=False).flaws)

    def log(self) -> AccessLog:
        ids = itertools.count(1)
        return AccessLog(
            SqlAccess(self.store),
            clock=self.bench.clock,
            identity=lambda: f"entry-{next(ids)}",
            tenant=self.tenant,
        )

    def _lived(self) -> None:
        super()._lived()
        bench, say = self.bench, self.bench.service.submit
        self._booked()
        bench.in_service("C-5", "C-6")
        words = {"code": "typing-error", "text": "A word that may go."}
        for _ in range(2):
            say(bench.measurement("C-4", GOOD, reason=words))
        record = self.bench.records("C-4")[-1].seq
        say(bench.body("C-4", "course.erased", role="records", data={"record": record},
                       reason={"code": "gdpr-17-1-b"}))  # fmt: skip
        say(bench.body("C-3", "course.reviewed", role="auditor",
                       data={"record": self._refused("C-3"), "outcome": "accepted"}))  # fmt: skip
        ledger = self.ledger()
        ledger.checkpoint()
        bench.clock.advance(minutes=1)
        self._settled()
        say(bench.measurement("C-4", GOOD))  # which nobody was told of yet

    def _refused(self, course: str) -> int:
        return next(r.seq for r in self.bench.records(course) if r.verdict != "accepted")

    def _booked(self) -> None:
        bench, say = self.bench, self.bench.service.submit
        start = bench.clock.now() + timedelta(days=5)
        for name, event, more in (
            ("b-1", "course.booked", {"visit": "recalibration", "start": start.isoformat()}),
            ("b-2", "course.booked", {"visit": "recalibration", "start": start.isoformat(),
                                      "minutes": 30}),
            ("b-2", "course.cancelled", {}),
        ):  # fmt: skip
            say(bench.body("C-1", event, data={"booking": name, **more}))

    def _settled(self) -> None:
        """Tokens, an endpoint with a delivery, a calendar, a site and a flight."""
        now, by = self.bench.clock.now(), operator(self.tenant)
        random = itertools.count(1)
        tokens = Tokens(
            SqlAccess(self.store), self.log(), clock=self.bench.clock,
            random=lambda length: bytes([next(random)]) * length,
        )  # fmt: skip
        tokens.create(by, name="backend", roles=["service"], actor_roles=["nurse"], sites=["north"])
        gone = tokens.create(by, name="screen", roles=["clinician"]).token
        tokens.revoke(by, gone.id)
        digest = self.rows(definitions)[0]["digest"]
        flight = {"workflow": "instrument_calibration@1", "digest": digest, "sound": True}
        flown = Flown(digest=digest, workflow=flight["workflow"], at=now, sound=True, flight=flight)
        SqlCanaries(self.store).keep(self.tenant, flown)
        told = self.rows(feed)[0]
        here: dict[str, Any] = {"tenant": self.tenant}
        made = here | {"created_at": now}
        with self.store.engine.begin() as connection:
            for table, row in (
                (guard_reports, here | {"at": now, "alarms": 0, "document": "{}"}),
                (sites, here | {"site": "north", "calendar": "{}", "changed_at": now}),
                (calendar_feeds, made | {"id": "cal", "sha256": "0", "scope": "site",
                                         "subject": "north", "created_by": "operator"}),
                (endpoints, made | {"id": "hook", "url": "https://clinic.example", "kinds": "[]",
                                    "secrets": "[]", "position": told["position"]}),
                (deliveries, here | {"endpoint": "hook", "position": told["position"],
                                     "course": told["course"], "attempts": 1, "next_at": now}),
            ):  # fmt: skip
                connection.execute(insert(table), row)
        assert self.rows(cosignatures)
