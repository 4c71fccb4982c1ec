"""Frozen values that are made as fast as values that are not.

The `__init__` of a frozen dataclass calls `object.__setattr__` once for each field, which costs
several times what an assignment costs, and a step makes some twenty values of up to two dozen
fields. The `__init__` that `quick` puts in its place assigns while the value is an instance of a
twin class of the same slots, and ends by giving it its own class.

The rules of this room:

- Nothing but `__init__` is replaced: a value is frozen, compared, hashed and copied as before.
- `replaced` is their `dataclasses.replace`: every field is copied, then some are changed.
- The text that is compiled here is made of the names of the fields, as in `dataclasses` itself.
- Only what a step makes is quick; elsewhere a plain dataclass is easier to follow.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, Field, fields
from typing import Any, TypeVar

_T = TypeVar("_T")


def quick(cls: type[_T]) -> type[_T]:
    """The same frozen, slotted dataclass, quicker to make.

    Raises TypeError for a class that is not one, or whose making is more than assigning its fields.

    >>> from dataclasses import dataclass
    >>> @quick
    ... @dataclass(frozen=True, slots=True)
    ... class Pair:
    ...     left: int
    ...     right: int = 2
    >>> Pair(1)
    Pair(left=1, right=2)
    """
    settings = cls.__dict__.get("__dataclass_params__")
    if settings is None or not settings.frozen or "__slots__" not in cls.__dict__:
        raise TypeError(f"{cls.__name__}: expected a frozen dataclass with slots")
    if sum(bool(above.__dict__.get("__slots__")) for above in cls.__mro__) > 1:
        raise TypeError(f"{cls.__name__}: expected one class that has all the fields")
    made = fields(cls)  # type: ignore[arg-type]  # of a dataclass, as was asked
    if hasattr(cls, "__post_init__") or not all(field.init for field in made):
        raise TypeError(f"{cls.__name__}: expected fields that are only assigned")
    old: Any = cls.__init__
    twin = type(cls.__name__, (), {"__slots__": tuple(field.name for field in made)})
    init = _init(made, twin)
    _COPIES[cls] = _copy(made, twin)
    init.__qualname__, init.__module__ = old.__qualname__, old.__module__
    init.__annotations__ = old.__annotations__
    cls.__init__ = init  # type: ignore[method-assign]  # this is what is done here
    return cls


def replaced(value: _T, /, **changes: Any) -> _T:  # noqa: ANN401  # of whatever fields there are
    """The same quick value but for some fields. Raises AttributeError for one that it has not.

    >>> from dataclasses import dataclass
    >>> @quick
    ... @dataclass(frozen=True, slots=True)
    ... class Pair:
    ...     left: int
    ...     right: int = 2
    >>> replaced(Pair(1), right=3)
    Pair(left=1, right=3)
    """
    kind = type(value)
    again: Any = _COPIES[kind](value)
    for name, one in changes.items():
        setattr(again, name, one)
    again.__class__ = kind
    found: _T = again
    return found


_COPIES: dict[type, Callable[[Any], Any]] = {}
"""How a value of a kind becomes a twin of itself, whose fields can be assigned."""


def _copy(made: tuple[Field[Any], ...], twin: type) -> Callable[[Any], Any]:
    lines = [f"again.{field.name} = value.{field.name}" for field in made]
    known: dict[str, Any] = {"_new": object.__new__, "_Twin": twin}
    text = "\n    ".join(("def copy(value):", "again = _new(_Twin)", *lines, "return again"))
    exec(compile(text, f"<{__name__}>", "exec"), known)  # noqa: S102  # see the rules of this room
    copy: Callable[[Any], Any] = known["copy"]
    return copy


def _init(made: tuple[Field[Any], ...], twin: type) -> Callable[..., None]:
    known: dict[str, Any] = {
        "_become": object.__dict__["__class__"].__set__,
        "_Twin": twin,
        "_MISSING": MISSING,
    }
    signature, lines = ["self"], ["_kind = self.__class__", "_become(self, _Twin)"]
    for field in made:
        name, default, value = field.name, "", field.name
        if field.default is not MISSING:
            known[f"_default_{name}"] = field.default
            default = f"=_default_{name}"
        elif field.default_factory is not MISSING:
            known[f"_make_{name}"] = field.default_factory
            default, value = "=_MISSING", f"_make_{name}() if {name} is _MISSING else {name}"
        if field.kw_only and "*" not in signature:
            signature.append("*")
        signature.append(f"{name}{default}")
        lines.append(f"self.{name} = {value}")
    lines.append("self.__class__ = _kind")
    text = "\n    ".join((f"def __init__({', '.join(signature)}):", *lines))
    exec(compile(text, f"<{__name__}>", "exec"), known)  # noqa: S102  # see the rules of this room
    init: Callable[..., None] = known["__init__"]
    return init
