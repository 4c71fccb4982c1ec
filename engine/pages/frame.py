"""What stands around every page: where one can go, and who is looking."""

from __future__ import annotations

from dataclasses import dataclass

from engine.permission import Action, Caller, How


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A part of the pages, as the line at the top names it."""

    name: str
    path: str
    here: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """The line at the top of a page, for one caller."""

    places: tuple[Place, ...]
    who: str
    roles: str
    sites: str
    open_to_all: bool
    """The demonstration: whoever sits at the machine is let in, and nobody signed in."""
    watched: bool
    """What this caller reads is written down."""


def frame(caller: Caller, here: str) -> Frame:
    """The frame of a page in the part `here`; only parts that the caller may see are named."""
    return Frame(
        places=tuple(
            Place(name=name, path=path, here=name == here)
            for name, path, action in PARTS
            if caller.may(action)
        ),
        who=caller.id,
        roles=", ".join(sorted(role.value for role in caller.roles)),
        sites="every site" if caller.sites is None else ", ".join(sorted(caller.sites)),
        open_to_all=caller.how is How.LOOPBACK,
        watched=caller.only_looks,
    )


WORKLISTS, COURSES, REVIEW = "Worklists", "Courses", "Review"
WORKFLOWS, AUDIT = "Workflows", "Audit log"
PARTS = (
    (WORKLISTS, "/worklists", Action.READ_VISITS),
    (COURSES, "/courses", Action.READ_COURSES),
    (REVIEW, "/review", Action.READ_RECORDS),
    (WORKFLOWS, "/workflows", Action.READ_WORKFLOWS),
    (AUDIT, "/audit", Action.READ_RECORDS),
)
