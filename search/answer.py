"""The answer card: sentences of an article, word for word, with their source and its rule."""

from __future__ import annotations

from search.focus import Focus
from search.text import join_sentences
from search.types import Answer, Article, Filters, Passage, PolicyClause


def extract_answer(article: Article, focus: Focus, filters: Filters) -> Answer:
    """The sentences the focus names, as an answer from `article`."""
    passage = focus.passage
    return Answer(
        text=join_sentences([passage.sentences[n] for n in focus.sentences], passage.locale),
        article=article,
        anchor=passage.anchor,
        heading=passage.headings[-1],
        policy=_policy(article, passage, filters),
    )


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
