"""A receiver of webhooks on this machine, for as long as a test needs it."""

from __future__ import annotations

import json
import ssl
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, Mapping[str, str]]
Answering = Callable[["Received"], Answer]


@dataclass(frozen=True)
class Received:
    """A message as it came."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def said(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found

    @property
    def data(self) -> dict[str, Any]:
        found: dict[str, Any] = self.said["data"]
        return found


def welcome(_: Received) -> Answer:
    return 204, {}


@dataclass
class Receiver:
    """What came, in its order; `answering` may be changed at any time."""

    url: str
    received: list[Received] = field(default_factory=list)
    answering: Answering = welcome

    def by_course(self) -> dict[str, list[tuple[int, int]]]:
        """The records and numbers that came of each course, repetitions left out."""
        found: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for one in self.received:
            place = (one.data["seq"], one.data["n"])
            if place not in found[one.data["course"]]:
                found[one.data["course"]].append(place)
        return dict(found)

    def answers(self, *statuses: int, **headers: str) -> None:
        """Answer with these in turn, then with 204."""
        left = list(statuses)
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answering = lambda _: (left.pop(0), told) if left else (204, {})


@contextmanager
def receiving(host: str = "127.0.0.1", context: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """A receiver that is there until the block ends."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        timeout = 30

        def do_POST(self) -> None:
            length = int(self.headers.get("content-length", 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            one = Received(self.path, headers, self.rfile.read(length))
            with lock:
                receiver.received.append(one)
                status, told = receiver.answering(one)
            self.send_response(status)
            for name, value in told.items():
                self.send_header(name, value)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer((host, 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    scheme = "http" if context is None else "https"
    receiver = Receiver(f"{scheme}://{host}:{server.server_address[1]}/hooks")
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)
