"""Where in an article the answer stands: the passage, and the sentence or two in it.

Sentence vectors have the article's title in front, which finds articles well but says little of
where to look inside one: a question that is nearly the title is near to all of its sentences. What
a text shares with its title is therefore taken out (`residual`) before passages of one article are
compared, and a question that says no more than the title is answered by the article's opening.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
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
_HALVES = (";", "；")
_ENDS = (*_HALVES, ".", "!", "?", "…", "。", "！", "？", "”", '"', ")", "）")
_CELL = re.compile(r": |：")
_POINTS = re.compile(
    r"^(?:see|see also|more (?:in|about|on|under)|for other \w+,? see|read)\b"
    r"|^(?:另?见|参见|详见|请看)",
    re.IGNORECASE,
)
"""What only says where something is said."""
_POINTING = frozenset("sSmMfFrR另见参详请")  # its first characters; most sentences have others
_BARE = 0.15
"""How much better than a sentence a heading must fit, and, where one word is asked, a row."""
_BRIEF_OPENING = 0.6
_BRIEF_MARGIN = 0.15
_BRIEF_HEADING = 0.5
_HEADINGS_READ = 3  # articles
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
    # A word or two name a topic; what an article or a section begins with answers it.
    brief = question.brevity
    opening *= 1 + _BRIEF_OPENING * brief
    headed = _headed(generation, question, articles[:_HEADINGS_READ]) if brief else {}
    known = set(compared.articles.tolist())
    found: dict[int, Focus] = {}
    wanted = sorted(row for row in articles if row in known)
    found.update(_by_meaning(generation, evidence, compared, wanted, opening, brief, headed))
    # Translations stand for articles that were found in another language.
    if others := sorted(row for row in articles if row not in known):
        compared = Comparison.of(generation, compared.question, np.array(others))
        found.update(_by_meaning(generation, evidence, compared, others, opening, brief, headed))
    return [found[row] for row in articles]


def _by_meaning(
    generation: Generation,
    evidence: Evidence,
    compared: Comparison,
    articles: Sequence[int],
    opening: float,
    brief: float,
    headed: Mapping[int, float],
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
    for passage_row, bonus in headed.items():
        owner = np.searchsorted(firsts, passage_row, side="right") - 1
        if owner >= 0 and passage_row < firsts[owner] + counts[owner]:
            values[starts[owner] + passage_row - firsts[owner]] += bonus
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
        picked = _pick(passage, fits, opening=number == 0, brief=brief)
        yield row, Focus(first + number, passage, picked)


def _headed(
    generation: Generation, question: Question, articles: Sequence[int]
) -> dict[int, float]:
    """What speaks for passages under a heading that has nothing but words of the question."""
    wanted = set(question.terms)
    found = {}
    for row in articles:
        first, last = (int(end) for end in generation.article_passages[row : row + 2])
        for number in range(first + 1, last):
            terms = set(generation.tokeniser.content_terms(generation.passage(number).headings[-1]))
            if terms and terms <= wanted:
                found[number] = _BRIEF_HEADING
    return found


def _by_words(generation: Generation, question: Question, evidence: Evidence, row: int) -> Focus:
    first, last = (int(end) for end in generation.article_passages[row : row + 2])
    number = int(np.argmax(evidence.passage_keyword[first:last]))
    passage = generation.passage(first + number)
    fits = _word_overlap(generation, question, passage)
    picked = _pick(passage, fits, opening=number == 0, brief=question.brevity)
    return Focus(first + number, passage, picked)


def _ranges(lows: Rows, sizes: Rows) -> Rows:
    """The numbers of several ranges, one after the other."""
    before = np.cumsum(sizes) - sizes
    found: Rows = np.repeat(lows - before, sizes) + np.arange(int(sizes.sum()))
    return found


def _pick(
    passage: Passage, fits: Sequence[float], *, opening: bool, brief: float = 0.0
) -> tuple[int, ...]:
    """The sentences that answer.

    A section begins with its answer, so its first sentence is taken unless another fits clearly
    better. A neighbour joins where the sentence needs it and both can be read at a glance.
    """
    sentences = passage.sentences
    fits = [fit - _lack(sentence, brief) for fit, sentence in zip(fits, sentences, strict=True)]
    best = fits.index(max(fits))
    if fits[best] < fits[0] + _CLEARLY_BETTER + _BRIEF_MARGIN * brief:
        best = 0
    pair: tuple[int, int] | None = None
    following = best + 1 < len(sentences)
    lead = _lead_of(sentences, best)
    if sentences[best].endswith(_LEADS) and following:
        rest = fits.index(max(fits[best + 1 :]), best + 1)
        pair = (best, rest)
    elif lead is not None:
        pair = (lead, best)
    elif following and (_is_heading(sentences[best]) or sentences[best].endswith(_HALVES)):
        pair = (best, best + 1)
    elif best > 0 and _is_row(sentences[best]):
        pair = (0, best)
    elif best > 0 and _LEANS.search(sentences[best]):
        pair = (best - 1, best)
    elif following:
        joins = best + 1
        if _is_row(sentences[joins]):  # of a table's rows the one that fits best
            rows = [row for row in range(joins, len(fits)) if _is_row(sentences[row])]
            joins = max(rows, key=lambda row: fits[row])
        fit = fits[joins] >= _SECOND_SENTENCE * max(fits[best], 1e-6)
        if ((opening and best == 0) or fit) and not sentences[joins].endswith(_HALVES):
            pair = (best, joins)
    if pair and sum(len(sentences[number]) for number in pair) <= _LENGTH[passage.locale]:
        return pair
    return (best,)


def _lack(sentence: str, brief: float) -> float:
    """How much less a text says to whoever reads nothing else."""
    if sentence[:1] in _POINTING and _POINTS.match(sentence):
        return 1.0
    if sentence.endswith(_ENDS):
        return 0.0
    return _BARE * brief if _is_row(sentence) else _BARE


def _is_row(sentence: str) -> bool:
    """Whether it is the cells of a table, with the heads of their columns."""
    return not sentence.endswith((*_ENDS, *_LEADS)) and bool(_CELL.search(sentence))


def _is_heading(sentence: str) -> bool:
    """Whether it only says what the next is about."""
    return not sentence.endswith((*_ENDS, *_LEADS)) and not _CELL.search(sentence)


def _lead_of(sentences: Sequence[str], number: int) -> int | None:
    """The sentence with a colon that an item continues, where it is one that does."""
    if not sentences[number][:1].islower():
        return None
    for before in range(number - 1, -1, -1):
        if sentences[before].endswith(_LEADS):
            return before
        if not sentences[before][:1].islower():
            break
    return None


def _word_overlap(generation: Generation, question: Question, passage: Passage) -> list[float]:
    wanted = set(question.terms)
    return [
        len(wanted.intersection(generation.tokeniser.terms(sentence))) / max(1, len(wanted))
        for sentence in passage.sentences
    ]
