"""What kind of gap is proposed, and from which evidence."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import NOW
from gap_support import Log
from portal.gaps.kinds import NEAR_CONFIDENCE, Facts, propose
from portal.gaps.later import Later, difference, read_outdated, read_steps, reworded
from portal.gaps.read_log import read_log
from portal.gaps.types import Evidence, Kind, Reason
from portal.services import Services
from search.text import normalise
from search.types import Embedder

TODAY = NOW.date()
ANSWERED = [("when will my refund arrive", "en"), ("how long until I get my refund", "en")]


def facts(*questions: tuple[str, str], **others: Any) -> Facts:
    usual: dict[str, Any] = {
        "visitors": 10, "reasons": {Reason.LOW_CONFIDENCE: 10}, "later": Later(), "outdated": {},
    }  # fmt: skip
    return Facts(questions, **(usual | others))


def of(evidence: tuple[Evidence, ...], key: str) -> Evidence:
    return next(one for one in evidence if one.key == key)


def test_what_no_article_is_near_needs_an_article(services: Services) -> None:
    kind, evidence = propose(
        facts(("which shops are open on bank holidays", "en"), ("shop opening hours", "en")),
        services.library, TODAY,
    )  # fmt: skip
    assert kind in (Kind.NO_ARTICLE, Kind.OUT_OF_SCOPE)
    assert evidence[0].of == 2


def test_what_is_answered_today_but_failed_then_is_not_found(services: Services) -> None:
    kind, evidence = propose(facts(*ANSWERED), services.library, TODAY)
    assert kind is Kind.NOT_FOUND
    assert of(evidence, "answered_now").count == 2
    assert of(evidence, "failed_then") == Evidence("failed_then", count=10, of=10)


def test_what_is_answered_and_voted_down_does_not_help(services: Services) -> None:
    reasons = {Reason.NOT_HELPFUL: 6, Reason.HANDED_OVER: 3, Reason.LOW_CONFIDENCE: 1}
    kind, evidence = propose(facts(*ANSWERED, reasons=reasons), services.library, TODAY)
    assert kind is Kind.NOT_HELPFUL
    assert of(evidence, "reason_not_helpful").count == 6
    assert of(evidence, "reason_handed_over").of == 10


def test_an_article_past_its_review_or_called_so_is_outdated(services: Services) -> None:
    _, now = propose(facts(ANSWERED[0]), services.library, TODAY)
    article = now[0].article
    kind, evidence = propose(facts(ANSWERED[0], outdated={article: 2}), services.library, TODAY)
    assert kind is Kind.OUTDATED
    assert of(evidence, "voted_outdated").count == 2
    kind, evidence = propose(facts(ANSWERED[0]), services.library, date(2100, 1, 1))
    assert kind is Kind.OUTDATED
    assert date.fromisoformat(of(evidence, "review_due").day) < date(2100, 1, 1)


def test_what_visitors_found_in_other_words_exists_and_lacks_theirs(services: Services) -> None:
    later = Later(Counter({"en:refund-timing": 4}), Counter({("dosh", "refund"): 3}))
    kind, evidence = propose(
        facts(("where on earth is my dosh", "en"), later=later, later_of=[later]),
        services.library, TODAY,
    )  # fmt: skip
    assert kind is Kind.NOT_FOUND
    assert of(evidence, "opened_later").count == 4
    assert of(evidence, "synonym").synonym == ("dosh", "refund")
    assert "dosh" in of(evidence, "words_missing").words
    assert of(evidence, "add_questions").questions == ("where on earth is my dosh",)
    one = Later(Counter({"en:refund-timing": 1}), Counter({("dosh", "refund"): 1}))
    _, evidence = propose(
        facts(("where on earth is my dosh", "en"), later=one), services.library, TODAY
    )
    assert "opened_later" not in [found.key for found in evidence]


@dataclass
class _Vague:
    """A library that answers nothing, and has an article near whatever is asked."""

    library: Any
    inside: float = 0.02

    def search(self, text: str, **options: Any) -> Any:
        found = self.library.search(text, **options)
        trace = replace(found.trace, features={**found.trace.features, "inside": self.inside})
        results = tuple(
            replace(result, explanation=replace(result.explanation, similarity=0.5))
            for result in found.results
        )
        return replace(
            found, resolved=False, confidence=NEAR_CONFIDENCE, trace=trace, results=results
        )


def test_what_is_near_another_article_with_each_question_needs_an_article(
    services: Services,
) -> None:
    vague: Any = _Vague(services.library)
    one = facts(*ANSWERED, ("can i change my delivery address", "en"))
    assert propose(one, vague, TODAY)[0] is Kind.NOT_FOUND
    each = facts(
        ANSWERED[0], ("can i change my delivery address", "en"), ("打开app就闪退", "zh-Hans")
    )
    kind, evidence = propose(each, vague, TODAY)
    assert kind is Kind.NO_ARTICLE
    assert "add_questions" not in [found.key for found in evidence]


STRAY = ("打开app就闪退", "zh-Hans")


def test_one_stray_question_of_three_neither_finds_an_article_nor_is_added_to_it(
    services: Services,
) -> None:
    address = ("how can I change my delivery address", "en")
    kind, evidence = propose(facts(ANSWERED[0], address, STRAY), services.library, TODAY)
    assert kind is Kind.NO_ARTICLE
    assert [one.key for one in evidence] == ["answered_apart"]
    helped = facts(ANSWERED[0], address, STRAY, reasons={Reason.NOT_HELPFUL: 9})
    kind, evidence = propose(helped, services.library, TODAY)
    assert kind is Kind.NO_ARTICLE
    assert [one.key for one in evidence] == ["answered_apart", "reason_not_helpful"]
    assert evidence[0].count == 2
    vague: Any = _Vague(services.library)
    kind, evidence = propose(facts(*ANSWERED, STRAY), vague, TODAY)
    assert kind is Kind.NOT_FOUND
    added = of(evidence, "add_questions")
    assert (added.count, added.of) == (2, 3)
    assert added.questions == tuple(text for text, _ in ANSWERED)


def test_a_majority_is_of_the_visitors_of_the_questions(services: Services) -> None:
    def kind_of(*asked_by: int) -> tuple[Kind, Evidence]:
        kind, evidence = propose(
            facts(*ANSWERED, STRAY, asked_by=asked_by), services.library, TODAY
        )
        return kind, evidence[0]

    kind, found = kind_of(2, 1, 2)
    assert (kind, found.key) == (Kind.NOT_FOUND, "answered_now")
    assert (found.count, found.of, found.visitors, found.of_visitors) == (2, 3, 3, 5)
    assert kind_of(1, 1, 2)[0] is not Kind.NOT_FOUND
    most_of_one = facts(ANSWERED[0], STRAY, ("扫一扫黑屏", "zh-Hans"), asked_by=(9, 1, 1))
    kind, evidence = propose(most_of_one, services.library, TODAY)
    assert kind is not Kind.NOT_FOUND
    assert "refund-timing" not in evidence[0].article


def test_what_one_stray_question_led_to_in_other_words_is_not_the_gaps(services: Services) -> None:
    later = Later(Counter({"en:refund-timing": 4}))
    asked = (("where on earth is my dosh", "en"), STRAY, ("扫一扫黑屏", "zh-Hans"))
    one = facts(*asked, later=later, later_of=[later, Later(), Later()])
    _, evidence = propose(one, services.library, TODAY)
    assert "opened_later" not in [found.key for found in evidence]
    two = facts(*asked, later=later, later_of=[later, later, Later()])
    kind, evidence = propose(two, services.library, TODAY)
    assert kind is Kind.NOT_FOUND
    assert of(evidence, "add_questions").questions == tuple(text for text, _ in asked[:2])


def test_some_confidence_is_not_near_for_what_is_likelier_outside(services: Services) -> None:
    vague: Any = _Vague(services.library, inside=-0.02)
    assert propose(facts(ANSWERED[0]), vague, TODAY)[0] is Kind.NO_ARTICLE


@dataclass
class _Foreign:
    """A library whose articles have no translation into the reader's language."""

    library: Any

    def search(self, text: str, **options: Any) -> Any:
        found = self.library.search(text, **options)
        return replace(
            found, resolved=False,
            results=tuple(replace(result, translated=True) for result in found.results),
        )  # fmt: skip


def test_what_only_the_other_language_answers_is_said_to_be_so(services: Services) -> None:
    foreign: Any = _Foreign(services.library)
    kind, evidence = propose(facts(*ANSWERED), foreign, TODAY)
    assert kind is Kind.OTHER_LANGUAGE
    assert evidence[0].count >= 1


@pytest.mark.parametrize(
    ("before", "after", "pair"),
    [
        ("where is my dosh", "where is my refund", ("dosh", "refund")),
        ("退钱要多久", "退款要多久", None),  # a character alone is no word
        ("快递费谁出", "运费谁出", ("快递", "运")),
        ("dosh", "refund", None),  # nothing in common: perhaps another question
        ("where is my dosh", "where is my dosh", None),
        ("where is my dosh", "where is my dosh please", None),
        ("a b c d e f g", "a 1 2 3 4 5 g", None),
    ],
)
def test_one_word_in_the_place_of_another_may_be_a_synonym(
    before: str, after: str, pair: tuple[str, str] | None
) -> None:
    found = difference(before, after)
    assert found == (pair if pair is None or len(pair[1]) > 1 else None)


@given(st.text("ab 退款", max_size=12), st.text("ab 退款", max_size=12))
def test_differences_stand_in_both_texts(before: str, after: str) -> None:
    before, after = normalise(before), normalise(after)
    pair = difference(before, after)
    if pair is not None:
        assert pair[0] != pair[1]
        assert pair[0] in before
        assert pair[1] in after


def later_of(log: Log, embedder: Embedder) -> dict[str, Later]:
    """What visitors of a log found in other words."""
    since = NOW - timedelta(days=2)
    read_log(log.engine, since=since, now=NOW, last=None, progress=lambda *_: None)
    with log.engine.connect() as connection:
        keys = {row.question: row.normalised for row in connection.exec_driver_sql(
            "SELECT question, normalised FROM unresolved")}  # fmt: skip
        steps = read_steps(connection, since)
    texts = [*keys.values(), *(step.asked for step in steps)]
    return reworded(steps, keys, dict(zip(texts, embedder.encode_queries(texts), strict=True)))


@pytest.mark.parametrize(
    ("before", "after", "resolved"),
    [
        # Opened out of need, without an answer.
        ("where is my dosh", "where is my refund", False),
        # Answered, but another question.
        ("有沙发展厅吗", "奥莱店能停车吗", True),
        ("do you have a showroom for sofas", "where is my refund", True),
    ],
)
def test_what_is_another_question_or_unanswered_is_not_found_in_other_words(
    embedder: Embedder, before: str, after: str, *, resolved: bool
) -> None:
    log = Log()
    for visitor in ("a", "b", "c"):
        log.ask(before, visitor=visitor, after=-7200, found=False)
        again = log.ask(after, visitor=visitor, after=-7100, resolved=resolved)
        log.click(again, visitor=visitor, after=-7090)
    assert later_of(log, embedder) == {}


def test_what_was_opened_after_asking_again_is_counted_by_visitor(embedder: Embedder) -> None:
    log = Log()
    for visitor in ("a", "b"):
        log.ask("where is my dosh", visitor=visitor, after=-7200, found=False)
        again = log.ask("where is my refund", visitor=visitor, after=-7100, resolved=True)
        log.click(again, visitor=visitor, after=-7090)
        log.click(again, visitor=visitor, after=-7080)
    log.ask("where is my dosh", visitor="c", after=-7200, found=False)
    much_later = log.ask("where is my refund", visitor="c", after=-3600, resolved=True)
    log.click(much_later, visitor="c", after=-3590)
    log.vote(much_later, helpful=False, visitor="c")
    with log.engine.connect() as connection:
        assert read_outdated(connection, NOW - timedelta(days=2)) == {}
    [found] = later_of(log, embedder).values()
    assert found.opened == {"en:refund-timing": 2}
    assert found.replaced == {("dosh", "refund"): 2}


@pytest.mark.parametrize(
    ("reasons", "called"),
    [
        (["outdated"], {}),
        (["outdated", "outdated"], {"en:refund-timing": 2}),
        (["outdated", "outdated", *["wrong"] * 4], {"en:refund-timing": 2}),
        (["outdated", "outdated", *["wrong"] * 5], {}),
    ],
)
def test_an_article_is_called_outdated_by_a_third_of_those_who_say_why(
    reasons: list[str], called: dict[str, int]
) -> None:
    log = Log()
    for number, reason in enumerate(reasons):
        search = log.ask("where is my refund", visitor=str(number), after=-7200, resolved=True)
        log.vote(search, helpful=False, visitor=str(number), after=-7100, reason=reason)
    with log.engine.connect() as connection:
        assert read_outdated(connection, NOW - timedelta(days=2)) == called
