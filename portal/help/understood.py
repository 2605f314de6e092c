"""What the searcher made of a question, in words its asker recognises."""

from __future__ import annotations

import re
from dataclasses import dataclass

from portal.i18n import current_locale
from search.taxonomy import Label, Taxonomy
from search.types import Response

_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
_HAN = re.compile(r"[\u3400-\u9fff]")
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
    """The words of the question its terms were made of: `arriv` was `arriving`."""
    found: dict[str, str] = {}
    spoken = _WORD.findall(query)
    for term in terms:
        if _HAN.search(term):
            if term in query:
                found[term] = term
            continue
        stem = term[:-1] if len(term) > 3 else term
        word = next((word for word in spoken if word.casefold().startswith(stem)), None)
        if word is not None:
            found.setdefault(word.casefold(), word)
    words = list(found.values())
    return [word for word in words if not any(word in other and word != other for other in words)]


def _named(query: str, taxonomy: Taxonomy) -> list[Label]:
    folded = query.casefold()
    return [
        label
        for label in taxonomy.platforms.values()
        if any(title.casefold() in folded for title in label.titles.values())
        or label.key in folded
        or label.title(current_locale()).casefold() in folded
    ]
