"""One request to an address the operator has set: bounded in time and size, nothing followed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import urllib3

CONNECT_SECONDS = 3.0
MOST_SECONDS = 10.0
"""From the first byte sent to the last byte read, however slowly they come."""
MOST_BYTES = 256 * 1024
_CHUNK = 16 * 1024


class HttpFailed(Exception):
    """No answer that can be used; the message names the host and never the whole address."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class HttpClient:
    """Keeps connections open; used by any number of threads, opened by none before a fork."""

    def __init__(self, *, most_seconds: float = MOST_SECONDS) -> None:
        self._most_seconds = most_seconds
        # No proxy, cookie or credential of the environment is taken up.
        self._pool = urllib3.PoolManager(
            retries=False,
            timeout=urllib3.Timeout(connect=min(CONNECT_SECONDS, most_seconds), read=most_seconds),
            num_pools=4,
        )

    def send(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes | None = None
    ) -> Answer:
        """Send and read the answer, redirects included. Raises `HttpFailed`."""
        address = urlsplit(url)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise HttpFailed("only http:// and https:// addresses are asked")
        host = address.hostname
        ends = time.monotonic() + self._most_seconds
        try:
            response = self._pool.request(
                method, url, headers=dict(headers), body=body, redirect=False,
                preload_content=False,
            )  # fmt: skip
        except urllib3.exceptions.NewConnectionError as error:  # a timeout to the library
            raise HttpFailed(f"{host} cannot be reached") from error
        except urllib3.exceptions.TimeoutError as error:
            raise HttpFailed(f"{host} did not answer in time") from error
        except urllib3.exceptions.HTTPError as error:
            raise HttpFailed(f"{host} cannot be reached ({type(error).__name__})") from error
        try:
            return Answer(
                response.status,
                {name.lower(): value for name, value in response.headers.items()},
                self._body(response, host, ends),
            )
        finally:
            response.close()
            response.release_conn()

    @staticmethod
    def _body(response: urllib3.BaseHTTPResponse, host: str, ends: float) -> bytes:
        parts: list[bytes] = []
        size = 0
        try:
            while part := response.read1(_CHUNK, decode_content=False):
                size += len(part)
                if size > MOST_BYTES:
                    raise HttpFailed(f"{host} answered more than {MOST_BYTES // 1024} KB")
                if time.monotonic() > ends:
                    raise HttpFailed(f"{host} did not answer in time")
                parts.append(part)
        except urllib3.exceptions.HTTPError as error:
            raise HttpFailed(f"{host} broke its answer off ({type(error).__name__})") from error
        return b"".join(parts)
