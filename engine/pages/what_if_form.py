"""The question of a what-if as a form: parameters, a policy, another definition.

What was typed stays in its field, also where it is no value of that parameter: then the field says
what was expected. Every mistake is told at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from engine.core.definition import Parameter
from engine.core.machine import Machine
from engine.core.phrase import value_text
from engine.core.setting import no_such_parameter, with_settings
from engine.core.sheet import ParameterRow, parameter_sheet
from engine.core.what_if import Policy
from engine.errors import InvalidInput
from engine.telling.supposing import MEANING
from engine.telling.units import written

PREFIX = "set."
"""What stands before the name of a parameter in an address."""
LONGEST = 64
"""No value of a parameter is longer."""
MOST = 200
"""No definition has so many parameters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What was asked: values by parameter as they were typed, a policy, a definition's digest."""

    typed: Mapping[str, str]
    policy: Policy | None
    definition: str = ""

    @property
    def asked(self) -> bool:
        """Whether this is a question, and not the empty form."""
        return self.policy is not None

    def query(self, **more: str | int) -> str:
        """The address of the same question, without what was left empty."""
        said = {"policy": (self.policy or Policy.FOLLOW_RECORDED).value}
        if self.definition:
            said["definition"] = self.definition
        said |= {f"{PREFIX}{name}": value for name, value in self.typed.items() if value}
        return "?" + urlencode({**said, **more})


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A parameter that may be set: its value in the definition, and what was typed for it.

    `range` is in the unit of the value.
    """

    row: ParameterRow
    value: str
    unit: str
    range: str
    typed: str = ""
    wrong: str = ""
    yes_no: bool = False

    @property
    def name(self) -> str:
        return PREFIX + self.row.parameter

    @property
    def title(self) -> str:
        return self.row.title or self.row.parameter.replace("_", " ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """Something typed that cannot be asked: the field, its unit, and what was expected."""

    field: str
    title: str
    expected: str
    typed: str
    anchored: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One of several, in words."""

    value: str
    title: str
    meaning: str
    here: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """The form as it is shown. `chosen` are the fields in which something stands."""

    label: str
    digest: str
    chosen: tuple[Field, ...]
    others: tuple[Field, ...]
    fixed: tuple[Field, ...]
    policies: tuple[Choice, ...]
    definitions: tuple[Choice, ...]
    wrong: tuple[Wrong, ...]


def form(own: Machine, known: Mapping[str, Machine], wanted: Wanted) -> Form:
    """The form for a course of `own`; `known` are the definitions of its workflow, by digest."""
    base = known.get(wanted.definition, own)
    fields = [_field(p, row, base, wanted) for p, row in _parameters(base)]
    wrong = [*_wrong_choice(known, wanted), *_unknown(base, wanted), *map(_told, fields)]
    found = tuple(one for one in wrong if one is not None)
    if wanted.asked and not found and not any(wanted.typed.values()) and not wanted.definition:
        what = "a value for at least one parameter, or another definition"
        found = (Wrong(field="", title="Nothing is supposed", expected=what, typed=""),)
    return Form(
        label=base.workflow.label,
        digest=base.digest,
        chosen=tuple(f for f in fields if f.typed),
        others=tuple(f for f in fields if not f.typed and f.row.site),
        fixed=tuple(f for f in fields if not f.typed and not f.row.site),
        policies=tuple(_policies(wanted.policy or Policy.FOLLOW_RECORDED)),
        definitions=tuple(_definitions(own, list(known.values()), wanted.definition)),
        wrong=found,
    )


def _parameters(machine: Machine) -> Iterator[tuple[Parameter, ParameterRow]]:
    yield from zip(machine.workflow.parameters, parameter_sheet(machine.workflow), strict=True)


def _field(parameter: Parameter, row: ParameterRow, base: Machine, wanted: Wanted) -> Field:
    typed = wanted.typed.get(row.parameter, "")
    unit = "" if row.unit == "1" else row.unit
    return Field(
        row=row,
        value=row.value,
        unit=written(unit),
        range=_range(parameter, unit),
        typed=typed,
        wrong=_expected(base, row.parameter, typed) if typed else "",
        yes_no=isinstance(parameter.value, bool),
    )


def _range(parameter: Parameter, unit: str) -> str:
    """How far it may be moved, without the unit, which stands beside the value."""
    low, high = (
        None if end is None else value_text(end).removesuffix(unit).strip()
        for end in (parameter.low, parameter.high)
    )
    if low is None or high is None:
        return f"at least {low}" if low else f"at most {high}" if high else ""
    return f"only {low}" if low == high else f"{low} to {high}"


def _expected(base: Machine, name: str, typed: str) -> str:
    """What is expected in place of what was typed; nothing where that will do."""
    if len(typed) > LONGEST:
        return f"at most {LONGEST} characters"
    try:
        with_settings(base.workflow, {name: typed})
    except InvalidInput as wrong:
        return written(wrong.expected)
    return ""


def _told(field: Field) -> Wrong | None:
    if not field.wrong:
        return None
    return Wrong(field=field.name, title=field.title, expected=field.wrong, typed=field.typed)


def _unknown(base: Machine, wanted: Wanted) -> Iterator[Wrong]:
    names = {parameter.name for parameter in base.workflow.parameters}
    for name, typed in wanted.typed.items():
        if name not in names and typed:
            expected = no_such_parameter(name, names).expected
            title = f"No parameter of {base.workflow.label}"
            yield Wrong(field=name, title=title, expected=expected, typed=name, anchored=False)


def _wrong_choice(known: Mapping[str, Machine], wanted: Wanted) -> Iterator[Wrong]:
    if wanted.definition and wanted.definition not in known:
        labels = ", ".join(machine.workflow.label for machine in known.values())
        yield Wrong(
            field="definition", title="Definition", expected=f"one of {labels}",
            typed=wanted.definition,
        )  # fmt: skip


def _policies(chosen: Policy) -> Iterator[Choice]:
    for policy, meaning in MEANING.items():
        title = policy.value.replace("-", " ")
        yield Choice(value=policy.value, title=title, meaning=meaning, here=policy is chosen)


def _definitions(own: Machine, known: Sequence[Machine], chosen: str) -> Iterator[Choice]:
    yield Choice(
        value="", title=f"{own.workflow.label}, the course's own", meaning="", here=not chosen
    )
    for machine in known:
        if machine.digest != own.digest:
            title = f"{machine.workflow.label}, {machine.digest[7:15]}"
            here = machine.digest == chosen
            yield Choice(value=machine.digest, title=title, meaning="", here=here)
