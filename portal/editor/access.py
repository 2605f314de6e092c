"""Who may see the pages for editors: whoever knows one password, until people can sign in."""

from __future__ import annotations

import hmac
import math
import time

from flask import Response, abort, request
from flask_babel import gettext as _
from limits import parse
from limits.strategies import MovingWindowRateLimiter
from werkzeug.exceptions import TooManyRequests

from portal.addresses import counted_address
from portal.rate_limits import WindowStorage
from portal.services import services

_WRONG = parse("10 per minute")
"""Wrong passwords that are taken from one address."""


class Access:
    """HTTP Basic authentication against `KB_EDITOR_PASSWORD`; any user name will do."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(WindowStorage())

    def admit(self) -> Response | None:
        """Let the present request pass, or answer it.

        Without a password the pages do not exist: raises `NotFound`. Raises `TooManyRequests`
        after too many wrong ones, also for the right one, which could be guessed otherwise.
        """
        wanted = services().settings.editor_password
        if not wanted:
            abort(404)
        given = request.authorization
        if given is None or given.type != "basic" or given.password is None:
            return _ask()
        address = counted_address()
        if not self._limiter.test(_WRONG, address):
            resets = self._limiter.get_window_stats(_WRONG, address).reset_time
            raise TooManyRequests(
                "Too many wrong passwords; wait and try again.",
                retry_after=max(1, math.ceil(resets - time.time())),
            )
        if hmac.compare_digest(given.password.encode(), wanted.encode()):
            return None
        self._limiter.hit(_WRONG, address)
        return _ask()


def _ask() -> Response:
    response = Response(_("These pages are for editors; they need a password."), 401)
    response.content_type = "text/plain; charset=utf-8"
    response.headers["WWW-Authenticate"] = 'Basic realm="kb editor", charset="UTF-8"'
    return response
