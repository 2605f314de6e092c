"""Whoosh's own parser, limited to our operators, with our tokeniser applied to the words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from whoosh import matching, qparser, query
from whoosh.qparser import plugins, syntax

from search.operators import FIELDS
from search.text import HAN, Tokeniser, grams, stop_words

_TEXT = "text"
# Where each name is looked for: fields of words and of character pairs.
_WHERE = {
    _TEXT: (("article", "article_grams"), ("title", "title_grams")),
    "title": (("title", "title_grams"),),
    "question": (("questions", "questions_grams"),),
}
_STRETCH = re.compile(f"(?P<han>[{HAN}]+)|[^{HAN}]+")


def read_syntax(text: str, tokeniser: Tokeniser) -> query.Query | None:
    """The query of a text that `find_operators` wrote; None if nothing in it can be asked for."""
    parser = _Parser(tokeniser)
    tree = parser.process(text)
    required, excluded = [], []
    for node in tree.nodes if isinstance(tree, _Side) else [tree]:
        if isinstance(node, _NotGroup):
            excluded.append(node.nodes[0].query(parser))
        elif not isinstance(node, syntax.WordNode) or node.fieldname:
            required.append(node.query(parser))  # plain words only rank
    clauses = [found for found in required if found is not None]
    clauses += [_Not(found) for found in excluded if found is not None]
    whole = query.And(clauses).normalize()
    return None if whole is query.NullQuery else whole


class _Side(syntax.AndGroup):  # type: ignore[misc]
    """What stands side by side without an operator."""


class _Prefix(query.Prefix):  # type: ignore[misc]
    """Documents with any word of a beginning, all of them the same score."""

    def estimate_size(self, ixreader: Any) -> int:
        return int(ixreader.doc_count())  # without looking the words up a second time

    def matcher(self, searcher: Any, context: Any = None) -> Any:  # noqa: ARG002
        reader = searcher.reader()
        if not reader.doc_count():
            return matching.NullMatcher()
        found: set[int] = set()
        for word in reader.expand_prefix(self.fieldname, self.text):
            found.update(reader.postings(self.fieldname, word).all_ids())
        return matching.ListMatcher(sorted(found))


class _Not(query.Not):  # type: ignore[misc]
    """Living documents that do not match; Whoosh's own lets some deleted ones through."""

    def matcher(self, searcher: Any, context: Any = None) -> Any:  # noqa: ARG002
        found = set(searcher.reader().all_doc_ids())
        denied = self.query.matcher(searcher, searcher.boolean_context())
        while denied.is_active():
            found.discard(denied.id())
            denied.next()
        return matching.ListMatcher(sorted(found))


class _NotGroup(syntax.NotGroup):  # type: ignore[misc]
    qclass = _Not


_NOT = plugins.OperatorsPlugin.OpTagger(r"(?<!\S)NOT(?=\s)", _NotGroup, syntax.PrefixOperator)


class _Parser(qparser.QueryParser):  # type: ignore[misc]
    def __init__(self, tokeniser: Tokeniser) -> None:
        super().__init__(
            _TEXT, None, group=_Side, phraseclass=self._phrase,
            plugins=[
                plugins.FieldsPlugin(rf"(?P<text>{'|'.join(FIELDS)}):", remove_unknown=False),
                plugins.PhrasePlugin, plugins.PrefixPlugin, plugins.GroupPlugin,
                plugins.OperatorsPlugin(
                    [(_NOT, 0)], Not=None, AndNot=None, AndMaybe=None, Require=None
                ),
            ],
        )  # fmt: skip
        self._tokeniser = tokeniser

    def term_query(
        self, fieldname: str, text: str, termclass: type, **_options: Any
    ) -> query.Query | None:
        """Called by Whoosh for words and prefixes."""
        if termclass is query.Prefix and not re.search(f"[{HAN}]", text):
            stem = (self._tokeniser.terms(text) or [text])[0]
            clauses = [
                clause
                for words, _ in _WHERE[fieldname]
                for clause in (_Prefix(words, text), query.Term(words, stem))
            ]
            return query.Or(clauses)
        return self._stretch(fieldname, text)

    def _phrase(self, fieldname: str, words: Sequence[str], **_options: Any) -> query.Query | None:
        """Called by Whoosh for what stands in quotes."""
        return self._stretch(fieldname, " ".join(words))

    def _stretch(self, name: str, text: str) -> query.Query | None:
        """Documents in which a text stands as it is, but for stop words and endings."""
        found = [self._standing_in(*where, text) for where in _WHERE[name]]
        clauses = [clause for clause in found if clause is not None]
        return query.Or(clauses) if clauses else None

    def _standing_in(self, words: str, pairs: str, text: str) -> query.Query | None:
        """Han by its character pairs, all else by its words: both must stand, each in order.

        How a sentence is cut into Chinese words depends on what is around them; pairs do not.
        """
        clauses, characters = [], []
        for match in _STRETCH.finditer(text):
            if not match["han"]:
                terms = self._tokeniser.terms(match[0])
                clauses.append((words, [term for term in terms if term not in stop_words()]))
            elif found := grams(match[0]):
                clauses.append((pairs, found))
            else:
                characters.append((words, [match[0]]))
        asked = [clause for clause in clauses if clause[1]] or characters
        if not asked:
            return None
        return query.And([query.Phrase(field, terms) for field, terms in asked])
