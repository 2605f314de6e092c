"""Signed webhooks by the Standard Webhooks convention (standardwebhooks.com, version 1).

What is signed is `<id>.<timestamp>.<body>` with HMAC-SHA256; docs/webhook.md tells receivers.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime

PREFIX = "whsec_"
_SHORTEST, _LONGEST = 24, 64  # bytes, as the convention has it


def read_secret(secret: str) -> bytes:
    """The key of `whsec_<base64>`. Raises `ValueError` saying how to make one."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(PREFIX) or not _SHORTEST <= len(key) <= _LONGEST:
        raise ValueError(
            f"has to be {PREFIX} and the base64 of {_SHORTEST} to {_LONGEST} bytes; make one with "
            f'`echo "{PREFIX}$(openssl rand -base64 32)"`'
        )
    return key


def sign(key: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    """The value of `webhook-signature`: `v1,<base64>`."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def headers(secret: str, message_id: str, body: bytes, now: datetime) -> Mapping[str, str]:
    """The headers of one attempt: the id stays the same at each, the time and signature do not."""
    timestamp = int(now.timestamp())
    return {
        "Content-Type": "application/json",
        "User-Agent": "kb-portal",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(read_secret(secret), message_id, timestamp, body),
    }
