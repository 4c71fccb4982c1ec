"""Workflows as JSON: what they mean apart from how they are called and whence they come.

- *Semantic* is whatever a decision can depend on, and what a clinician is told: its digest is the
  identity of a workflow. Advice carries doses, so its texts belong here.
- *Prose* is titles and citations, by the place that they speak of, with a digest of its own. A
  citation may be made more exact without a new identity.
- What is read back is the workflow that was written, or an error: nothing is dropped or guessed.
- Mappings (updates, targets) have no order in JSON, so none may matter.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from engine.core import definition
from engine.core.definition import SEMANTICS, Kind, Provenance, Waits, Workflow
from engine.core.encoding import Json, digest, require_plain
from engine.core.notation import EXPRESSION
from engine.core.shape import (
    DECIMAL,
    ELAPSED,
    FLAG,
    NUMBER,
    TEXT,
    VALUE,
    Member,
    at,
    choice,
    group,
    items_of,
    members_of,
    named,
    several,
    taken,
    written,
)

FORMAT = 1
"""The version of this spelling, in both halves."""


def semantic_json(workflow: Workflow) -> dict[str, Json]:
    """Everything but titles and citations."""
    made = {"format": FORMAT, **_semantic(WORKFLOW, workflow, "")}
    require_plain(made)  # what is too deep or too long to be read again is not written
    return made


def prose_json(workflow: Workflow) -> dict[str, Json]:
    """Titles and citations, each under the names of what it speaks of."""
    made = {"format": FORMAT, **_prose(WORKFLOW, workflow, "")}
    require_plain(made)
    return made


def workflow_from(semantic: Json, prose: Json) -> Workflow:
    """The workflow that was written in two halves. Raises ValueError naming the place."""
    made: Workflow = _read(WORKFLOW, _opened(semantic, "semantic"), _opened(prose, "prose"), "")
    if not 1 <= made.semantics <= SEMANTICS:
        raise ValueError(f"semantics: this engine reads 1 to {SEMANTICS}, not {made.semantics}")
    # Another spelling of the same would have another digest than the workflow that it gives.
    for half, given, meant in (
        ("semantic", semantic, semantic_json(made)),
        ("prose", prose, prose_json(made)),
    ):
        if given != meant:
            raise ValueError(f"{half}: not in the form in which it is written")
    return made


def workflow_digest(workflow: Workflow) -> str:
    """The identity of a workflow."""
    return digest(semantic_json(workflow))


def prose_digest(workflow: Workflow) -> str:
    """The identity of its titles and citations."""
    return digest(prose_json(workflow))


@dataclass(frozen=True, slots=True)
class Part:
    """How one declaration is stored: members of either half, and lists of further parts."""

    made: type
    semantic: tuple[Member, ...] = ()
    prose: tuple[Member, ...] = ()
    parts: dict[str, Part] = field(default_factory=dict)

    def speaks(self) -> bool:
        """Whether there is prose in it."""
        return bool(self.prose) or any(part.speaks() for part in self.parts.values())


_NAME = Member("name", TEXT)
_TITLE = Member("title", TEXT, "")
_CITATION = group(
    definition.Citation,
    Member("source", TEXT),
    Member("text", TEXT),
    Member("provenance", choice(Provenance), Provenance.PAPER),
)
_CITE = Member("cite", _CITATION, None)
_TEXTS = several(TEXT)
_UPDATES = Member("updates", named(EXPRESSION), {})

_STATE = Part(
    definition.State,
    (
        _NAME,
        Member("stage", TEXT),
        Member("closed", FLAG, default=False),
        Member("waits", choice(Waits), None),
    ),
    (_TITLE,),
)
_INPUT = Part(
    definition.Input,
    (
        _NAME,
        Member("kind", TEXT),
        Member("unit", TEXT, None),
        Member("codes", _TEXTS, ()),
        Member("low", DECIMAL, None),
        Member("high", DECIMAL, None),
        Member("max_age", ELAPSED, None),
        Member("interval", FLAG, default=False),
        Member("loinc", TEXT, None),
    ),
    (_TITLE,),
)
_VARIABLE = Part(
    definition.Variable,
    (
        _NAME,
        Member("kind", TEXT),
        Member("unit", TEXT, None),
        Member("codes", _TEXTS, ()),
        Member("initial", VALUE, None),
        Member("per_round", FLAG, default=False),
    ),
    (_TITLE,),
)
_PARAMETER = Part(
    definition.Parameter,
    (
        _NAME,
        Member("value", VALUE),
        Member("low", VALUE, None),
        Member("high", VALUE, None),
        Member("site", FLAG, default=True),
    ),
    (_TITLE, _CITE),
)
_FIELD = Part(
    definition.Field,
    (
        _NAME,
        Member("kind", TEXT, ""),
        Member("unit", TEXT, None),
        Member("codes", _TEXTS, ()),
        Member("input", TEXT, None),
        Member("required", FLAG, default=False),
        Member("low", DECIMAL, None),
        Member("high", DECIMAL, None),
    ),
    (_TITLE,),
)
_FIELD.parts["members"] = _FIELD  # the items of a list have fields too
_SIGNATURE = group(
    definition.Signature,
    Member("meaning", TEXT),
    Member("second", FLAG, default=False),
    Member("second_meaning", TEXT, "verified"),
    Member("roles", _TEXTS, ()),
    Member("within", ELAPSED, None),
)
_EVENT = Part(
    definition.Event,
    (
        _NAME,
        Member("kind", choice(Kind)),
        Member("roles", _TEXTS),
        _UPDATES,
        Member("max_age", ELAPSED, None),
        Member("timer", FLAG, default=False),
        Member("reason_codes", _TEXTS, ()),
        Member("reason_required", FLAG, default=False),
        Member("signature", _SIGNATURE, None),
    ),
    (_TITLE, _CITE),
    {"fields": _FIELD},
)
_GUARD = Part(
    definition.Guard,
    (_NAME, Member("condition", EXPRESSION)),
    (_TITLE, Member("cite", _CITATION)),
)
_REQUIREMENT = Part(
    definition.Requirement,
    (
        Member("guard", TEXT),
        Member("soft", FLAG, default=False),
        Member("roles", _TEXTS, ()),
        Member("codes", _TEXTS, ()),
    ),
)
_TRANSITION = Part(
    definition.Transition,
    (
        _NAME,
        Member("event", TEXT),
        Member("sources", _TEXTS),
        Member("target", TEXT, None),
        Member("priority", NUMBER, 0),
        _UPDATES,
        Member("messages", _TEXTS, ()),
        Member("advice", _TEXTS, ()),
        Member("deviation", FLAG, default=False),
        Member("opens_round", FLAG, default=False),
        Member("reopens", FLAG, default=False),
    ),
    parts={"requires": _REQUIREMENT},
)
_ACTION = Part(
    definition.Action,
    (
        _NAME,
        Member("rank", NUMBER),
        Member("targets", named(TEXT), {}),
        Member("message", TEXT, None),
    ),
    (_TITLE,),
)
_RULE = Part(
    definition.Rule,
    (
        Member("guard", TEXT),
        Member("action", TEXT),
        Member("places", _TEXTS, ("*",)),
        Member("events", _TEXTS, ()),
        _UPDATES,
        Member("advice", _TEXTS, ()),
    ),
)
_ADVICE = Part(definition.Advice, (_NAME, Member("text", TEXT)), (_CITE,))
_TIMER = Part(
    definition.Timer,
    (_NAME, Member("event", TEXT), Member("due", EXPRESSION), Member("places", _TEXTS)),
)
_VISIT = Part(
    definition.Visit,
    (
        _NAME,
        Member("places", _TEXTS),
        Member("number", EXPRESSION),
        Member("earliest", EXPRESSION),
        Member("target", EXPRESSION),
        Member("latest", EXPRESSION),
        Member("not_before", EXPRESSION, None),
    ),
    (_TITLE,),
)
WORKFLOW = Part(
    Workflow,
    (
        Member("semantics", NUMBER),
        _NAME,
        Member("version", TEXT),
        Member("initial", TEXT),
        Member("roles", _TEXTS, ()),
        Member("not_published", TEXT, None),
        Member("arrangers", _TEXTS, ()),
    ),
    (_TITLE,),
    {
        "states": _STATE,
        "inputs": _INPUT,
        "variables": _VARIABLE,
        "parameters": _PARAMETER,
        "events": _EVENT,
        "guards": _GUARD,
        "transitions": _TRANSITION,
        "actions": _ACTION,
        "rules": _RULE,
        "advice": _ADVICE,
        "timers": _TIMER,
        "visits": _VISIT,
    },
)
"""The whole vocabulary as it is stored: never rename a key."""


def _opened(half: Json, place: str) -> Json:
    found = members_of(half, place).get("format")
    if type(found) is not int or found != FORMAT:
        raise ValueError(f"{place}.format: expected {FORMAT}")
    return {key: value for key, value in half.items() if key != "format"}


def _semantic(part: Part, value: object, place: str) -> dict[str, Json]:
    made = written(part.semantic, value, place)
    for key, inner in part.parts.items():
        items = [_semantic(inner, item, where) for item, where in _items(value, key, place)]
        if items:
            made[key] = items
    return made


def _prose(part: Part, value: object, place: str) -> dict[str, Json]:
    made = written(part.prose, value, place)
    for key, inner in part.parts.items():
        if inner.speaks():
            said = {}
            for item, where in _items(value, key, place):
                if item.name in said:
                    raise ValueError(f"{where}: given twice")
                said[item.name] = _prose(inner, item, where)
            if said := {name: words for name, words in said.items() if words}:
                made[key] = said
    return made


def _items(value: object, key: str, place: str) -> Iterator[tuple[Any, str]]:
    for n, item in enumerate(getattr(value, key)):
        yield item, at(place, f"{key}.{getattr(item, 'name', n)}")


def _read(part: Part, semantic: Json, prose: Json, place: str) -> Any:  # noqa: ANN401  # the part says what
    spoken = {key for key, inner in part.parts.items() if inner.speaks()}
    made = {
        **taken(part.semantic, _without(part.parts.keys(), semantic, place), place),
        **taken(part.prose, _without(spoken, prose, place), place),
    }
    for key, inner in part.parts.items():
        where = at(place, key)
        said = dict(members_of(prose.get(key, {}), where)) if key in spoken else {}
        items = []
        for n, item in enumerate(items_of(semantic.get(key, []), where)):
            name = members_of(item, f"{where}[{n}]").get("name")
            name = name if isinstance(name, str) else str(n)
            items.append(_read(inner, item, said.pop(name, {}), at(where, name)))
        if said:
            raise ValueError(f"{at(where, next(iter(said)))}: prose about what does not exist")
        made[key] = tuple(items)
    return part.made(**made)


def _without(keys: Collection[str], data: Json, place: str) -> dict[str, Json]:
    return {key: value for key, value in members_of(data, place).items() if key not in keys}
