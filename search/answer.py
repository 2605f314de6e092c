"""The sentence or two of the best passage that answer the question, word for word."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from search.evidence import Evidence
from search.generation import Generation, UnitKind
from search.query import Question
from search.text import join_sentences
from search.types import Answer, Article, Filters, Passage, PolicyClause, Vectors

_SECOND_SENTENCE = 0.75
_LENGTH = {"en": 320, "zh-Hans": 160}  # characters that read as one or two sentences


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
    best = int(np.argmax(scores))
    chosen = [best]
    following = best + 1
    if (
        following < len(scores)
        and scores[following] >= _SECOND_SENTENCE * scores[best]
        and len(passage.sentences[best]) + len(passage.sentences[following])
        <= _LENGTH[passage.locale]
    ):
        chosen.append(following)
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


def _policy(article: Article, passage: Passage, filters: Filters) -> PolicyClause | None:
    """The clause that the passage states, if exactly that section carries one."""
    for clause in article.policy:
        if clause.section == passage.anchor and (
            filters.platform is None or filters.platform in clause.platforms
        ):
            return clause
    return None
