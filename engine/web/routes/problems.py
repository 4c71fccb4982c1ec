"""The catalogue of problems: each `type` can be looked up where it points to."""

from __future__ import annotations

from fastapi import APIRouter

from engine.web.canonical import CanonicalResponse
from engine.web.problems import CATALOGUE, PLACE, Problem
from engine.web.responses import problems

router = APIRouter(tags=["problems"])


@router.get("/problems")
def catalogue() -> CanonicalResponse:
    """Every type of problem, what it means and what to do."""
    return CanonicalResponse({"problems": [_line(name) for name in CATALOGUE]})


@router.get("/problems/{name}", responses=problems((404,)))
def problem(name: str) -> CanonicalResponse:
    """One type of problem."""
    if name not in CATALOGUE:
        raise Problem("not-found")
    return CanonicalResponse(_line(name))


def _line(name: str) -> dict[str, object]:
    kind = CATALOGUE[name]
    return {
        "type": PLACE + name,
        "status": kind.status,
        "title": kind.title,
        "meaning": kind.meaning,
    }
