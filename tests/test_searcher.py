"""What the searcher promises over the shipped articles, whatever the numbers of its ranking."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from search.errors import QueryRejected
from search.library import open_searcher
from search.searcher import MODES, Searcher
from search.types import Embedder, Filters


@pytest.fixture(scope="module")
def searcher(published: Path, embedder: Embedder) -> Searcher:
    return open_searcher(published, embedder)


@pytest.mark.parametrize("question", ["qwxz vbnm", "asdfghjkl", "😀😀"])
def test_a_text_without_any_bearing_finds_nothing(searcher: Searcher, question: str) -> None:
    found = searcher.search(question, locale="en")
    assert found.results == ()
    assert found.answer is None


def test_one_absent_word_never_empties_the_result(searcher: Searcher) -> None:
    assert searcher.search("refund xyzzyplugh").results
    assert searcher.search("退款 饕餮纹").results


@pytest.mark.parametrize("mode", MODES)
def test_scores_fall_and_articles_come_once(searcher: Searcher, mode: str) -> None:
    found = searcher.search("refund to gift card", mode=mode, limit=50)
    scores = [result.score for result in found.results]
    assert scores == sorted(scores, reverse=True)
    ids = [result.article.id for result in found.results]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("reader", ["en", "zh-Hans"])
def test_an_article_is_shown_in_the_readers_language_where_it_exists(
    searcher: Searcher, reader: str
) -> None:
    catalogue = searcher.generation.catalogue
    for question in ("refund to gift card", "退货运费谁出", "customs refused my parcel"):
        for result in searcher.search(question, locale=reader, limit=20).results:
            if reader in catalogue.translations(result.article.id):
                assert result.article.locale == reader
                assert not result.translated
            else:
                assert result.translated


@pytest.mark.parametrize(
    ("plain", "other"),
    [
        ("退货运费", "退貨運費"),
        ("refund", "ＲＥＦＵＮＤ"),
        ("iPhone15 退款", "ｉＰｈｏｎｅ１５　退款"),
    ],
)
def test_width_case_and_script_make_no_difference(
    searcher: Searcher, plain: str, other: str
) -> None:
    def ids(question: str) -> list[str]:
        found = searcher.search(question, mode="keyword")
        return [result.passage.id for result in found.results]

    assert ids(plain) == ids(other)


@pytest.mark.parametrize("locale", ["en", "zh-Hans"])
def test_a_title_finds_its_article(searcher: Searcher, locale: str) -> None:
    articles = [a for a in searcher.generation.catalogue if a.locale == locale]
    first = [searcher.search(a.title, locale=locale, limit=1).results[0].article for a in articles]
    right = sum(a.id == b.id for a, b in zip(articles, first, strict=True))
    assert right == len(articles)


def test_an_answer_is_one_or_two_sentences_of_its_passage(searcher: Searcher) -> None:
    for question in ("refund to gift card", "退款多久到账", "how do i cancel my order"):
        found = searcher.search(question)
        assert found.answer is not None
        passage = found.results[0].passage
        used = [sentence for sentence in passage.sentences if sentence in found.answer.text]
        assert 1 <= len(used) <= 2
        assert len("".join(used)) >= len(found.answer.text) - 2
        assert found.answer.anchor == passage.anchor


def test_the_policy_of_the_answering_section_comes_with_it(searcher: Searcher) -> None:
    found = searcher.search("how many days do I have to return something")
    assert found.answer is not None
    assert found.answer.article.id == "return-window"
    clauses = [
        clause for clause in found.answer.article.policy if clause.section == found.answer.anchor
    ]
    assert (found.answer.policy in clauses) if clauses else True
    with_policy = searcher.search("how long do I have to report damage")
    assert with_policy.results[0].article.policy


@pytest.mark.parametrize(
    "options",
    [{"locale": "fr"}, {"mode": "magic"}, {"filters": Filters(section="x")},
     {"filters": Filters(platform="x")}, {"filters": Filters(locale="x")}],
)  # fmt: skip
def test_unknown_names_are_refused(searcher: Searcher, options: dict[str, object]) -> None:
    with pytest.raises(QueryRejected):
        searcher.search("refund", **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("question", ["", "   ", "?!", "。", "the", "的"])
def test_questions_without_content_are_answered_by_nothing(
    searcher: Searcher, question: str
) -> None:
    assert searcher.search(question, locale="en").answer is None


def test_the_trace_says_what_was_done(searcher: Searcher) -> None:
    found = searcher.search("refund to gift card", explain=True)
    assert found.trace.terms == ("refund", "gift", "card")
    assert set(found.trace.timings_ms) == {
        "analyse", "keyword", "encode", "vector", "rank", "present",
    }  # fmt: skip
    explanation = found.results[0].explanation
    assert explanation is not None
    assert explanation.keyword == pytest.approx(sum(dict(explanation.terms).values()), rel=1e-4)


@pytest.mark.parametrize(
    ("mode", "parts"),
    [
        ("hybrid", {"words", "meaning", "learned"}),
        ("vector", {"meaning", "learned"}),
        ("keyword", {"words"}),
    ],
)
def test_the_parts_of_a_score_add_up_to_it(searcher: Searcher, mode: str, parts: set[str]) -> None:
    for result in searcher.search("refund to gift card", mode=mode, explain=True).results:
        why = result.explanation
        assert why is not None
        assert set(why.parts) == parts
        assert sum(why.parts.values()) == pytest.approx(result.score, rel=1e-4, abs=1e-4)


@pytest.mark.parametrize(
    ("query", "holds"),
    [
        ('"store balance"', lambda text: "store balance" in text),
        ('title:"gift card"', lambda text: "gift card" in text),
        ("refund* -instalments", lambda text: "refund" in text and "instalments" not in text),
        ("“门店自提”", None),
    ],
)
def test_operators_restrict_what_is_found(
    searcher: Searcher, query: str, holds: Callable[[str], bool] | None
) -> None:
    found = searcher.search(query, locale="en")
    for result in found.results:
        article = searcher.generation.catalogue.get("en", result.article.id)
        assert article is not None
        row = searcher.generation.catalogue.rows[article.id][0]
        first, last = searcher.generation.article_passages[row : row + 2]
        text = " ".join(
            [article.title, *article.questions, *article.tags]
            + [searcher.generation.folded.text(passage).decode() for passage in range(first, last)]
        ).lower()
        if holds:
            assert holds(text), article.id
    assert bool(found.results) == (holds is not None)


def test_ordinary_punctuation_is_no_operator(searcher: Searcher) -> None:
    plain = searcher.search("order no: 123 - my refund is late", locale="en")
    assert len(plain.results) == 10
