"""The state of the whole log as a page: course by course, verified while the page is made."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from engine.core.note import checked as checked_note
from engine.core.wire import IDENTIFIER
from engine.errors import UnknownWorkflow
from engine.keys import verify
from engine.pages.audit import LastTime, LedgerState, checked, last_time, ledger_state
from engine.pages.frame import AUDIT
from engine.ports import Search
from engine.verification import Verified
from engine.web.callers import Desk
from engine.web.screens.seat import RecordSight, Screen, screen

router = APIRouter(include_in_schema=False, route_class=Screen)

PAGE = 25
"""How many courses are verified for one page."""


@router.get("/audit")
def audit(
    *,
    desk: RecordSight,
    after: Annotated[str, Query(pattern=f"^(?:{IDENTIFIER.pattern})?$")] = "",
    weigh: Literal["", "yes"] = "",
) -> Response:
    """Courses verified now, by name: bytes, hashes, chain, row; decisions too where it is asked."""
    found = desk.service.search(Search(sites=desk.caller.sites), after=after, limit=PAGE)
    looking = desk.auditor
    lines, told = [], Verified()
    for line in found:
        looked = looking.look(line.course)
        fault = looked.fault
        told.add(line.course, looked.records, wrong=fault is not None,
                 seq=None if fault is None else fault.seq)  # fmt: skip
        differences = None
        if weigh and fault is None:
            try:
                differences = looking.decide_again(line.course)
            except UnknownWorkflow:
                differences = None
        lines.append(checked(line, fault, differences))
    everything = not after and len(found) < PAGE and desk.caller.sites is None
    last = _last(desk, told if everything else None)
    return screen(
        desk,
        AUDIT,
        "audit.html",
        last=last,
        lines=lines,
        wrong=[one for one in lines if not one.sound],
        ledger=_ledger(desk),
        every_site=desk.caller.sites is None,
        weigh=weigh,
        begun=bool(after),
        next=found[-1].course if len(found) == PAGE else None,
    )


def _last(desk: Desk, now: Verified | None) -> LastTime | None:
    """The last time that the whole log was verified; `now` is what this page found of all of it.

    It is of every site, and shown to who may see every one.
    """
    if desk.office.verifications is None or desk.caller.sites is not None:
        return None
    known = desk.office.verifications(desk.caller.tenant)
    last = known.last()
    if now is not None and now.courses and desk.office.access is not None:
        known.note(desk.caller, now)
    return None if last is None else last_time(last, desk.office.now())


def _ledger(desk: Desk) -> LedgerState | None:
    """How far the log is sealed. The tree is of the tenant: it is for who sees every site."""
    if desk.office.ledgers is None or desk.caller.sites is not None:
        return None
    ledger = desk.office.ledgers(desk.caller.tenant)
    size, last = ledger.size(), ledger.last()
    if last is None:
        return ledger_state(size, ledger.origin, None)
    return ledger_state(
        size,
        ledger.origin,
        last,
        agrees=last.head.size <= size and ledger.root(last.head.size) == last.head.root,
        holds=len(checked_note(last.note, last.keys, verify).held) == len(last.keys),
    )
