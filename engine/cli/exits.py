"""What a command leaves behind for scripts; part of the contract."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """The exit code of a command: never renumbered."""

    YES = 0
    """What was asked for was done, or is so."""
    NO = 1
    """A negative answer: refused under `--strict`, tampered with, diverged, not well formed."""
    BAD = 2
    """Bad input or usage, or a database that cannot be used; the message says what to do."""
