"""Snippets: the text itself, short enough for a phone, with the matching words marked."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.snippet import highlight, snippet
from search.text import Tokeniser
from search.types import Passage, Span

_TOKENISER = Tokeniser(["运费险"])


def _passage(*sentences: str, locale: str = "en") -> Passage:
    return Passage("x@en#top/0", "x", locale, "", ("Title",), sentences)


def _hits(spans: tuple[Span, ...]) -> list[str]:
    return [span.text for span in spans if span.hit]


def _text(spans: tuple[Span, ...]) -> str:
    return "".join(span.text for span in spans)


_TEXTS = st.text(
    st.one_of(
        st.sampled_from("退款运费险到账貨 refund REFUNDS card’s…½﹪ﬁ，。15"),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=80,
)
_TERMS = st.sets(st.sampled_from(["refund", "card", "退款", "运费险", "15", "货", "fi", "的"]))


@given(_TEXTS, _TERMS)
@settings(max_examples=250, deadline=None)
def test_spans_join_to_the_text_and_alternate(text: str, terms: set[str]) -> None:
    spans = highlight(text, terms, _TOKENISER)
    assert _text(spans) == text
    assert all(span.text for span in spans)
    assert all(one.hit != other.hit for one, other in itertools.pairwise(spans))


@given(_TEXTS, _TERMS)
@settings(max_examples=250, deadline=None)
def test_every_mark_is_a_match_and_nothing_is_marked_without_one(
    text: str, terms: set[str]
) -> None:
    hits = _hits(highlight(text, terms, _TOKENISER))
    assert bool(hits) <= bool(terms)
    for hit in hits:
        # Two matches may touch, and one may be a part of a mixed token: each has a wanted term.
        assert terms & set(_TOKENISER.terms(hit)), hit


@given(
    st.lists(st.sampled_from(["refund", "card", "days", "Refunded", "退款", "运费险"]), max_size=8)
)
@settings(max_examples=80, deadline=None)
def test_every_match_between_spaces_is_marked(words: list[str]) -> None:
    spans = highlight(" ".join(words), {"refund", "运费险"}, _TOKENISER)
    assert _hits(spans) == [w for w in words if w in ("refund", "Refunded", "运费险")]


@pytest.mark.parametrize(
    ("text", "terms", "hits"),
    [
        ("A refund, Refunds and REFUNDING.", {"refund"}, ["refund", "Refunds", "REFUNDING"]),
        ("退貨要多久", {"退货"}, ["退貨"]),
        ("买了运费险的订单", {"运费险"}, ["运费险"]),
        ("ＲＥＦＵＮＤ now", {"refund"}, ["ＲＥＦＵＮＤ"]),
        ("your iPhone15 order", {"iphon"}, ["iPhone"]),
        ("café", {"cafe"}, ["café"]),
        ("cafe\u0301 x", {"cafe"}, ["cafe\u0301"]),
        ("re\u00adfund", {"refund"}, ["re\u00adfund"]),
        ("nothing here", {"refund"}, []),
        ("anything", set(), []),
        ("", {"refund"}, []),
    ],
)
def test_marks_stand_on_the_words_as_they_are_written(
    text: str, terms: set[str], hits: list[str]
) -> None:
    spans = highlight(text, terms, _TOKENISER)
    assert _hits(spans) == hits
    assert _text(spans) == text


@pytest.mark.parametrize("longer", ["…", "½", "℃", "㎡", "ﬁ", "ß", "\ufdfa"])
def test_a_character_that_folds_to_several_marks_no_more_than_the_word(longer: str) -> None:
    text = f"{longer}，退款到账{longer}要三天{longer}"
    assert _hits(highlight(text, {"退款"}, _TOKENISER)) == ["退款"]


def test_a_snippet_begins_with_the_best_sentence_and_goes_on() -> None:
    passage = _passage("First one.", "The refund is here.", "It goes on.")
    assert _text(snippet(passage, 1, {"refund"}, _TOKENISER)) == "The refund is here. It goes on."


def test_chinese_sentences_are_joined_without_spaces() -> None:
    passage = _passage("退款三天。", "请等待。", locale="zh-Hans")
    assert _text(snippet(passage, 0, {"退款"}, _TOKENISER)) == "退款三天。请等待。"


@pytest.mark.parametrize(
    ("sentence", "locale", "longest"),
    [("Your refund takes ten days, ", "en", 221), ("退款需要十天，", "zh-Hans", 111)],
)
def test_a_long_snippet_is_cut_with_an_ellipsis_and_marked_by_word(
    sentence: str, locale: str, longest: int
) -> None:
    passage = _passage(sentence * 60, locale=locale)
    spans = snippet(passage, 0, {"refund", "退款"}, _TOKENISER)
    text = _text(spans)
    assert text.endswith("…")
    assert text[-2] not in " ,，"
    assert longest // 2 < len(text) <= longest
    assert set(_hits(spans)) == {"refund" if locale == "en" else "退款"}
    assert sum(map(len, _hits(spans))) < len(text) / 2


def test_an_english_snippet_is_cut_between_words() -> None:
    words = [f"word{number}" for number in range(200)]
    text = _text(snippet(_passage(" ".join(words)), 0, set(), _TOKENISER))
    assert set(text.removesuffix("…").split()) <= set(words)


def test_a_passage_without_sentences_has_an_empty_snippet() -> None:
    assert snippet(_passage(), 0, {"refund"}, _TOKENISER) == ()
