"""Makes the material of a comparison: passages cut and encoded once, for every engine alike."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from embedders import PooledEmbedder, StoredEmbedder

from indexer.articles import read_library
from indexer.beir import corpus_content
from indexer.build import Content, gather
from peers.base import Material
from search.embed import encode_passages
from search.evaluate import LabelledQuery, read_beir, read_jsonl, select
from search.text import Tokeniser, simplify
from search.types import Embedder, TitledPassage

_BATCH = 4096


@dataclass(frozen=True, slots=True)
class _Asked:
    text: str
    locale: str | None


def prepare(
    source: Path, folder: Path, *, store: Path, queries: int, real_up_to: float = math.inf
) -> Material:
    """The material of a folder of articles (benchmarks/corpus.py) or of one in BEIR layout.

    Vectors come from the store, which encodes what it lacks; those of more than `real_up_to`
    passages are what it has by now, perturbed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if not (source / "corpus.jsonl").exists():
        library, _ = read_library(source)
        content, asked = gather(library), _read_queries(source, queries)
    else:
        documents, labelled = read_beir(source)
        content = corpus_content(documents)
        chosen = select([q for q in labelled if q.answerable], source=source, sample=queries)
        _write_relevance(folder, chosen)
        asked = [_Asked(query.text, query.locale) for query in chosen]
    tokeniser = Tokeniser(content.words)
    _write_passages(folder, content, tokeniser)
    stored = StoredEmbedder(store, may_encode=True)
    passages = _titled(content)
    pool = 0
    if len(passages) > real_up_to and not (pool := len(stored.all())):
        raise SystemExit(f"{store}: has no vectors to perturb; run a smaller corpus first")
    embedder = PooledEmbedder(stored.all()) if pool else stored
    vectors = np.lib.format.open_memmap(
        folder / "vectors.npy", "w+", np.float32, (len(passages), stored.dimension)
    )
    for start in range(0, len(passages), _BATCH):
        found = encode_passages(embedder, passages[start : start + _BATCH])
        vectors[start : start + len(found)] = [rows[-1] for rows in found]
    vectors.flush()
    _write_queries(folder, asked, tokeniser, stored)
    made_of = {"path": str(source), "vectors": str(store), "pool": pool}
    (folder / "source.json").write_text(json.dumps(made_of), "utf-8")
    return Material(folder)


def _write_passages(folder: Path, content: Content, tokeniser: Tokeniser) -> None:
    with (
        (folder / "texts.txt").open("w", encoding="utf-8") as texts,
        (folder / "terms.txt").open("w", encoding="utf-8") as terms,
    ):
        for passage in content.passages:
            text = " ".join(" ".join((*passage.headings, passage.text)).split())
            texts.write(text + "\n")
            terms.write(" ".join(tokeniser.content_terms(text)) + "\n")
    documents = "".join(f"{passage.article_id}\n" for passage in content.passages)
    (folder / "documents.txt").write_text(documents, "utf-8")


def _titled(content: Content) -> list[TitledPassage]:
    """Passages under the titles of their articles, as the indexer has them encoded."""
    titles = [simplify(content.articles[row].title) for row in content.passage_article]
    return [
        TitledPassage(title, tuple(map(simplify, passage.sentences)), passage.locale)
        for title, passage in zip(titles, content.passages, strict=True)
    ]


def _read_queries(source: Path, count: int) -> list[_Asked]:
    rows = [row for _, row in read_jsonl(source / "queries.jsonl", ("text", "locale"))]
    return [_Asked(row["text"], row["locale"]) for row in rows[:count]]


def _write_queries(
    folder: Path, asked: Sequence[_Asked], tokeniser: Tokeniser, embedder: Embedder
) -> None:
    """Queries with their terms and vectors."""
    vectors = embedder.encode_queries([simplify(query.text) for query in asked])
    np.save(folder / "query_vectors.npy", vectors)
    with (folder / "queries.jsonl").open("w", encoding="utf-8") as lines:
        for query in asked:
            row = {
                "text": query.text,
                "locale": query.locale,
                "terms": list(dict.fromkeys(tokeniser.content_terms(query.text))),
            }
            lines.write(json.dumps(row, ensure_ascii=False) + "\n")


def _write_relevance(folder: Path, queries: Sequence[LabelledQuery]) -> None:
    rows = [dict(query.relevant) for query in queries]
    (folder / "relevant.json").write_text(json.dumps(rows), "utf-8")
