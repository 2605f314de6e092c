"""The page of a request that was sent, under a link nobody guesses."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, abort, render_template

from portal.help.context import LOCALE
from portal.i18n import format_date
from portal.requests.contact import masked
from portal.requests.payload import known
from portal.requests.store import Request
from portal.requests.words import Citation, because, cite_by_name, headline
from portal.services import services


def add_routes(blueprint: Blueprint) -> None:
    blueprint.add_url_rule(f"{LOCALE}/requests/<token>", "status", status)


def status(token: str) -> str:
    """What was sent, where it is, and what happens next."""
    here = services()
    found = here.requests.store.by_token(token)
    if found is None:
        abort(404)
    catalogue = here.library.catalogue
    return render_template(
        "requests/status.html",
        sent=found,
        contact=masked(found.contact.contact) if found.contact else "",
        comments=found.comments,  # without personal data: whoever has the link reads this page
        handover=hand_over_state(found),
        headline=headline(found.verdict["outcome"], _until(found)),
        because=because(found.verdict["because"], _until(found)),
        cited=_citation(found),
        shown=known(found.shown, catalogue),
        opened=known(found.opened, catalogue),
        taxonomy=catalogue.taxonomy,
        when=format_date(found.at.date()),
        errors={},
    )


def hand_over_state(sent: Request) -> str:
    """`arrived`, `on-its-way`, `listed`: what the customer is told; failures are ours to mend.

    One way that worked is enough. Where none is set up the team reads its list.
    """
    if any(delivery.state == "delivered" for delivery in sent.deliveries):
        return "arrived"
    if any(delivery.state == "waiting" for delivery in sent.deliveries):
        return "on-its-way"
    return "listed"


def _until(sent: Request) -> date | None:
    until = sent.verdict["until"]
    return date.fromisoformat(until) if until else None


def _citation(sent: Request) -> Citation | None:
    verdict = sent.verdict
    if not verdict.get("article"):
        return None
    return cite_by_name(
        verdict["article"], verdict["locale"], verdict["section"], services().library.catalogue
    )
