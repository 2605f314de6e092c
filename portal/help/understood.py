"""What the searcher made of a question, in words its asker recognises."""

from __future__ import annotations

import re
from dataclasses import dataclass

from portal.i18n import current_locale
from search.taxonomy import Label, Taxonomy
from search.types import Response

_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
_HAN = re.compile(r"[\u3400-\u9fff]")
_JOINTS = frozenset(
    "能不可以会要吗呢吧么怎样什的了我你您他她它是在有和与及就都也还又这那个一很太多把被给让到从对为请问用"
)
_MOST_WORDS = 8
_MOST_TOPICS = 3


@dataclass(frozen=True, slots=True)
class Understood:
    """The words that were searched for, the platforms named, and the topics that came nearest."""

    words: tuple[str, ...]
    platforms: tuple[Label, ...]
    topics: tuple[Label, ...]


def understood(response: Response, taxonomy: Taxonomy) -> Understood:
    """Read the trace back into the asker's words."""
    keys = dict.fromkeys(result.article.section for result in response.results)
    topics = [taxonomy.sections[key] for key in keys if key in taxonomy.sections]
    return Understood(
        words=tuple(_words(response.query, response.trace.terms)[:_MOST_WORDS]),
        platforms=tuple(_named(response.query, taxonomy)),
        topics=tuple(topics[:_MOST_TOPICS]),
    )


def _words(query: str, terms: tuple[str, ...]) -> list[str]:
    """The words of the question its terms were made of, as they were written, in their order."""
    spans: list[tuple[int, int]] = []
    spoken = list(_WORD.finditer(query))
    for term in terms:
        if _HAN.search(term):
            _add_han(query, term, spans)
            continue
        stem = term[:-1] if len(term) > 3 else term  # `arriv` was `arriving`, `queri` was `queries`
        word = next((word for word in spoken if word[0].casefold().startswith(stem)), None)
        if word is not None and word.span() not in spans:
            spans.append(word.span())
    return [query[start:end] for start, end in sorted(spans)]


def _add_han(query: str, term: str, spans: list[tuple[int, int]]) -> None:
    """Keep a Chinese term unless it is a mere joint of two words; a longer one takes over."""
    start = query.find(term)
    if start < 0 or len(term) < 2 or set(term) <= _JOINTS:
        return
    end = start + len(term)
    overlapping = [span for span in spans if span[0] < end and start < span[1]]
    if all(start <= low and high <= end for low, high in overlapping):
        spans[:] = [span for span in spans if span not in overlapping]
        spans.append((start, end))


def _named(query: str, taxonomy: Taxonomy) -> list[Label]:
    folded = query.casefold()
    return [
        label
        for label in taxonomy.platforms.values()
        if any(title.casefold() in folded for title in label.titles.values())
        or label.key in folded
        or label.title(current_locale()).casefold() in folded
    ]
