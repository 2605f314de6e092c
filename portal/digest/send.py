"""Hands a digest over: by mail, or to the webhook, signed as refund requests are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from portal.config import Settings
from portal.mail import send_text
from portal.requests import webhook
from portal.requests.http import HttpClient, HttpFailed
from search.errors import KnowledgeBaseError

_ADDRESS = re.compile(r"[^\s@<>,;:\"()\\]+@[^\s@<>,;:\"()\\]+")


class DigestNotSent(KnowledgeBaseError):
    """Mail server or webhook did not take the digest, or are not set up."""


def mail(settings: Settings, address: str, *, subject: str, text: str, message_id: str) -> None:
    """Send it to one address. Raises `DigestNotSent`, `MailFailed`."""
    if not settings.smtp_url:
        raise DigestNotSent("--mail needs KB_SMTP_URL, smtp://user:password@host:port")
    if not _ADDRESS.fullmatch(address):
        raise DigestNotSent(f"--mail {address!r}: is no mail address")
    send_text(settings, subject=subject, reply_to="", text=text, message_id=message_id, to=address)


def post(
    settings: Settings,
    data: Mapping[str, Any],
    *,
    text: str,
    message_id: str,
    now: datetime,
    client: HttpClient | None = None,
) -> None:
    """Post it to `KB_WEBHOOK_URL` as `gaps.digest`; docs/webhook.md says how to verify it.

    The id is that of the days, so that a receiver drops the same digest sent twice. Raises
    `DigestNotSent`.
    """
    if not settings.webhook_url:
        raise DigestNotSent("--webhook needs KB_WEBHOOK_URL and KB_WEBHOOK_SECRET")
    body = msgspec.json.encode(
        {
            "type": "gaps.digest",
            "timestamp": now.isoformat(timespec="seconds"),
            "data": {**data, "markdown": text},
        }
    )
    try:
        headers = webhook.headers(settings.webhook_secret, message_id, body, now)
    except ValueError as error:
        raise DigestNotSent(f"KB_WEBHOOK_SECRET {error}") from None
    try:
        answer = (client or HttpClient()).send(
            "POST", settings.webhook_url, headers=headers, body=body
        )
    except HttpFailed as error:
        raise DigestNotSent(f"KB_WEBHOOK_URL: {error}") from error
    if not 200 <= answer.status < 300:
        raise DigestNotSent(f"KB_WEBHOOK_URL: answered {answer.status}")
