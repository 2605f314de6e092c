"""A generation from a BEIR corpus, so that the very searcher that serves can be measured on it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from indexer.content import Content, Progress, silent
from indexer.measured import open_measured
from indexer.passages import pack
from search.evaluate import Document
from search.generation import FORMAT, Generation
from search.taxonomy import Taxonomy
from search.text import NORMALISER_VERSION, guess_locale, split_sentences
from search.types import Article, Embedder, Passage

_DAY = date(1970, 1, 1)
_TAXONOMY = Taxonomy.from_dict(
    {"shop": {"en": "", "zh-Hans": ""}, "sections": {"corpus": {"en": "Corpus"}}}
)


def open_corpus(
    documents: Sequence[Document],
    embedder: Embedder,
    *,
    data: Path,
    words: Sequence[str] = (),
    progress: Progress = silent,
) -> Generation:
    """The corpus as a generation below `data`, built unless it is there already."""
    return open_measured(
        lambda: corpus_content(documents, words), embedder,
        digest=_digest(documents, embedder, words), data=data, progress=progress,
    )  # fmt: skip


def corpus_content(documents: Sequence[Document], words: Sequence[str] = ()) -> Content:
    """Every document as an article without headings."""
    articles, passages, owners = [], [], []
    for row, document in enumerate(documents):
        locale = guess_locale(f"{document.title} {document.text}")
        articles.append(_article(document, locale))
        sentences = tuple(split_sentences(document.text)) or (document.title,)
        for number, group in enumerate(pack(sentences)):
            passages.append(
                Passage(
                    f"{document.id}#{number}", document.id, locale, "", (document.title,), group
                )
            )
            owners.append(row)
    return Content(tuple(articles), tuple(passages), tuple(owners), _TAXONOMY, tuple(words), ())


def _article(document: Document, locale: str) -> Article:
    return Article(
        id=document.id, locale=locale, section="corpus", slug=document.id, title=document.title,
        summary="", html="", headings=(), updated=_DAY, verified_on=_DAY, review_by=_DAY, owner="",
    )  # fmt: skip


def _digest(documents: Sequence[Document], embedder: Embedder, words: Sequence[str]) -> str:
    digest = hashlib.sha256()
    digest.update(json.dumps([FORMAT, NORMALISER_VERSION, embedder.model_id, *words]).encode())
    for document in documents:
        digest.update(json.dumps([document.id, document.title, document.text]).encode())
    return digest.hexdigest()
