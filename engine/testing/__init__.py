"""Given, when, then: courses of a workflow in virtual time, for those who write or embed one.

    story = Story(WORKFLOW, start="2026-03-02 09:00")
    story.sends("measurement_recorded", deviation="3 um", room_temperature="23 Cel")
    answer = story.sends("release_instrument")
    assert kept_by(answer) == ("room_near_reference",)
    story.advance(days=400).verify()

- A story is one course on a memory store, with a clock that moves only when it is told to: thirteen
  months pass in a second, and every timer comes back at its own time.
- Quantities are written as "10 M[IU]", those over an interval as "75 mL over 8 h". `None` is a
  value that was not published, in a retrospective story.
- Times are those of the site's wall: "09:00" is today, "2026-03-05 09:00" that day, a bare date its
  midnight; a `datetime` with a zone is an instant. What lies in the future is waited for, what lies
  in the past is sent as a late entry.
- What a story sends passes the same door as everything else: unknown members, wrong units and
  missing fields raise InvalidInput.
"""

from __future__ import annotations

from engine.clock import VirtualClock
from engine.testing.answer import (
    advised,
    delivered,
    fired,
    kept_by,
    missing,
    passed,
    said,
    unweighed,
)
from engine.testing.story import Part, Story, step
from engine.testing.wording import When

__all__ = [
    "Part",
    "Story",
    "VirtualClock",
    "When",
    "advised",
    "delivered",
    "fired",
    "kept_by",
    "missing",
    "passed",
    "said",
    "step",
    "unweighed",
]
