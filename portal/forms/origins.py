"""Origins of web pages, as browsers name them in the header `Origin`."""

from __future__ import annotations

import re

_HOST = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*"
ORIGIN = re.compile(
    rf"https?://(?:{_HOST}|\[[0-9a-f:.]+\])(?::[0-9]{{1,5}})?"
    r"|http://(?:localhost|127\.0\.0\.1|\[::1\]):\*"
)
"""What may stand in a list of allowed origins; any port is for the loopback alone."""
_ANY_PORT = ":*"
_PORT = re.compile(r":[0-9]{1,5}")


def matches(origin: str, pattern: str) -> bool:
    """Whether an origin is the one allowed; character by character, as browsers send them."""
    if not pattern.endswith(_ANY_PORT):
        return origin == pattern
    host = pattern.removesuffix(_ANY_PORT)
    rest = origin.removeprefix(host)
    return origin.startswith(host) and (not rest or _PORT.fullmatch(rest) is not None)
