"""The protocol sheet: the table that a clinician reads, and signs.

It is generated from the definition and from nothing else: one row per guard, one per parameter.
What a row says of a threshold is taken from the tree that the engine weighs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from engine.core import expression as tree
from engine.core.definition import Citation, Guard, Parameter, Requirement, Workflow
from engine.core.guard import compile_guard
from engine.core.kind import constant
from engine.core.names import schema_of, spoken, titles
from engine.core.phrase import text, value_text
from engine.core.view import NOTHING
from engine.core.weighing import Code


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """What a value is compared with: `platelets`, `<`, `30`, `10*3/uL`.

    `parameters` are those that a site may set it by; a threshold that only a course knows is told
    by its name.
    """

    what: str
    op: str
    value: str
    unit: str | None = None
    parameters: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " ".join(part for part in (self.what, self.op, self.value, self.unit) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A transition that requires a guard, and who may override it there with which codes."""

    transition: str
    roles: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetRow:
    """One guard: what it asks, what follows, on what it rests, and who may pass it."""

    guard: str
    title: str
    what: str
    thresholds: tuple[Threshold, ...]
    actions: tuple[str, ...]
    uses: tuple[Use, ...]
    source: str
    citation: str
    provenance: str
    advice: tuple[str, ...]

    @property
    def threshold(self) -> str:
        """Every threshold with what it is compared to, its unit told apart."""
        return "; ".join(f"{t.what} {t.op} {t.value}" for t in self.thresholds)

    @property
    def unit(self) -> str:
        """The units of the thresholds, each once."""
        return ", ".join(dict.fromkeys(t.unit for t in self.thresholds if t.unit))

    @property
    def action(self) -> str:
        """What the rule asks for, the transitions that require the guard, or both."""
        required = ", ".join(use.transition for use in self.uses)
        return "; ".join([*self.actions, *([f"requirement of {required}"] if required else [])])

    @property
    def overridable(self) -> str:
        """By whom and with which codes, transition by transition where they differ."""
        told = {use.transition: _override(use) for use in self.uses}
        if len(set(told.values())) > 1:
            return "; ".join(f"{name}: {said}" for name, said in told.items())
        return next(iter(told.values()), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterRow:
    """One parameter: its value, how far a site may move it, and the guards that read it."""

    parameter: str
    title: str
    value: str
    unit: str
    range: str
    site: bool
    guards: tuple[str, ...]
    source: str
    citation: str
    provenance: str


def sheet(workflow: Workflow) -> tuple[SheetRow, ...]:
    """One row per guard, in the order of the definition."""
    return tuple(_row(guard, workflow) for guard in workflow.guards)


def parameter_sheet(workflow: Workflow) -> tuple[ParameterRow, ...]:
    """One row per parameter, in the order of the definition."""
    reading = {
        guard.name: {n.parameter for n in tree.walk(guard.condition) if isinstance(n, tree.Setting)}
        for guard in workflow.guards
    }
    return tuple(_parameter_row(parameter, reading) for parameter in workflow.parameters)


def sheet_markdown(workflow: Workflow) -> str:
    """Both tables as Markdown, with a place to sign."""
    called = titles(workflow) | {guard.name: guard.title for guard in workflow.guards}
    guards = [
        (f"{r.title} (`{r.guard}`)", spoken(r.what, called.get), spoken(r.threshold, called.get),
         r.unit, spoken(r.action, _untitled), r.source, r.citation, r.provenance,
         spoken(r.overridable, _untitled), " ".join(r.advice))
        for r in sheet(workflow)
    ]  # fmt: skip
    parameters = [
        (f"{r.title or r.parameter} (`{r.parameter}`)", r.value, r.unit, r.range,
         "site" if r.site else "fixed", ", ".join(r.guards), r.source, r.citation, r.provenance)
        for r in parameter_sheet(workflow)
    ]  # fmt: skip
    blocks = [f"# {workflow.title}", f"`{workflow.label}`, generated from its definition."]
    if guards:
        blocks += ["## Guards", _table(_GUARD_HEAD, guards)]
    if parameters:
        blocks += ["## Parameters", _table(_PARAMETER_HEAD, parameters)]
    blocks += ["## Approval", _table(("Name", "Role", "Date", "Signature"), [("", "", "", "")])]
    return "\n\n".join(blocks) + "\n"


_GUARD_HEAD = ("Guard", "What", "Threshold", "Unit", "Action", "Source", "Citation", "Provenance",
               "Overridable by", "Advice")  # fmt: skip
_PARAMETER_HEAD = ("Parameter", "Value", "Unit", "Range", "Set by", "Guards", "Source", "Citation",
                   "Provenance")  # fmt: skip
_SIGNS = {"<": "<", "<=": "≤", ">": ">", ">=": "≥", "==": "is", "!=": "is not"}
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}


def _untitled(_: str) -> None:
    """Of transitions and codes only the words are told."""


def _row(guard: Guard, workflow: Workflow) -> SheetRow:
    rules = [rule for rule in workflow.rules if rule.guard == guard.name]
    actions = {action.name: action.title or action.name for action in workflow.actions}
    texts = {advice.name: advice.text for advice in workflow.advice}
    required = [
        (transition, requirement)
        for transition in workflow.transitions
        for requirement in transition.requires
        if requirement.guard == guard.name
    ]
    events = [t.event for t, _ in required] + [event for rule in rules for event in rule.events]
    schema = schema_of(workflow, events[0] if events else None)
    code = compile_guard(guard.condition, schema, [])
    return SheetRow(
        guard=guard.name,
        title=guard.title,
        what=text(guard.condition),
        thresholds=tuple(dict.fromkeys(_thresholds(code))),
        actions=tuple(actions.get(rule.action, rule.action) for rule in rules),
        uses=tuple(_use(transition.name, requirement) for transition, requirement in required),
        source=guard.cite.source,
        citation=guard.cite.text,
        provenance=str(guard.cite.provenance),
        advice=tuple(texts[name] for rule in rules for name in rule.advice if name in texts),
    )


def _use(transition: str, requirement: Requirement) -> Use:
    if not requirement.soft:
        return Use(transition=transition)
    return Use(transition=transition, roles=requirement.roles, codes=requirement.codes)


def _override(use: Use) -> str:
    return f"{', '.join(use.roles)} ({', '.join(use.codes)})" if use.roles else "nobody"


def _thresholds(code: Code) -> Iterator[Threshold]:
    parts = code.parts
    match code.node:
        case tree.Compare(op, _, _):
            left, right = code.parts
            if _fixed(left) and not _fixed(right):
                left, right, op = right, left, _MIRRORED[op]
            if not isinstance(right.node, tree.Constant) or not isinstance(right.node.value, bool):
                yield _threshold(text(left.node), _SIGNS[op], right)
            parts = (left,) if _fixed(right) else (left, right)
        case tree.OneOf(_, codes):
            yield Threshold(what=text(code.parts[0].node), op="is one of",
                            value=", ".join(codes))  # fmt: skip
        case tree.Sustained(input=name, op=op):
            limit, count, span, *_ = code.parts
            yield _threshold(name, _SIGNS[op], limit)
            yield _threshold("readings in the run", "≥", count)
            yield _threshold("from first to last", "≥", span)
            return
        case tree.Total(input=name, op=op):
            limit, span, *_ = code.parts
            yield _threshold(f"total {name}", _SIGNS[op], limit)
            yield _threshold("completely covered", "≥", span)
            return
    for part in parts:
        yield from _thresholds(part)


def _threshold(what: str, op: str, code: Code) -> Threshold:
    names = dict.fromkeys(
        part.parameter for part in tree.walk(code.node) if isinstance(part, tree.Setting)
    )
    value = code.run(NOTHING) if _fixed(code) else None
    return Threshold(
        what=what,
        op=op,
        value=text(code.node) if value is None else value_text(value),
        unit=None if value is None else code.type.unit,
        parameters=tuple(names),
    )


def _fixed(code: Code) -> bool:
    """Whether the definition alone says what the tree gives."""
    leaves = (part for part in tree.walk(code.node) if not list(tree.children(part)))
    return all(isinstance(leaf, tree.Constant | tree.Setting) for leaf in leaves)


def _parameter_row(parameter: Parameter, reading: Mapping[str, set[str]]) -> ParameterRow:
    kind, value = constant(parameter.value)
    cite = parameter.cite or Citation(source="", text="")
    return ParameterRow(
        parameter=parameter.name,
        title=parameter.title,
        value=value_text(value),
        unit=kind.unit or "",
        range=_range(parameter),
        site=parameter.site,
        guards=tuple(guard for guard, names in reading.items() if parameter.name in names),
        source=cite.source,
        citation=cite.text,
        provenance=str(cite.provenance) if parameter.cite else "",
    )


def _range(parameter: Parameter) -> str:
    low, high = parameter.low, parameter.high
    least = f"at least {value_text(low)}" if low is not None else ""
    most = f"at most {value_text(high)}" if high is not None else ""
    return ", ".join(part for part in (least, most) if part)


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = tuple(head)
    lines = [_line(head), _line("---" for _ in head), *map(_line, rows)]
    return "\n".join(lines)


def _line(cells: Iterable[str]) -> str:
    told = (cell.replace("|", "\\|").replace("\n", " ") for cell in cells)
    return f"| {' | '.join(told)} |"
