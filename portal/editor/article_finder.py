"""Finds the article an editor means, by its id, its address, words of its title or what it says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain, zip_longest

from portal.drafts.find import Listed, listed
from portal.services import services
from search.errors import KnowledgeBaseError
from search.text import guess_locale, normalise
from search.types import LOCALES, Article

LONGEST = 200
"""Characters of what is looked for."""
_MOST = 10
_BY_TEXT = 4  # of each language, of what the search finds


@dataclass(frozen=True, slots=True)
class Choice:
    """An article to choose: its file need not be published."""

    locale: str
    id: str
    title: str
    section: str
    status: str = "published"

    @property
    def key(self) -> str:
        return f"{self.locale}:{self.id}"


def choice(article: Article) -> Choice:
    """A published article."""
    return Choice(article.locale, article.id, article.title, article.section)


def find_articles(text: str) -> list[Choice]:
    """At most ten: the one that is so named, then of each language in turn, that of the text first,
    those that have the words in their name and then those that say so."""
    text = text.strip()[:LONGEST]
    words = normalise(text).split()
    if not words:
        return []
    files = [one for one in listed(services().proof.root) if one.id and one.status != "archived"]
    exact = [_of_file(one) for one in files if _is_named(one, text)]
    named = [_of_file(one) for one in files if all(word in _names(one) for word in words)]
    languages = sorted(LOCALES, key=lambda locale: locale != guess_locale(text))
    ranked = [_ranked(text, locale, named) for locale in languages]
    in_turn = (one for one in chain.from_iterable(zip_longest(*ranked)) if one is not None)
    return list({one.key: one for one in (*exact, *in_turn)}.values())[:_MOST]


def _ranked(text: str, locale: str, named: Iterable[Choice]) -> list[Choice]:
    """Of one language the likeliest first: so named and found, so named, found."""
    saying = list(by_text(text, locale))
    places = {one.key: place for place, one in enumerate(saying)}
    own = [one for one in named if one.locale == locale]
    return [*sorted(own, key=lambda one: places.get(one.key, len(places))), *saying]


def by_text(text: str, locale: str, *, limit: int = _BY_TEXT) -> Iterable[Choice]:
    """What the search finds for a text in one language."""
    try:
        results = services().library.search(text, locale=locale, limit=limit).results
    except KnowledgeBaseError:
        return []  # too long a text, or no index: the names will do
    return [choice(result.article) for result in results if result.article.locale == locale]


def _is_named(file: Listed, text: str) -> bool:
    """Whether a text is an id, with its language or without, a path or an address of the file."""
    path = str(file.path).removesuffix(".md")
    return text.rstrip("/").endswith(f"/{path}") or text in (
        file.id, f"{file.path.locale}:{file.id}", path, f"{path}.md",
    )  # fmt: skip


def _names(file: Listed) -> str:
    return normalise(f"{file.title} {file.id} {file.path.slug}")


def _of_file(file: Listed) -> Choice:
    title = file.title or file.path.slug
    return Choice(file.path.locale, file.id, title, file.path.section, file.status)
