"""What the HTTP service takes on: how much at once, how fast, how long, and from whom.

A bound is there so that one caller cannot take the service from the others; each has a value that
a clinic will hardly meet, and is a setting.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from engine.environment import PREFIX, Environment, Network, networks, whole
from engine.errors import InvalidInput

VARIABLES = (
    "THREADS", "REQUESTS", "RATE", "STRANGERS", "PATIENCE", "GRACE", "PROXY", "ORIGINS", "TRACES",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """The bounds of one service process.

    `threads` is how many requests work at the same time, each with a connection to the database;
    `requests` how many may be under way, those included that wait for a thread. `rate` is how many
    requests a second one caller may send in the long run, twice as many at once; `strangers` how
    many attempts a minute an address has whose tokens nobody knows, six times that at once.
    `patience` is
    after how many seconds a request is answered that it took too long, `grace` how many seconds an
    ending service gives what it has accepted. `proxy` are the networks of the proxies whose word on
    the client's address is taken, `origins` the web pages of others that may read answers. `traces`
    is where spans are sent.
    """

    threads: int = 16
    requests: int = 128
    rate: int = 100
    strangers: int = 10
    patience: int = 30
    grace: int = 25
    proxy: tuple[Network, ...] = ()
    origins: tuple[str, ...] = ()
    traces: str | None = None

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Self:
        """The bounds of the environment. Raises InvalidInput, naming the variable."""
        chosen, default = Environment(environ).chosen, cls()
        found = cls(
            threads=chosen("THREADS", whole(1, 200), default.threads),
            requests=chosen("REQUESTS", whole(1, 10_000), default.requests),
            rate=chosen("RATE", whole(1, 100_000), default.rate),
            strangers=chosen("STRANGERS", whole(1, 100_000), default.strangers),
            patience=chosen("PATIENCE", whole(1, 600), default.patience),
            grace=chosen("GRACE", whole(1, 600), default.grace),
            proxy=chosen("PROXY", networks("addresses or networks"), default.proxy),
            origins=chosen("ORIGINS", _origins, default.origins),
            traces=chosen("TRACES", _collector, default.traces),
        )
        if found.requests < found.threads:
            raise InvalidInput(
                PREFIX + "REQUESTS",
                f"at least as many as {PREFIX}THREADS ({found.threads})",
                found=str(found.requests),
            )
        return found


def _origins(variable: str, text: str) -> tuple[str, ...]:
    found = tuple(part.strip() for part in text.split(","))
    for one in found:
        parts = urlsplit(one)
        if parts.scheme not in ("http", "https") or one != f"{parts.scheme}://{parts.netloc}":
            expected = "origins such as https://screens.clinic.example with commas between"
            raise InvalidInput(variable, expected, found=repr(one))
    return found


def _collector(variable: str, text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        # Not shown: it may hold a key.
        raise InvalidInput(variable, "a URL such as http://collector:4318/v1/traces")
    return text
