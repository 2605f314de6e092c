"""Queries with operators: read here, answered by Whoosh."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from search.operators import find_operators
from search.text import Tokeniser


@dataclass(frozen=True, slots=True)
class Advanced:
    """What a text with operators asks for."""

    words: str
    """The text without operators and exclusions, for whatever ranks the articles that match."""
    query: Any
    """Whoosh's query of the articles, for `WhooshEngine.matching`."""


def parse(text: str, tokeniser: Tokeniser) -> Advanced | None:
    """The query a text's operators make; None if it has none and is ordinary writing.

    Phrases, prefixes, fields and exclusions restrict; plain words beside them only rank, unless
    they are joined by AND or OR. Which operators count: `find_operators`.
    """
    written = find_operators(text)
    if written is None:
        return None
    from search.whoosh_query import read_syntax  # Whoosh, which ordinary searches do not need

    query = read_syntax(written.syntax, tokeniser)
    return None if query is None else Advanced(written.words, query)
