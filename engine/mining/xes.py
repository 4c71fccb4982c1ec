"""XES (IEEE 1849-2016): a trace for each course, an event for each step.

`time:timestamp` is when a step was decided, which never goes back within a course and is the order
in which a net is replayed. With `happened` it is when it happened, as asserted, for whoever asks
how long things took: late entries then stand where they belong, and no net is to be held against
the log. What has no such instant is left out then.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TextIO

from engine.mining.happening import Case, Happening, Of
from engine.mining.log import Told
from engine.mining.markup import Markup

NAMESPACE = "http://www.xes-standard.org/"
EXTENSIONS = (
    ("Concept", "concept", "http://www.xes-standard.org/concept.xesext"),
    ("Time", "time", "http://www.xes-standard.org/time.xesext"),
    ("Lifecycle", "lifecycle", "http://www.xes-standard.org/lifecycle.xesext"),
    ("Organizational", "org", "http://www.xes-standard.org/org.xesext"),
)
BEGINNING = "1970-01-01T00:00:00Z"
"""The time of an event that has none: no event here does, and a global must have a value."""


class XesLog:
    """A log on its way out."""

    def __init__(self, out: TextIO, *, name: str, happened: bool = False) -> None:
        self._out = Markup(out)
        self._name = name
        self._happened = happened
        self.courses = 0
        self.events = 0

    def write(self, cases: Iterable[tuple[Case, Iterable[Told]]]) -> None:
        """The whole log."""
        out = self._out
        standard = {"xes.version": "1849.2016", "xes.features": "", "xmlns": NAMESPACE}
        with out.inside("log", **standard):
            for name, prefix, uri in EXTENSIONS:
                out.element("extension", name=name, prefix=prefix, uri=uri)
            with out.inside("global", scope="trace"):
                self._string("concept:name", "")
            with out.inside("global", scope="event"):
                self._string("concept:name", "")
                self._string("lifecycle:transition", "complete")
                self._string("org:resource", "")
                self._date("time:timestamp", BEGINNING)
            out.element("classifier", name="Activity", keys="concept:name")
            keys = "concept:name lifecycle:transition"
            out.element("classifier", name="ActivityLifecycle", keys=keys)
            self._string("concept:name", self._name)
            self._string("lifecycle:model", "standard")
            for case, told in cases:
                self._trace(case, told)

    def _trace(self, case: Case, told: Iterable[Told]) -> None:
        self.courses += 1
        with self._out.inside("trace"):
            self._string("concept:name", case.course)
            self._string("patient", case.patient)
            self._string("site", case.site)
            self._string("workflow", case.workflow.label)
            self._string("definition", case.digest)
            self._string("status", case.status)
            self._boolean("retrospective", value=case.retrospective)
            for one, _ in told:
                if one.of is not Of.ASIDE:
                    self._event(one)

    def _event(self, one: Happening) -> None:
        when = one.at if self._happened else one.recorded_at
        if when is None:
            return
        self.events += 1
        with self._out.inside("event"):
            self._string("concept:name", one.activity)
            self._string("lifecycle:transition", one.lifecycle)
            self._string("org:resource", one.actor)
            self._string("org:role", one.role)
            self._date("time:timestamp", when)
            if one.at is not None:
                self._date("happened_at", one.at)
            self._string("event", one.event)
            self._string("verdict", one.verdict)
            self._string("step", one.of.value)
            if one.before is not None:
                self._string("state_before", one.before)
            self._string("state_after", one.after)
            self._out.element("int", key="round", value=one.round)
            self._out.element("int", key="record", value=one.record)
            if one.late:
                self._boolean("late", value=True)
            if one.overridden:
                self._string("overridden", " ".join(one.overridden))
            if one.rules:
                self._string("rules", " ".join(one.rules))
            for name, value in one.values.items():
                self._string(f"data:{name}", value)

    def _string(self, key: str, value: str) -> None:
        self._out.element("string", key=key, value=value)

    def _date(self, key: str, value: str) -> None:
        self._out.element("date", key=key, value=value)

    def _boolean(self, key: str, *, value: bool) -> None:
        self._out.element("boolean", key=key, value="true" if value else "false")
