"""Whom messages may be sent to."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_network

import pytest

from engine.errors import InvalidInput
from engine.webhooks.addresses import Guard, Refused

PRIVATE = [
    *("127.0.0.1", "127.9.9.9", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255"),
    *("192.168.1.1", "169.254.1.1", "169.254.169.254", "100.64.0.1", "100.100.100.200"),
    *("168.63.129.16", "192.0.0.192", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255"),
    *(
        "198.18.0.1",
        "192.0.2.1",
        "::1",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fd00:ec2::254",
    ),
    *("ff02::1", "fec0::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1"),
    *("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2001:db8::1"),
    "2001:0:a00:1:0:0:0:0",
]
PUBLIC = ["93.184.215.14", "8.8.8.8", "172.32.0.1", "2606:4700:4700::1111", "64:ff9b::808:808"]


def finding(*addresses: str) -> Guard:
    return Guard(resolve=lambda host, port: list(addresses))


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_public_is_refused(address: str):
    assert not Guard().permits(address, encrypted=True)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_permitted_where_it_is_encrypted(address: str):
    assert Guard().permits(address, encrypted=True)
    assert not Guard().permits(address, encrypted=False)


def test_a_named_network_is_permitted_and_no_other():
    guard = Guard(allowed=(ip_network("10.1.0.0/16"), ip_network("fd00::/8")))

    assert guard.permits("10.1.2.3", encrypted=False)
    assert guard.permits("::ffff:10.1.2.3", encrypted=False)
    assert guard.permits("fd00::1", encrypted=True)
    assert not guard.permits("10.2.0.1", encrypted=True)
    assert not guard.permits("127.0.0.1", encrypted=True)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("ftp://scheduling.example/", "a URL such as"),
        ("scheduling.example/hooks", "a URL such as"),
        ("https:///hooks", "a URL such as"),
        ("https://scheduling.example:port/", "a URL such as"),
        ("https://[::1/", "a URL such as"),
        ("https://user:word@scheduling.example/", "no user"),
        ("https://scheduling.example/#part", "fragment"),
        ("https://scheduling.example/a b", "no blank"),
        ("https://scheduling.example/\r\nX: y", "no blank"),
        ("https://scheduling.example/" + "x" * 2000, "at most 2000"),
        ("http://scheduling.example/hooks", "https, so that nobody"),
    ],
)
def test_a_url_that_is_no_good_is_refused_with_the_reason(url: str, expected: str):
    with pytest.raises(InvalidInput, match=expected) as refused:
        finding("8.8.8.8").require(url)
    assert refused.value.field == "url"


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/", "https://[::1]/", "https://2130706433/", "https://0x7f.1/",
        "https://localhost/", "https://169.254.169.254/latest/meta-data",
    ],
)  # fmt: skip
def test_a_way_to_write_this_machine_or_its_metadata_is_refused(url: str):
    with pytest.raises(InvalidInput):
        Guard().require(url)


def test_a_name_with_one_private_address_among_public_ones_is_refused():
    with pytest.raises(InvalidInput, match="REGIMEN_WEBHOOK_ALLOW"):
        finding("8.8.8.8", "10.0.0.1").require("https://scheduling.example/")


def test_a_name_that_cannot_be_found_is_refused():
    def lost(host: str, port: int) -> Sequence[str]:
        raise OSError

    with pytest.raises(InvalidInput, match="can be found"):
        Guard(resolve=lost).require("https://scheduling.example/")


def test_of_the_addresses_of_a_name_only_those_permitted_are_connected_to():
    guard = finding("10.0.0.1", "8.8.8.8")

    assert guard.reachable("scheduling.example", 443, encrypted=True) == ["8.8.8.8"]
    with pytest.raises(Refused):
        guard.reachable("scheduling.example", 80, encrypted=False)
