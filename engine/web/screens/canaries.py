"""Canary courses as a page: whether every stop rule of the definitions in use acts when it must."""

from __future__ import annotations

from fastapi import APIRouter, Response

from engine.pages.canaries import SHOWN, canaries
from engine.pages.frame import AUDIT
from engine.web.screens.seat import RecordSight, Screen, screen

router = APIRouter(include_in_schema=False, route_class=Screen)

DEFINITIONS = 20
"""Of how many definitions the page has every flight that it shows, where each flies as often."""


@router.get("/canaries")
def flights(*, desk: RecordSight) -> Response:
    """The newest flight of each definition, and how the ones before it ended."""
    found = None
    if desk.office.canaries is not None:
        kept = desk.office.canaries(desk.caller.tenant)
        found = canaries(
            {one.digest: one.machine for one in desk.service.workflows()},
            [one.digest for one in kept.in_use()],
            kept.last(),
            kept.flights(SHOWN * DEFINITIONS),
            desk.office.now(),
        )
    return screen(desk, AUDIT, "canaries.html", found=found)
