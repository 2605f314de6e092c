"""Where in an article the answer stands: the passage, and the sentence or two in it.

Sentence vectors have the article's title in front, which finds articles well but says little of
where to look inside one: a question that is nearly the title is near to all of its sentences. What
a text shares with its title is therefore taken out (`residual`) before passages of one article are
compared, and a question that says no more than the title is answered by the article's opening.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from search.evidence import Evidence
from search.generation import Generation, UnitKind
from search.query import Question
from search.types import Passage, Scores

# Found by reading the answers to the golden questions' fit part.
_QUESTION = 0.4
_WORDS = 0.15
_OPENING = 0.5
_CLEARLY_BETTER = 0.1
_SECOND_SENTENCE = 0.75
_LENGTH = {"en": 340, "zh-Hans": 160}  # characters that read as one or two sentences
# A sentence that points back at the one before it does not stand alone.
_LEANS = re.compile(
    r"^(?:this|that|these|those|it|they|then|there|so|otherwise|after that|in that case)\b"
    r"|^[^,.;]{0,40}\bthen\b|^(?:这|那|此|该|它|其|之后|然后|否则|另外|因此|也)",
    re.IGNORECASE,
)
_LEADS = (":", "：")


@dataclass(frozen=True, slots=True)
class Focus:
    """A passage's row and the numbers of the sentences in it that answer best, in order."""

    passage_row: int
    sentences: tuple[int, ...]


def focus(generation: Generation, question: Question, evidence: Evidence, place: int) -> Focus:
    """The best place in the article at `place` of the evidence."""
    row = int(evidence.articles[place])
    first, last = (int(end) for end in generation.article_passages[row : row + 2])
    words = evidence.passage_keyword[first:last]
    value = _WORDS * words / max(float(words.max()), 1e-6)
    if not len(evidence.units):
        chosen = first + int(np.argmax(value))
        passage = generation.passage(chosen)
        fits = _word_overlap(generation, question, passage)
        return Focus(chosen, _pick(passage, fits, opening=chosen == first))
    low, high = np.searchsorted(evidence.units, generation.article_units[row : row + 2])
    units = evidence.units[low:high]
    owner = np.asarray(generation.units.passage)[units] - first
    kind = np.asarray(generation.units.kind)[units]
    residual, similarity = evidence.residual[low:high], evidence.unit_similarity[low:high]

    def best(scores: Scores, wanted: UnitKind) -> npt.NDArray[np.float32]:
        found = np.zeros(last - first, np.float32)
        np.maximum.at(found, owner[kind == wanted], scores[kind == wanted])
        return found

    value = value + best(residual, UnitKind.SENTENCE) + best(residual, UnitKind.PASSAGE)
    value += _QUESTION * best(similarity, UnitKind.QUESTION)
    value[0] += _OPENING * max(0.0, float(similarity[kind == UnitKind.TITLE].max(initial=0.0)))
    chosen = int(np.argmax(value))
    passage = generation.passage(first + chosen)
    inside = (kind == UnitKind.SENTENCE) & (owner == chosen)
    fits = np.zeros(len(passage.sentences), np.float32)
    fits[np.asarray(generation.units.sentence)[units[inside]]] = residual[inside]
    return Focus(first + chosen, _pick(passage, fits, opening=chosen == 0))


def _pick(passage: Passage, fits: Scores, *, opening: bool) -> tuple[int, ...]:
    """The sentences that answer.

    A section begins with its answer, so its first sentence is taken unless another fits clearly
    better. A neighbour joins where the sentence needs it and both can be read at a glance.
    """
    sentences = passage.sentences
    best = int(np.argmax(fits))
    if fits[best] < fits[0] + _CLEARLY_BETTER:
        best = 0
    pair: tuple[int, int] | None = None
    following = best + 1 < len(sentences)
    if sentences[best].endswith(_LEADS) and following:
        rest = best + 1 + int(np.argmax(fits[best + 1 :]))
        pair = (best, rest)
    elif best > 0 and _LEANS.search(sentences[best]):
        pair = (best - 1, best)
    elif following and (
        (opening and best == 0) or fits[best + 1] >= _SECOND_SENTENCE * max(fits[best], 1e-6)
    ):
        pair = (best, best + 1)
    if pair and sum(len(sentences[number]) for number in pair) <= _LENGTH[passage.locale]:
        return pair
    return (best,)


def _word_overlap(generation: Generation, question: Question, passage: Passage) -> Scores:
    wanted = set(question.terms)
    shares = [
        len(wanted.intersection(generation.tokeniser.terms(sentence))) / max(1, len(wanted))
        for sentence in passage.sentences
    ]
    return np.array(shares, np.float32)
