"""Where in an article the answer stands: the passage, and the sentence or two in it.

Sentence vectors have the article's title in front, which finds articles well but says little of
where to look inside one: a question that is nearly the title is near to all of its sentences. What
a text shares with its title is therefore taken out (`residual`) before passages of one article are
compared, and a question that says no more than the title is answered by the article's opening.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from search.evidence import Comparison, Evidence
from search.generation import Generation, UnitKind
from search.query import Question
from search.types import Passage, Rows

# Found by reading the answers to the golden questions' fit part.
_QUESTION = 0.4
_WORDS = 0.15
_OPENING = 0.8
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
_WEIGHTS = np.ones(len(UnitKind), np.float32)
_WEIGHTS[UnitKind.QUESTION] = _QUESTION
_AS_THEY_ARE = np.zeros(len(UnitKind), np.bool_)
_AS_THEY_ARE[[UnitKind.QUESTION, UnitKind.TITLE]] = True  # not freed of the title


@dataclass(frozen=True, slots=True)
class Focus:
    """A passage and the numbers of the sentences in it that answer best, in order."""

    passage_row: int
    passage: Passage
    sentences: tuple[int, ...]


def find_places(
    generation: Generation,
    question: Question,
    evidence: Evidence,
    articles: Sequence[int],
    *,
    opening: float = _OPENING,
) -> list[Focus]:
    """The best place in each of some articles, given by row.

    `opening` is the weight of what the title says, which speaks for the article's beginning.
    """
    compared = evidence.compared
    if compared is None:
        return [_by_words(generation, question, evidence, row) for row in articles]
    known = set(compared.articles.tolist())
    found: dict[int, Focus] = {}
    wanted = sorted(row for row in articles if row in known)
    found.update(_by_meaning(generation, evidence, compared, wanted, opening))
    # Translations stand for articles that were found in another language.
    if others := sorted(row for row in articles if row not in known):
        compared = Comparison.of(generation, compared.question, np.array(others))
        found.update(_by_meaning(generation, evidence, compared, others, opening))
    return [found[row] for row in articles]


def _by_meaning(
    generation: Generation,
    evidence: Evidence,
    compared: Comparison,
    articles: Sequence[int],
    opening: float,
) -> Iterator[tuple[int, Focus]]:
    """The places in some of the compared articles, all weighed at once."""
    if not articles:
        return
    rows = np.array(articles)
    places = np.searchsorted(compared.articles, rows)
    lows, sizes = compared.starts[places], compared.starts[places + 1] - compared.starts[places]
    chosen = _ranges(lows, sizes)
    units = compared.units[chosen]
    passages, kinds = generation.units.passage[units], generation.units.kind[units]
    residual = compared.residual[chosen]
    scores = np.where(_AS_THEY_ARE[kinds], compared.similarity[chosen], residual)
    # The units of a passage stand together, and of these those of a kind.
    new = (passages[1:] != passages[:-1]) | (kinds[1:] != kinds[:-1])
    runs = np.concatenate([[0], np.flatnonzero(new) + 1])
    weights = _WEIGHTS.copy()
    weights[UnitKind.TITLE] = opening
    best = weights[kinds[runs]] * np.maximum(np.maximum.reduceat(scores, runs), 0)
    firsts = generation.article_passages[rows]
    counts = generation.article_passages[rows + 1] - firsts
    starts = np.cumsum(counts) - counts  # of each article's passages among those of all of them
    words = evidence.passage_keyword[_ranges(firsts, counts)]
    most = np.maximum(np.maximum.reduceat(words, starts), 1e-6)
    values = _WORDS * words / np.repeat(most, counts)
    owners = np.repeat(np.arange(len(rows)), sizes)[runs]
    np.add.at(values, passages[runs] - firsts[owners] + starts[owners], best)
    spoken = np.flatnonzero(kinds[runs] == UnitKind.SENTENCE)
    with_sentences = passages[runs[spoken]]  # every passage, in order
    ends = np.append(runs, len(chosen))
    for row, first, start, count in zip(
        articles, firsts.tolist(), starts.tolist(), counts.tolist(), strict=True
    ):
        number = int(np.argmax(values[start : start + count]))
        passage = generation.passage(first + number)
        run = spoken[np.searchsorted(with_sentences, first + number)]
        low, high = ends[run : run + 2]
        fits = residual[low:high].tolist()
        yield row, Focus(first + number, passage, _pick(passage, fits, opening=number == 0))


def _by_words(generation: Generation, question: Question, evidence: Evidence, row: int) -> Focus:
    first, last = (int(end) for end in generation.article_passages[row : row + 2])
    number = int(np.argmax(evidence.passage_keyword[first:last]))
    passage = generation.passage(first + number)
    fits = _word_overlap(generation, question, passage)
    return Focus(first + number, passage, _pick(passage, fits, opening=number == 0))


def _ranges(lows: Rows, sizes: Rows) -> Rows:
    """The numbers of several ranges, one after the other."""
    before = np.cumsum(sizes) - sizes
    found: Rows = np.repeat(lows - before, sizes) + np.arange(int(sizes.sum()))
    return found


def _pick(passage: Passage, fits: list[float], *, opening: bool) -> tuple[int, ...]:
    """The sentences that answer.

    A section begins with its answer, so its first sentence is taken unless another fits clearly
    better. A neighbour joins where the sentence needs it and both can be read at a glance.
    """
    sentences = passage.sentences
    best = fits.index(max(fits))
    if fits[best] < fits[0] + _CLEARLY_BETTER:
        best = 0
    pair: tuple[int, int] | None = None
    following = best + 1 < len(sentences)
    if sentences[best].endswith(_LEADS) and following:
        rest = fits.index(max(fits[best + 1 :]), best + 1)
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


def _word_overlap(generation: Generation, question: Question, passage: Passage) -> list[float]:
    wanted = set(question.terms)
    return [
        len(wanted.intersection(generation.tokeniser.terms(sentence))) / max(1, len(wanted))
        for sentence in passage.sentences
    ]
