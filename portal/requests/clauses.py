"""All policy clauses of the published articles, in the reader's language where there is one."""

from __future__ import annotations

from functools import lru_cache

from portal.requests.eligibility import Cited
from search.catalogue import Catalogue
from search.types import Article, Heading


@lru_cache(maxsize=4)
def cited_clauses(catalogue: Catalogue, locale: str) -> tuple[Cited, ...]:
    """Each rule once: an article's own in the reader's language, else in the one it exists in."""
    found: list[Cited] = []
    for article_id in dict.fromkeys(catalogue.columns.ids):
        translations = catalogue.translations(article_id)
        article = translations.get(locale) or next(iter(translations.values()))
        found += [
            Cited(clause, article.id, article.locale, article.section) for clause in article.policy
        ]
    return tuple(found)


def heading(article: Article, anchor: str) -> Heading | None:
    """The heading a clause stands under, or None for the opening of the article."""
    return next((each for each in article.headings if each.anchor == anchor), None)
