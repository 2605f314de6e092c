"""What the policy clauses of the articles say to a request: likely yes, likely not, or a person.

A pure function of clauses, order, items, reason, wish and day. It never decides anything: it reads
what can be computed, dates and names, shows the rest as conditions, and leaves every doubt to a
person. Each verdict cites the clause it is from.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal

from portal.requests.orders import Item, Order
from search.types import PolicyClause

Wish = Literal["refund", "exchange", "repair", "part"]
WISHES: tuple[Wish, ...] = ("refund", "exchange", "repair", "part")
Outcome = Literal["yes", "no", "person"]
Because = Literal[
    "in-time", "too-late", "other-rule", "not-offered", "not-started", "already-packed",
    "conditions", "no-date", "no-rule", "not-this-wish", "items-differ", "dated-exception",
]  # fmt: skip

_LAW = "rights"
_MISSING = "missing-item"
_FAULTS = frozenset({"defective", "not-as-described", "damaged"})
_SECTIONS: dict[Wish, frozenset[str]] = {
    "exchange": frozenset({"exchanges"}),
    "repair": frozenset({"warranty"}),
    "part": frozenset({"problems"}),
}
"""Where the rules for a wish stand; a refund has them everywhere but in those for others."""
_OTHERS = frozenset({"exchanges", "warranty"})
_UNKNOWN = frozenset({"late", "price", "not-received", "counterfeit"})
"""Reasons that turn on what no order says: a promised date, another price, a parcel's trace."""
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cited:
    """A clause and where it stands. `section` is the article's; the anchor is `clause.section`."""

    clause: PolicyClause
    article_id: str
    locale: str
    section: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rule says to a request; `until` is the last day it can be made, where one is known."""

    outcome: Outcome
    because: Because
    cited: Cited | None = None
    until: date | None = None


def judge(
    clauses: Sequence[Cited],
    order: Order,
    items: Sequence[Item],
    *,
    reason: str,
    wish: Wish,
    today: date,
) -> Verdict:
    """What the clauses say to all items together; a person looks where they say different things.

    Of several days the earliest counts, with the clause it is from.
    """
    verdicts = [_judge_item(clauses, order, item, reason, wish, today) for item in items]
    if not verdicts:
        return Verdict("person", "no-rule")
    first = verdicts[0]
    if any((each.outcome, each.because) != (first.outcome, first.because) for each in verdicts):
        return Verdict("person", "items-differ", first.cited)
    dated = [each for each in verdicts if each.until is not None]
    return min(dated, key=lambda each: each.until or date.max, default=first)


def _judge_item(
    clauses: Sequence[Cited], order: Order, item: Item, reason: str, wish: Wish, today: date
) -> Verdict:
    matching = [cited for cited in clauses if _applies(cited, order, item, reason)]
    fitting = [cited for cited in matching if _fits(cited, wish)]
    if not fitting:
        nearest = min(matching, key=_rank(item), default=None)
        return Verdict("person", "not-this-wish" if nearest else "no-rule", nearest)
    if reason == "cancelled":
        return _cancelling(order, min(fitting, key=_rank(item)))
    if reason in _UNKNOWN:
        return Verdict("person", "conditions", min(fitting, key=_rank(item)))
    dated = [cited for cited in fitting if cited.clause.window_days is not None]
    if not dated:
        return _undated(min(fitting, key=_rank(item)))
    first = min(dated, key=_rank(item))
    ends = {id(cited): _last_day(cited.clause, order) for cited in dated}
    if any(ends[id(cited)] is None for cited in dated if _rank(item)(cited) == _rank(item)(first)):
        soonest = min(
            (cited for cited in dated if ends[id(cited)] is None),
            key=lambda cited: (_rank(item)(cited), cited.clause.window_days or 0),
        )
        return Verdict("person", "no-date", soonest)
    known = [(cited, end) for cited in dated if (end := ends[id(cited)])]
    verdict = _by_dates(known, item, today)
    if verdict.outcome == "no":
        of_law = [cited for cited in clauses if _grants_for_faults(cited, order, item, reason)]
        return _doubt(verdict, matching, known, of_law, order, today)
    if verdict.cited and order.ordered_on.month in _months(verdict.cited.clause):
        return replace(verdict, until=None)  # a condition has another day for orders of that month
    return verdict


def _applies(cited: Cited, order: Order, item: Item, reason: str) -> bool:
    return reason in cited.clause.reasons and _is_about(cited.clause, order, item)


def _grants_for_faults(cited: Cited, order: Order, item: Item, reason: str) -> bool:
    """Whether the law may help with this reason although its clause names another fault.

    What arrived damaged may have left faulty; which it was is for a person to find out.
    """
    reasons = frozenset(cited.clause.reasons)
    return (
        cited.section == _LAW
        and bool(_FAULTS & reasons)
        and (reason in reasons or reason in _FAULTS)
        and _is_about(cited.clause, order, item)
    )


def _is_about(clause: PolicyClause, order: Order, item: Item) -> bool:
    """Whether a clause is for this order and item, whatever the reason."""
    if order.platform not in clause.platforms:
        return False
    # A rule for goods in the warehouse ends when the parcel leaves it for the customer.
    if clause.window_from == "warehouse-arrival" and (order.dispatched_on or order.delivered_on):
        return False
    if clause.regions and order.region not in clause.regions:
        return False
    return not clause.goods or item.goods in clause.goods


def _fits(cited: Cited, wish: Wish) -> bool:
    if wish == "refund":
        return cited.section not in _OTHERS
    if wish == "part" and _MISSING not in cited.clause.reasons:
        return False
    return cited.section in _SECTIONS[wish]


def _rank(item: Item) -> Callable[[Cited], tuple[bool, bool, bool, int, int]]:
    """Orders clauses, the one that decides first: what is said most narrowly.

    Goods before no goods, our own rules before the law's minimum, windows before none, then the
    fewest platforms and the fewest reasons. Clauses that are equal in all of this share a rank.
    """

    def rank(cited: Cited) -> tuple[bool, bool, bool, int, int]:
        clause = cited.clause
        return (
            not (item.goods and item.goods in cited.clause.goods),
            cited.section == _LAW,
            clause.window_days is None,
            len(clause.platforms),
            len(clause.reasons),
        )

    return rank


def _last_day(clause: PolicyClause, order: Order) -> date | None:
    """The last day of a window; the day after it began is day 1. None when the start is unknown."""
    starts = {
        "order": order.ordered_on,
        "purchase": order.ordered_on,
        "dispatch": order.dispatched_on,
        "delivery": order.delivered_on,
        "warehouse-arrival": order.arrived_on,
    }
    start = starts.get(clause.window_from or "")
    if start is None or clause.window_days is None:
        return None
    return start + timedelta(days=clause.window_days)


def _by_dates(known: list[tuple[Cited, date]], item: Item, today: date) -> Verdict:
    rank = _rank(item)
    best = min(rank(cited) for cited, _end in known)
    first = [(cited, end) for cited, end in known if rank(cited) == best]
    still_open = [(cited, end) for cited, end in first if today <= end]
    if len(still_open) == len(first):
        cited, end = min(first, key=lambda pair: pair[1])
        return Verdict("yes", "in-time", cited, end)
    others = still_open or [(cited, end) for cited, end in known if today <= end]
    if others:
        cited, end = min(others, key=lambda pair: (rank(pair[0]), pair[1]))
        return Verdict("person", "other-rule", cited, end)
    cited, end = max(first, key=lambda pair: pair[1])
    return Verdict("no", "too-late", cited, end)


def _doubt(
    verdict: Verdict,
    matching: list[Cited],
    known: list[tuple[Cited, date]],
    of_law: list[Cited],
    order: Order,
    today: date,
) -> Verdict:
    """A window that has passed, unless something else may still help.

    That is a rule for another wish whose window is open, such as the law's or a warranty's, a
    condition naming the month of the order ("Orders from 1 November …"), or a rule without a window
    for this reason alone. What is said of the way of a parcel is past when the parcel is there and
    the window is not about its delivery.
    """
    for cited in matching:
        end = _last_day(cited.clause, order)
        if end is not None and today <= end and cited.section in (_LAW, *_OTHERS):
            return Verdict("person", "other-rule", cited, end)
    if of_law:
        # What the law grants for faults outlasts its first remedy; how long is for a person to say.
        return Verdict("person", "other-rule", of_law[0])
    for cited, _end in known:
        if order.ordered_on.month in _months(cited.clause):
            return Verdict("person", "dated-exception", cited)
    section = verdict.cited.section if verdict.cited else ""
    for cited in matching:
        clause = cited.clause
        is_way = cited.section == "delivery" and section != "delivery"
        if (
            clause.window_days is None
            and len(clause.reasons) == 1
            and clause.refund_method
            and not (order.delivered_on and is_way)
        ):
            return Verdict("person", "other-rule", cited)
    return verdict


def _undated(cited: Cited) -> Verdict:
    clause = cited.clause
    promises = clause.refund_days, clause.refund_from, clause.refund_method
    if not any(promises) and clause.return_shipping in (None, "none"):
        return Verdict("no", "not-offered", cited)
    return Verdict("person", "conditions", cited)


def _cancelling(order: Order, cited: Cited) -> Verdict:
    """An order can be stopped until it is packed; whether a seller stops one, a person asks."""
    if cited.clause.refund_from != "cancellation":
        return Verdict("person", "conditions", cited)
    if order.status == "placed":
        return Verdict("yes", "not-started", cited)
    return Verdict("no", "already-packed", cited)


def _months(clause: PolicyClause) -> set[int]:
    """The months of the calendar that conditions speak of, 1 to 12."""
    found: set[int] = set()
    for text in clause.conditions:
        words = set(re.findall("[a-z]+", text.casefold()))
        found |= {number for number, name in enumerate(_MONTHS, 1) if name in words}
        found |= {int(number) for number in re.findall(r"([0-9]{1,2}) ?月", text)}
    return found & set(range(1, 13))
