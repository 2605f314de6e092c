"""`/editor/gaps.atom`: new gaps, for a feed reader that knows the secret of somebody's address."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, Response, render_template, request

from portal.accounts.plain import one_line
from portal.gaps.definitions import LEAST
from portal.gaps.store import GapFilter
from portal.gaps.types import Gap, State
from portal.problems import problem
from portal.services import services

_NEWEST = 50
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def add_routes(blueprint: Blueprint) -> None:
    blueprint.add_url_rule("/gaps.atom", "gaps_atom", feed)


def feed() -> Response:
    """The gaps that were found or reopened last, the newest first.

    The secret stands in the address, since feed readers cannot sign in; an unknown one, or that of
    an account that is disabled, gets 401.
    """
    reader = services().accounts.users.by_feed(request.args.get("token", ""))
    if reader is None:
        return problem(401, "This address is good no more; make a new one on your account's page.")
    gaps = services().gaps.list(GapFilter(states=(State.OPEN, State.REOPENED), least=LEAST))
    gaps = sorted(gaps, key=lambda gap: (changed(gap), gap.number), reverse=True)[:_NEWEST]
    text = render_template(
        "feeds/gaps.xml",
        gaps=gaps,
        changed=changed,
        one_line=one_line,
        updated=changed(gaps[0]) if gaps else _LONG_AGO,
    )
    response = Response(text, mimetype="application/atom+xml")
    response.add_etag()
    response.make_conditional(request)
    return response


def changed(gap: Gap) -> datetime:
    """When a gap was found, or reopened after it had been closed."""
    return max(gap.made_at or _LONG_AGO, gap.state_at or _LONG_AGO)
