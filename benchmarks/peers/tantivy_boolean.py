"""tantivy, the Rust engine in the manner of Lucene, through its Python binding."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import tantivy
from tantivy import Occur

from peers.base import About, Material, Query

ABOUT = About(
    name="tantivy",
    distribution="tantivy",
    modes=("keyword",),
    note="Frequencies without positions, whitespace tokeniser over terms cut by ours, one writer "
    "thread, boolean query of optional terms, passage numbers from a fast field.",
)
_TOKENISER = "cut"


class Tantivy:
    def __init__(self, folder: Path) -> None:
        index = _register(tantivy.Index.open(str(folder)))
        self._schema = index.schema
        self._searcher = index.searcher()

    def search(self, mode: str, query: Query, limit: int) -> Sequence[int]:
        del mode
        clauses = [
            (Occur.Should, tantivy.Query.term_query(self._schema, "text", term, "freq"))
            for term in query.terms
        ]
        hits = self._searcher.search(
            tantivy.Query.boolean_query(clauses), limit=limit, count=False
        ).hits
        rows: list[int] = self._searcher.fast_field_values("row", [place for _, place in hits])
        return rows


def _register(index: tantivy.Index) -> tantivy.Index:
    analyser = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build()
    index.register_tokenizer(_TOKENISER, analyser)
    return index


def build(material: Material, folder: Path) -> None:
    schema = (
        tantivy.SchemaBuilder()
        .add_text_field("text", tokenizer_name=_TOKENISER, index_option="freq")
        .add_integer_field("row", fast=True)
        .build()
    )
    index = _register(tantivy.Index(schema, path=str(folder)))
    writer = index.writer(num_threads=1)
    for row, terms in enumerate(material.terms()):
        writer.add_document(tantivy.Document(text=" ".join(terms), row=row))
    writer.commit()
    writer.wait_merging_threads()


def open_index(material: Material, folder: Path) -> Tantivy:
    del material
    return Tantivy(folder)
