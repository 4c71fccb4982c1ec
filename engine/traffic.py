"""What the HTTP service takes on: how much at once, how fast, how long, and from whom.

A bound is there so that one caller cannot take the service from the others; each has a value that
a clinic will hardly meet, and is a setting.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Self, TypeVar
from urllib.parse import urlsplit

from engine.errors import InvalidInput

_T = TypeVar("_T")
Network = IPv4Network | IPv6Network

PREFIX = "REGIMEN_"
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

        def chosen(name: str, read: Callable[[str, str], _T], default: _T) -> _T:
            text = environ.get(PREFIX + name, "").strip()
            return read(PREFIX + name, text) if text else default

        default = cls()
        found = cls(
            threads=chosen("THREADS", _whole(1, 200), default.threads),
            requests=chosen("REQUESTS", _whole(1, 10_000), default.requests),
            rate=chosen("RATE", _whole(1, 100_000), default.rate),
            strangers=chosen("STRANGERS", _whole(1, 100_000), default.strangers),
            patience=chosen("PATIENCE", _whole(1, 600), default.patience),
            grace=chosen("GRACE", _whole(1, 600), default.grace),
            proxy=chosen("PROXY", _networks, default.proxy),
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


def _whole(least: int, most: int) -> Callable[[str, str], int]:
    def read(variable: str, text: str) -> int:
        plain = text.isascii() and text.isdigit() and len(text) <= len(str(most))
        if not (plain and least <= int(text) <= most):
            raise InvalidInput(variable, f"a whole number from {least} to {most}", found=repr(text))
        return int(text)

    return read


def _networks(variable: str, text: str) -> tuple[Network, ...]:
    try:
        return tuple(ip_network(part.strip()) for part in text.split(","))
    except ValueError:
        expected = "addresses or networks such as 10.1.0.0/16 with commas between"
        raise InvalidInput(variable, expected, found=repr(text)) from None


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
