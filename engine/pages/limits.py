"""What the definition alone says of its numbers: which are amounts, and where each has limits.

A threshold is drawn where its guard names it as a number; one that is computed has no line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from engine.core import expression as tree
from engine.core.definition import Provenance
from engine.core.sheet import sheet
from engine.pages.digest import ByDigest

NUMERIC = ("quantity", "number")
OWN = (Provenance.INFERRED.value, Provenance.LOCAL.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A threshold of guards: `acts` when a rule asks for something there, else it is required.

    One that is `own` was inferred or decided here, and is in no publication of the protocol.
    """

    ops: tuple[str, ...]
    value: Decimal
    label: str
    said: str
    acts: bool
    own: bool = False

    @property
    def marked(self) -> str:
        """The label, with a sign where the threshold is no published one."""
        return f"{self.label}*" if self.own else self.label


@lru_cache(maxsize=32)
def amounts_of(workflow: ByDigest) -> frozenset[str]:
    """The inputs that the definition counts or sums up."""
    nodes = (node for root in workflow.held.trees() for node in tree.walk(root))
    return frozenset(node.input for node in nodes if isinstance(node, tree.Count | tree.Sum))


@lru_cache(maxsize=32)
def limits_of(workflow: ByDigest) -> Mapping[str, tuple[Limit, ...]]:
    """The thresholds of each input that the definition alone says, each once."""
    held = workflow.held
    units = {one.name: one.unit for one in held.inputs if one.kind in NUMERIC}
    found: dict[str, dict[Decimal, Limit]] = {}
    for row in sheet(held):
        for one in row.thresholds:
            value = _decimal(one.value)
            if one.what not in units or value is None or (one.unit or None) != units[one.what]:
                continue
            asked = ", ".join(dict.fromkeys(row.actions))
            said = f"{row.title}: {one.op} {one.value} {one.unit or ''}".strip()
            own = row.provenance in OWN
            said += f" ({asked or 'required'}{f'; {row.provenance}' if own else ''})"
            mine = found.setdefault(one.what, {})
            known = mine.get(value)
            ops = (one.op,) if known is None else (*known.ops, one.op)
            # A guard and its opposite look at one line.
            label = f"{one.op} {one.value}" if len(set(ops)) == 1 else one.value
            mine[value] = Limit(
                ops=ops,
                value=value,
                label=label,
                said=said if known is None else f"{known.said}\n{said}",
                acts=bool(asked) or (known is not None and known.acts),
                own=own or (known is not None and known.own),
            )
    return {
        name: tuple(sorted(mine.values(), key=lambda one: one.value))
        for name, mine in found.items()
    }


def _decimal(said: str) -> Decimal | None:
    try:
        return Decimal(said)
    except InvalidOperation:
        return None
