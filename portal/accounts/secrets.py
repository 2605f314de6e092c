"""Random secrets that are handed out once, and what is kept of them."""

from __future__ import annotations

import hashlib
import secrets

_BYTES = 32


def new_secret() -> str:
    """43 letters, digits, `-` and `_`: too many to guess."""
    return secrets.token_urlsafe(_BYTES)


def key_of(secret: str) -> str:
    """What the tables keep: 64 hexadecimal digits, from which the secret cannot be had back.

    One round of a fast hash is enough for what is random; passwords need more.
    """
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()
