"""One message over the network: what is connected to, what is sent, and what an answer may do."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from ipaddress import ip_network
from pathlib import Path

import pytest

from engine.webhooks.addresses import Guard
from engine.webhooks.reply import Reply
from engine.webhooks.sender import HttpSender
from tests.receiver import Receiver, receiving

HERE = (ip_network("127.0.0.0/8"),)
OPEN = Guard(allowed=HERE)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@contextmanager
def talking(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that accepts one connection and says what it likes."""
    listening = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        connection, _ = listening.accept()
        with connection, suppress(OSError):  # whom it talked to has gone, which is tested
            talk(connection)

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
    listening.close()
    thread.join(timeout=10)


def send(url: str, sender: HttpSender | None = None) -> Reply:
    return (sender or HttpSender(OPEN, seconds=5)).send(url, b'{"a":1}', {"webhook-id": "m"})


def test_a_message_is_posted_with_its_headers_as_json(receiver: Receiver):
    assert send(receiver.url) == Reply(status=204)

    [one] = receiver.received
    assert (one.path, one.body) == ("/hooks", b'{"a":1}')
    assert one.headers["content-type"] == "application/json"
    assert one.headers["content-length"] == "7"
    assert one.headers["webhook-id"] == "m"
    assert one.headers["host"] == receiver.url.split("/")[2]


def test_a_redirect_is_not_followed(receiver: Receiver):
    receiver.answers(302, location=receiver.url + "/elsewhere")

    assert send(receiver.url) == Reply(status=302)
    assert len(receiver.received) == 1
    assert not Reply(status=302).accepted


def test_a_proxy_of_the_environment_is_not_used(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    assert send(receiver.url).accepted


def test_a_name_that_turns_to_this_machine_after_it_was_looked_at_is_refused(receiver: Receiver):
    """DNS rebinding: public when it is registered, private when it is connected to."""
    port = receiver.url.split(":")[2].split("/")[0]
    answers = iter([["8.8.8.8"], ["127.0.0.1"]])
    guard = Guard(resolve=lambda host, port: next(answers))
    url = f"https://rebinding.example:{port}/"
    guard.require(url)

    assert send(url, HttpSender(guard, seconds=5)) == Reply(trouble="address refused")
    assert receiver.received == []


def test_a_name_is_resolved_once_for_a_message(receiver: Receiver):
    """What was looked at is what is connected to; a second answer is not asked for."""
    port = int(receiver.url.split(":")[2].split("/")[0])
    answers = iter([["127.0.0.1"]])
    guard = Guard(allowed=HERE, resolve=lambda host, port: next(answers))

    assert send(f"http://named.example:{port}/x", HttpSender(guard, seconds=5)).accepted
    assert receiver.received[0].headers["host"] == f"named.example:{port}"


def test_the_next_address_is_tried_where_one_is_not_there(receiver: Receiver):
    port = int(receiver.url.split(":")[2].split("/")[0])
    guard = Guard(allowed=HERE, resolve=lambda host, port: ["127.0.0.77", "127.0.0.1"])

    assert send(f"http://named.example:{port}/", HttpSender(guard, seconds=5)).accepted


def test_an_endpoint_that_is_not_there_is_not_reached():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    assert send(f"http://127.0.0.1:{port}/") == Reply(trouble="not reached")


def test_a_name_that_is_not_found_is_not_reached():
    def lost(host: str, port: int) -> list[str]:
        raise socket.gaierror

    assert send("http://lost.example/", HttpSender(Guard(resolve=lost))).trouble == "not reached"


def test_an_endpoint_that_never_answers_times_out():
    with talking(lambda connection: time.sleep(2)) as url:
        assert send(url, HttpSender(OPEN, seconds=0.3)) == Reply(trouble="timed out")


def test_an_endpoint_that_answers_a_byte_at_a_time_is_over_in_time():
    def drip(connection: socket.socket) -> None:
        for _ in range(40):
            connection.sendall(b"H")
            time.sleep(0.1)

    before = time.monotonic()
    with talking(drip) as url:
        assert send(url, HttpSender(OPEN, seconds=0.5)) == Reply(trouble="timed out")
        assert time.monotonic() - before < 3


def test_an_answer_without_end_is_not_read():
    def pour(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    before = time.monotonic()
    with talking(pour) as url:
        assert send(url) == Reply(status=200)
    assert time.monotonic() - before < 4


def test_an_answer_that_is_no_http_is_not_understood():
    with talking(lambda connection: connection.sendall(b"hello\r\n\r\n")) as url:
        assert send(url).trouble == "not understood"


def test_an_endpoint_that_hangs_up_is_not_reached_or_not_understood():
    with talking(lambda connection: None) as url:
        assert send(url).trouble in ("not reached", "not understood")


def test_how_long_to_wait_is_read_from_the_answer(receiver: Receiver):
    receiver.answers(503, retry_after="120")

    assert send(receiver.url) == Reply(status=503, retry_after="120")


# --- encrypted ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of named.example, which signs itself, and its key in one file."""
    place = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", "/CN=named.example", "-addext",
         "subjectAltName=DNS:named.example", "-keyout", "key.pem", "-out", "cert.pem"],
        check=True, capture_output=True, cwd=place, timeout=60,
    )  # fmt: skip
    both = place / "both.pem"
    both.write_text((place / "key.pem").read_text() + (place / "cert.pem").read_text())
    return both


@pytest.fixture
def encrypted(certificate: Path) -> Iterator[tuple[Receiver, list[str | None]]]:
    """A receiver by TLS, and the names that were asked for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    asked: list[str | None] = []
    context.sni_callback = lambda _, name, __: asked.append(name)  # type: ignore[assignment]
    with receiving(context=context) as receiver:
        yield receiver, asked


def trusting(certificate: Path) -> HttpSender:
    guard = Guard(allowed=HERE, resolve=lambda host, port: ["127.0.0.1"])
    return HttpSender(
        guard, seconds=5, ssl_context=lambda: ssl.create_default_context(cafile=certificate)
    )


def test_the_certificate_is_that_of_the_name_though_an_address_is_connected_to(
    encrypted: tuple[Receiver, list[str | None]], certificate: Path
):
    receiver, asked = encrypted
    port = receiver.url.split(":")[2]

    assert send(f"https://named.example:{port}", trusting(certificate)).accepted
    assert asked == ["named.example"]


def test_a_certificate_of_another_name_is_refused(
    encrypted: tuple[Receiver, list[str | None]], certificate: Path
):
    receiver, _ = encrypted
    port = receiver.url.split(":")[2]

    reply = send(f"https://other.example:{port}", trusting(certificate))
    assert reply == Reply(trouble="not reached")
    assert receiver.received == []


def test_a_certificate_that_nobody_vouches_for_is_refused(
    encrypted: tuple[Receiver, list[str | None]],
):
    receiver, _ = encrypted
    guard = Guard(allowed=HERE, resolve=lambda host, port: ["127.0.0.1"])
    port = receiver.url.split(":")[2]

    assert send(f"https://named.example:{port}", HttpSender(guard)).trouble == "not reached"
