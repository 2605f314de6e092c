"""Passages: the whole text of an article, each sentence once and in order."""

from __future__ import annotations

import itertools
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from indexer.build import gather
from indexer.check import check_folder
from indexer.markdown import render
from indexer.passages import pack, split_article, split_sections
from search.types import Passage

ROOT = Path(__file__).parent.parent
_PASSAGE_WORDS = 120


def _split(text: str, locale: str = "en") -> list[Passage]:
    html = render(text, resolve=lambda _: None).html
    return split_article(article_id="x", locale=locale, title="Title", html=html)


def _sentences(text: str, locale: str = "en") -> list[str]:
    return [sentence for passage in _split(text, locale) for sentence in passage.sentences]


def _words(text: str) -> int:
    han = sum("\u3400" <= character <= "\u9fff" for character in text)
    return len(text.split()) + han // 2


# --- every sentence once, in order

_ENGLISH = st.lists(
    st.sampled_from(
        ["refund", "card", "days", "bank", "order", "label", "5", "Mr. Lee", "e.g. it"]
    ),
    min_size=1,
    max_size=8,
).map(lambda words: " ".join(words).capitalize())
_CHINESE = st.text(st.sampled_from("退款到账时间银行卡运费险"), min_size=2, max_size=12)
_SENTENCE = st.one_of(
    st.builds("{}{}".format, _ENGLISH, st.sampled_from(".!?")),
    st.builds("{}{}".format, _CHINESE, st.sampled_from("。！？；")),
)
_BLOCK = st.one_of(
    st.lists(_SENTENCE, min_size=1, max_size=5).map(" ".join),
    st.lists(_SENTENCE, min_size=1, max_size=4).map(
        lambda items: "\n".join(f"- {i}" for i in items)
    ),
    st.lists(_SENTENCE, min_size=2, max_size=4).map(
        lambda items: f"1. {items[0]}\n" + "\n".join(f"    - {i}" for i in items[1:])
    ),
    _SENTENCE.map(lambda text: f"!!! note\n    {text}"),
    _SENTENCE.map(lambda text: f"> {text}"),
    _SENTENCE.map(lambda text: f"Term\n:   {text}"),
    _SENTENCE.map(lambda text: f"**{text[:2]}**{text[2:]}"),
)
_ARTICLE = st.lists(
    st.tuples(st.sampled_from(["", "## A", "## 退款", "### B {#b}", "#### C"]), _BLOCK), max_size=7
).map(lambda parts: "\n\n".join(f"{heading}\n\n{block}" for heading, block in parts))


@given(_ARTICLE, st.sampled_from(["en", "zh-Hans"]))
@settings(max_examples=120, deadline=None)
def test_every_character_of_the_text_stands_in_one_passage_in_order(text: str, locale: str) -> None:
    html = render(text, resolve=lambda _: None).html
    page = LexborHTMLParser(html)
    for heading in page.css("h2, h3, h4"):
        heading.decompose()
    shown = page.body.text() if page.body else ""
    passages = split_article(article_id="x", locale=locale, title="T", html=html)
    joined = "".join(sentence for passage in passages for sentence in passage.sentences)
    assert "".join(joined.split()) == "".join(shown.split())


@given(_ARTICLE, st.sampled_from(["en", "zh-Hans"]))
@settings(max_examples=80, deadline=None)
def test_sentences_are_whole_ids_unique_and_passages_under_one_heading(
    text: str, locale: str
) -> None:
    passages = _split(text, locale)
    ids = [passage.id for passage in passages]
    assert len(set(ids)) == len(ids)
    for passage in passages:
        assert passage.sentences
        assert passage.locale == locale
        assert passage.headings[0] == "Title"
        assert all(sentence.strip() for sentence in passage.sentences)
    anchors = [anchor for anchor, _ in itertools.groupby(passage.anchor for passage in passages)]
    assert len(anchors) <= text.count("#") + 1


def test_each_section_has_its_path_of_headings() -> None:
    passages = _split("Open.\n\n## A\n\nOne.\n\n### B {#b}\n\nTwo.\n\n## C & D\n\nThree.")
    assert [(p.id, p.anchor, p.headings, p.sentences) for p in passages] == [
        ("x@en#top/0", "", ("Title",), ("Open.",)),
        ("x@en#a/0", "a", ("Title", "A"), ("One.",)),
        ("x@en#b/0", "b", ("Title", "A", "B"), ("Two.",)),
        ("x@en#c-d/0", "c-d", ("Title", "C & D"), ("Three.",)),
    ]


def test_sections_without_text_have_no_passage() -> None:
    assert [p.anchor for p in _split("## A\n\n## B\n\nText.\n\n## C")] == ["b"]


def test_the_shipped_articles_lose_no_text_outside_tables() -> None:
    library, _ = check_folder(ROOT / "articles", today=date(2026, 11, 22))
    content = gather(library)
    for article, rows in zip(content.articles, content.passages_by_article(), strict=True):
        own = "".join(sentence for row in rows for sentence in content.passages[row].sentences)
        joined, position = "".join(own.split()), 0
        for piece in _texts_outside_tables(article.html):
            found = joined.find(piece, position)
            assert found >= 0, (article.path, piece)
            position = found + len(piece)


def _texts_outside_tables(html: str) -> list[str]:
    page = LexborHTMLParser(html)
    for node in page.css("h2, h3, h4, table"):
        node.decompose()
    assert page.body is not None
    texts = (
        node.text(deep=False)
        for node in page.body.traverse(include_text=True)
        if node.tag == "-text"
    )
    return [squeezed for text in texts if (squeezed := "".join(text.split()))]


# --- blocks


def test_a_table_becomes_one_sentence_a_row() -> None:
    table = "| Way | Days | Fee |\n|---|---|---|\n| Card | 5 to 10 | none |\n| Wallet | 1 | |\n"
    assert _sentences(table) == ["Card, Days: 5 to 10, Fee: none", "Wallet, Days: 1"]
    table = "| 方式 | 时间 |\n|---|---|\n| 银行卡 | 5–10个工作日 |\n| **余额** | 1小时 |\n"
    assert _sentences(table, "zh-Hans") == ["银行卡，时间：5–10个工作日", "余额，时间：1小时"]


def test_a_row_is_one_sentence_whatever_its_cells_hold() -> None:
    table = "| Way | Note |\n|---|---|\n| Card | Up to 10 days. Ask us! |\n"
    assert _sentences(table) == ["Card, Note: Up to 10 days. Ask us!"]


def test_a_line_break_in_a_cell_keeps_its_words_apart() -> None:
    assert _sentences("| Way | Days |\n|---|---|\n| Card<br>Wallet | 5<br>1 |\n") == [
        "Card Wallet, Days: 5 1"
    ]


def test_a_table_in_a_note_or_a_list_is_read_like_any_other() -> None:
    inner = "    | Way | Days |\n    |---|---|\n    | Card | 5 |\n"
    assert _sentences(f"!!! note\n{inner}") == ["Note", "Card, Days: 5"]
    assert _sentences(f"- First.\n\n{inner}\n    After.\n") == ["First.", "Card, Days: 5", "After."]


def test_nested_lists_are_read_in_order() -> None:
    text = "1. One. Still one.\n    - Two.\n        - Three.\n    - Four.\n2. Five\n"
    assert _sentences(text) == ["One.", "Still one.", "Two.", "Three.", "Four.", "Five"]


def test_text_after_a_nested_list_stays_after_it() -> None:
    assert _sentences("- One.\n\n    - Two.\n\n    Three.\n\n- Four.\n") == [
        "One.", "Two.", "Three.", "Four.",
    ]  # fmt: skip


def test_a_list_in_a_definition_is_read_item_by_item() -> None:
    assert _sentences("Term\n:   Meaning.\n\n    - One\n    - Two\n") == [
        "Term", "Meaning.", "One", "Two",
    ]  # fmt: skip


def test_inline_markup_leaves_no_seam() -> None:
    assert _sentences("A **card** refund takes `5` [days](https://a.example).") == [
        "A card refund takes 5 days."
    ]
    assert _sentences("退**款**要`5`天。", "zh-Hans") == ["退款要5天。"]


def test_a_footnote_is_read_once_and_its_number_never() -> None:
    text = "A refund takes 5 days.[^1] Then more.\n\n[^1]: Working days. Not holidays.\n"
    assert _sentences(text) == [
        "A refund takes 5 days.", "Then more.", "Working days.", "Not holidays.",
    ]  # fmt: skip


def test_entities_are_read_as_what_they_stand_for() -> None:
    assert _sentences("Cost &lt; 5 &amp; free.") == ["Cost < 5 & free."]


# --- ids


def test_ids_do_not_depend_on_the_text() -> None:
    before = _split("Open.\n\n## By card {#card}\n\nTen days.\n")
    after = _split("Start here.\n\n## With a card {#card}\n\nTwelve days, no more.\n")
    assert [p.id for p in before] == [p.id for p in after] == ["x@en#top/0", "x@en#card/0"]


def test_ids_differ_by_language() -> None:
    assert _split("Text.", "en")[0].id != _split("Text.", "zh-Hans")[0].id


@pytest.mark.parametrize(
    "text",
    [
        "## A {#a}\n\nOne.\n\n## B {#a}\n\nTwo.\n",
        "Open.\n\n<h2>Raw</h2>\n\nAfter.\n",
        "Open.\n\n## Top {#top}\n\nAfter.\n",
    ],
)
def test_ids_are_unique_even_where_anchors_are_not(text: str) -> None:
    ids = [passage.id for passage in _split(text)]
    assert len(ids) == 2
    assert len(set(ids)) == 2


# --- size

_SIZES = st.lists(st.integers(1, 60), min_size=1, max_size=120)


@given(_SIZES, st.booleans())
@settings(max_examples=200, deadline=None)
def test_passages_keep_every_sentence_and_are_never_much_over_the_size(
    sizes: list[int], chinese: bool
) -> None:
    sentences = tuple(("退款" * n + "。") if chinese else "word " * n for n in sizes)
    groups = pack(sentences)
    assert tuple(itertools.chain.from_iterable(groups)) == sentences
    assert all(groups)
    longest = max(map(_words, sentences))
    for group in groups:
        assert sum(map(_words, group)) <= 1.5 * _PASSAGE_WORDS + longest / 2


@given(_SIZES)
@settings(max_examples=100, deadline=None)
def test_no_passage_of_several_is_under_half_the_size(sizes: list[int]) -> None:
    groups = pack(tuple("word " * n for n in sizes))
    if len(groups) > 1:
        assert min(sum(map(_words, group)) for group in groups) >= _PASSAGE_WORDS / 2


def test_a_short_section_is_one_passage_and_a_long_one_is_cut_in_equal_parts() -> None:
    assert pack(("word " * 20,) * 8) == [("word " * 20,) * 8]
    assert [len(group) for group in pack(("word " * 20,) * 18)] == [6, 6, 6]


def test_nothing_packed_is_nothing() -> None:
    assert pack(()) == []
    assert split_sections("", title="T", locale="en") == []


def test_one_endless_sentence_is_a_passage_by_itself() -> None:
    endless = "word " * 1000
    assert (endless,) in pack(("A short one.", endless, "Another."))
