"""What is made of articles one by one: their vectors and terms. Nothing here looks at another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from indexer.encoding import Item
from search.bm25 import TermCounter, Terms, article_terms, passage_terms
from search.generation import UnitKind
from search.text import text_length
from search.types import Article, Passage, Rows, Scores, TitledPassage, Vectors

Published = tuple[Article, Sequence[Passage]]
Passages = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Part:
    """Some articles, ready to be put together with others.

    Of each article its title comes first, then passage by passage the passage as a whole, its
    sentences, and the questions it answers.
    """

    counts: Rows
    """(articles,) vectors of each."""
    passages: Rows
    """(articles,) passages of each."""
    passage: Passages
    """(units,) the passage each vector is of, counted from the first of its article."""
    sentence: npt.NDArray[np.int32]
    kind: npt.NDArray[np.int8]
    title: Scores
    """(units,) cosine to the title of its own article."""
    vectors: Vectors
    passage_terms: Sequence[Terms]
    article_terms: Sequence[Terms]
    lengths: Rows
    """(articles,) words of each."""


def items_of(articles: Sequence[Published]) -> list[Item]:
    """What is encoded, article by article: title, questions, each passage with its sentences.

    Findings: a sentence with the article's title in front is what makes the bundled model good on
    long text, and the best sentence is the answer; the passage as a whole adds to it on short
    questions.
    """
    items: list[Item] = []
    for article, passages in articles:
        items += [article.title or article.id, *article.questions]
        items += [
            TitledPassage(article.title, passage.sentences, article.locale) for passage in passages
        ]
    return items


def kinds_of(articles: Sequence[Published]) -> npt.NDArray[np.int8]:
    """(units,) what the vectors of `items_of` stand for, in their order."""
    kinds: list[UnitKind] = []
    for article, passages in articles:
        kinds += [UnitKind.TITLE, *[UnitKind.QUESTION] * len(article.questions)]
        for passage in passages:
            kinds += [UnitKind.SENTENCE] * len(passage.sentences) + [UnitKind.PASSAGE]
    return np.array(kinds, np.int8)


def make_part(articles: Sequence[Published], vectors: Vectors, counter: TermCounter) -> Part:
    """Put the (units, d) whitened vectors of `items_of` in order, and count terms."""
    made = []
    begin = 0
    for article, passages in articles:
        end = begin + 1 + len(article.questions) + sum(len(p.sentences) + 1 for p in passages)
        made.append(_arrange(article, passages, vectors[begin:end]))
        begin = end
    terms: list[Terms] = []
    of_articles: list[Terms] = []
    for (article, passages), one in zip(articles, made, strict=True):
        asked: list[list[str]] = [[] for _ in passages]
        for question, place in zip(article.questions, one.answered_by, strict=True):
            asked[place].append(question)
        asked[0] += article.tags
        terms += [
            passage_terms(counter, passage, extra)
            for passage, extra in zip(passages, asked, strict=True)
        ]
        of_articles.append(article_terms(counter, article, passages))
    starts = np.cumsum([0, *(len(one.order) for one in made)])
    order = np.concatenate(
        [start + one.order for start, one in zip(starts, made, strict=False)]
        or [np.empty(0, np.int64)]
    )

    def joined(name: str, kind: type[np.generic]) -> npt.NDArray[np.generic]:
        return np.concatenate([getattr(one, name) for one in made] or [[]]).astype(kind)

    return Part(
        counts=np.diff(starts),
        passages=np.array([len(passages) for _, passages in articles], np.int64),
        passage=joined("passage", np.int32)[order],
        sentence=joined("sentence", np.int32)[order],
        kind=joined("kind", np.int8)[order],
        title=joined("title", np.float32)[order],
        vectors=vectors[order],
        passage_terms=terms,
        article_terms=of_articles,
        lengths=np.array(
            [sum(text_length(p.text) for p in passages) for _, passages in articles], np.int64
        ),
    )


@dataclass(frozen=True, slots=True)
class _Arranged:
    passage: npt.NDArray[np.int64]
    sentence: npt.NDArray[np.int64]
    kind: npt.NDArray[np.int64]
    title: Scores
    order: Rows
    answered_by: list[int]


_READING_ORDER = (UnitKind.TITLE, UnitKind.PASSAGE, UnitKind.SENTENCE, UnitKind.QUESTION)
_RANKS = np.argsort(_READING_ORDER)


def _arrange(article: Article, passages: Sequence[Passage], vectors: Vectors) -> _Arranged:
    """What each vector of one article stands for, and the order to keep them in."""
    asked = len(article.questions)
    sizes = [len(passage.sentences) + 1 for passage in passages]  # the passage itself is the last
    ends = np.cumsum([1 + asked, *sizes])
    passage = np.repeat(np.arange(-1, len(passages)), [1 + asked, *sizes])
    sentence = np.concatenate([np.zeros(1 + asked, np.int64), *map(np.arange, sizes)])
    kind = np.full(len(vectors), UnitKind.SENTENCE, np.int64)
    kind[0], kind[1 : 1 + asked], kind[ends[1:] - 1] = (
        UnitKind.TITLE, UnitKind.QUESTION, UnitKind.PASSAGE,
    )  # fmt: skip
    sentence[ends[1:] - 1] = 0
    title = vectors @ vectors[0]
    answered_by = _answered_by(vectors, title, asked, ends)
    passage[0], passage[1 : 1 + asked] = 0, answered_by
    body = np.arange(len(vectors)) > 0
    order = np.lexsort((sentence, _RANKS[kind], passage, body))
    return _Arranged(passage, sentence, kind, title, order, answered_by)


def _answered_by(vectors: Vectors, title: Scores, asked: int, ends: Rows) -> list[int]:
    """The passage of the article that answers each of its questions.

    That is the one which, by itself and by its best sentence, is nearest to the question once what
    they share with the title is taken out. Who asks in such words is then led to that section.
    """
    if not asked:
        return []
    questions = slice(1, 1 + asked)
    residual = vectors @ vectors[questions].T - np.outer(title, title[questions])
    value = np.stack(
        [
            residual[low : high - 1].max(axis=0, initial=-2) + residual[high - 1]
            for low, high in pairwise(ends.tolist())
        ]
    )
    return [int(place) for place in value.argmax(axis=0)]
