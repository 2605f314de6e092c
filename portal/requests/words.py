"""What the form says of orders, wishes and verdicts, in the reader's language."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from flask_babel import format_currency
from flask_babel import gettext as _

from portal.help.context import article_url
from portal.help.policy import Fact, facts
from portal.i18n import current_locale, format_date
from portal.requests.clauses import heading
from portal.requests.eligibility import Cited, Verdict
from portal.requests.orders import Order
from search.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a rule stands."""

    title: str
    heading: str
    url: str
    locale: str


@dataclass(frozen=True, slots=True)
class Explained:
    """A verdict ready to show."""

    outcome: str
    headline: str
    because: str
    facts: tuple[Fact, ...]
    citation: Citation | None


def explain(verdict: Verdict, catalogue: Catalogue) -> Explained:
    """The verdict in words, the facts of its clause, and where that stands."""
    rows: tuple[Fact, ...] = ()
    if verdict.cited is not None:
        rows = facts(verdict.cited.clause, catalogue.taxonomy)
    if verdict.outcome == "no":  # what one would have to send is beside the point
        rows = tuple(row for row in rows if row.kind in ("clock", "list"))
    return Explained(
        outcome=verdict.outcome,
        headline=headline(verdict.outcome, verdict.until),
        because=because(verdict.because, verdict.until),
        facts=rows,
        citation=cite(verdict.cited, catalogue) if verdict.cited else None,
    )


def headline(outcome: str, until: date | None) -> str:
    """A verdict in a few words."""
    if outcome == "yes":
        if until is None:
            return str(_("Likely yes"))
        return str(_("Likely yes, until %(date)s", date=format_date(until)))
    return str(_("Likely not")) if outcome == "no" else str(_("A person will look at it"))


def because(reason: str, until: date | None) -> str:
    """Why, in a sentence; `reason` is the `because` of a verdict."""
    day = format_date(until) if until else ""
    texts = {
        "in-time": _("You are within the time limit. What the rule asks for besides is below."),
        "too-late": _("because the time limit ended on %(date)s.", date=day),
        "other-rule": _(
            "The usual time limit does not settle this, but another rule may still help."
        ),
        "not-offered": _("because the rule for these goods does not offer it."),
        "not-started": _("The order is not packed yet, so it can still be stopped."),
        "already-packed": _(
            "because the order is packed or on its way. You can return it instead."
        ),
        "conditions": _("The rule depends on conditions that only a person can check."),
        "no-date": _("The time limit counts from a day that is not in your order yet."),
        "no-rule": _("No rule we can compute fits just this case."),
        "not-this-wish": _("Our articles have a rule for this reason, but not for this wish."),
        "items-differ": _("Different rules apply to the items you chose."),
        "dated-exception": _(
            "The usual time limit is over, but orders from those weeks have a longer one."
        ),
    }  # fmt: skip
    return str(texts[reason])


def cite(cited: Cited, catalogue: Catalogue) -> Citation | None:
    """The article and section of a clause, or None when the article is gone."""
    return cite_by_name(cited.article_id, cited.locale, cited.clause.section, catalogue)


def cite_by_name(
    article_id: str, locale: str, section: str, catalogue: Catalogue
) -> Citation | None:  # fmt: skip
    """The same for a clause that was kept by its names."""
    article = catalogue.get(locale, article_id)
    if article is None:
        return None
    under = heading(article, section)
    return Citation(
        title=article.title,
        heading=under.title if under else "",
        url=article_url(article, anchor=section if under else ""),
        locale=article.locale,
    )


def wish_title(wish: str) -> str:
    """What readers see for a wish."""
    texts = {
        "refund": _("My money back"),
        "exchange": _("An exchange"),
        "repair": _("A repair"),
        "part": _("The missing part"),
    }
    return str(texts[wish])


def wish_hint(wish: str) -> str:
    """What a wish means."""
    texts = {
        "refund": _("A full or partial refund, with or without a return"),
        "exchange": _("The same item again, or another size or colour"),
        "repair": _("You keep the item and we have it mended"),
        "part": _("We send what was not in the parcel"),
    }
    return str(texts[wish])


def step_title(step: str) -> str:
    """The question a step asks."""
    texts = {
        "order": _("Which order is it about?"),
        "items": _("Which items is it about?"),
        "reason": _("What is the reason?"),
        "wish": _("What would you like us to do?"),
        "comments": _("What happened?"),
        "check": _("Check your request"),
    }
    return str(texts[step])


def money(amount: Decimal | str, currency: str) -> str:
    """An amount as the reader's language writes it."""
    return str(format_currency(Decimal(amount), currency))


def order_day(order: Order) -> str:
    """What is known of the way of an order, the latest first."""
    if order.delivered_on:
        return str(_("Delivered on %(date)s", date=format_date(order.delivered_on)))
    if order.dispatched_on:
        return str(_("Dispatched on %(date)s", date=format_date(order.dispatched_on)))
    if order.arrived_on:
        return str(_("At our warehouse since %(date)s", date=format_date(order.arrived_on)))
    return str(_("Ordered on %(date)s", date=format_date(order.ordered_on)))


def title_of(titles: dict[str, str]) -> str:
    """The title in the reader's language, else in any."""
    return titles.get(current_locale()) or next(iter(titles.values()), "")
