"""The sentence or two of the best passage that answer the question, word for word."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt

from search.evidence import Evidence
from search.generation import Generation, UnitKind
from search.query import Question
from search.text import join_sentences
from search.types import Answer, Article, Filters, Passage, PolicyClause, Vectors

_SECOND_SENTENCE = 0.75
# A sentence that points back at the one before it does not stand alone.
_LEANS = re.compile(
    r"^(?:this|that|these|those|it|they|then|there|so|otherwise|after that|in that case)\b"
    r"|^[^,.;]{0,40}\bthen\b|^(?:这|那|此|该|它|其|之后|然后|否则|另外|因此|也)",
    re.IGNORECASE,
)
_LENGTH = {"en": 340, "zh-Hans": 160}  # characters that read as one or two sentences


def extract_answer(
    generation: Generation,
    question: Question,
    evidence: Evidence,
    article: Article,
    passage_row: int,
    filters: Filters,
) -> Answer | None:
    """The best sentence of a passage, with its neighbour where that belongs to it."""
    passage = generation.passage(passage_row)
    if not passage.sentences:
        return None
    scores = _sentence_scores(generation, question, passage, passage_row, evidence.query_vectors)
    chosen = _with_neighbour(passage, scores)
    return Answer(
        text=join_sentences([passage.sentences[number] for number in chosen], passage.locale),
        article=article,
        anchor=passage.anchor,
        heading=passage.headings[-1],
        policy=_policy(article, passage, filters),
    )


def _sentence_scores(
    generation: Generation,
    question: Question,
    passage: Passage,
    passage_row: int,
    query_vectors: Vectors | None,
) -> npt.NDArray[np.float32]:
    """(sentences,) how well each fits: similarity where there are vectors, words always."""
    wanted = set(question.terms)
    words = np.array(
        [
            len(wanted.intersection(generation.tokeniser.terms(sentence))) / max(1, len(wanted))
            for sentence in passage.sentences
        ],
        np.float32,
    )
    if query_vectors is None:
        return words
    rows = np.flatnonzero(
        (np.asarray(generation.units.passage) == passage_row)
        & (np.asarray(generation.units.kind) == UnitKind.SENTENCE)
    )
    similarity = np.zeros(len(passage.sentences), np.float32)
    found = (generation.vectors.vectors(rows) @ query_vectors.T).max(axis=1)
    similarity[np.asarray(generation.units.sentence)[rows]] = found
    return similarity + np.float32(0.3) * words


def _with_neighbour(passage: Passage, scores: npt.NDArray[np.float32]) -> list[int]:
    """The best sentence; with the one before it where it leans on that, else the one after it
    where that fits nearly as well, as long as both are short enough to be read at a glance."""
    best = int(np.argmax(scores))
    sentences = passage.sentences
    limit = _LENGTH[passage.locale]
    if best > 0 and _LEANS.search(sentences[best]):
        pair = [best - 1, best]
    elif best + 1 < len(scores) and scores[best + 1] >= _SECOND_SENTENCE * scores[best]:
        pair = [best, best + 1]
    else:
        return [best]
    return pair if sum(len(sentences[number]) for number in pair) <= limit else [best]


def _policy(article: Article, passage: Passage, filters: Filters) -> PolicyClause | None:
    """The clause the passage states; an opening, which has no anchor, speaks for an only one."""
    clauses = [
        clause
        for clause in article.policy
        if filters.platform is None or filters.platform in clause.platforms
    ]
    for clause in clauses:
        if clause.section == passage.anchor:
            return clause
    return clauses[0] if not passage.anchor and len(clauses) == 1 else None
