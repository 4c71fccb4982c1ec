"""Whether a guard can give an answer at all, and why none was found that does."""

from __future__ import annotations

from engine.canary.result import Outcome
from engine.canary.staging import Stage
from engine.core.check.possibility import possible
from engine.core.check.ranges import Ranges
from engine.core.machine import Machine
from engine.core.reach import reads
from engine.core.weighing import Code


def beyond(
    machine: Machine, stage: Stage, code: Code, *, wanted: bool, event: str | None, long: bool
) -> tuple[Outcome, str]:
    """Why nothing was found that gives a guard an answer; `long` that the search was ended."""
    answer = "yes" if wanted else "no"
    as_set = Ranges.of(machine.workflow, event, fixed=True)
    if not possible(as_set, [(code, wanted)]):
        if possible(Ranges.of(machine.workflow, event, fixed=False), [(code, wanted)]):
            return Outcome.SWITCHED_OFF, f"by its parameters it can never be {answer}"
        return Outcome.IMPOSSIBLE, f"it can never be {answer}, whatever is measured and set"
    asked = reads(code.node) & machine.inputs.keys()
    unbrought = sorted(name for name in asked if not stage.brings(name))
    if unbrought:
        return Outcome.OUT_OF_REACH, f"no report brings {', '.join(unbrought)}"
    if long:
        return Outcome.OUT_OF_REACH, f"the search for what makes it {answer} grew too long"
    return Outcome.OUT_OF_REACH, f"nothing was found that makes it {answer}"
