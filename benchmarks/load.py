"""Asks an HTTP server on many connections at once and times every answer.

One process with a selector: it spends a few dozen microseconds on a request, which is what a
server in Python is measured against. `Load.client_share` says how much of a core it took itself.
"""

from __future__ import annotations

import multiprocessing
import selectors
import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

import numpy as np

WARM_UP = 0.5  # seconds that are not counted
_HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length: "


@dataclass(frozen=True, slots=True)
class Load:
    """What came back; times in milliseconds."""

    throughput: float
    """Answers a second."""
    median: float
    p95: float
    p99: float
    answers: int
    asked: int
    """All requests, the warm-up's too."""
    errors: int
    """Answers with another status than 200, and connections that broke."""
    client_share: float
    """CPU time of the client by the time that passed."""


def ask_all(port: int, paths: Iterable[str], *, seconds: float, connections: int = 32) -> Load:
    """Ask for one path after the other, each connection its next as soon as it has an answer.

    The client is a process of its own. When the paths run out the measurement ends early.
    """
    requests = [_request(path) for path in paths]
    context = multiprocessing.get_context("spawn")
    mine, others = context.Pipe(duplex=False)
    client = context.Process(target=_client, args=(others, port, requests, seconds, connections))
    client.start()
    others.close()
    try:
        found: Load = mine.recv()
    finally:
        client.join()
    return found


def _request(path: str) -> bytes:
    return (
        f"GET {quote(path, safe='/?=&%+')} HTTP/1.1\r\nHost: localhost\r\n"
        "User-Agent: Mozilla/5.0 (load)\r\nAccept: */*\r\n\r\n"
    ).encode()


class _Connection:
    """A connection with one request under way."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""
        self.awaited = 0
        self.sent_at = 0.0

    def send(self, request: bytes) -> None:
        self.received, self.awaited = b"", 0
        self.sent_at = time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> int | None:
        """The status once the whole answer is there; raises `OSError` for a broken connection."""
        some = self.socket.recv(1 << 18)
        if not some:
            raise ConnectionResetError("closed by the server")
        self.received += some
        if not self.awaited:
            head, found, _body = self.received.partition(_HEAD_END)
            if not found:
                return None
            place = head.lower().index(_LENGTH) + len(_LENGTH)
            self.awaited = len(head) + len(_HEAD_END) + int(head[place:].split(b"\r\n", 1)[0])
        return int(self.received[9:12]) if len(self.received) >= self.awaited else None


def _client(
    pipe: multiprocessing.connection.Connection,
    port: int,
    requests: list[bytes],
    seconds: float,
    connections: int,
) -> None:
    waiting = iter(requests)
    times: list[float] = []
    errors = 0
    asked = connections
    selector = selectors.DefaultSelector()
    for _ in range(connections):
        connection = _Connection(port)
        selector.register(connection.socket, selectors.EVENT_READ, connection)
        connection.send(next(waiting))
    begin = time.perf_counter() + WARM_UP
    end = begin + seconds
    used = 0.0
    now = begin - WARM_UP
    counting = done = False
    while now < end and not done:
        for key, _events in selector.select(timeout=1):
            connection = key.data
            try:
                status = connection.receive()
            except OSError:
                errors += 1
                selector.unregister(connection.socket)
                connection = _Connection(port)
                selector.register(connection.socket, selectors.EVENT_READ, connection)
                status = 0
            if status is None:
                continue
            if counting and status:
                times.append(time.perf_counter() - connection.sent_at)
                errors += status != 200
            following = next(waiting, None)
            if following is None:
                done = True
                break
            connection.send(following)
            asked += 1
        now = time.perf_counter()
        if not counting and now >= begin:
            counting, begin, used = True, now, time.process_time()
    passed = max(now - begin, 1e-9)
    share = (time.process_time() - used) / passed
    found = np.array(times or [float("nan")]) * 1000
    pipe.send(
        Load(
            len(times) / passed, *(float(np.percentile(found, p)) for p in (50, 95, 99)),
            len(times), asked, errors, share,
        )
    )  # fmt: skip
