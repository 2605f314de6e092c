"""What the rules say to a request: boundaries, missing dates, the most specific clause."""

from __future__ import annotations

import dataclasses
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import NOW
from portal.requests.clauses import cited_clauses
from portal.requests.eligibility import WISHES, Cited, Verdict, Wish, judge
from portal.requests.orders import Item, Order
from portal.requests.orders_csv import DEMO, CsvOrders
from portal.services import Services
from search.types import PolicyClause

START = date(2026, 3, 3)
FAULTS = {"defective", "not-as-described", "damaged"}
ITEM = Item("A-1", {"en": "Shirt"}, 1, Decimal("20"))


def order(**changes: Any) -> Order:
    plain = Order(
        number="WF-1", platform="wrenfield", status="delivered", ordered_on=START,
        currency="EUR", items=(ITEM,), dispatched_on=START, delivered_on=START,
    )  # fmt: skip
    return dataclasses.replace(plain, **changes)


def clause(article: str = "returns-a", section: str = "returns", **changes: Any) -> Cited:
    plain: dict[str, Any] = {
        "section": "window", "platforms": ("wrenfield",), "reasons": ("changed-mind",),
        "window_days": 30, "window_from": "delivery", "return_shipping": "customer",
        "refund_method": "original",
    }  # fmt: skip
    return Cited(PolicyClause(**{**plain, **changes}), article, "en", section)


def verdict(
    *clauses: Cited, today: date, wish: Wish = "refund", reason: str = "changed-mind",
    item: Item = ITEM, of: Order | None = None,
) -> Verdict:  # fmt: skip
    return judge(clauses, of or order(), [item], reason=reason, wish=wish, today=today)


@given(days=st.integers(0, 2000), passed=st.integers(0, 2100))
def test_a_window_ends_with_its_last_day_and_the_day_after_delivery_is_day_one(
    days: int, passed: int
) -> None:
    found = verdict(clause(window_days=days), today=START + timedelta(days=passed))
    assert (found.outcome == "yes") == (passed <= days)
    assert (found.outcome == "no") == (passed > days)
    assert found.until == START + timedelta(days=days)


def test_the_example_of_the_return_article() -> None:
    assert verdict(clause(), today=date(2026, 4, 2)).outcome == "yes"
    assert verdict(clause(), today=date(2026, 4, 3)).outcome == "no"


@given(start=st.sampled_from(["dispatch", "delivery", "warehouse-arrival", "someday"]))
def test_a_start_that_is_unknown_is_for_a_person(start: str) -> None:
    unknown = order(dispatched_on=None, delivered_on=None, arrived_on=None)
    found = verdict(clause(window_from=start), today=START, of=unknown)
    assert (found.outcome, found.because, found.until) == ("person", "no-date", None)


def test_without_a_rule_a_person_looks() -> None:
    for found in (
        verdict(today=START),
        verdict(clause(platforms=("pinecart",)), today=START),
        verdict(clause(reasons=("late",)), today=START),
    ):
        assert (found.outcome, found.because, found.cited) == ("person", "no-rule", None)


def test_a_wish_no_rule_speaks_of_is_for_a_person_and_cites_the_nearest() -> None:
    returns = clause()
    found = verdict(returns, today=START, wish="repair")
    assert (found.outcome, found.because, found.cited) == ("person", "not-this-wish", returns)


@given(
    order_of=st.permutations(range(4)),
    passed=st.integers(0, 60),
)
def test_the_most_specific_clause_decides_in_whatever_order_they_come(
    order_of: list[int], passed: int
) -> None:
    narrow = clause("returns-narrow", window_days=20)
    clauses = [
        narrow,
        clause("returns-reasons", reasons=("changed-mind", "late"), window_days=40),
        clause("returns-platforms", platforms=("wrenfield", "pinecart"), window_days=10),
        clause("law", "rights", window_days=5),
    ]
    shuffled = [clauses[place] for place in order_of]
    found = verdict(*shuffled, today=START + timedelta(days=passed))
    if passed <= 20:
        assert (found.outcome, found.cited) == ("yes", narrow)
    elif passed <= 40:  # the narrow rule has ended, a wider one has not
        assert (found.outcome, found.because) == ("person", "other-rule")
    else:
        assert (found.outcome, found.cited) == ("no", narrow)


def test_rules_for_goods_hold_for_these_goods_alone_and_come_first() -> None:
    goods = clause("return-window", window_days=14, goods=("electronics",))
    plain = clause("return-window", window_days=30)
    device = dataclasses.replace(ITEM, goods="electronics")
    for today, shirt, electronics in (
        (START + timedelta(days=10), "yes", "yes"),
        (START + timedelta(days=20), "yes", "person"),
        (START + timedelta(days=40), "no", "no"),
    ):
        assert verdict(goods, plain, today=today).outcome == shirt
        assert verdict(goods, plain, today=today, item=device).outcome == electronics
    assert verdict(goods, plain, today=START, item=device).cited == goods


def test_equal_clauses_that_disagree_are_for_a_person() -> None:
    short, long = clause(window_days=2), clause(window_days=7)
    assert verdict(short, long, today=START).until == START + timedelta(days=2)
    found = verdict(short, long, today=START + timedelta(days=5))
    assert (found.outcome, found.because) == ("person", "other-rule")
    assert verdict(short, long, today=START + timedelta(days=8)).outcome == "no"


@pytest.mark.parametrize("words", ["Orders from 1 March to 9 May", "3 月 1 日至 5 月 9 日的订单"])
def test_an_exception_by_the_calendar_is_not_computed(words: str) -> None:
    late = START + timedelta(days=99)
    spoken = clause(conditions=("Unused", words))
    assert verdict(spoken, today=late).because == "dated-exception"
    july = order(ordered_on=date(2026, 7, 1))
    assert verdict(spoken, today=late, of=july).outcome == "no"


def test_a_rule_without_a_window_is_for_a_person_unless_it_gives_nothing() -> None:
    conditions = clause(window_days=None, window_from=None)
    nothing = clause(window_days=None, window_from=None, return_shipping="none", refund_method=None)
    assert verdict(conditions, today=START).because == "conditions"
    found = verdict(nothing, today=START)
    assert (found.outcome, found.because) == ("no", "not-offered")


def test_goods_that_left_the_warehouse_are_past_its_rules() -> None:
    warehouse = clause(window_from="warehouse-arrival")
    there = order(arrived_on=START, dispatched_on=None, delivered_on=None)
    assert verdict(warehouse, today=START, of=there).outcome == "yes"
    sent_on = dataclasses.replace(there, dispatched_on=START)
    assert verdict(warehouse, today=START, of=sent_on).because == "no-rule"


@pytest.mark.parametrize(
    ("status", "outcome"),
    [("placed", "yes"), ("packed", "no"), ("dispatched", "no"), ("delivered", "no")],
)
def test_an_order_can_be_stopped_until_it_is_packed(status: Any, outcome: str) -> None:
    rule = clause(reasons=("cancelled",), window_days=None, refund_from="cancellation")
    found = verdict(rule, today=START, reason="cancelled", of=order(status=status))
    assert found.outcome == outcome


def test_items_under_different_rules_are_for_a_person() -> None:
    goods = clause("return-electronics", window_days=14, goods=("electronics",))
    plain = clause(window_days=30)
    device = dataclasses.replace(ITEM, sku="B-1", goods="electronics")
    today = START + timedelta(days=20)
    found = judge([goods, plain], order(), [ITEM, device], reason="changed-mind", wish="refund",
                  today=today)  # fmt: skip
    assert (found.outcome, found.because) == ("person", "items-differ")
    both = judge([goods, plain], order(), [ITEM, device], reason="changed-mind", wish="refund",
                 today=START)  # fmt: skip
    assert (both.outcome, both.until) == ("yes", START + timedelta(days=14))
    assert both.cited == goods  # the day and the clause it is from belong together


def test_rules_of_a_country_hold_there_alone() -> None:
    local = clause(window_days=2, regions=("china",))
    for region, outcome in (("china", "no"), ("eu", "person"), ("", "person")):
        assert verdict(local, today=START + timedelta(days=5), of=order(region=region)).outcome == (
            outcome
        )


@pytest.mark.parametrize("reason", ["late", "price", "not-received", "counterfeit"])
def test_what_turns_on_facts_no_order_has_is_for_a_person(reason: str) -> None:
    found = verdict(clause(reasons=(reason,)), today=START, reason=reason)
    assert (found.outcome, found.because) == ("person", "conditions")


def test_what_the_law_grants_for_faults_is_never_denied() -> None:
    ours = clause(reasons=("defective",), window_days=30)
    law = clause("law", section="rights", reasons=("defective",), window_days=30)
    late = START + timedelta(days=400)
    assert verdict(ours, today=late, reason="defective").outcome == "no"
    found = verdict(ours, law, today=late, reason="defective")
    assert (found.outcome, found.cited) == ("person", law)


DEMO_CASES = [
    ("WF-204-118-552", "changed-mind", "refund", "yes", None, "return-window"),
    ("WF-204-118-552", "wrong-size", "exchange", "yes", "2026-12-10", "exchange-size"),
    ("WF-204-118-671", "changed-mind", "refund", "yes", "2026-12-01", "return-window"),
    ("WF-204-119-214", "changed-mind", "refund", "person", "2026-12-01", "late-return"),
    ("WF-204-119-214", "wrong-size", "exchange", "no", "2026-11-17", "exchange-size"),
    ("WF-204-119-460", "defective", "repair", "yes", "2028-04-30", "warranty-cover"),
    ("WF-204-119-604", "cancelled", "refund", "yes", None, "cancel-order"),
    ("WF-204-119-611", "cancelled", "refund", "no", None, "cancel-order"),
    ("WF-204-119-620", "not-received", "refund", "person", None, "delivered-not-received"),
    ("BY-310-004-118", "changed-mind", "refund", "yes", "2026-11-26", "orchid-mall-returns"),
    ("BY-310-004-127", "damaged", "refund", "yes", "2026-11-26", "buying-service-returns"),
    ("BY-310-004-127", "changed-mind", "refund", "person", None, None),
    ("BY-310-004-140", "changed-mind", "refund", "no", None, "kuailane-returns"),
    ("BY-310-004-166", "changed-mind", "refund", "yes", "2026-11-22", "fjordmarkt-returns"),
    ("BY-310-004-171", "defective", "refund", "no", "2026-11-21", "fjordmarkt-returns"),
    ("BY-310-004-190", "defective", "refund", "yes", "2026-11-24", "pinecart-refunds"),
]


@pytest.mark.parametrize("locale", ["en", "zh-Hans"])
def test_the_shipped_articles_say_to_demo_orders_what_their_prose_says(
    services: Services, locale: str
) -> None:
    clauses = cited_clauses(services.library.catalogue, locale)
    orders = CsvOrders(DEMO, lambda: NOW)
    for number, reason, wish, outcome, until, article in DEMO_CASES:
        found_order = orders.get(number)
        assert found_order is not None
        found = judge(clauses, found_order, found_order.items[:1], reason=reason,
                      wish=wish, today=NOW.date())  # type: ignore[arg-type]  # fmt: skip
        cited = found.cited.article_id if found.cited else None
        day = found.until.isoformat() if found.until else None
        assert (outcome, until, article) == (found.outcome, day, cited), (number, reason, wish)


def test_every_verdict_on_demo_orders_cites_a_clause_that_matches(services: Services) -> None:
    catalogue = services.library.catalogue
    clauses = cited_clauses(catalogue, "en")
    orders = CsvOrders(DEMO, lambda: NOW)
    seen = set()
    for number in orders.numbers():
        of = orders.get(number)
        assert of is not None
        for reason in catalogue.taxonomy.reasons:
            for wish in WISHES:
                found = judge(clauses, of, of.items, reason=reason, wish=wish, today=NOW.date())
                seen.add(found.because)
                if found.cited is None:
                    assert (found.outcome, found.because) == ("person", "no-rule")
                    continue
                assert of.platform in found.cited.clause.platforms
                reasons = {*found.cited.clause.reasons}
                if found.cited.section == "rights" and reason in FAULTS:
                    reasons |= FAULTS  # which fault it was is for a person to find out
                assert reason in reasons
                if found.because == "in-time":
                    assert found.until is None or found.until >= NOW.date()
    assert {"in-time", "too-late", "other-rule", "not-offered", "no-date", "no-rule"} <= seen


@pytest.mark.parametrize("reason", ["damaged", "defective"])
def test_a_law_for_one_fault_leaves_another_fault_to_a_person(reason: str) -> None:
    ours = clause(reasons=("damaged", "defective"), window_days=7)
    law = clause("legal-guarantee", "rights", reasons=("defective",), window_days=None)
    late = START + timedelta(days=8)
    found = verdict(ours, law, today=late, reason=reason)
    assert (found.outcome, found.because, found.cited) == ("person", "other-rule", law)


def test_a_law_for_faults_says_nothing_to_who_changed_their_mind_or_lives_elsewhere() -> None:
    law = clause("legal-guarantee", "rights", reasons=("defective",), window_days=None)
    late = START + timedelta(days=31)
    assert verdict(clause(), law, today=late).outcome == "no"
    ours = clause(reasons=("damaged",))
    abroad = clause("legal-guarantee", "rights", reasons=("defective",), window_days=None,
                    regions=("eu",))  # fmt: skip
    found = verdict(ours, abroad, today=late, reason="damaged", of=order(region="cn"))
    assert found.outcome == "no"
