"""Everything that the engine raises on purpose.

    RegimenError
    ├── InvalidInput             something sent does not have the shape that was expected
    │   ├── UnknownEvent         no event of that name in the course's workflow
    │   └── UnknownWorkflow      no workflow of that name, version or digest
    ├── DefinitionError          a workflow is not well formed: every problem, with its place
    ├── NotFound                 no such course
    │   ├── EndpointNotFound     no such endpoint of webhooks, or no such dead letter
    │   └── CalendarNotFound     no such shared calendar, or none of such a site may be shared
    ├── NotPermitted             the actor's role may not send this event
    ├── Conflict                 another writer moved the course, or the expected revision is stale
    ├── CalendarChanged          somebody else set the calendar of a site since it was read
    ├── IdempotencyConflict      an event id was used again for another body
    ├── Divergence               records and what they claim do not agree
    │   ├── LedgerDivergence     the tree over all records and what it claims do not agree
    │   └── StampDivergence      a time stamp is of another text, or of nobody who is trusted
    └── StoreUnavailable         the database cannot be reached, is full or is locked

A refusal is no error: it is a decision, and a record. No message carries a reading, a free text or
a person; courses are named by their pseudonym.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

FEW, MANY = 3, 24
"""How many similar names an error tells, and from how many on it does not tell all."""


A_STAMP = "the time stamp of a trusted authority on this checkpoint"


class RegimenError(Exception):
    """The root of the tree: catch it to catch whatever the engine raises on purpose."""


class InvalidInput(RegimenError):
    """Something sent does not have the shape that was expected; nothing was written.

    `field` is the dotted place in what was sent, `expected` says what would have been accepted.
    """

    def __init__(self, field: str, expected: str, *, found: str | None = None) -> None:
        self.field = field
        self.expected = expected
        self.found = found
        tail = f", found {found}" if found is not None else ""
        super().__init__(f"{field}: expected {expected}{tail}")


class UnknownEvent(InvalidInput):
    """No event of that name exists in the course's workflow."""

    def __init__(self, event: str, known: Iterable[str]) -> None:
        self.event = event
        self.known = tuple(sorted(known))
        # Of very many names the closest are told, since nobody reads the others.
        close = get_close_matches(event, self.known, n=FEW)
        expected = f"one of {', '.join(self.known)}"
        if len(self.known) > MANY:
            near = f", such as {', '.join(close)}" if close else ""
            expected = f"one of the {len(self.known)} events of the workflow{near}"
        super().__init__("event", expected, found=repr(event))


class UnknownWorkflow(InvalidInput):
    """No workflow of that name, version or digest is known here."""

    def __init__(self, workflow: str, known: Iterable[str]) -> None:
        self.workflow = workflow
        listed = ", ".join(sorted(known)) or "none is loaded"
        super().__init__("workflow", f"a known workflow ({listed})", found=repr(workflow))


class DefinitionError(RegimenError):
    """A workflow is not well formed. `problems` holds every one of them, each with its place."""

    def __init__(self, workflow: str, problems: Iterable[str]) -> None:
        self.workflow = workflow
        self.problems = tuple(problems)
        super().__init__(f"{workflow}: " + "; ".join(self.problems))


class NotFound(RegimenError):
    """There is no such course for this tenant."""

    def __init__(self, course: str) -> None:
        self.course = course
        super().__init__(f"course {course!r} does not exist")


class EndpointNotFound(NotFound):
    """There is no such endpoint, or no such message that was given up, for this tenant."""

    def __init__(self, endpoint: str, what: str = "endpoint") -> None:
        self.endpoint = endpoint
        self.what = what
        RegimenError.__init__(self, f"{what} {endpoint!r} does not exist")


class CalendarNotFound(NotFound):
    """There is no such shared calendar, or no such site, for who asks."""

    def __init__(self, name: str, what: str = "calendar") -> None:
        self.name = name
        self.what = what
        RegimenError.__init__(self, f"{what} {name!r} does not exist")


class NotPermitted(RegimenError):
    """The actor's role may not send this event; nothing was written."""

    def __init__(self, event: str, role: str, permitted: Iterable[str]) -> None:
        self.event = event
        self.role = role
        self.permitted = tuple(sorted(permitted))
        allowed = ", ".join(self.permitted)
        super().__init__(f"actor.role: {role!r} may not send {event!r}; permitted: {allowed}")


class Conflict(RegimenError):
    """The course is not where the sender thought: read it again, then decide whether to retry.

    `retriable` says that only a race was lost, so that the same event may simply be sent again.
    `timers` is how many had been due: nobody else moved the course since it was read.
    """

    def __init__(
        self,
        course: str,
        *,
        expected: int | None = None,
        actual: int | None = None,
        why: str = "another writer moved the course",
        retriable: bool = False,
        timers: int = 0,
    ) -> None:
        self.course = course
        self.expected = expected
        self.actual = actual
        self.retriable = retriable
        self.timers = timers
        numbers = "" if expected is None else f" (expected revision {expected}, it is {actual})"
        super().__init__(f"course {course!r}: {why}{numbers}")


class CalendarChanged(RegimenError):
    """Somebody else set the calendar of a site since it was read: read it again, then decide."""

    def __init__(self, site: str, tag: str) -> None:
        self.site = site
        self.tag = tag
        super().__init__(f"site {site!r}: its calendar was set since it was read")


class IdempotencyConflict(RegimenError):
    """An event id was used again for another body; the first record stands."""

    def __init__(self, course: str, event_id: str) -> None:
        self.course = course
        self.event_id = event_id
        super().__init__(f"course {course!r}: event id {event_id!r} was used for another body")


class Divergence(RegimenError):
    """Records and what they claim do not agree. `seq` is the first bad record, where one is."""

    def __init__(self, course: str, seq: int | None, what: str) -> None:
        self.course = course
        self.seq = seq
        self.what = what
        place = "" if seq is None else f", record {seq}"
        super().__init__(f"course {course!r}{place}: {what}")


class LedgerDivergence(Divergence):
    """The tree over all records does not agree with itself. `index` is a leaf at which it shows."""

    def __init__(self, index: int, what: str) -> None:
        self.index = index
        self.what = what
        RegimenError.__init__(self, f"ledger, leaf {index}: {what}: see `regimen verify`")


class StampDivergence(Divergence):
    """A time stamp does not say of a checkpoint what it should; `found` is what is wrong."""

    def __init__(self, found: str) -> None:
        self.found = found
        RegimenError.__init__(self, f"response: expected {A_STAMP}, found {found}")


class StoreUnavailable(RegimenError):
    """The database cannot be reached, is full or stays locked; nothing was acknowledged."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(f"the database cannot be used: {why}")
