"""Builds a generation: gather everything, then write it, then publish it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from indexer.articles import Library
from indexer.check import check_folder
from indexer.completion import write_completions
from indexer.passages import split_article
from indexer.problems import ArticlesInvalid, Problem
from indexer.publish import prune, publish, publishing, staging_folder
from indexer.vectors import VectorCache
from search.bm25 import Terms, article_terms, passage_terms
from search.catalogue import article_to_dict
from search.classifier import ArticleClassifier, identities
from search.errors import KnowledgeBaseError
from search.generation import (
    FORMAT,
    GENERATIONS,
    Manifest,
    UnitKind,
    current_name,
    open_generation,
    passage_to_dict,
)
from search.impacts import ImpactEngine
from search.keyword import WhooshEngine
from search.records import write_records
from search.synonyms import Rule
from search.taxonomy import Taxonomy
from search.text import NORMALISER_VERSION, Tokeniser, simplify, text_length
from search.types import Article, Embedder, Passage, Vectors
from search.vectors import FaissEngine
from search.vocabulary import collect
from search.whitening import fit_whitening, whiten

_RELATED = 6
Progress = Callable[[str, int, int], None]
"""Called with the stage's name, what is done and what there is to do."""


def silent(_stage: str, _done: int, _total: int) -> None:
    """The progress of a build nobody watches."""


@dataclass(frozen=True, slots=True)
class Content:
    """What goes into a generation, before any engine has seen it."""

    articles: tuple[Article, ...]
    passages: tuple[Passage, ...]
    passage_article: tuple[int, ...]
    taxonomy: Taxonomy
    words: tuple[str, ...]
    gone: tuple[str, ...]
    synonyms: Mapping[str, tuple[Rule, ...]] = field(default_factory=dict)
    outside: tuple[tuple[str, ...], ...] = ()
    """Questions no article answers, by topic."""

    def passages_by_article(self) -> list[list[int]]:
        """Rows of the passages of each article, in order; every article has at least one."""
        rows: list[list[int]] = [[] for _ in self.articles]
        for row, owner in enumerate(self.passage_article):
            rows[owner].append(row)
        return rows


@dataclass(frozen=True, slots=True)
class Unit:
    """One text to be encoded, and what its vector will stand for."""

    text: str
    passage: int
    sentence: int
    kind: UnitKind


@dataclass(frozen=True, slots=True)
class Published:
    """The outcome of a publish; `changed` is false when the index already was up to date."""

    name: str
    changed: bool
    articles: int
    passages: int
    units: int
    encoded: int
    warnings: tuple[Problem, ...]
    pruned: tuple[str, ...] = ()


def build_and_publish(
    articles: Path,
    data: Path,
    embedder: Embedder,
    *,
    today: date,
    keep: int = 3,
    rebuild: bool = False,
    progress: Progress = silent,
) -> Published:
    """Check, build and publish the folder `articles` into `data`.

    Raises `ArticlesInvalid` with every problem, and leaves what was published as it was.
    """
    with publishing(data):
        progress("reading articles", 0, 1)
        library, problems = check_folder(articles, today=today)
        if any(problem.severity == "error" for problem in problems):
            raise ArticlesInvalid(problems)
        content = gather(library)
        progress("reading articles", 1, 1)
        digest = content_hash(content, embedder)
        if not rebuild and (present := up_to_date(data, digest)) is not None:
            return Published(
                present.name, False, present.articles, present.passages, present.units, 0,
                tuple(problems),
            )  # fmt: skip
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}-{digest[:8]}"
        staged = staging_folder(data, name)
        encoded, units = write_generation(
            staged, content, embedder, name=name, digest=digest,
            cache=data / "cache" / "vectors.sqlite", progress=progress,
        )  # fmt: skip
        progress("publishing", 0, 1)
        publish(data, staged, name)
        pruned = prune(data, keep=keep)
        progress("publishing", 1, 1)
    return Published(
        name, True, len(content.articles), len(content.passages), units, encoded,
        tuple(problems), tuple(pruned),
    )  # fmt: skip


def gather(library: Library) -> Content:
    """Every published article with its passages, in the order of the files."""
    articles = tuple(file.article() for file in library.published)
    passages: list[Passage] = []
    owners: list[int] = []
    for row, article in enumerate(articles):
        split = split_article(
            article_id=article.id, locale=article.locale, title=article.title, html=article.html
        )
        passages.extend(split)
        owners.extend([row] * len(split))
    gone = [path for f in library.archived for path in (f.site_path, *f.parsed.front.redirect_from)]
    return Content(
        articles, tuple(passages), tuple(owners), library.taxonomy, library.words, tuple(gone),
        library.synonyms,
        tuple(topic.questions for found in library.outside.values() for topic in found.topics),
    )  # fmt: skip


def units_of(content: Content) -> list[Unit]:
    """The texts that get a vector, article by article: title, questions, sentences, passages.

    Findings: a sentence with the article's title in front is what makes the bundled model good on
    long text, and the best sentence is the answer; the passage as a whole adds to it on short
    questions.
    """
    units: list[Unit] = []
    for article, rows in zip(content.articles, content.passages_by_article(), strict=True):
        opening = rows[0]
        units.append(Unit(article.title or article.id, opening, 0, UnitKind.TITLE))
        units += [Unit(text, opening, 0, UnitKind.QUESTION) for text in article.questions]
        for row in rows:
            passage = content.passages[row]
            units += [
                Unit(_titled(article, sentence), row, number, UnitKind.SENTENCE)
                for number, sentence in enumerate(passage.sentences)
            ]
            units.append(Unit(_titled(article, passage.text), row, 0, UnitKind.PASSAGE))
    return units


def _typical_length(content: Content) -> float:
    """Words of the median article."""
    lengths = [
        sum(text_length(content.passages[row].text) for row in rows)
        for rows in content.passages_by_article()
    ]
    return float(np.median(lengths))


def _titled(article: Article, text: str) -> str:
    return f"{article.title}. {text}" if article.title else text


def write_generation(
    folder: Path,
    content: Content,
    embedder: Embedder,
    *,
    name: str,
    digest: str,
    cache: Path,
    progress: Progress = silent,
) -> tuple[int, int]:
    """Write a complete generation into an empty folder; gives (texts encoded, vectors)."""
    if not content.articles:
        raise KnowledgeBaseError("there is no published article; set `status: published` in one")
    write_records(folder / "articles.jsonl", map(article_to_dict, content.articles))
    write_records(folder / "passages.jsonl", map(passage_to_dict, content.passages))
    units = units_of(content)
    vectors, encoded = _encode([unit.text for unit in units], embedder, cache, progress)
    kinds = np.array([unit.kind for unit in units])
    whitening = fit_whitening(vectors[kinds == UnitKind.SENTENCE])
    vectors = whiten(vectors, whitening)
    to_title = _title_similarity(units, vectors, content.passage_article)
    units = route_questions(units, vectors, to_title, content.passage_article)
    asked = [question for topic in content.outside for question in topic]
    outside, more = _encode(asked, embedder, cache, progress)
    classifier = _fit_classifier(content, units, vectors, whiten(outside, whitening))
    title_mass = _write_keyword_index(folder, content, units, progress)
    write_completions(folder / "completion", content.articles, Tokeniser(content.words))
    collect(_texts(content), Tokeniser(content.words)).save(folder)
    FaissEngine.build(vectors).save(folder / "vectors.faiss")
    arrays: dict[str, npt.NDArray[Any]] = {
        "unit_passage": np.array([unit.passage for unit in units], np.int32),
        "unit_sentence": np.array([unit.sentence for unit in units], np.int32),
        "unit_title": to_title,
        "unit_kind": np.array([unit.kind for unit in units], np.int8),
        "passage_article": np.array(content.passage_article, np.int32),
        "related": _related(content, units, vectors),
        "whitening": whitening,
        "classifier_weights": classifier.weights,
        "classifier_bias": classifier.bias,
        "title_mass": title_mass,
    }
    for array, values in arrays.items():
        np.save(folder / f"{array}.npy", values)
    (folder / "site.json").write_text(json.dumps(_site(content), ensure_ascii=False), "utf-8")
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
        units=len(units),
        article_length=_typical_length(content),
    )
    (folder / "manifest.json").write_text(json.dumps(dataclasses.asdict(manifest)), "utf-8")
    return encoded + more, len(units)


def _texts(content: Content) -> Iterator[str]:
    """Everything a reader can read or an editor has written for the search."""
    for article in content.articles:
        yield from (article.title, *article.questions, *article.tags)
    for passage in content.passages:
        yield from (*passage.headings[1:], passage.text)


def _fit_classifier(
    content: Content, units: Sequence[Unit], vectors: Vectors, outside: Vectors
) -> ArticleClassifier:
    """Learn the articles from their titles and the questions they list, and what is outside."""
    examples = np.array([unit.kind in (UnitKind.TITLE, UnitKind.QUESTION) for unit in units])
    classes = identities([article.id for article in content.articles])
    owners = np.array([content.passage_article[unit.passage] for unit in units])
    topics = np.repeat(np.arange(len(content.outside)), [len(topic) for topic in content.outside])
    return ArticleClassifier.fit(
        vectors[examples], classes[owners[examples]], count=int(classes.max()) + 1,
        outside=outside, topics=topics,
    )  # fmt: skip


def route_questions(
    units: Sequence[Unit],
    vectors: Vectors,
    to_title: npt.NDArray[np.float32],
    passage_article: Sequence[int],
) -> list[Unit]:
    """Give every question to the passage of its article that answers it.

    That is the one which, by itself and by its best sentence, is nearest to the question once what
    they share with the title is taken out. Who asks in such words is then led to that section.
    """
    routed = list(units)
    for rows in _rows_by_article(units, passage_article):
        kinds = np.array([units[row].kind for row in rows])
        owners = np.array([units[row].passage for row in rows])
        questions = rows[kinds == UnitKind.QUESTION]
        if not len(questions):
            continue
        similarity = vectors[rows] @ vectors[questions].T
        residual = similarity - to_title[rows][:, None] * to_title[questions][None, :]
        places = np.unique(owners)
        value = np.stack(
            [
                residual[(owners == place) & (kinds == UnitKind.SENTENCE)].max(axis=0)
                + residual[(owners == place) & (kinds == UnitKind.PASSAGE)].max(axis=0)
                for place in places
            ]
        )
        for question, best in zip(questions, value.argmax(axis=0), strict=True):
            routed[question] = dataclasses.replace(units[question], passage=int(places[best]))
    return routed


def _title_similarity(
    units: Sequence[Unit], vectors: Vectors, passage_article: Sequence[int]
) -> npt.NDArray[np.float32]:
    """(units,) cosine of each vector to the title of its article, which is its first unit."""
    found = np.empty(len(units), np.float32)
    for rows in _rows_by_article(units, passage_article):
        found[rows] = vectors[rows] @ vectors[rows[0]]
    return found


def _rows_by_article(
    units: Sequence[Unit], passage_article: Sequence[int]
) -> Iterator[npt.NDArray[np.int64]]:
    owners = np.array([passage_article[unit.passage] for unit in units])
    starts = np.flatnonzero(np.diff(owners, prepend=-1))
    yield from np.split(np.arange(len(units)), starts[1:])


def _write_keyword_index(
    folder: Path, content: Content, units: Sequence[Unit], progress: Progress
) -> npt.NDArray[np.float32]:
    """Write both keyword engines; gives the IDF of all words of each title."""
    progress("keyword index", 0, len(content.passages))
    tokeniser = Tokeniser(content.words)
    asked: dict[int, list[str]] = defaultdict(list)
    for unit in units:
        if unit.kind == UnitKind.QUESTION:
            asked[unit.passage].append(unit.text)
    passages: list[Terms] = []
    articles: list[Terms] = []
    for article, rows in zip(content.articles, content.passages_by_article(), strict=True):
        own = [content.passages[row] for row in rows]
        articles.append(article_terms(tokeniser, article, own))
        passages += [
            passage_terms(
                tokeniser, passage, [*asked[row], *(article.tags if row == rows[0] else ())]
            )
            for row, passage in zip(rows, own, strict=True)
        ]
    WhooshEngine.build(folder / "keyword", passages=passages, articles=articles)
    engine = ImpactEngine.build(folder / "impacts", passages=passages, articles=articles)
    progress("keyword index", len(content.passages), len(content.passages))
    masses = [
        sum(engine.explain("title_match", dict.fromkeys(terms["title_match"], 1.0), row).values())
        for row, terms in enumerate(articles)
    ]
    return np.maximum(np.array(masses, np.float32), np.float32(1e-6))


def _encode(
    texts: Sequence[str], embedder: Embedder, cache_path: Path, progress: Progress
) -> tuple[Vectors, int]:
    cache = VectorCache(cache_path)
    try:
        return cache.encode(
            embedder,
            [simplify(text) for text in texts],
            progress=lambda done, total: progress("encoding sentences", done, total),
        )
    finally:
        cache.close()


def _related(content: Content, units: Sequence[Unit], vectors: Vectors) -> npt.NDArray[np.int32]:
    """(articles, k) rows of the nearest articles in the same language, padded with -1.

    An article is the mean of its sentence and question vectors.
    """
    owners = np.array([content.passage_article[unit.passage] for unit in units])
    means = np.zeros((len(content.articles), vectors.shape[1]), np.float32)
    np.add.at(means, owners, vectors)
    lengths = np.linalg.norm(means, axis=1, keepdims=True)
    means /= np.where(lengths > 0, lengths, 1)
    locales = np.array([article.locale for article in content.articles])
    nearest = np.full((len(means), _RELATED), -1, np.int32)
    for row in range(len(means)):
        similarity = means @ means[row]
        similarity[locales != locales[row]] = -2
        similarity[row] = -2
        best = np.argsort(-similarity)[:_RELATED]
        best = best[similarity[best] > -2]
        nearest[row, : len(best)] = best
    return nearest


def _site(content: Content) -> dict[str, Any]:
    """What the whole site shares, as `site.json` holds it."""
    return {
        "taxonomy": content.taxonomy.to_dict(),
        "words": list(content.words),
        "gone": list(content.gone),
        "synonyms": {
            locale: [[list(rule.phrases), list(rule.targets)] for rule in rules]
            for locale, rules in content.synonyms.items()
        },
        "outside": [list(topic) for topic in content.outside],
    }


def content_hash(content: Content, embedder: Embedder) -> str:
    """Changes whenever anything that would be written changes."""
    digest = hashlib.sha256()
    parts = [
        {"format": FORMAT, "normaliser": NORMALISER_VERSION, "model": embedder.model_id},
        _site(content),
        *map(article_to_dict, content.articles),
        *map(passage_to_dict, content.passages),
    ]
    for part in parts:
        digest.update(json.dumps(part, ensure_ascii=False).encode() + b"\n")
    return digest.hexdigest()


def up_to_date(data: Path, digest: str) -> Manifest | None:
    """The manifest of the published generation if it is the one of this digest."""
    try:
        name = current_name(data)
        if name is None:
            return None
        manifest = open_generation(data / GENERATIONS / name).manifest
    except KnowledgeBaseError:
        return None  # damaged or of another version: build anew
    return manifest if manifest.content_hash == digest else None
