"""The one normaliser, tokeniser and sentence splitter: what a reader may rely on."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path

import opencc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from growth import grows_with_its_text
from search.text import (
    HAN,
    Token,
    Tokeniser,
    grams,
    guess_locale,
    is_mostly_han,
    normalise,
    split_sentences,
    stop_words,
)

ROOT = Path(__file__).parent.parent
_IS_HAN = re.compile(f"[{HAN}]")
_ASSIGNED = [
    character
    for character in map(chr, range(sys.maxunicode + 1))
    if unicodedata.category(character) not in ("Cn", "Co", "Cs")
]
_ALL_HAN = _IS_HAN.findall("".join(_ASSIGNED))
_PLAIN = Tokeniser()
_TO_TRADITIONAL = opencc.OpenCC("s2t")
_TO_SIMPLIFIED = opencc.OpenCC("t2s")

anything = st.text(st.characters(exclude_categories=()), max_size=80)
han = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), max_size=30)
mixed = st.text(
    st.one_of(
        st.sampled_from("退款多久到账七天無理由運費。，！？；：“”（） aZ09-'’.\n\t"),
        st.characters(exclude_categories=["Cs", "Cn"]),
    ),
    max_size=120,
)


@pytest.fixture(scope="module")
def tokeniser() -> Tokeniser:
    lines = (ROOT / "articles" / "words.txt").read_text("utf-8").splitlines()
    return Tokeniser([line for line in lines if line and not line.startswith("#")])


# --- normalise


@given(anything)
@settings(max_examples=400, deadline=None)
def test_normalise_is_idempotent_over_all_of_unicode(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once


def test_normalise_is_idempotent_for_every_single_character() -> None:
    changed = [
        hex(ord(character))
        for character in _ASSIGNED
        if normalise(once := normalise(character)) != once
    ]
    assert changed == []


@pytest.mark.parametrize("mark", ["\u3099", "\u309a"])
@pytest.mark.parametrize("invisible", ["\u200b", "\u200d", "\u2060", "\ufeff", "\u00ad"])
def test_normalise_composes_what_an_invisible_character_kept_apart(
    invisible: str, mark: str
) -> None:
    assert normalise("は" + invisible + mark) == normalise("は" + mark)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("退貨運費險由誰承擔", "退货运费险由谁承担"),  # Traditional
        ("ＲＥＦＵＮＤ　１２３", "refund 123"),  # full width, ideographic space
        ("REFUND Status", "refund status"),
        ("Café résumé naïve", "cafe resume naive"),
        ("cafe\u0301", "café"),
        ("ﬁnal o\ufb03ce", "final office"),
        ("don’t", "don't"),
        ("don＇t", "don't"),
        ("STRASSE", "straße"),
        ("re\u00adfund", "refund"),
        ("退\u200b款", "退款"),
        ("  a\t\n b\u00a0\u2003c\u2028 ", "a b c"),
        ("refund\x00now", "refund now"),
        ("Ёлка", "елка"),
        ("豈", "岂"),  # a compatibility ideograph, then Simplified
    ],
)
def test_texts_a_reader_calls_the_same_normalise_alike(one: str, other: str) -> None:
    assert normalise(one) == normalise(other)
    assert normalise(one)


@given(han)
@settings(max_examples=150, deadline=None)
def test_traditional_and_simplified_normalise_alike(simplified: str) -> None:
    # Character by character, as the normaliser promises; OpenCC's phrase tables read the context.
    traditional = "".join(_traditional(character) for character in normalise(simplified))
    assert normalise(traditional) == normalise(simplified)


def _traditional(character: str) -> str:
    """The Traditional form, where OpenCC turns that into the character again."""
    converted = str(_TO_TRADITIONAL.convert(character))
    back = str(_TO_SIMPLIFIED.convert(converted))
    return converted if back == character and len(converted) == 1 else character


def test_the_traditional_forms_that_are_tested_differ() -> None:
    assert "".join(map(_traditional, "退货运费险")) == "退貨運費險"


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=60))
@settings(max_examples=150, deadline=None)
def test_full_width_and_upper_case_normalise_like_ascii(text: str) -> None:
    wide = "".join("\u3000" if c == " " else chr(ord(c) + 0xFEE0) for c in text)
    assert normalise(wide) == normalise(text) == normalise(text.upper())


@given(st.text(st.sampled_from(_ALL_HAN), max_size=40), st.data())
@settings(max_examples=150, deadline=None)
def test_han_normalises_the_same_inside_and_outside_its_context(
    text: str, data: st.DataObject
) -> None:
    low = data.draw(st.integers(0, len(text)))
    high = data.draw(st.integers(low, len(text)))
    assert normalise(text)[low:high] == normalise(text[low:high])


def test_a_phrase_that_converters_read_in_context_is_mapped_by_character() -> None:
    # OpenCC keeps 乾隆 and makes 干燥 of 乾燥; a copied 乾 must match both.
    assert normalise("乾隆")[0] == normalise("乾燥")[0] == normalise("乾")


@given(anything)
@settings(max_examples=200, deadline=None)
def test_normalised_text_holds_no_invisible_character_and_no_double_space(text: str) -> None:
    folded = normalise(text)
    assert folded.isprintable()
    assert folded == folded.strip()
    assert "  " not in folded


# --- tokens


@given(mixed)
@settings(max_examples=200, deadline=None)
def test_tokens_stand_where_they_say(text: str) -> None:
    folded = normalise(text)
    for token in _PLAIN.tokens(folded):
        assert 0 <= token.start < token.end <= len(folded)
        piece = folded[token.start : token.end]
        assert not piece.isspace()
        if _IS_HAN.match(piece):
            assert piece == token.text


@given(st.text(st.characters(min_codepoint=0x20000, max_codepoint=0x2A6DF), min_size=1, max_size=9))
@settings(max_examples=100, deadline=None)
def test_offsets_count_characters_beyond_the_basic_plane(text: str) -> None:
    folded = normalise("退款" + text + "到账")
    for token in _PLAIN.tokens(folded):
        assert folded[token.start : token.end] == token.text


@given(mixed)
@settings(max_examples=200, deadline=None)
def test_every_letter_digit_and_han_character_is_in_some_token(text: str) -> None:
    folded = normalise(text)
    covered = {place for token in _PLAIN.tokens(folded) for place in range(token.start, token.end)}
    missing = [c for place, c in enumerate(folded) if c.isalnum() and place not in covered]
    assert missing == []


def test_a_mixed_token_gives_itself_and_its_parts() -> None:
    assert list(_PLAIN.tokens("iphone15 退款a1")) == [
        Token("iphone15", 0, 8),
        Token("iphon", 0, 6),
        Token("15", 6, 8),
        Token("退款", 9, 11),
        Token("a1", 11, 13),
        Token("a", 11, 12),
        Token("1", 12, 13),
    ]


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("refunds refunded refunding", ["refund", "refund", "refund"]),
        ("Don’t", ["don't"]),
        ("order-number_7", ["order", "number", "7"]),
        ("退款refund", ["退款", "refund"]),
        ("Ａ４", ["a4", "a", "4"]),
        ("…！？ --- '''", []),
        ("", []),
    ],
)
def test_terms_of_any_text(text: str, terms: list[str]) -> None:
    assert _PLAIN.terms(text) == terms


@pytest.mark.parametrize(
    "word", ["七天无理由退货", "运费险", "仅退款", "平台介入", "保价", "红字发票", "以旧换新"]
)
def test_domain_words_stay_whole_in_any_context(tokeniser: Tokeniser, word: str) -> None:
    for text in (word, f"请问{word}怎么办", f"我的{word}没到账", word.replace("无", "無")):
        assert word in tokeniser.terms(text)


def test_every_shipped_domain_word_is_a_term_of_itself(tokeniser: Tokeniser) -> None:
    split = [word for word in tokeniser.words if word not in tokeniser.terms(word)]
    assert split == []


def test_a_domain_word_is_no_longer_cut_once_it_is_listed() -> None:
    text = "雀园换新卡怎么用"
    assert "雀园换新卡" not in _PLAIN.terms(text)
    assert "雀园换新卡" in Tokeniser(["雀園換新卡"]).terms(text)


def test_content_terms_leave_stop_words_out() -> None:
    assert _PLAIN.content_terms("where is the refund, the REFUND?") == ["refund", "refund"]
    assert "的" in stop_words()
    assert "的" not in _PLAIN.content_terms("退款的时间")


def test_a_question_of_stop_words_alone_keeps_them() -> None:
    terms = _PLAIN.content_terms("what is the")
    assert terms == ["what", "is", "the"]
    assert set(terms) <= stop_words()


def test_query_and_document_are_cut_by_the_same_rules(tokeniser: Tokeniser) -> None:
    question = "七天無理由退貨的運費險由誰承擔"
    article = "七天无理由退货的运费险由谁承担"
    assert tokeniser.terms(question) == tokeniser.terms(article)


# --- grams


@given(mixed, st.data())
@settings(max_examples=150, deadline=None)
def test_any_copied_run_of_han_has_its_pairs_in_the_article(text: str, data: st.DataObject) -> None:
    runs = list(re.finditer(f"[{HAN}]{{2,}}", text))
    if not runs:
        text, runs = "退款多久到账", list(re.finditer(".+", "退款多久到账"))
    run = data.draw(st.sampled_from(runs))
    low = data.draw(st.integers(run.start(), run.end() - 2))
    high = data.draw(st.integers(low + 2, run.end()))
    copied = grams(text[low:high])
    assert len(copied) == high - low - 1
    assert set(copied) <= set(grams(text))


def test_grams_are_the_overlapping_pairs_of_each_run() -> None:
    assert grams("退款吗") == ["退款", "款吗"]
    assert grams("退 款") == []
    assert grams("退款，到账 ok 吗") == ["退款", "到账"]
    assert grams("退貨") == ["退货"]
    assert grams("refund") == []


# --- language


@pytest.mark.parametrize(
    ("text", "locale"),
    [
        ("退款多久到账", "zh-Hans"),
        ("iPhone 退款", "zh-Hans"),
        ("how long does 退款 take to arrive", "en"),
        ("refund", "en"),
        ("", "en"),
        ("???", "en"),
    ],
)
def test_guess_locale(text: str, locale: str) -> None:
    assert guess_locale(text) == locale
    assert is_mostly_han(text) is (locale == "zh-Hans")


# --- sentences


@given(mixed)
@settings(max_examples=300, deadline=None)
def test_splitting_loses_no_character_but_space_and_keeps_the_order(text: str) -> None:
    assert "".join("".join(split_sentences(text)).split()) == "".join(text.split())


@given(mixed)
@settings(max_examples=150, deadline=None)
def test_sentences_are_never_empty_and_never_span_lines(text: str) -> None:
    for sentence in split_sentences(text):
        assert sentence == sentence.strip() != ""
        assert len(sentence.splitlines()) == 1


@pytest.mark.parametrize(
    "sentences",
    [
        ["Visit www.shop.com.", "It costs $3.50.", "No. 5 is best."],
        ["Mr. Lee, Ph.D., left.", "U.S. customers pay e.g. by card."],
        ["Is it late?", "Yes!", "Write to us."],
    ],
)
def test_abbreviations_do_not_end_a_sentence(sentences: list[str]) -> None:
    assert split_sentences(" ".join(sentences)) == sentences


@pytest.mark.parametrize(
    "sentences",
    [
        ["退款多久到账？", "一般3个工作日。", "请耐心等待！"],
        ["第一步：申请；", "第二步：寄回。"],
        ["真的吗？！", "好。"],
        ["他说：“好！”", "然后走了。"],
        ["运费3.5元。", "不退。"],
    ],
)
def test_chinese_punctuation_ends_sentences(sentences: list[str]) -> None:
    assert split_sentences("".join(sentences)) == sentences


@pytest.mark.parametrize(
    "text",
    ["请看：“可以退吗？”可以。", "（可以。）另外", "真的？！！", "「好。」他说。", "走吧……好。"],
)
def test_no_sentence_is_closing_punctuation_alone(text: str) -> None:
    sentences = split_sentences(text)
    assert all(any(c.isalnum() for c in sentence) for sentence in sentences), sentences
    assert not any(sentence[0] in "”」）！？。" for sentence in sentences), sentences


def test_a_line_break_ends_a_sentence() -> None:
    assert split_sentences("Pay by card\nor by bank\r\n\n退款") == [
        "Pay by card",
        "or by bank",
        "退款",
    ]


# --- hostile input

_HOSTILE = {
    "full stops": ".",
    "short sentences": "a. ",
    "chinese sentences": "退款。",
    "one chinese run": "退",
    "open quotation marks": "“",
    "apostrophes": "a'",
    "mixed tokens": "a1",
    "combining marks": "\u0301",
    "zero width": "\u200b",
    "NUL": "\x00",
    "brackets": "(",
    "emoji": "😀",
    "expanding ligature": "\ufdfa",
}


@pytest.mark.parametrize("work", [normalise, grams, _PLAIN.terms, split_sentences])
@pytest.mark.parametrize("piece", _HOSTILE.values(), ids=_HOSTILE.keys())
def test_a_hundred_kilobytes_of_anything_cost_no_more_than_their_length(
    piece: str, work: Callable[[str], object]
) -> None:
    assert grows_with_its_text(work, piece)


@pytest.mark.parametrize("piece", _HOSTILE.values(), ids=_HOSTILE.keys())
def test_the_sentences_of_a_hundred_kilobytes_are_the_text(piece: str) -> None:
    text = "e" + piece * (100_000 // len(piece))
    sentences = split_sentences(text)
    assert "".join("".join(sentences).split()) == "".join(text.split())
