"""What a call may raise, by what the caller can do about it.

    ClientError
    |-- Unreachable        nothing was answered in time: what became of it is not known
    |-- UnexpectedAnswer   something answered that is not this service, or not this version of it
    `-- Problem            the service's own answer, by its name in the catalogue
        |-- Refused        a request was refused, and that is a record: GuardFailed, OnHold, ...
        |-- Invalid        a member is not as it should be: `errors` names each
        `-- ...            one for each other name of the catalogue

No text or representation of these repeats a reading, a finding or a token; `members` has them all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from engine.client.documents import Missing
from engine.client.reading import listed


@dataclass(frozen=True, slots=True)
class FieldError:
    """A member that was not as expected; `found` is a short word where it may be told."""

    field: str
    expected: str
    found: str | None = None


class ClientError(Exception):
    """What a call raises on purpose. `key` is that of what was sent, where it had one.

    Whoever sends the same again with this key makes no second record.
    """

    key: str | None = None


class Unreachable(ClientError):
    """No answer in time. What was sent may have been recorded: send it again with its `key`."""


class UnexpectedAnswer(ClientError):
    """An answer that is not of this service: a proxy's page, a redirect, a member that is absent.

    What was sent may have been recorded.
    """

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


class Problem(ClientError):
    """A problem document of the service (RFC 9457).

    `name` is that of the catalogue and `members` is the whole document. One of a name that is not
    known here, from a service that is newer, is of this very class.
    """

    known: ClassVar[dict[str, type[Problem]]] = {}
    """By name; each class below adds itself."""

    def __init_subclass__(cls, *, name: str = "", **more: Any) -> None:  # noqa: ANN401  # passed on
        super().__init_subclass__(**more)
        if name:
            Problem.known[name] = cls

    def __init__(
        self, name: str, members: Mapping[str, Any], *, status: int, wait: float | None = None
    ) -> None:
        self.name = name
        self.members = members
        self.status = status
        self.retry_after = wait
        super().__init__(f"{name}: {self.detail}")

    @property
    def title(self) -> str:
        return str(self.members.get("title", ""))

    @property
    def detail(self) -> str:
        return str(self.members.get("detail", ""))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.status} {self.name}>"


class Refused(Problem):
    """A request was refused. The refusal is record `seq` of the course, and final for its id."""

    @property
    def course(self) -> str:
        return str(self.members.get("course", ""))

    @property
    def seq(self) -> int | None:
        return _whole(self.members, "seq")

    @property
    def attempts(self) -> tuple[Mapping[str, Any], ...]:
        """What was tried, each with the comparisons that kept it."""
        return tuple(self.members.get("attempts") or ())

    @property
    def missing(self) -> tuple[Missing, ...]:
        """What could not be weighed: send it, then ask again."""
        return listed(Missing, self.members.get("missing"))


class GuardFailed(Refused, name="guard-failed"):
    """A requirement is not met."""


class GuardUndecided(Refused, name="guard-undecided"):
    """A requirement cannot be weighed; `missing` names what is missing, stale or impossible."""


class IllegalTransition(Refused, name="illegal-transition"):
    """The course is in a state that takes no such request."""


class OnHold(Refused, name="on-hold"):
    """Treatment is held."""


class TooOld(Refused, name="too-old"):
    """The time of the request lies too far back."""


class OutsideWindow(Refused, name="outside-window"):
    """The day lies outside the visit's window."""


class NoSuchVisit(Refused, name="no-such-visit"):
    """No such visit is due."""


class Unsigned(Refused, name="unsigned"):
    """A signature is lacking; all else would be granted."""


class Altered(Refused, name="altered"):
    """It is not what was signed beforehand."""


class SameSigner(Refused, name="same-signer"):
    """Another person has to sign."""


class NotASigner(Refused, name="not-a-signer"):
    """Nobody asks this person for this signature."""


class LegalHold(Refused, name="legal-hold"):
    """A legal hold is in force: nothing is erased."""


class NoSuchLegalHold(Refused, name="no-such-legal-hold"):
    """There is no legal hold of that name."""


class NoSuchFinding(Refused, name="no-such-finding"):
    """No such finding is open."""


class OverrideNotPermitted(Refused, name="override-not-permitted"):
    """The override passes no guard here."""


class Invalid(Problem, name="invalid"):
    """A member does not have the shape that was expected; `errors` names each."""

    @property
    def errors(self) -> tuple[FieldError, ...]:
        return listed(FieldError, self.members.get("errors"))


class ReasonRequired(Invalid, name="reason-required"):
    """A reason is required; `errors` has its codes."""


class UnknownEvent(Invalid, name="unknown-event"):
    """The course's workflow has no such event."""


class UnknownWorkflow(Invalid, name="unknown-workflow"):
    """No such workflow is known."""


class StaleRevision(Problem, name="stale-revision"):
    """The course has moved on since it was read, from `expected` to `actual`."""

    @property
    def expected(self) -> int | None:
        return _whole(self.members, "expected")

    @property
    def actual(self) -> int | None:
        return _whole(self.members, "actual")


class Conflict(Problem, name="conflict"):
    """The course is not where it was thought."""

    @property
    def retriable(self) -> bool:
        """Whether the same may be sent again."""
        return self.members.get("retriable") is True


class StillRunning(Problem, name="still-running"):
    """The same request is still being answered."""


class IdempotencyConflict(Problem, name="idempotency-conflict"):
    """The key was used for another body; the first record stands."""


class PreconditionRequired(Problem, name="precondition-required"):
    """A request says which revision it was made on."""


class NotFound(Problem, name="not-found"):
    """There is nothing of this name, or nothing that the token may see."""


class Unauthenticated(Problem, name="unauthenticated"):
    """Nobody is known by this token."""


class Reauthenticate(Problem, name="reauthenticate"):
    """Who signs has to prove anew who they are."""


class NotPermitted(Problem, name="not-permitted"):
    """The token may not do this."""


class RoleNotHeld(Problem, name="role-not-held"):
    """The token does not hold the role that the event names."""


class Malformed(Problem, name="malformed"):
    """The body is no JSON object in bounds."""


class UnsupportedMediaType(Problem, name="unsupported-media-type"):
    """The body is not JSON."""


class MethodNotAllowed(Problem, name="method-not-allowed"):
    """Not by this method."""


class StaleCalendar(Problem, name="stale-calendar"):
    """Somebody else set the calendar of a site since it was read."""


class SlowBody(Problem, name="slow-body"):
    """The body came too slowly; nothing was recorded."""


class TooLarge(Problem, name="too-large"):
    """The body is too large."""


class TooManyRequests(Problem, name="too-many-requests"):
    """The token asks too often; `retry_after` says how many seconds to wait."""


class Busy(Problem, name="busy"):
    """As much is under way as the service takes on; nothing was begun."""


class TooSlow(Problem, name="too-slow"):
    """The answer took too long; what was sent may have been recorded."""


class Unavailable(Problem, name="unavailable"):
    """The database cannot be used."""


class Internal(Problem, name="internal"):
    """Something went wrong at the service, and nothing was acknowledged."""


def problem(members: Mapping[str, Any], *, status: int, wait: float | None) -> Problem:
    """The exception that a problem document is."""
    name = str(members.get("type", "")).rpartition("/")[2]
    return Problem.known.get(name, Problem)(name, members, status=status, wait=wait)


def _whole(members: Mapping[str, Any], name: str) -> int | None:
    found = members.get(name)
    return found if isinstance(found, int) else None
