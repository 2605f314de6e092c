"""Grouping questions that mean the same, and naming the groups, with the real bundled model."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from conftest import NOW
from gap_support import Log
from portal.gaps import cluster as module
from portal.gaps.cluster import cluster
from portal.gaps.names import Namer
from portal.gaps.refresh import refresh
from portal.gaps.spelt import first_right
from portal.services import Services
from search.types import Embedder

TOPICS = (
    ("can I pick up my order in the shop", "is there a pickup point near me",
     "collect my parcel at the store", "store pickup for my order"),
    ("do you gift wrap", "gift wrapping for my order", "how much is gift wrapping",
     "can it be wrapped as a gift"),
    ("do you have a student discount", "student discount code", "discount for students",
     "is there a discount if I am a student"),
    ("发票抬头怎么改", "怎么修改发票抬头", "发票抬头写错了能改吗", "开发票抬头填错"),
)  # fmt: skip


def pairs(labels: NDArray[np.int32], order: list[int]) -> set[tuple[int, int]]:
    """Which texts, by their own numbers, are together."""
    named = dict(zip(order, labels.tolist(), strict=True))
    return {(a, b) for a in order for b in order if a < b and named[a] == named[b]}


@pytest.fixture(scope="module")
def texts() -> list[str]:
    return [text for topic in TOPICS for text in topic]


@pytest.fixture(scope="module")
def vectors(embedder: Embedder, texts: list[str]) -> NDArray[np.float32]:
    return embedder.encode_queries(texts)


def test_questions_of_one_topic_are_together_and_of_two_apart(
    texts: list[str], vectors: NDArray[np.float32]
) -> None:
    labels = cluster(texts, vectors)
    topic = np.repeat(np.arange(len(TOPICS)), [len(one) for one in TOPICS])
    together = labels[:, None] == labels[None, :]
    same = topic[:, None] == topic[None, :]
    assert not (together & ~same).any()
    assert (together & same).sum() / same.sum() > 0.7


def test_a_question_and_its_translation_are_together(embedder: Embedder) -> None:
    asked = [
        "how do I change my delivery address", "怎么修改收货地址",
        "can I pay in instalments", "可以分期付款吗",
        "my coupon does not work", "优惠券用不了",
    ]  # fmt: skip
    labels = cluster(asked, embedder.encode_queries(asked))
    assert labels.tolist() == [0, 0, 1, 1, 2, 2]


@given(order=st.permutations(range(sum(len(topic) for topic in TOPICS))))
@settings(max_examples=20, deadline=None)
def test_the_order_of_the_log_changes_nothing(
    texts: list[str], vectors: NDArray[np.float32], order: list[int]
) -> None:
    moved = cluster([texts[place] for place in order], vectors[order])
    assert pairs(moved, order) == pairs(cluster(texts, vectors), list(range(len(texts))))


@given(rows=st.integers(0, 12), seed=st.integers(0, 100), blank=st.booleans())
@settings(max_examples=60, deadline=None)
def test_labels_are_numbered_as_they_first_occur_whatever_is_asked(
    rows: int, seed: int, blank: bool
) -> None:
    rng = np.random.default_rng(seed)
    found = rng.normal(size=(rows, 8)).astype(np.float32)
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    labels = cluster(["" if blank else f"word{place % 3} ?" for place in range(rows)], found)
    assert labels.shape == (rows,)
    assert labels.dtype == np.int32
    seen = list(dict.fromkeys(labels.tolist()))
    assert seen == list(range(len(seen)))


def test_the_same_vector_and_words_are_one_group(vectors: NDArray[np.float32]) -> None:
    assert set(cluster(["x y z"] * 5, np.repeat(vectors[:1], 5, axis=0)).tolist()) == {0}


def test_beyond_the_most_compared_a_question_joins_what_it_is_like_or_stays_alone(
    embedder: Embedder, texts: list[str], vectors: NDArray[np.float32],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(module, "MOST", len(texts))
    more = ["gift wrapping please", "does the vacuum cleaner have a spare battery"]
    labels = cluster([*texts, *more], np.concatenate([vectors, embedder.encode_queries(more)]))
    assert labels[-2] == labels[texts.index("gift wrapping for my order")]
    assert (labels[:-1] != labels[-1]).all()


# --- names


@pytest.mark.parametrize(
    ("asked", "phrase", "locale"),
    [
        (["does the student discount apply to sale items", "my student discount code is refused",
          "how do I prove I study to get the student discount", "student discount on gift cards"],
         "Student discount", "en"),
        (["发票抬头怎么改", "公司的发票抬头能写个人吗", "发票抬头写错了要重开吗", "发票抬头是什么"],
         "发票抬头", "zh-Hans"),
    ],
)  # fmt: skip
def test_a_name_is_a_phrase_most_of_the_questions_share(
    embedder: Embedder, texts: list[str], asked: list[str], phrase: str, locale: str
) -> None:
    name = Namer([*texts, *asked]).name_of(asked, [1] * 4, embedder.encode_queries(asked))
    assert name.text == phrase
    assert name.locale == locale


def test_without_a_shared_phrase_the_name_is_the_typical_question_cut_between_words(
    embedder: Embedder,
) -> None:
    long = "I bought a lamp " + "and another lamp " * 10
    name = Namer([long]).name_of([long], [1], embedder.encode_queries([long]))
    assert name.text.endswith((" lamp…", " another…", " and…"))
    assert len(name.text) <= 80


def test_the_language_is_that_of_most_visitors(embedder: Embedder) -> None:
    asked = ["change delivery address", "修改收货地址"]
    vectors = embedder.encode_queries(asked)
    assert Namer(asked).name_of(asked, [1, 5], vectors).locale == "zh-Hans"
    assert Namer(asked).name_of(asked, [5, 1], vectors).locale == "en"


def test_typical_questions_are_three_different_places(embedder: Embedder, texts: list[str]) -> None:
    asked = list(TOPICS[0])
    name = Namer(texts).name_of(asked, [1] * 4, embedder.encode_queries(asked))
    assert len(name.typical) == len(set(name.typical)) == 3
    assert set(name.typical) <= set(range(4))


def test_what_repeats_a_typical_question_is_none_itself() -> None:
    asked = ["student discount", "student discuont", "is there something off for people who study"]
    vectors = np.array([[1, 0], [0.9950, 0.0998], [0.6, 0.8]], np.float32)
    name = Namer(asked).name_of(asked, [1, 1, 1], vectors)
    assert len(name.typical) == 2
    assert 2 in name.typical


def test_a_question_and_its_misspelling_share_no_phrase_but_are_the_question(
    embedder: Embedder,
) -> None:
    asked = ["how do I turn off push notifications", "how do I trun off push notifications",
             "how do I turn off push notificatons"]  # fmt: skip
    name = Namer(asked).name_of(asked, [3, 1, 1], embedder.encode_queries(asked))
    assert name.text == "how do I turn off push notifications"


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        (["is the down jacket ok in the tmuble dryer", "is the down jacket ok in the tumble dryer"],
         "is the down jacket ok in the tumble dryer"),
        (["周日送获吗", "周日送货吗"], "周日送货吗"),
        (["退钱了吗", "腿款到账没有"], "退钱了吗"),
        (["do you sell whollesale", "do you sell wholesael to shops"], "do you sell whollesale"),
    ],
)  # fmt: skip
def test_a_name_is_spelt_right_where_one_of_the_questions_is(
    services: Services, asked: list[str], name: str
) -> None:
    vectors = np.array([[1, 0], [0.99, 0.1]], np.float32)
    choose = first_right(services.library.reader)
    assert Namer(asked, choose=choose).name_of(asked, [5, 1], vectors).text == name


def test_the_gap_report_names_gaps_by_questions_that_are_spelt_right(
    services: Services, embedder: Embedder
) -> None:
    log = Log(services.engine)
    for visitor in range(3):
        log.ask("do you sell whollesale", visitor=f"a{visitor}", after=-7200, found=False)
    log.ask("do you sell wholesale", visitor="b", after=-7200, found=False)
    refresh(services.engine, services.library, embedder, lambda: NOW)
    assert [gap.name for gap in services.gaps.list()] == ["do you sell wholesale"]


def test_a_cluster_without_questions_has_no_name() -> None:
    with pytest.raises(ValueError, match="without questions"):
        Namer([]).name_of([], [], np.zeros((0, 8), np.float32))


@given(st.lists(st.text(max_size=30), min_size=1, max_size=5))
@settings(max_examples=60, deadline=None)
def test_any_text_gets_a_name_on_one_line(asked: list[str]) -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(len(asked), 4)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    name = Namer(asked).name_of(asked, [1] * len(asked), vectors)
    assert "\n" not in name.text
    assert len(name.text) <= 200
