"""Whom messages may be sent to: public addresses, and networks that the installation names.

An endpoint's URL comes from outside, and could make this machine knock where only it can: at its
own ports, at its neighbours', at the cloud's metadata. A name is therefore looked at when it is
registered, and again whenever it is connected to: it is resolved once, and what was looked at is
what is connected to, whatever the name says a moment later.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from urllib.parse import urlsplit

from engine.errors import InvalidInput

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

NOT_PUBLIC = tuple(
    ipaddress.ip_network(text)
    # 192.0.0.0/24 and 64:ff9b:1::/48 are public to some Pythons. 168.63.129.16 is public by its
    # number and a cloud's own all the same; its metadata elsewhere is link-local, shared or local.
    # https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
    for text in ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32", "64:ff9b:1::/48")
)
NAT64 = ipaddress.ip_network("64:ff9b::/96")
LONGEST = 2000


class Refused(Exception):
    """An address that nothing is sent to."""


def resolved(host: str, port: int) -> Sequence[str]:
    """The addresses of a name, as the system knows them. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """What may be sent to. `allowed` are networks that need not be public, nor encrypted."""

    allowed: tuple[Network, ...] = ()
    resolve: Callable[[str, int], Sequence[str]] = resolved

    def require(self, url: str) -> None:
        """Raises InvalidInput unless messages may be sent to a URL, with the reason."""
        if len(url) > LONGEST or not re.fullmatch(r"[!-~]+", url):
            raise InvalidInput("url", f"at most {LONGEST} visible ASCII characters, no blank")
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            raise InvalidInput("url", "a URL such as https://scheduling.example/hooks") from None
        if parts.scheme not in ("https", "http") or not host:
            raise InvalidInput("url", "a URL such as https://scheduling.example/hooks")
        if parts.username is not None or parts.password is not None or parts.fragment:
            raise InvalidInput("url", "no user, password or fragment: messages are signed instead")
        encrypted = parts.scheme == "https"
        try:
            found = self.resolve(host, port or (443 if encrypted else 80))
        except (OSError, UnicodeError):
            raise InvalidInput("url", "a host that can be found") from None
        for address in found:
            self._require_one(address, encrypted=encrypted)

    def reachable(self, host: str, port: int, *, encrypted: bool) -> Sequence[str]:
        """The addresses of a host that may be connected to. Raises Refused for none, OSError."""
        found = self.resolve(host, port)
        good = [one for one in found if self.permits(one, encrypted=encrypted)]
        if not good:
            raise Refused(host)
        return good

    def permits(self, address: str, *, encrypted: bool) -> bool:
        """Whether an address is public or of a named network; the latter where not encrypted."""
        ip = _plain(address)
        return _within(ip, self.allowed) or (encrypted and _public(ip))

    def _require_one(self, address: str, *, encrypted: bool) -> None:
        if self.permits(address, encrypted=encrypted):
            return
        if self.permits(address, encrypted=True):
            raise InvalidInput("url", "https, so that nobody on the way reads or changes it")
        raise InvalidInput(
            "url",
            "a host with public addresses; REGIMEN_WEBHOOK_ALLOW names networks that may be sent "
            "to besides",
        )


def _plain(text: str) -> Address:
    """The address itself, also where one of IPv4 is written as one of IPv6."""
    ip = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped is not None:
            return ip.ipv4_mapped
        if ip in NAT64:
            return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip


def _public(ip: Address) -> bool:
    if isinstance(ip, IPv6Address):
        inner = [ip.sixtofour, *(ip.teredo or ())]
        if ip.is_site_local or any(one is not None and not _public(one) for one in inner):
            return False
    unusual = ip.is_multicast or ip.is_reserved or ip.is_unspecified
    return ip.is_global and not unusual and not _within(ip, NOT_PUBLIC)


def _within(ip: Address, networks: Iterable[Network]) -> bool:
    return any(ip.version == network.version and ip in network for network in networks)
