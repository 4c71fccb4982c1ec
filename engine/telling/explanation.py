"""A decision joined with the definition that it was made by: titles, citations, what would help.

Data and no sentences: `lexicon` makes it, `wording` says it to people, `--json` prints it as it is.
"""

from __future__ import annotations

from typing import TypedDict


class Cited(TypedDict):
    """On what a statement rests."""

    source: str
    text: str
    provenance: str


class Lack(TypedDict):
    """What could not be used, why, and which events would bring it.

    Of a reading that is there: its value and record, the physical `range` of its input, how old it
    was and how old it may be.
    """

    name: str
    title: str
    why: str
    sent_by: list[str]
    value: str | None
    record: int | None
    range: str | None
    age: str | None
    max_age: str | None


class Comparison(TypedDict):
    """One comparison that mattered, and in `needed` what it would have to be instead.

    `threshold_name` is what the threshold is called in the definition. `decides` is false for what
    nobody can change, such as when a reading was taken, where another comparison decides.
    """

    what: str
    title: str
    op: str
    value: str | None
    threshold: str | None
    threshold_name: str | None
    decides: bool
    verdict: str
    record: int | None
    at: str | None
    needed: str | None


class Unmet(TypedDict):
    """A requirement that was not yes, and who may override it.

    `any_will_do` says that one of the comparisons would be enough.
    """

    guard: str
    title: str
    condition: str
    verdict: str
    any_will_do: bool
    comparisons: list[Comparison]
    missing: list[Lack]
    citation: Cited
    soft: bool
    roles: list[str]
    codes: list[str]
    passed: bool


class Way(TypedDict):
    """A transition that was tried and stayed closed; a `deviation` is where reports end up."""

    transition: str
    target: str | None
    target_title: str | None
    deviation: bool
    kept_by: list[Unmet]


class Advised(TypedDict):
    """A text for a clinician, with its source."""

    name: str
    text: str
    citation: Cited | None


class Told(TypedDict):
    """A rule that holds, and what it asks for."""

    rule: str
    title: str
    action: str
    action_title: str
    moved: bool
    comparisons: list[Comparison]
    advice: list[Advised]
    citation: Cited


class Question(TypedDict):
    """A rule that could not be weighed, and what it waits for."""

    rule: str
    title: str
    action: str
    waits_for: list[Lack]


class Explained(TypedDict):
    """A decision, ready to be read. `possible_in` are the states that foresee a refused event.

    Of a request that came too late, `age` is how far back its time lies, `max_age` how far it may.
    """

    event: str
    title: str
    verdict: str
    reason: str | None
    age: str | None
    max_age: str | None
    late: bool
    another_open: bool
    transition: str | None
    state_before: str | None
    state: str
    moved_by: str | None
    possible_in: list[str]
    ways: list[Way]
    overridden: list[Unmet]
    rules: list[Told]
    advice: list[Advised]
    questions: list[Question]
