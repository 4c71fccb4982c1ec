"""Declarations and trees made from the vocabulary itself, so that a new member is met at once."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from engine.core import definition, expression
from engine.core.definition import Workflow
from engine.core.expression import Constant, Expression, Span
from engine.core.quantity import Quantity, decimal_text

SIGNS = {
    "Compare": ("<", "<=", ">", ">=", "==", "!="),
    "Sustained": ("<", "<=", ">", ">=", "==", "!="),
    "Total": ("<", "<=", ">", ">=", "==", "!="),
    "Arithmetic": ("+", "-", "*"),
    "Extreme": ("min", "max"),
}


def node_classes(root: type[Expression] = Expression) -> list[type[Expression]]:
    """Every node that a tree may have."""
    found: list[type[Expression]] = []
    for kind in root.__subclasses__():
        # slots=True makes a second class; the first one lingers until it is collected.
        if kind is getattr(expression, kind.__name__, None):
            found += [kind, *node_classes(kind)]
    return found


def declarations(root: type = Workflow) -> list[type]:
    """Every value object that a workflow is made of, down to the citations."""
    found = [root]
    for kind in found:
        for hint in hints(kind).values():
            for part in _mentioned(hint):
                if (
                    part not in found
                    and part.__module__ == definition.__name__
                    and is_dataclass(part)
                ):
                    found.append(part)
    return found


def hints(kind: type) -> dict[str, Any]:
    """The members of a value object and their types."""
    known = get_type_hints(kind)
    return {each.name: known[each.name] for each in fields(kind)}


def sample(hint: Any, n: int = 1, depth: int = 2) -> Any:
    """A value of a type in which nothing is empty; another `n` gives a value that differs."""
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        if Quantity in args:
            return Quantity(Decimal(n), "mg")
        return sample(next(arg for arg in args if arg is not type(None)), n, depth)
    if origin is tuple:
        repeats = is_dataclass(args[0]) and args[0] is definition.Field
        return () if repeats and not depth else (sample(args[0], n, depth - repeats),)
    if origin is not None and issubclass(origin, Mapping):
        return {f"key{n}": sample(args[1], n, depth)}
    if hint is Expression:
        return Constant(Decimal(n))
    if issubclass(hint, Enum):
        return list(hint)[n % len(hint)]
    if isinstance(hint, type) and is_dataclass(hint):
        signs = SIGNS.get(hint.__name__, ("",))
        made = {name: sample(part, n, depth) for name, part in hints(hint).items()}
        if "op" in made:
            made["op"] = signs[n % len(signs)]
        if "semantics" in made:
            made["semantics"] = definition.SEMANTICS
        return hint(**made)
    simple = {
        str: f"text {n}",
        bool: n % 2 == 1,
        int: 40 + n,
        Decimal: Decimal(n) / 8,
        date: date(2009, 3, n),
        timedelta: timedelta(hours=n),
    }
    return simple[hint]


def changed(value: Any, n: int = 2) -> Iterator[tuple[type, str, Any]]:
    """The value with one member changed, for each member of it and of what lies in it."""
    for name, hint in hints(type(value)).items():
        if name == "semantics":
            continue
        part = getattr(value, name)
        yield type(value), name, replace(value, **{name: sample(hint, n)})
        inner = part[0] if isinstance(part, tuple) and part else part
        if is_dataclass(inner) and type(inner).__module__ == definition.__name__:
            for kind, place, other in changed(inner, n):
                yield (
                    kind,
                    place,
                    replace(value, **{name: (other,) if isinstance(part, tuple) else other}),
                )


NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, places=3).map(
    lambda number: Decimal(decimal_text(number))
)
ELAPSED = st.timedeltas()
VALUES = st.one_of(
    st.none(), st.booleans(), NAMES, DECIMALS, ELAPSED, st.dates(),
    st.builds(Quantity, DECIMALS, NAMES),
    st.builds(Span, st.integers(-99, 99), st.integers(-99, 99)),
)  # fmt: skip
SIMPLE: dict[Any, st.SearchStrategy[Any]] = {
    str: NAMES,
    bool: st.booleans(),
    int: st.integers(-(2**53) + 1, 2**53 - 1),
    Decimal: DECIMALS,
    timedelta: ELAPSED,
}


def drawn(hint: Any, trees: st.SearchStrategy[Any], depth: int = 2) -> st.SearchStrategy[Any]:
    """Whatever a type allows, with `trees` where an expression is asked for."""
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        if Quantity in args:
            return VALUES
        return st.one_of(*(drawn(arg, trees, depth) for arg in args))
    if origin is tuple:
        if args[0] is definition.Field and not depth:
            return st.just(())
        item = drawn(args[0], trees, depth - (args[0] is definition.Field))
        alike = (lambda part: part.name) if "name" in dir(args[0]) else None
        return st.lists(item, max_size=2, unique_by=alike).map(tuple)
    if origin is not None and issubclass(origin, Mapping):
        return st.dictionaries(NAMES, drawn(args[1], trees, depth), max_size=2)
    if hint is type(None):
        return st.none()
    if hint is Expression:
        return trees
    if issubclass(hint, Enum):
        return st.sampled_from(list(hint))
    if isinstance(hint, type) and is_dataclass(hint):
        parts = {name: drawn(part, trees, depth) for name, part in hints(hint).items()}
        if "op" in parts:
            parts["op"] = st.sampled_from(SIGNS[hint.__name__])
        if "semantics" in parts:
            parts["semantics"] = st.just(definition.SEMANTICS)
        return st.builds(hint, **parts)
    return SIMPLE[hint]


TREES = st.deferred(lambda: st.recursive(st.builds(Constant, VALUES), _above, max_leaves=8))
WORKFLOWS = st.deferred(lambda: drawn(Workflow, st.builds(Constant, VALUES)))


def _above(trees: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(*(drawn(kind, trees) for kind in node_classes()))


def _mentioned(hint: Any) -> Iterator[type]:
    if args := get_args(hint):
        for arg in args:
            yield from _mentioned(arg)
    elif isinstance(hint, type):
        yield hint
