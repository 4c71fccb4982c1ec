"""What is chosen by variables of the environment: how each is named, read and refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TypeVar

from engine.errors import InvalidInput

_T = TypeVar("_T")
Network = IPv4Network | IPv6Network

PREFIX = "REGIMEN_"
"""How the name of every variable begins."""


class Environment:
    """The variables that are set. What stands in one is read by a function of its name and text."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def chosen(self, name: str, read: Callable[[str, str], _T], default: _T) -> _T:
        """What a variable says, named without the prefix; what is blank says nothing.

        Raises InvalidInput, naming the variable and what was expected.
        """
        text = self._environ.get(PREFIX + name, "").strip()
        return read(PREFIX + name, text) if text else default


def whole(least: int, most: int, what: str = "a whole number") -> Callable[[str, str], int]:
    """Reads a whole number between two, both among them; `what` says of what."""

    def read(variable: str, text: str) -> int:
        # Looked at before it is read: Python reads no number of thousands of digits.
        plain = text.isascii() and text.isdigit() and len(text.lstrip("0")) <= len(str(most))
        if not (plain and least <= int(text) <= most):
            raise InvalidInput(variable, f"{what} from {least} to {most}", found=repr(text))
        return int(text)

    return read


def networks(what: str) -> Callable[[str, str], tuple[Network, ...]]:
    """Reads networks with commas between; a lone address is one too."""

    def read(variable: str, text: str) -> tuple[Network, ...]:
        try:
            return tuple(ip_network(part.strip()) for part in text.split(","))
        except ValueError:
            expected = f"{what} such as 10.1.0.0/16 with commas between"
            raise InvalidInput(variable, expected, found=repr(text)) from None

    return read
