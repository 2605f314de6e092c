"""Generations that are measured and never published, and what encoding them costs."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np

from indexer.build import content_hash, up_to_date
from indexer.check import check_folder
from indexer.content import Content, Progress, gather, silent
from indexer.part import items_of
from indexer.problems import ArticlesInvalid
from indexer.write import write_generation
from search.generation import Generation, open_current, open_generation
from search.report import Cost
from search.types import Article, Embedder, Passage

_TIMED = 256  # texts
_ENOUGH = 3.0  # seconds
_AT_ONCE = 32  # texts in one call, so that a slow model can stop in time
_SEED = 0


def open_measured(
    gather_content: Callable[[], Content],
    embedder: Embedder,
    *,
    digest: str,
    data: Path,
    progress: Progress = silent,
) -> Generation:
    """The generation of some content below `data`, gathered and built unless it is there already.

    `digest` stands for the content, the model and the format.
    """
    folder = data / "eval" / digest[:16]
    if not (folder / "manifest.json").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        write_generation(
            folder, gather_content(), embedder, name=digest[:16], digest=digest,
            cache=data / "cache" / "vectors.sqlite", progress=progress,
        )  # fmt: skip
    return open_generation(folder, embedder)


def open_articles(
    articles: Path,
    embedder: Embedder,
    *,
    data: Path,
    today: date,
    progress: Progress = silent,
) -> Generation:
    """The articles as they now stand, encoded by any model: the published generation if it is that.

    Raises `ArticlesInvalid` with every problem when an article has an error.
    """
    library, problems = check_folder(articles, today=today)
    if any(problem.severity == "error" for problem in problems):
        raise ArticlesInvalid(problems)
    content = gather(library)
    digest = content_hash(content, embedder)
    if up_to_date(data, digest):
        return open_current(data, embedder)
    return open_measured(lambda: content, embedder, digest=digest, data=data, progress=progress)


def measure_cost(
    generation: Generation, embedder: Embedder, *, progress: Progress = silent
) -> Cost:
    """Time the model on texts of the corpus, whether their vectors are cached or not.

    So models can be compared however much of the corpus each of them has had to encode.
    """
    texts = _sample(generation)
    embedder.encode_documents(texts[:1])  # loads the model
    done, elapsed = 0, 0.0
    while done < len(texts) and elapsed < _ENOUGH:
        progress("timing the model", done, len(texts))
        batch = texts[done : done + _AT_ONCE]
        started = time.perf_counter()
        embedder.encode_documents(batch)
        elapsed += time.perf_counter() - started
        done += len(batch)
    progress("timing the model", len(texts), len(texts))
    return Cost(embedder.dimension, generation.manifest.units, done, done / elapsed)


def _sample(generation: Generation) -> list[str]:
    """At most `_TIMED` of the texts that have vectors, from articles all over the corpus, mixed."""
    size = generation.manifest.articles
    rows = np.unique(np.linspace(0, size - 1, min(size, _TIMED)).astype(np.int64))
    articles: list[tuple[Article, list[Passage]]] = []
    for row in rows.tolist():
        first, last = (int(end) for end in generation.article_passages[row : row + 2])
        passages = [generation.passage(passage) for passage in range(first, last)]
        articles.append((generation.catalogue.at(row), passages))
    texts = [
        text
        for item in items_of(articles)
        for text in ([item] if isinstance(item, str) else item.composed())
    ]
    chosen = np.random.default_rng(_SEED).permutation(len(texts))[:_TIMED]
    return [texts[place] for place in chosen]
