"""Which problems each sort of route answers with, for the OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from engine.web.problems import CATALOGUE, MEDIA_TYPE
from engine.web.schemas import ProblemDocument

_ALWAYS = (400, 401, 403, 422, 429, 500, 503)
_SORTS: dict[str, tuple[int, ...]] = {
    "read": (),
    "one": (404,),
    "put": (404, 408, 412, 413, 415),
    "write": (408, 409, 413, 415),
    "write_one": (404, 408, 413, 415),
    "event": (404, 408, 409, 412, 413, 415, 428),
}


def problems(statuses: Iterable[int]) -> dict[int | str, dict[str, Any]]:
    """The responses of these statuses, each with the types of problem that it may have."""
    return {
        status: {
            "model": ProblemDocument,
            "description": "; ".join(
                f"`{name}`: {kind.title.lower()}"
                for name, kind in CATALOGUE.items()
                if kind.status == status
            ),
            "content": {MEDIA_TYPE: {}},
        }
        for status in sorted(statuses)
    }


PROBLEMS = {sort: problems({*_ALWAYS, *own}) for sort, own in _SORTS.items()}
"""By sort of route: `read` a list, `one` thing, `put` one in its place, `write` something new, send
an `event`."""
