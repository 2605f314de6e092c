"""Takes what is due out of the outbox and hands it over: by webhook, by mail."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from portal.config import Settings
from portal.mail import MailFailed, can_mail, send_text
from portal.requests import webhook
from portal.requests.http import HttpClient, HttpFailed
from portal.requests.outbox import Outbox
from portal.requests.payload import mail_lines, webhook_body
from portal.requests.store import Channel, Delivery, Request, RequestStore
from search.catalogue import Catalogue

_log = structlog.get_logger(__name__)


class NotDelivered(Exception):
    """One attempt failed. `for_good`: another one would too; `after`: not before so long."""

    def __init__(
        self, reason: str, *, for_good: bool = False, after: timedelta | None = None
    ) -> None:
        super().__init__(reason)
        self.for_good = for_good
        self.after = after


def channels(settings: Settings) -> tuple[Channel, ...]:
    """The ways that are set up."""
    ways: list[Channel] = []
    if settings.webhook_url:
        ways.append("webhook")
    if can_mail(settings):
        ways.append("mail")
    return tuple(ways)


class Deliverer:
    """Delivers one thing after the other; safe to run in any number of workers at once."""

    def __init__(
        self,
        settings: Settings,
        store: RequestStore,
        outbox: Outbox,
        catalogue: Callable[[], Catalogue],
        clock: Callable[[], datetime],
        client: HttpClient | None = None,
    ) -> None:
        self._settings = settings
        self._store = store
        self._outbox = outbox
        self._catalogue = catalogue
        self._clock = clock
        self._client = client or HttpClient()

    def deliver_due(self, stopped: Callable[[], bool] = lambda: False) -> tuple[int, int]:
        """Try what is due, until `stopped`; gives how many arrived and how many failed."""
        arrived = failed = 0
        while not stopped() and (delivery := self._outbox.claim(self._clock())) is not None:
            if self._deliver(delivery):
                arrived += 1
            else:
                failed += 1
        return arrived, failed

    def _deliver(self, delivery: Delivery) -> bool:
        try:
            self._attempt(delivery)
        except NotDelivered as error:
            reason, for_good, after = str(error), error.for_good, error.after
        except Exception as error:  # whatever it is, the other deliveries must go on
            _log.exception("request_delivery_broke", delivery=delivery.id)
            reason, for_good, after = f"internal error ({type(error).__name__})", False, None
        else:
            self._outbox.delivered(delivery, self._clock())
            _log.info("request_delivered", delivery=delivery.id, channel=delivery.channel)
            return True
        dead = self._outbox.failed(delivery, reason, self._clock(), for_good=for_good, after=after)
        log = _log.error if dead else _log.warning
        log("request_not_delivered", delivery=delivery.id, channel=delivery.channel, reason=reason,
            attempts=delivery.attempts + 1, dead=dead)  # fmt: skip
        return False

    def _attempt(self, delivery: Delivery) -> None:
        request = self._store.by_id(delivery.request_id)
        if request is None:
            raise NotDelivered("the request is gone", for_good=True)
        if delivery.channel not in channels(self._settings):
            raise NotDelivered(f"{delivery.channel} is not set up any more")
        if delivery.channel == "webhook":
            self._post(delivery, request)
        else:
            self._mail(delivery, request)

    def _post(self, delivery: Delivery, request: Request) -> None:
        now = self._clock()
        # Of the request's own moment, so that every attempt has the very same body.
        body = webhook_body(
            request, self._catalogue(), base_url=self._settings.base_url, now=request.at
        )
        headers = webhook.headers(self._settings.webhook_secret, delivery.id, body, now)
        try:
            answer = self._client.send(
                "POST", self._settings.webhook_url, headers=headers, body=body
            )
        except HttpFailed as error:
            raise NotDelivered(str(error)) from error
        if 200 <= answer.status < 300:
            return
        if 300 <= answer.status < 400:
            raise NotDelivered(f"answered {answer.status}: redirects are not followed")
        raise NotDelivered(
            f"answered {answer.status}",
            for_good=answer.status == 410,  # Gone: the receiver wants no more of it
            after=_retry_after(answer.headers.get("retry-after", "")),
        )

    def _mail(self, delivery: Delivery, request: Request) -> None:
        subject, reply_to, lines = mail_lines(
            request, self._catalogue(), base_url=self._settings.base_url
        )
        try:
            send_text(
                self._settings, subject=subject, reply_to=reply_to, text="\n".join(lines),
                message_id=delivery.id,
            )  # fmt: skip
        except MailFailed as error:
            raise NotDelivered(str(error)) from error


def _retry_after(value: str) -> timedelta | None:
    """The seconds of a `Retry-After`; its other form, a date, is rare and left out."""
    return timedelta(seconds=int(value)) if re.fullmatch(r"[0-9]{1,6}", value) else None
