"""Two definitions side by side, in the words of the protocol sheet.

- What a decision can depend on is told apart from titles and citations.
- Every member that is stored is compared as it is stored, so that nothing can differ in silence;
  the words are for the reader. Where two differ and read alike, their stored forms are shown.
- Declarations are the same by their name: one that was renamed went, and another came.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import zip_longest
from typing import Any

from engine.core.blueprint import WORKFLOW, Part, prose_digest, workflow_digest
from engine.core.definition import Citation, Signature, Workflow
from engine.core.encoding import Json
from engine.core.expression import Expression
from engine.core.names import spoken, titles
from engine.core.phrase import text, value_text
from engine.core.shape import Member
from engine.core.sheet import Threshold, sheet


class How(StrEnum):
    """What became of a declaration. Shown: never rename a value."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    REORDERED = "reordered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """One thing that is said of a declaration, before and after; `None` where it is not said."""

    what: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What became of one declaration, and on which citation it rests.

    The workflow itself, and the order of a section, have the empty name.
    """

    section: str
    name: str
    title: str
    how: How
    cite: str | None = None
    details: tuple[Detail, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A definition, by its label and its digests."""

    label: str
    digest: str
    prose_digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DefinitionDiff:
    """What differs between two definitions. `prose` is titles and citations, nothing else."""

    before: Named
    after: Named
    semantic: tuple[Change, ...]
    prose: tuple[Change, ...]

    def json(self) -> dict[str, Json]:
        return {
            "before": _named_json(self.before),
            "after": _named_json(self.after),
            "semantic": [_change_json(change) for change in self.semantic],
            "prose": [_change_json(change) for change in self.prose],
        }


def compare(before: Workflow, after: Workflow) -> DefinitionDiff:
    """What differs between two definitions, section by section in the order of the vocabulary."""
    semantic: list[Change] = []
    prose: list[Change] = []
    sides = _Side(before), _Side(after)
    for found, half in ((semantic, _SEMANTIC), (prose, _PROSE)):
        top = _details(WORKFLOW, before, after, sides, half, nested=False)
        if top:
            title = after.title
            found.append(
                Change(section="workflow", name="", title=title, how=How.CHANGED, details=top)
            )
        for section, part in WORKFLOW.parts.items():
            found.extend(_section(section, part, sides, half))
    return DefinitionDiff(
        before=_named(before), after=_named(after), semantic=tuple(semantic), prose=tuple(prose)
    )


Half = Callable[[Part], Sequence[Member]]

_WORDS: Mapping[str, str] = {
    "cite": "citation", "due": "due at", "high": "at most", "initial": "initially",
    "loinc": "LOINC code", "low": "at least", "max_age": "good for", "not_before": "not before",
    "not_published": "code for what was not published", "per_round": "of one round only",
    "places": "in", "site": "may be set by a site", "sources": "from", "target": "to",
    "targets": "moves", "updates": "remembers", "arrangers": "may omit visits",
}  # fmt: skip
"""What a member is called, where its key does not say it."""


def _semantic(part: Part) -> Sequence[Member]:
    return part.semantic


def _prose(part: Part) -> Sequence[Member]:
    return part.prose


_SEMANTIC, _PROSE = _semantic, _prose


class _Side:
    """One of the two definitions, with what its names are called and its guards' thresholds."""

    def __init__(self, workflow: Workflow) -> None:
        self.workflow = workflow
        self.titles = titles(workflow)
        self.thresholds = {row.guard: row.thresholds for row in sheet(workflow)}

    def said(self, value: Any) -> str | None:  # noqa: ANN401  # whatever a declaration holds
        """A member as a reader sees it; `None` where nothing is said."""
        if value is None or value in ((), {}, ""):
            return None
        if isinstance(value, Expression):
            return spoken(text(value), self.titles.get)
        if isinstance(value, Citation):
            return f"{value.source}: “{value.text}” ({value.provenance})"
        if isinstance(value, Signature):
            return _signature(value)
        if isinstance(value, Mapping):
            return "; ".join(f"{name} ← {self.said(part)}" for name, part in value.items())
        if isinstance(value, tuple):
            return ", ".join(str(part) for part in value)
        return value_text(value)


def _signature(asked: Signature) -> str:
    said = f"by who sends it, as {asked.meaning}"
    if asked.second:
        who = f" ({' or '.join(asked.roles)})" if asked.roles else ""
        said += f", and by another person{who}, as {asked.second_meaning}"
    return said if asked.within is None else f"{said}, within {value_text(asked.within)}"


def _section(section: str, part: Part, sides: tuple[_Side, _Side], half: Half) -> Iterator[Change]:
    before, after = (_by_name(getattr(side.workflow, section)) for side in sides)
    for name in dict.fromkeys((*before, *after)):
        old, new = before.get(name), after.get(name)
        if half is _PROSE and (old is None or new is None):
            continue  # what came or went is told once, with all that is said of it
        details = _details(part, old, new, sides, half)
        if half is _SEMANTIC and section == "guards":
            details = (*details, *_turned_thresholds(name, sides))
        if half is _SEMANTIC and (old is None or new is None):
            details = (*details, *_details(part, old, new, sides, _PROSE))
        if details or old is None or new is None:
            how = How.ADDED if old is None else How.REMOVED if new is None else How.CHANGED
            yield Change(
                section=section,
                name=name,
                title=_title(sides, old, new),
                how=how,
                cite=sides[0].said(getattr(old if new is None else new, "cite", None)),
                details=details,
            )
    common = [name for name in before if name in after]
    if half is _SEMANTIC and common != [name for name in after if name in before]:
        yield Change(section=section, name="", title="", how=How.REORDERED)


def _details(  # one declaration on both sides
    part: Part,
    old: Any,  # noqa: ANN401  # whatever is declared
    new: Any,  # noqa: ANN401
    sides: tuple[_Side, _Side],
    half: Half,
    *,
    nested: bool = True,
) -> tuple[Detail, ...]:
    found: list[Detail] = []
    for member in half(part):
        if member.name == "name" or (part is WORKFLOW and member.name == "version"):
            continue
        found += _detail(_WORDS.get(member.name, member.name), member, old, new, sides)
    for key, inner in part.parts.items() if nested else ():
        before, after = (_by_name(getattr(side, key, ())) for side in (old, new))
        for name in dict.fromkeys((*before, *after)):
            found += _nested(f"{_ONE[key]} {name}", inner, before.get(name), after.get(name),
                             sides, half)  # fmt: skip
        common = [name for name in before if name in after]
        if half is _SEMANTIC and common != [name for name in after if name in before]:
            found.append(Detail(what=f"order of {key}", before=", ".join(before),
                                after=", ".join(after)))  # fmt: skip
    return tuple(found)


_ONE: Mapping[str, str] = {"fields": "field", "members": "member", "requires": "requires"}


def _nested(  # noqa: PLR0917  # one declaration on both sides
    what: str,
    part: Part,
    old: Any,  # noqa: ANN401
    new: Any,  # noqa: ANN401
    sides: tuple[_Side, _Side],
    half: Half,
) -> Iterator[Detail]:
    if half is _PROSE and (old is None or new is None):
        return
    inner = _details(part, old, new, sides, half)
    if old is None or new is None:
        told = "; ".join(_told(detail, added=old is None) for detail in inner) or "yes"
        yield Detail(what=what, before=None if old is None else told,
                     after=None if new is None else told)  # fmt: skip
        return
    for detail in inner:
        yield Detail(what=f"{what}, {detail.what}", before=detail.before, after=detail.after)


def _told(detail: Detail, *, added: bool) -> str:
    said = detail.after if added else detail.before
    return detail.what if said == "yes" else f"{detail.what}: {said}"


def _detail(  # one member on both sides
    what: str,
    member: Member,
    old: Any,  # noqa: ANN401
    new: Any,  # noqa: ANN401
    sides: tuple[_Side, _Side],
) -> Iterator[Detail]:
    stored = [
        None
        if side is None
        else member.codec.write(getattr(side, member.name), "")
        if getattr(side, member.name) is not None
        else None
        for side in (old, new)
    ]
    if stored[0] == stored[1]:
        return
    values = [None if side is None else getattr(side, member.name) for side in (old, new)]
    if (old is None or new is None) and values[0 if new is None else 1] == member.default:
        return  # what came or went is told without what goes without saying
    told = [side.said(value) for side, value in zip(sides, values, strict=True)]
    if told[0] == told[1]:
        told = [json.dumps(form, ensure_ascii=False) for form in stored]
    yield Detail(what=what.replace("_", " "), before=told[0], after=told[1])


def _turned_thresholds(name: str, sides: tuple[_Side, _Side]) -> Iterator[Detail]:
    """The thresholds of a guard that is on both sides which only one of them has, in pairs."""
    before, after = (side.thresholds.get(name) for side in sides)
    if before is None or after is None:
        return
    went = [_threshold(one) for one in before if one not in after]
    came = [_threshold(one) for one in after if one not in before]
    for old, new in zip_longest(went, came):
        yield Detail(what="threshold", before=old, after=new)


def _threshold(one: Threshold) -> str:
    return f"{one} (by {', '.join(one.parameters)})" if one.parameters else str(one)


def _by_name(items: Iterable[Any]) -> dict[str, Any]:
    """Declarations by name: a requirement by its guard, and a rule, with its action if need be."""
    held = tuple(items)
    guards = Counter(getattr(item, "guard", None) for item in held)
    found: dict[str, Any] = {}
    for item in held:
        name = getattr(item, "name", None)
        if name is None:
            name = item.guard
            if guards[item.guard] > 1 and hasattr(item, "action"):
                name = f"{item.guard} ({item.action})"
        while name in found:
            name += " again"
        found[name] = item
    return found


def _title(sides: tuple[_Side, _Side], old: Any, new: Any) -> str:  # noqa: ANN401
    item = old if new is None else new
    guard = getattr(item, "guard", None)
    if guard is None:
        return str(getattr(item, "title", ""))
    guards = (sides[0] if new is None else sides[1]).workflow.guards
    return next((one.title for one in guards if one.name == guard), "")


def _named(workflow: Workflow) -> Named:
    return Named(
        label=workflow.label,
        digest=workflow_digest(workflow),
        prose_digest=prose_digest(workflow),
    )


def _named_json(named: Named) -> dict[str, Json]:
    return {"label": named.label, "digest": named.digest, "prose_digest": named.prose_digest}


def _change_json(change: Change) -> dict[str, Json]:
    return {
        "section": change.section,
        "name": change.name,
        "title": change.title,
        "how": change.how.value,
        "citation": change.cite,
        "details": [{"what": d.what, "before": d.before, "after": d.after} for d in change.details],
    }
