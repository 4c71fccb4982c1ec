"""Log lines: one event with keys each.

The command and the service write them to stderr, as JSON or for a person at a terminal. Embedded,
the engine writes them as its host does: by structlog where the host has configured it, else by the
standard library's logger `regimen`, which tells nobody of a decision unless it is asked to.

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


class _Log:
    """Looks at every line whose it is: a host may set up its own after it has imported us."""

    def __getattr__(self, method: str) -> Any:  # noqa: ANN401  # what structlog's loggers have
        return getattr(_OF_STRUCTLOG if structlog.is_configured() else _OF_LOGGING, method)


log = _Log()
"""What every part of the engine says its lines to."""


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


_OF_STRUCTLOG = structlog.get_logger("regimen")
_OF_LOGGING = structlog.wrap_logger(
    logging.getLogger("regimen"),
    wrapper_class=structlog.stdlib.BoundLogger,
    processors=[
        structlog.stdlib.filter_by_level,
        hide_findings,
        structlog.processors.KeyValueRenderer(key_order=["event"], drop_missing=True),
    ],
)

_PLAIN = (str, int, float, bool, type(None))


def _to_stderr(*_: object) -> structlog.PrintLogger:
    # Looked up at every line: what stderr is may change while the process runs.
    return structlog.PrintLogger(sys.stderr)
