"""One subject of the protocol: its events, guards, transitions, rules and advice, side by side."""

from __future__ import annotations

from dataclasses import dataclass

from engine.core.definition import (
    Advice,
    Event,
    Guard,
    Requirement,
    Rule,
    Timer,
    Transition,
    Visit,
)
from workflows.intralesional_il2.states import OVERRIDE_CODES, OVERRIDE_ROLES


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """What one file contributes to the workflow."""

    events: tuple[Event, ...] = ()
    guards: tuple[Guard, ...] = ()
    transitions: tuple[Transition, ...] = ()
    rules: tuple[Rule, ...] = ()
    advice: tuple[Advice, ...] = ()
    timers: tuple[Timer, ...] = ()
    visits: tuple[Visit, ...] = ()


def hard(*guards: Guard) -> tuple[Requirement, ...]:
    """Requirements that no override passes."""
    return tuple(Requirement(guard=guard.name) for guard in guards)


def soft(*guards: Guard) -> tuple[Requirement, ...]:
    """Requirements that a clinician or prescriber may pass with a recorded reason."""
    return tuple(
        Requirement(guard=guard.name, soft=True, roles=OVERRIDE_ROLES, codes=OVERRIDE_CODES)
        for guard in guards
    )
