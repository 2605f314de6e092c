"""The first step: an order, found by its number and the buyer's mail address or phone."""

from __future__ import annotations

import contextlib
import secrets
from dataclasses import dataclass, field, replace

import structlog
from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.exc import SQLAlchemyError
from werkzeug import Response

from portal.help.context import LOCALE
from portal.requests import current
from portal.requests.contact import LONGEST, folded, is_contact, order_key
from portal.requests.drafts import Draft
from portal.requests.orders import Order, OrdersUnavailable
from portal.requests.steps import first_open
from portal.services import services

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Typed:
    number: str = ""
    contact: str = ""
    errors: dict[str, str] = field(default_factory=dict)


def add_routes(blueprint: Blueprint) -> None:
    blueprint.add_url_rule(f"{LOCALE}/requests/new", "order", ask)
    blueprint.add_url_rule(f"{LOCALE}/requests/new", "find", find, methods=["POST"])
    blueprint.add_url_rule(f"{LOCALE}/requests/new/again", "again", again, methods=["POST"])


def ask() -> str:
    """The two fields; with a draft also the way back into it."""
    draft = current.current()
    typed = _Typed(draft.order.number, draft.contact) if draft else _Typed()
    return _page(typed, draft)


def find() -> Response | tuple[str, int]:
    """Look the order up. One message for a wrong number and a wrong contact."""
    number = folded(request.form.get("number", ""))[:LONGEST]
    contact = folded(request.form.get("contact", ""))[:LONGEST]
    errors = {}
    if not order_key(number):
        errors["number"] = _("Write the order number, such as WF-204-118-552")
    if not is_contact(contact):
        errors["contact"] = _("Write the mail address or the phone number of the order")
    draft = current.current()
    if errors:
        return _page(_Typed(number, contact, errors), draft), 422
    try:
        order = services().requests.lookup.find(number, contact)
    except OrdersUnavailable as error:
        _log.error("orders_unavailable", detail=str(error))
        errors["number"] = _("We cannot look orders up just now. Please try again in a few minutes")
        return _page(_Typed(number, contact, errors), draft, away=True), 503
    if order is None:
        errors["number"] = _(
            "We found no order with this number and this address or phone. Check both"
        )
        return _page(_Typed(number, contact, errors), draft), 422
    if draft is not None and draft.order.number == order.number:
        current.keep(replace(draft, contact=contact))
        return redirect(url_for("requests.step", step=first_open(draft)), 303)
    _begin(order, contact)
    return redirect(url_for("requests.step", step="items"), 303)


def again() -> Response:
    """Throw the draft away and begin with an empty form."""
    current.forget()
    return redirect(url_for("requests.order"), 303)


def _begin(order: Order, contact: str) -> None:
    with contextlib.suppress(SQLAlchemyError):  # somebody else will; this order has been found
        services().requests.drafts.forget_expired(services().clock())
    current.forget()
    only = order.items[0]
    items = {only.sku: only.quantity} if len(order.items) == 1 else {}
    # What the shop compared is not needed any more, so it is not kept either.
    order = Order(
        number=order.number, platform=order.platform, status=order.status,
        ordered_on=order.ordered_on, currency=order.currency, items=order.items,
        dispatched_on=order.dispatched_on, delivered_on=order.delivered_on,
        arrived_on=order.arrived_on, region=order.region,
    )  # fmt: skip
    session = secrets.token_urlsafe(18)
    current.begin(Draft(session=session, order=order, contact=contact, items=items))


def _page(typed: _Typed, draft: Draft | None, *, away: bool = False) -> str:
    return render_template(
        "requests/order.html",
        step="order",
        typed=typed,
        errors=typed.errors,
        draft=draft,
        resume=url_for("requests.step", step=first_open(draft)) if draft else "",
        away=away,
        demo=not services().settings.orders,
        kept_days=services().settings.request_retention_days,
    )
