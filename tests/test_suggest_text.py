"""What is read of a form's text, and what is left out."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from growth import grows_with_its_text
from search.suggest_text import LONGEST, most_telling, read_sentences


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("Hi there,\nMy lamp is broken.\nThanks in advance,\nJane", ["My lamp is broken."]),
        ("Dear Sir or Madam, my lamp is broken. Kind regards", ["my lamp is broken."]),
        ("Hello team! Where is my refund? Please reply asap", ["Where is my refund?"]),
        ("您好，请问退款多久到账？谢谢！", ["退款多久到账？"]),
        ("你好，在吗？杯子碎了。麻烦您了", ["杯子碎了。"]),
        ("亲，杯子碎了。急急急", ["杯子碎了。"]),
    ],
)
def test_greetings_and_thanks_are_left_out(text: str, read: list[str]) -> None:
    assert read_sentences(text) == read


@pytest.mark.parametrize(
    "old",
    [
        "> We are sorry to hear that.\n> Your delivery was late.",
        "On Mon, 3 Nov 2026 at 10:00, Shop <[email]> wrote:\n> Your delivery was late.",
        "On Mon, 3 Nov 2026 at 10:00, Shop\n<[email]> wrote:\n\nYour delivery was late.",
        "-----Original Message-----\nFrom: Shop\nSubject: late\n\nYour delivery was late.",
        "Begin forwarded message:\n\nYour delivery was late.",
        "From: Shop\nSent: Monday\nTo: me\nSubject: delivery\n\nYour delivery was late.",
        "发件人：雀园客服\n发送时间：2026年11月3日\n主题：物流\n\nYour delivery was late.",
        "------------------ 原始邮件 ------------------\nYour delivery was late.",
        "在 2026年11月3日，雀园客服 <[email]> 写道：\n\nYour delivery was late.",
    ],
)
def test_a_quoted_mail_is_left_out(old: str) -> None:
    assert read_sentences(f"My lamp is broken.\n\n{old}\n") == ["My lamp is broken."]


def test_an_answer_below_the_quotation_is_read() -> None:
    text = "On Mon, 3 Nov 2026, Shop wrote:\n> Which lamp?\n\nThe blue lamp is broken."
    assert read_sentences(text) == ["The blue lamp is broken."]


def test_a_text_that_is_all_quotation_is_read_as_it_stands() -> None:
    assert read_sentences("> My lamp is broken.") == ["> My lamp is broken."]
    forwarded = "-----Original Message-----\nFrom: me\nSubject: lamp\n\nMy lamp is broken."
    assert read_sentences(forwarded) == ["My lamp is broken."]


def test_words_that_only_look_like_a_quotation_stay() -> None:
    text = "On Friday I wrote: nothing. To: nobody. From my view it is late."
    assert " ".join(read_sentences(text)) == text


def test_signatures_and_placeholders_and_markup_are_left_out() -> None:
    text = "<b>Order [order-number]</b> is broken.\nSent from my iPhone\n--\nJane Doe, Director"
    assert read_sentences(text) == ["Order is broken."]
    assert read_sentences("杯子碎了。\n发自我的 iPhone") == ["杯子碎了。"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "😀😀😀",
        "\ufdfa",
        "\x00\x00",
        "\u202e\u200f\u2067",
        "!!!???",
        "123 456",
        "[email]",
    ],
)
def test_a_text_without_words_says_nothing(text: str) -> None:
    assert read_sentences(text) == []


def test_marks_of_direction_and_null_bytes_part_no_word() -> None:
    assert read_sentences("my l\u200famp\x00 is \u202ebro\u2066ken") == ["my lamp is broken"]


def test_very_long_sentences_are_cut_at_commas_and_lose_nothing() -> None:
    chinese = "我上个月买的杯子昨天才收到，" * 12
    clauses = read_sentences(chinese)
    assert len(clauses) > 3
    assert "".join(clauses) == chinese
    english = "the lamp came late and the box was open and nobody answered, " * 12
    assert len(read_sentences(english)) > 1


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=400))
def test_no_text_breaks_the_reader_and_sentences_are_never_empty(text: str) -> None:
    assert all(sentence.strip() for sentence in read_sentences(text))


@pytest.mark.parametrize(
    "piece",
    ["a", "退", "<", "[", "> ", "thanks ", "hi ", "On a wrote:\n", "，", "\n", "very ", "From: "],
)
def test_a_huge_text_costs_no_more_than_its_length(piece: str) -> None:
    assert grows_with_its_text(read_sentences, piece)


def test_what_stands_beyond_the_limit_is_not_read() -> None:
    assert "lamp" not in " ".join(read_sentences("x. " * LONGEST + "lamp"))


def test_the_most_telling_sentences_keep_their_order() -> None:
    sentences = ["a b", "cccc", "a b", "d", "eeeee"]
    assert most_telling(sentences, len, most=2) == ["cccc", "eeeee"]
    assert most_telling(sentences, len, most=9) == ["a b", "cccc", "d", "eeeee"]
