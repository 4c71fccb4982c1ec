"""Signatures: given with a proof of who signs, and shown with what they are of.

What a signer proved is said by whoever let them in, never by what was sent: the HTTP service, the
terminal, or a host that embeds the engine. It is kept as a kind, a time and a digest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engine.answer import Answer
from engine.core.encoding import Json, instant_text
from engine.core.event import FORMAT, SIGNED
from engine.core.formality import PRINTED_NAME
from engine.core.record import Record
from engine.core.signatory import Signed, signed
from engine.formalities import as_before
from engine.service import Service


@dataclass(frozen=True, slots=True, kw_only=True)
class Proved:
    """That somebody proved who they are: how, who was authenticated, when, and the digest of it."""

    kind: str
    by: str
    at: datetime
    digest: str | None = None

    def json(self) -> dict[str, Json]:
        told: dict[str, Json] = {"kind": self.kind, "by": self.by, "at": instant_text(self.at)}
        return told if self.digest is None else {**told, "digest": self.digest}


class Signatures:
    """The signatures of one tenant's courses."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def event(
        self, course: str, *, id: str, actor: Mapping[str, Json], what: Mapping[str, Json],  # noqa: A002  # its word
        proved: Proved,
    ) -> dict[str, Any]:  # fmt: skip
        """The event of a signature.

        `what` has the record with its hash, or the event to be sent; the meaning and the printed
        name. Sent again, it is the event of before, however the signer proved it this time.
        """
        body = {
            "format": FORMAT,
            "id": id,
            "course": course,
            "event": SIGNED,
            "at": instant_text(self._service.setting.clock.now()),
            "actor": dict(actor),
            "data": {**what, "proof": proved.json()},
        }
        with self._service.store.transaction(self._service.tenant, write=False) as tx:
            return as_before(tx, body)

    def sign(
        self, course: str, *, id: str, actor: Mapping[str, Json], what: Mapping[str, Json],  # noqa: A002  # its word
        proved: Proved,
    ) -> Answer:  # fmt: skip
        """Sign. A refusal is an answer. Raises as `submit` does."""
        return self._service.submit(
            self.event(course, id=id, actor=actor, what=what, proved=proved)
        )

    def of(self, course: str, records: Iterable[Record]) -> dict[int, Signed]:
        """What is signed of these records of a course, by record."""
        registry = self._service.setting.registry
        with self._service.store.transaction(self._service.tenant, write=False) as tx:
            found = tx.signatures(course)
            return signed(records, found, lambda digest: registry.machine(digest, tx))

    def printed_names(self, course: str, of: Iterable[Signed]) -> dict[int, str]:
        """The printed names of signers by the record of their signature, unless erased."""
        seqs = sorted({one.seq for signed in of for one in signed.given})
        found = {}
        with self._service.store.transaction(self._service.tenant, write=False) as tx:
            for seq in seqs:
                _, text = tx.texts(course, seq).get(PRINTED_NAME, ("", None))
                if text is not None:
                    found[seq] = text
        return found
