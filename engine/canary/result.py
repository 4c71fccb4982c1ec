"""What came of exercising a definition."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from engine.canary.staging import Script
from engine.core.encoding import Json


class Outcome(StrEnum):
    """What came of what was to be exercised. Stored: never rename a value."""

    AS_EXPECTED = "as-expected"
    SWITCHED_OFF = "switched-off"
    """A parameter settles it: with another value, which a site may set, it could act."""
    SILENT = "silent"
    """Courses were told in which it should have acted, and it did not."""
    IMPOSSIBLE = "impossible"
    """It contradicts itself, or is nowhere in scope: it can never act."""
    OUT_OF_REACH = "out-of-reach"
    """No course was found in which it would have to act."""


SOUND = frozenset({Outcome.AS_EXPECTED, Outcome.SWITCHED_OFF})


class What(StrEnum):
    """What is exercised. Stored: never rename a value."""

    RULE = "rule"
    """A rule whose action moves the course."""
    REQUIREMENT = "requirement"
    """A guard that opens transitions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of one rule or requirement: its guard, where, by which event, and why not.

    `script` is the course in which a rule acted.
    """

    what: What
    guard: str
    outcome: Outcome
    action: str | None = None
    state: str | None = None
    event: str | None = None
    tried: int = 0
    why: str | None = None
    script: Script | None = field(default=None, repr=False, compare=False)

    @property
    def sound(self) -> bool:
        return self.outcome in SOUND

    def json(self) -> dict[str, Json]:
        """The result as it is stored and shown."""
        said = {name: getattr(self, name) for name in ("guard", "action", "state", "event", "why")}
        return {
            "what": self.what.value,
            "outcome": self.outcome.value,
            "tried": self.tried,
            **{name: value for name, value in said.items() if value is not None},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Flight:
    """What came of a whole definition."""

    workflow: str
    digest: str
    results: tuple[Result, ...]

    @property
    def sound(self) -> bool:
        """Whether everything acted as expected, or is switched off by a parameter."""
        return all(one.sound for one in self.results)

    def of(self, what: What) -> tuple[Result, ...]:
        return tuple(one for one in self.results if one.what is what)

    def wrong(self) -> tuple[Result, ...]:
        """What did not act, or could not be brought to."""
        return tuple(one for one in self.results if not one.sound)

    def json(self) -> dict[str, Json]:
        """The flight as it is stored and shown."""
        return {
            "workflow": self.workflow,
            "digest": self.digest,
            "sound": self.sound,
            "results": [one.json() for one in self.results],
        }
