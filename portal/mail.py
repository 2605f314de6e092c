"""Sends hand-overs to the team by SMTP."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from urllib.parse import unquote, urlsplit

from portal.config import Settings
from search.errors import KnowledgeBaseError

_TIMEOUT = 10
_PORTS = {"smtp": 587, "smtps": 465}


class MailFailed(KnowledgeBaseError):
    """The mail server refused a message or could not be reached."""

    status = 503


@dataclass(frozen=True, slots=True)
class HandoverMail:
    """A question for a person, complete: the mail is the only place that keeps the address."""

    reference: str
    locale: str
    query: str
    message: str
    reply_to: str
    articles: Sequence[tuple[str, str]]


def can_mail(settings: Settings) -> bool:
    """Whether a server and a recipient are set."""
    return bool(settings.smtp_url and settings.handover_mail)


def compose(settings: Settings, handover: HandoverMail) -> EmailMessage:
    """The message; header values are single lines whatever was typed."""
    first_line = " ".join((handover.query or handover.message).split())
    lines = [
        f"Reference: {handover.reference}",
        f"Language: {handover.locale}",
        f"Searched for: {handover.query or '-'}",
        f"Reply to: {handover.reply_to or 'no address given'}",
        "",
        handover.message,
        "",
        "Articles read:" if handover.articles else "No articles read.",
        *(f"- {title}\n  {url}" for title, url in handover.articles),
    ]
    return compose_text(
        settings,
        subject=f"[{handover.reference}] {first_line[:80]}",
        reply_to=handover.reply_to,
        text="\n".join(lines),
    )


def compose_text(
    settings: Settings,
    *,
    subject: str,
    reply_to: str,
    text: str,
    message_id: str = "",
    to: str = "",
) -> EmailMessage:
    """A mail to the team, or to one address; no line of what was typed can become a header.

    With a `message_id` of letters, digits and underscores, mailboxes know what comes twice.
    """
    sender = settings.handover_mail or to
    domain = sender.rpartition("@")[2] or None
    message = EmailMessage()
    message["Subject"] = " ".join(subject.split())
    message["From"] = sender
    message["To"] = to or sender
    message["Date"] = formatdate()
    own = f"<{message_id}@{domain or 'kb'}>" if message_id else make_msgid(domain=domain)
    message["Message-ID"] = own
    if reply_to:
        message["Reply-To"] = " ".join(reply_to.split())
    message.set_content(text + "\n")
    return message


def send_handover(settings: Settings, handover: HandoverMail) -> None:
    """Send one hand-over. Raises `MailFailed`; the password is never part of the message."""
    _send(settings, lambda: compose(settings, handover))


def send_text(
    settings: Settings,
    *,
    subject: str,
    reply_to: str,
    text: str,
    message_id: str = "",
    to: str = "",
) -> None:
    """Send one mail to the team, or to one address. Raises `MailFailed` likewise."""
    _send(
        settings,
        lambda: compose_text(
            settings, subject=subject, reply_to=reply_to, text=text, message_id=message_id, to=to
        ),
    )


def _send(settings: Settings, make: Callable[[], EmailMessage]) -> None:
    server = urlsplit(settings.smtp_url)
    if server.scheme not in _PORTS or not server.hostname:
        raise MailFailed("KB_SMTP_URL must look like smtp://user:password@host:port")
    try:
        port = server.port or _PORTS[server.scheme]
        message = _compose_safely(make, server.hostname)
        with _connect(server.scheme, server.hostname, port) as connection:
            if server.username:
                _refuse_open_login(connection, server.hostname)
                connection.login(unquote(server.username), unquote(server.password or ""))
            connection.send_message(message)
    except (OSError, smtplib.SMTPException, ValueError) as error:
        reason = type(error).__name__
        raise MailFailed(f"{server.hostname} did not take the mail ({reason})") from error


def _compose_safely(make: Callable[[], EmailMessage], host: str) -> EmailMessage:
    """The message; the header parser raises many kinds for addresses it cannot read."""
    try:
        return make()
    except Exception as error:
        raise MailFailed(f"{host}: the mail cannot be written ({type(error).__name__})") from error


def _refuse_open_login(connection: smtplib.SMTP, host: str) -> None:
    """A password is never sent in the open, except to this machine."""
    encrypted = isinstance(connection.sock, ssl.SSLSocket)
    if not encrypted and host not in ("localhost", "127.0.0.1", "::1"):
        raise MailFailed(f"{host} offers no encryption for the password; use smtps:// or STARTTLS")


def _connect(scheme: str, host: str, port: int) -> smtplib.SMTP:
    """A connection, encrypted from the start or as soon as the server offers it."""
    if scheme == "smtps":
        return smtplib.SMTP_SSL(host, port, timeout=_TIMEOUT, context=ssl.create_default_context())
    connection = smtplib.SMTP(host, port, timeout=_TIMEOUT)
    try:
        connection.ehlo()
        if connection.has_extn("starttls"):
            connection.starttls(context=ssl.create_default_context())
    except BaseException:
        connection.close()
        raise
    return connection
