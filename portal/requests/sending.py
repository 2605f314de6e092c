"""The last step: the request is stored with its deliveries, all or nothing, and gets its page."""

from __future__ import annotations

from typing import Any

import structlog
from flask import redirect, url_for
from sqlalchemy.exc import SQLAlchemyError
from werkzeug import Response

from portal.i18n import current_locale
from portal.requests import current, offers, steps, wizard
from portal.requests.deliver import channels
from portal.requests.drafts import Draft
from portal.requests.eligibility import Verdict
from portal.requests.store import NewRequest
from portal.services import services

_log = structlog.get_logger(__name__)


def send(draft: Draft) -> Response | tuple[str, int]:
    """Send what was checked; when it cannot be stored, say so and lose nothing."""
    first = steps.first_open(draft)
    key = current.draft_key()
    if first != "check" or draft.wish is None or key is None:
        return redirect(url_for("requests.step", step=first), 303)
    here = services()
    new = NewRequest(
        locale=current_locale(),
        platform=draft.order.platform,
        order_number=draft.order.number,
        contact=draft.contact,
        items=[_item(draft, sku, pieces) for sku, pieces in draft.items.items()],
        reason=draft.reason,
        wish=draft.wish,
        comments=draft.comments,
        shown=offers.shown_keys(draft),
        opened=offers.opened_keys(draft),
        verdict=verdict_data(wizard.verdict_of(draft, draft.wish)),
    )
    try:
        sent = here.requests.store.send(
            new, draft_key=key, channels=channels(here.settings), now=here.clock()
        )
    except SQLAlchemyError as error:
        _log.error("request_not_stored", error=type(error).__name__)
        return wizard.page("check", draft, failed=True), 503
    if sent is None:  # the same form was sent in another window
        token = current.sent_token()
        if token is None:
            return redirect(url_for("requests.expired"), 303)
        return redirect(url_for("requests.status", token=token), 303)
    current.remember_sent(sent.token)
    offers.record(draft, "submitted")
    here.requests.thread.wake()
    return redirect(url_for("requests.status", token=sent.token), 303)


def verdict_data(verdict: Verdict) -> dict[str, Any]:
    """A verdict as it is kept and handed over; `docs/webhook.md` names the fields."""
    cited = verdict.cited
    return {
        "outcome": verdict.outcome,
        "because": verdict.because,
        "until": verdict.until.isoformat() if verdict.until else None,
        "article": cited.article_id if cited else None,
        "locale": cited.locale if cited else None,
        "section": cited.clause.section if cited else None,
    }


def _item(draft: Draft, sku: str, pieces: int) -> dict[str, Any]:
    item = draft.order.item(sku)
    titles = dict(item.titles) if item else {}
    return {"sku": sku, "titles": titles, "quantity": pieces}
