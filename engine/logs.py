"""Log lines on stderr: one event with keys each, as JSON or for a person at a terminal.

Clinical content never reaches a log line. The keys that may are listed here; a line loses all
others, and every value that is more than a word or a number, whoever wrote it.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog
from structlog.typing import Processor

KEYS = frozenset({
    # of structlog
    "event", "level", "timestamp",
    # of a decision: pseudonyms, names and numbers
    "course", "event_id", "event_name", "verdict", "seq", "revision", "digest", "workflow",
    "site", "tenant",
    # of a request
    "method", "request", "route", "status",
    # of the work around it
    "advice", "attempts", "attempts_left", "courses", "endpoint", "error", "position", "seconds",
    "signal", "timers", "version", "why",
})  # fmt: skip
"""What a log line may say. A state is not among them, since it may tell of an illness."""


def configure(*, form: str, level: str) -> None:
    """Let log lines go to stderr from `level` on, in the form `json` or `console`."""
    terminal = sys.stderr.isatty()
    render: Processor = (
        structlog.processors.JSONRenderer(sort_keys=True)
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=terminal, pad_event_to=0)
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            hide_findings,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=_to_stderr,
        cache_logger_on_first_use=False,
    )


def hide_findings(_: object, __: str, line: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """A line without whatever could be clinical: unknown keys, and values with members."""
    return {key: value for key, value in line.items() if key in KEYS and isinstance(value, _PLAIN)}


_PLAIN = (str, int, float, bool, type(None))


def _to_stderr(*_: object) -> structlog.PrintLogger:
    # Looked up at every line: what stderr is may change while the process runs.
    return structlog.PrintLogger(sys.stderr)
