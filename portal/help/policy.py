"""A policy clause as the short labelled facts readers see on cards and articles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import ngettext

from portal.i18n import current_locale
from search.taxonomy import Label, Taxonomy
from search.types import Article, PolicyClause


@dataclass(frozen=True, slots=True)
class Fact:
    """One row of a definition list; `kind` chooses its icon."""

    kind: str
    label: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause ready to show: its section's anchor, what it is about, whom for, its facts."""

    anchor: str
    title: tuple[str, ...]
    scope: tuple[str, ...]
    facts: tuple[Fact, ...]


def clauses(article: Article, taxonomy: Taxonomy) -> list[Clause]:
    """Every clause of an article that has something to show, in the article's order.

    Clauses of one section are told apart by their platforms or reasons, which then are the title.
    """
    headings = {heading.anchor: heading.title for heading in article.headings}
    uses = Counter(clause.section for clause in article.policy)
    several = {
        "platforms": len({clause.platforms for clause in article.policy}) > 1,
        "reasons": len({clause.reasons for clause in article.policy}) > 1,
    }
    shown = []
    for clause in article.policy:
        if not (rows := facts(clause, taxonomy)):
            continue
        scope = (
            *(titles(clause.platforms, taxonomy.platforms) if several["platforms"] else ()),
            *(titles(clause.reasons, taxonomy.reasons) if several["reasons"] else ()),
        )
        title: tuple[str, ...] = (headings.get(clause.section, article.title),)
        if uses[clause.section] > 1 and scope:
            title, scope = scope, ()
        shown.append(Clause(clause.section, title, scope, rows))
    return shown


def facts(clause: PolicyClause, taxonomy: Taxonomy) -> tuple[Fact, ...]:
    """The facts of one clause: how long, who pays, the money, what to show, on what conditions."""
    rows = [
        Fact("clock", _("Time limit"), _present(_window(clause))),
        Fact("parcel", _("Return postage"), _present(_postage(clause.return_shipping))),
        Fact("money", _("Refund"), _present(_refund(clause), _method(clause.refund_method))),
        Fact("camera", _("Please have ready"), titles(clause.evidence, taxonomy.evidence)),
        Fact("list", _("Conditions"), clause.conditions),
    ]
    return tuple(row for row in rows if row.values)


def titles(keys: Iterable[str], labels: Mapping[str, Label]) -> tuple[str, ...]:
    """What readers see for keys of the taxonomy."""
    locale = current_locale()
    return tuple(labels[key].title(locale) if key in labels else key for key in keys)


def _present(*values: str) -> tuple[str, ...]:
    return tuple(value for value in values if value)


def _window(clause: PolicyClause) -> str:
    if clause.window_days is None:
        return ""
    days = ngettext("%(num)s day", "%(num)s days", clause.window_days)
    patterns = {
        "order": _("%(days)s from the order", days=days),
        "purchase": _("%(days)s from the purchase", days=days),
        "dispatch": _("%(days)s from dispatch", days=days),
        "delivery": _("%(days)s from delivery", days=days),
        "warehouse-arrival": _("%(days)s from arrival at our warehouse", days=days),
    }
    return str(patterns.get(clause.window_from or "", days))


def _postage(who: str | None) -> str:
    texts = {
        "shop": _("We pay"),
        "customer": _("You pay"),
        "seller": _("The seller pays"),
        "insurer": _("Return insurance pays"),
        "none": _("Nothing to send back"),
    }
    return str(texts.get(who or "", ""))


def _refund(clause: PolicyClause) -> str:
    if clause.refund_days is None:
        return ""
    days = ngettext("%(num)s working day", "%(num)s working days", clause.refund_days)
    patterns = {
        "approval": _("Within %(days)s of approval", days=days),
        "inspection": _("Within %(days)s of the inspection", days=days),
        "cancellation": _("Within %(days)s of cancelling", days=days),
        "seller-refund": _("Within %(days)s of the seller's refund", days=days),
    }
    return str(patterns.get(clause.refund_from or "", _("Within %(days)s", days=days)))


def _method(method: str | None) -> str:
    texts = {
        "original": _("To the original payment method"),
        "balance": _("As store balance"),
        "gift-card": _("To a gift card"),
        "choice": _("The way you choose"),
    }
    return str(texts.get(method or "", ""))
