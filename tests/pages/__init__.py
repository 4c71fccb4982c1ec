"""Courses to look at: those that the workflows ship, applied to a store in memory."""

from __future__ import annotations

from functools import cache

from engine.core.encoding import parse
from engine.packages import courses_of
from engine.service import Service
from engine.telling.entry import Entry, entries
from engine.testing import Story
from workflows import intralesional_il2


@cache
def served(course: str) -> Service:
    """A service that has one of the shipped courses."""
    service = Story(intralesional_il2.WORKFLOW).service
    (file,) = [one for one in courses_of(["workflows"]) if one.name == f"{course}.jsonl"]
    service.submit_many([parse(line) for line in file.read_text("utf-8").splitlines()])
    return service


def shipped(course: str) -> list[Entry]:
    """The records of a shipped course."""
    return entries(served(course).records(course))
