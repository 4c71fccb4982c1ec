"""What guards did of late, as a page: from the newest count that a worker made."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from engine.pages.frame import AUDIT
from engine.pages.guards import WIDE, guards
from engine.web.screens.seat import RecordSight, Screen, screen

router = APIRouter(include_in_schema=False, route_class=Screen)


@router.get("/guards")
def rates(
    *,
    desk: RecordSight,
    of: Annotated[str, Query(pattern=r"^(?:sha256:[0-9a-f]{64})?$")] = "",
) -> Response:
    """Each guard of one definition, of late and before, at the sites that the caller sees."""
    report, found = None, None
    if desk.office.guards is not None:
        report = desk.office.guards(desk.caller.tenant).last()
    if report is not None:
        found = guards(
            report,
            {one.digest: one.machine for one in desk.service.workflows()},
            chosen=of,
            sites=desk.caller.sites,
            now=desk.office.now(),
        )
    return screen(desk, AUDIT, "guards.html", found=found, wide=WIDE)
