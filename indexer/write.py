"""Writes a generation: what is new is made, what is not is taken from the one before."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from indexer.beside import Beside
from indexer.completion import write_completions
from indexer.content import Content, Progress, silent
from indexer.encoding import Item
from indexer.part import Part, items_of, kinds_of, make_part
from indexer.previous import BASE, OWN_ARRAYS, Previous, write_base
from indexer.related import article_means, relate
from indexer.vectors import VectorCache
from indexer.vocabulary import texts_of, write_vocabulary
from search.bm25 import TermCounter, Terms, idfs
from search.catalogue import Columns, article_to_dict
from search.classifier import ArticleClassifier, identities
from search.errors import KnowledgeBaseError
from search.generation import FORMAT, Manifest, UnitKind, passage_to_dict
from search.impacts import ImpactEngine
from search.keyword import WhooshEngine
from search.postings import Postings
from search.records import Piece, RecordFile, encode_record, write_lines
from search.splice import runs, splice
from search.text import NORMALISER_VERSION, Tokeniser, normalise
from search.texts import TextTable, as_row, write_texts
from search.types import Embedder, Rows, Vectors
from search.vectors import AnyEngine, SketchEngine, build_engine
from search.whitening import fit_whitening, whiten


@dataclass(frozen=True, slots=True)
class _Orders:
    """Where the rows of the new tables come from: rows of the old ones, then of what was made."""

    kept: Rows
    """(articles,) the row in the previous generation, or -1."""
    articles: Rows
    passages: Rows
    units: Rows

    @classmethod
    def of(cls, kept: Rows, previous: Previous | None, part: Part) -> _Orders:
        old_passages = previous.passage_counts if previous else np.empty(0, np.int64)
        old_units = previous.arrays["unit_counts"] if previous else np.empty(0, np.int64)
        articles = kept.copy()
        articles[kept < 0] = len(old_passages) + np.arange(int((kept < 0).sum()))
        return cls(
            kept,
            articles,
            _ranges(np.concatenate([old_passages, part.passages]), articles),
            _ranges(np.concatenate([old_units, part.counts]), articles),
        )


def write_generation(
    folder: Path,
    content: Content,
    embedder: Embedder,
    *,
    name: str,
    digest: str,
    cache: Path,
    previous: Path | None = None,
    workers: int = 1,
    progress: Progress = silent,
) -> tuple[int, int]:
    """Write a complete generation into an empty folder; gives (vectors encoded, all vectors).

    With the folder of a `previous` one that it can be built on, only articles that have changed are
    encoded and counted; the spaces that meaning is measured in are kept until a twentieth has.
    """
    if not content.articles:
        raise KnowledgeBaseError("there is no published article; set `status: published` in one")
    base = Previous.open(previous, content, embedder) if previous else None
    kept = base.kept(content.keys) if base else np.full(len(content.articles), -1, np.int64)
    made = content.only(np.flatnonzero(kept < 0).tolist())
    asked = [question for topic in content.outside for question in topic]
    tokeniser = Tokeniser(content.words)
    counter = TermCounter(tokeniser)

    def read_words() -> None:
        _write_words(folder, content, tokeniser, cache)
        counter.read(text for one in made for text in texts_of(*one))

    with Beside() as beside:
        words = beside.start(read_words)  # while processes encode, or libraries work on arrays
        vectors, encoded = _encode(
            [*items_of(made), *asked], embedder, cache, workers, progress, all_of_it=base is None
        )
        inside = len(vectors) - len(asked)
        vectors, outside = vectors[:inside], vectors[inside:].copy()
        whitening = (
            base.arrays["whitening"]
            if base
            else fit_whitening(vectors[kinds_of(made) == UnitKind.SENTENCE])
        )
        progress("keyword index", 0, len(content.passages))
        white = whiten(vectors, whitening)
        words.result()
        part = make_part(made, white, counter)
        del vectors, white  # 14 KB a passage each, and the most there is from here on
        orders = _Orders.of(kept, base, part)
        meaning = beside.start(
            lambda: _write_vectors(folder, content, base, part, orders, whiten(outside, whitening))
        )
        postings = _write_keyword_index(folder, content, base, part, orders)
        progress("keyword index", len(content.passages), len(content.passages))
        _write_texts(folder, content, base, orders)
        arrays, units = meaning.result()
    arrays |= {"whitening": np.asarray(whitening), "title_mass": _title_mass(postings)}
    own = {array: arrays.pop(array) for array in OWN_ARRAYS}
    write_base(folder / BASE, content.keys, own, postings)
    for array, values in arrays.items():
        np.save(folder / f"{array}.npy", values)
    (folder / "site.json").write_text(json.dumps(content.site(), ensure_ascii=False), "utf-8")
    manifest = Manifest(
        name=name,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        format=FORMAT,
        model=embedder.model_id,
        dimension=embedder.dimension,
        normaliser=NORMALISER_VERSION,
        content_hash=digest,
        articles=len(content.articles),
        passages=len(content.passages),
        units=units,
        article_length=float(np.median(own["article_words"])),
        drift=base.manifest.drift + int(part.counts.sum()) if base else 0,
    )
    (folder / "manifest.json").write_text(json.dumps(dataclasses.asdict(manifest)), "utf-8")
    return encoded, units


def _encode(
    items: Sequence[Item],
    embedder: Embedder,
    cache: Path,
    workers: int,
    progress: Progress,
    *,
    all_of_it: bool,
) -> tuple[Vectors, int]:
    with VectorCache(cache) as vectors:
        found = vectors.encode(
            embedder, items, workers=workers,
            progress=lambda done, total: progress("encoding sentences", done, total),
        )  # fmt: skip
        if all_of_it:
            vectors.trim()
    return found


def _write_vectors(
    folder: Path,
    content: Content,
    base: Previous | None,
    part: Part,
    orders: _Orders,
    outside: Vectors,
) -> tuple[dict[str, npt.NDArray[Any]], int]:
    """Write the vector engine; gives the tables that go with it and the number of vectors."""
    engine = _vectors(base, part, orders)
    engine.save(folder / "vectors.faiss")
    arrays = _arrays(content, base, part, orders)
    classifier = _fit_classifier(content, arrays, engine, outside)
    arrays["classifier_weights"] = classifier.weights
    arrays["classifier_bias"] = classifier.bias
    return arrays, engine.count


def _write_words(folder: Path, content: Content, tokeniser: Tokeniser, cache: Path) -> None:
    """What is read and written word by word: completions, the vocabulary, the list of articles."""
    caches = cache.parent if content.keys else None  # corpora to be measured come and go
    write_completions(
        folder / "completion", content.articles, tokeniser,
        cache=caches and caches / "completions.sqlite",
    )  # fmt: skip
    write_vocabulary(folder, content, tokeniser, cache=caches and caches / "vocabulary.sqlite")
    Columns.of(content.articles).save(folder / "catalogue.json")


def _vectors(base: Previous | None, part: Part, orders: _Orders) -> AnyEngine:
    if base is None:
        in_order = np.array_equal(orders.units, np.arange(len(part.vectors)))
        return build_engine(part.vectors if in_order else part.vectors[orders.units])
    if isinstance(base.vectors, SketchEngine):
        return base.vectors.changed(orders.units, part.vectors)
    known = base.vectors.vectors(np.arange(base.vectors.count))
    return build_engine(np.concatenate([known, part.vectors])[orders.units])


def _arrays(
    content: Content, base: Previous | None, part: Part, orders: _Orders
) -> dict[str, npt.NDArray[Any]]:
    """The tables of articles and vectors."""

    def units(name: str, made: npt.NDArray[Any]) -> npt.NDArray[Any]:
        if base is None:
            return made[orders.units]
        return splice(base.arrays[name], made, orders.units)

    def articles(name: str, made: npt.NDArray[Any]) -> npt.NDArray[Any]:
        if base is None:
            return made[orders.articles]
        return splice(base.arrays[name], made, orders.articles)

    counts = articles("unit_counts", part.counts)
    passages = np.bincount(content.passage_article, minlength=len(content.articles))
    inside = part.passage if base is None else base.unit_passage.astype(np.int32)
    first = np.repeat(np.cumsum(passages) - passages, counts)
    related = relate(
        articles("article_means", article_means(part.vectors, part.counts)),
        [article.locale for article in content.articles],
        previous=base.related if base else None,
        kept=orders.kept,
    )
    return {
        "unit_passage": (first + splice(inside, part.passage, orders.units)).astype(np.int32)
        if base
        else (first + inside[orders.units]).astype(np.int32),
        "unit_sentence": units("unit_sentence", part.sentence),
        "unit_title": units("unit_title", part.title),
        "unit_kind": units("unit_kind", part.kind),
        "unit_counts": counts,
        "passage_article": np.array(content.passage_article, np.int32),
        "article_words": articles("article_words", part.lengths),
        "article_means": related.means,
        "related": related.rows,
        "related_scores": related.scores,
    }


def _write_texts(folder: Path, content: Content, base: Previous | None, orders: _Orders) -> None:
    """The articles and passages as they are shown, and folded as they are looked through."""
    made = orders.kept < 0
    own = np.isin(content.passage_article, np.flatnonzero(made))
    articles = [content.articles[row] for row in np.flatnonzero(made)]
    passages = [content.passages[row] for row in np.flatnonzero(own)]
    for name, order, rows in (
        ("articles.jsonl", orders.articles, map(article_to_dict, articles)),
        ("passages.jsonl", orders.passages, map(passage_to_dict, passages)),
    ):
        known = getattr(base, name.partition(".")[0]) if base else None
        lines = list(map(encode_record, rows))
        write_lines(folder / name, _pieces(order, known, lines))
    # A bar between heading and text: nothing that is looked for has one.
    texts = (f"{passage.headings[-1]} | {passage.text}" for passage in passages)
    for table, order, fresh in (
        ("titles", orders.articles, (article.title for article in articles)),
        ("passages", orders.passages, texts),
    ):
        known = (base.titles if table == "titles" else base.folded) if base else None
        folded = [as_row(normalise(text)) for text in fresh]
        write_texts(folder / f"{table}.texts", _pieces(order, known, folded))


def _pieces(
    order: Rows, known: RecordFile | TextTable | None, made: Sequence[bytes]
) -> Iterator[Piece]:
    """The rows of a file: stretches of the old one as they are, and what was made."""
    for kept, low, high in runs(order, len(known) if known is not None else 0):
        if kept and known is not None:
            yield known.stretch(low, high)
        else:
            yield from ((line, np.array([len(line)])) for line in made[low:high])


def _write_keyword_index(
    folder: Path, content: Content, base: Previous | None, part: Part, orders: _Orders
) -> Postings:
    """Write both keyword engines; gives the terms of all documents."""
    passage_ids = [passage.id for passage in content.passages]
    article_ids = [f"{article.id}@{article.locale}" for article in content.articles]
    if base is None:
        WhooshEngine.build(
            folder / "keyword",
            passages=part.passage_terms, articles=part.article_terms,
            passage_ids=passage_ids, article_ids=article_ids,
        )  # fmt: skip
    else:
        WhooshEngine.update(
            folder / "keyword",
            previous=base.folder / "keyword",
            passages=_named(passage_ids, orders.passages, len(base.passages), part.passage_terms),
            articles=_named(article_ids, orders.articles, len(base.articles), part.article_terms),
            passage_ids=passage_ids, article_ids=article_ids,
        )  # fmt: skip
    postings = (base.postings if base else Postings.empty()).changed(
        {"passages": orders.passages, "articles": orders.articles},
        {"passages": part.passage_terms, "articles": part.article_terms},
    )
    ImpactEngine.compile(folder / "impacts", postings)
    return postings


def _named(
    ids: Sequence[str], order: Rows, before: int, made: Sequence[Terms]
) -> Mapping[str, Terms]:
    """What was made, by the id of the row it is for."""
    return {
        ids[row]: made[source - before]
        for row, source in enumerate(order.tolist())
        if source >= before
    }


def _title_mass(postings: Postings) -> npt.NDArray[np.float32]:
    """(articles,) the IDF of all words of each title, never 0."""
    titles = postings.fields["title"].sign()
    informative = idfs(titles.shape[0], np.asarray(titles.sum(axis=0)).ravel())
    masses: npt.NDArray[np.float32] = np.maximum(titles @ informative, 1e-6).astype(np.float32)
    return masses


def _fit_classifier(
    content: Content,
    arrays: Mapping[str, npt.NDArray[Any]],
    engine: AnyEngine,
    outside: Vectors,
) -> ArticleClassifier:
    """Learn the articles from their titles and the questions they list, and what is outside."""
    examples = np.flatnonzero(np.isin(arrays["unit_kind"], (UnitKind.TITLE, UnitKind.QUESTION)))
    classes = identities([article.id for article in content.articles])
    owners = np.repeat(np.arange(len(classes)), arrays["unit_counts"])[examples]
    topics = np.repeat(np.arange(len(content.outside)), [len(topic) for topic in content.outside])
    return ArticleClassifier.fit(
        engine.vectors(examples), classes[owners], count=int(classes.max()) + 1,
        outside=outside, topics=topics,
    )  # fmt: skip


def _ranges(counts: Rows, order: Rows) -> Rows:
    """The rows of the parts of things, in an order of the things."""
    starts, sizes = np.cumsum(counts) - counts, counts[order]
    before = np.cumsum(sizes) - sizes
    found: Rows = np.repeat(starts[order] - before, sizes) + np.arange(int(sizes.sum()))
    return found
