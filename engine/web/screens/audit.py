"""The state of the whole log as a page: course by course, verified while the page is made."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from engine.core.note import checked as checked_note
from engine.core.wire import IDENTIFIER
from engine.errors import UnknownWorkflow
from engine.keys import verify
from engine.pages.audit import LedgerState, checked, ledger_state
from engine.pages.frame import AUDIT
from engine.ports import Search
from engine.web.callers import Desk
from engine.web.screens.records import auditor
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
    looking = auditor(desk)
    lines = []
    for line in found:
        fault = looking.verify(line.course)
        differences = None
        if weigh and fault is None:
            try:
                differences = looking.decide_again(line.course)
            except UnknownWorkflow:
                differences = None
        lines.append(checked(line, fault, differences))
    return screen(
        desk,
        AUDIT,
        "audit.html",
        lines=lines,
        wrong=[one for one in lines if not one.sound],
        ledger=_ledger(desk),
        weigh=weigh,
        begun=bool(after),
        next=found[-1].course if len(found) == PAGE else None,
    )


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
