"""What a word or two find, and that what answers them can be read alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from search.focus import _pick
from search.library import open_searcher
from search.searcher import Searcher
from search.types import Embedder, Passage

QUESTIONS = {
    "wrong size": "exchange-size", "parcel late": "late-delivery", "late delivery": "late-delivery",
    "refused parcel": "refused-parcel", "import tax": "duties-and-tax",
    "refund time": "refund-timing", "spare parts": "out-of-warranty", "chargeback": "chargebacks",
    "phone number": "talk-to-a-person",
    "help": "talk-to-a-person", "kettle stopped working": "faulty-first-30-days",
    "print label": "return-labels", "return underwear": "non-returnable-items",
    "退货期限": "return-window", "发错颜色": "wrong-item", "快递丢了": "lost-parcel",
    "客服电话": "talk-to-a-person", "转人工": "talk-to-a-person", "换货": "exchange-size",
    "清关费": "duties-and-tax", "申诉": "appeal-declined-refund", "冒烟了": "product-safety",
}  # fmt: skip


@pytest.fixture(scope="module")
def searcher(published: Path, embedder: Embedder) -> Searcher:
    return open_searcher(published, embedder)


UNSURE = {"help", "冒烟了"}
"""Of these, what is found and need not be answered."""


@pytest.mark.parametrize(("question", "article"), QUESTIONS.items())
def test_a_word_or_two_find_their_article(searcher: Searcher, question: str, article: str) -> None:
    found = searcher.search(question, locale="en" if question.isascii() else "zh-Hans")
    assert found.results[0].article.id == article
    assert found.answer is not None or question in UNSURE
    if found.answer is not None:
        assert found.answer.text.endswith((".", "。", "”", '"'))
        assert not found.answer.text[0].islower()
        assert not found.answer.text.startswith(("See ", "见"))


@pytest.mark.parametrize(
    ("question", "anchor"),
    [("chargeback", ""), ("return label", ""), ("申诉", ""), ("上门取件", "pickup")],
)
def test_a_topic_is_answered_by_its_opening_or_by_its_own_section(
    searcher: Searcher, question: str, anchor: str
) -> None:
    answer = searcher.search(question).answer
    assert answer is not None
    assert answer.anchor == anchor


def test_the_row_that_was_asked_for_stands_beside_what_it_belongs_to(searcher: Searcher) -> None:
    answer = searcher.search("shipping time to the usa", locale="en").answer
    assert answer is not None
    assert "United States" in answer.text


@pytest.mark.parametrize(
    ("sentences", "fits", "picked"),
    [
        (("It is so.", "See also That."), (0.1, 0.9), (0,)),
        (("It is so.", "Smoke or heat", "Unplug it."), (0.1, 0.9, 0.2), (1, 2)),
        (("If not:", "look there;", "ask again."), (0.1, 0.2, 0.9), (0, 2)),
        (("Rates follow.", "Cards, Days: 5", "Wallets, Days: 2"), (0.1, 0.2, 0.9), (0, 2)),
        (("It is so.", "It pays half;", "it pays all."), (0.1, 0.9, 0.0), (1, 2)),
        (("Cards are fast.", "Wallets are slow."), (0.1, 0.9), (1,)),
    ],
)
def test_a_text_that_cannot_stand_alone_gets_what_it_needs(
    sentences: tuple[str, ...], fits: tuple[float, ...], picked: tuple[int, ...]
) -> None:
    assert _pick(passage(sentences), fits, opening=False) == picked


def test_one_word_is_answered_by_the_first_sentence_unless_another_fits_far_better() -> None:
    made = passage(("Cards are fast.", "Wallets are slow."))
    assert _pick(made, (0.5, 0.7), opening=False) == (1,)
    assert _pick(made, (0.5, 0.7), opening=False, brief=1.0)[0] == 0
    assert _pick(made, (0.1, 0.9), opening=False, brief=1.0) == (1,)


def passage(sentences: tuple[str, ...]) -> Passage:
    return Passage(
        id="a@en#b/0", article_id="a", locale="en", anchor="b", headings=("A", "B"),
        sentences=sentences,
    )  # fmt: skip
