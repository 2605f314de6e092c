"""One published generation: opened, checked and then only read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from search.catalogue import Catalogue, Columns
from search.classifier import ArticleClassifier, identities
from search.completion import Completer
from search.errors import IndexDamaged, IndexMismatch, IndexMissing
from search.impacts import ImpactEngine
from search.keyword import WhooshEngine
from search.reading import Reader
from search.records import RecordFile
from search.synonyms import Rule, Thesaurus
from search.taxonomy import Taxonomy
from search.text import NORMALISER_VERSION, Tokeniser
from search.texts import TextTable
from search.types import Embedder, KeywordEngine, Passage, Rows, VectorEngine, Vectors
from search.vectors import AnyEngine, open_engine
from search.vocabulary import Vocabulary

FORMAT = 9
_ARRAYS = (
    "unit_passage", "unit_sentence", "unit_kind", "unit_title", "passage_article", "title_mass",
    "related", "whitening", "classifier_weights", "classifier_bias",
)  # fmt: skip
_BACKGROUND = 64  # articles
_PASSAGES = msgspec.json.Decoder(Passage)
POINTER = "current"
GENERATIONS = "generations"
_REPAIR = "run `kb index --rebuild`"


class UnitKind(IntEnum):
    """What a vector stands for."""

    SENTENCE = 0
    QUESTION = 1
    TITLE = 2
    PASSAGE = 3


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a generation was made of and with; written last, so its presence means complete."""

    name: str
    created: str
    format: int
    model: str
    dimension: int
    normaliser: str
    content_hash: str
    articles: int
    passages: int
    units: int
    article_length: float
    drift: int = 0
    """Vectors that have changed since the spaces they are measured in were fitted."""

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        path = folder / "manifest.json"
        try:
            data = json.loads(path.read_text("utf-8"))
            if isinstance(data, dict) and data.get("format", FORMAT) != FORMAT:
                raise IndexMismatch(
                    f"{folder}: written as format {data['format']}, this version reads {FORMAT}; "
                    "run `kb index`"
                )
            return cls(**data)
        except (OSError, ValueError, TypeError) as error:
            raise IndexDamaged(f"{path}: cannot be read ({error}); {_REPAIR}") from error


@dataclass(frozen=True, slots=True)
class Units:
    """The explicit map from a row of the vector index to what it stands for; (n,) each.

    Rows of one article stand together, in the order of the article table: its title, then passage
    by passage, of each the passage as a whole, its sentences and the questions it answers.
    """

    passage: npt.NDArray[np.int32]
    sentence: npt.NDArray[np.int32]
    kind: npt.NDArray[np.int8]
    title: npt.NDArray[np.float32]
    """Cosine to the title of its own article."""


@dataclass(frozen=True, slots=True)
class Background:
    """A sample of a language's articles; the whole corpus need not be scored for every question."""

    vectors: Vectors
    """(n, d) all vectors of the sampled articles."""
    kinds: npt.NDArray[np.int8]
    """(n,) what each stands for."""
    starts: Rows
    """(articles,) where each article's vectors begin."""


@dataclass(frozen=True, eq=False)
class Generation:
    """Everything a search reads. Held by a request from its start to its end."""

    manifest: Manifest
    catalogue: Catalogue
    tokeniser: Tokeniser
    thesaurus: Thesaurus
    reader: Reader
    keyword: KeywordEngine
    whoosh: WhooshEngine
    """For queries with operators; opened by the first of them."""
    vectors: VectorEngine
    units: Units
    passages: RecordFile
    folded: TextTable
    """The passages with their headings, folded."""
    titles: TextTable
    """The titles of the articles, folded."""
    passage_article: npt.NDArray[np.int32]
    title_mass: npt.NDArray[np.float32]
    """(articles,) the IDF of all words of the title; never 0."""
    whitening: npt.NDArray[np.float32]
    classifier: ArticleClassifier
    completer: Completer
    gone: frozenset[str]

    @property
    def name(self) -> str:
        return self.manifest.name

    def passage(self, row: int) -> Passage:
        return self.passages.read(row, _PASSAGES)

    @cached_property
    def article_passages(self) -> Rows:
        """(articles + 1,) where each article's passages start; the last is their number."""
        return np.searchsorted(self.passage_article, np.arange(self.manifest.articles + 1))

    @cached_property
    def unit_article(self) -> npt.NDArray[np.int32]:
        """(units,) the article each vector belongs to."""
        return np.asarray(self.passage_article)[self.units.passage]

    @cached_property
    def article_units(self) -> Rows:
        """(articles + 1,) where each article's vectors start; the last is their number."""
        return np.searchsorted(self.unit_article, np.arange(self.manifest.articles + 1))

    def units_of(self, articles: Rows) -> tuple[Rows, Rows]:
        """Rows of all vectors of some articles, and where among them each article starts."""
        low, high = self.article_units[articles], self.article_units[articles + 1]
        starts = np.concatenate([[0], np.cumsum(high - low)[:-1]]).astype(np.int64)
        rows = np.repeat(low - starts, high - low) + np.arange(int((high - low).sum()))
        return rows.astype(np.int64), starts

    @cached_property
    def identity(self) -> Rows:
        """(articles,) a number that translations share: the class of the classifier."""
        return identities(self.catalogue.columns.ids)

    def articles_in(self, locale: str) -> npt.NDArray[np.bool_]:
        """(articles,) which are written in a language; all of them when none is."""
        mask = self.locales == locale
        return mask if mask.any() else np.ones_like(mask)

    def share_of(self, locale: str) -> float:
        """Share of the articles that are written in a language."""
        return float((self.locales == locale).mean())

    @cached_property
    def locales(self) -> npt.NDArray[np.str_]:
        """(articles,) the language each is written in."""
        return np.array(self.catalogue.columns.locales)

    def background(self, locale: str) -> Background:
        """What the similarity of an ordinary article of a language is to be seen on."""
        if locale not in self._backgrounds:
            articles = np.flatnonzero(self.articles_in(locale))
            chosen = articles[:: max(1, -(-len(articles) // _BACKGROUND))]
            rows, starts = self.units_of(chosen)
            self._backgrounds[locale] = Background(
                self.vectors.vectors(rows), self.units.kind[rows], starts
            )
        return self._backgrounds[locale]

    @cached_property
    def _backgrounds(self) -> dict[str, Background]:
        return {}


def current_name(data: Path) -> str | None:
    """The name the pointer holds, or None before the first publish."""
    try:
        name = (data / POINTER).read_text("utf-8", errors="replace").strip()
    except FileNotFoundError:
        return None
    if not name or "/" in name or name.startswith("."):
        raise IndexDamaged(f"{data / POINTER}: holds {name!r}, no name of a generation; {_REPAIR}")
    return name


def open_current(data: Path, embedder: Embedder | None = None) -> Generation:
    """Open what the pointer names. Raises `IndexMissing`, `IndexDamaged` or `IndexMismatch`."""
    name = current_name(data)
    if name is None:
        raise IndexMissing(f"{data}: nothing has been published yet; run `kb index`")
    return open_generation(data / GENERATIONS / name, embedder)


def open_generation(folder: Path, embedder: Embedder | None = None) -> Generation:
    """Open one generation and check that its parts agree with each other and with the embedder."""
    if not folder.is_dir():
        raise IndexDamaged(f"{folder}: the generation is not there; {_REPAIR}")
    manifest = Manifest.read(folder)
    _check_versions(manifest, folder, embedder)
    try:
        site = json.loads((folder / "site.json").read_text("utf-8"))
        arrays = {
            name: np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False))
            for name in _ARRAYS
        }
    except (OSError, ValueError, EOFError) as error:
        raise IndexDamaged(f"{folder}: cannot be read ({error}); {_REPAIR}") from error
    articles = RecordFile(folder / "articles.jsonl")
    passages = RecordFile(folder / "passages.jsonl")
    whoosh = _open_whoosh(folder / "keyword", manifest)
    keyword = ImpactEngine(folder / "impacts")
    vectors = open_engine(folder / "vectors.faiss")
    folded, titles = (TextTable(folder / f"{name}.texts") for name in ("passages", "titles"))
    texts = len(folded), len(titles)
    _check_counts(manifest, folder, articles, passages, keyword, vectors, arrays, texts)
    columns = Columns.open(folder / "catalogue.json")
    try:
        taxonomy = Taxonomy.from_dict(site["taxonomy"])
        catalogue = Catalogue(articles, taxonomy, arrays["related"], columns)
        tokeniser, gone = Tokeniser(site["words"]), frozenset(site["gone"])
        thesaurus = Thesaurus(
            {
                locale: [Rule(tuple(phrases), tuple(targets)) for phrases, targets in rules]
                for locale, rules in site["synonyms"].items()
            },
            tokeniser,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise IndexDamaged(
            f"{folder}: articles.jsonl or site.json is not what was written ({error!r}); {_REPAIR}"
        ) from error
    classes = len(set(columns.ids))
    classifier = ArticleClassifier(arrays["classifier_weights"], arrays["classifier_bias"], classes)
    if len(classifier.bias) < classes:
        raise IndexDamaged(
            f"{folder}: {len(classifier.bias)} classes, at least {classes} expected; {_REPAIR}"
        )
    return Generation(
        manifest=manifest,
        catalogue=catalogue,
        tokeniser=tokeniser,
        thesaurus=thesaurus,
        reader=Reader(Vocabulary.open(folder), tokeniser, keyword),
        keyword=keyword,
        whoosh=whoosh,
        vectors=vectors,
        units=Units(*(arrays[f"unit_{name}"] for name in ("passage", "sentence", "kind", "title"))),
        passages=passages,
        folded=folded,
        titles=titles,
        passage_article=arrays["passage_article"],
        title_mass=arrays["title_mass"],
        whitening=arrays["whitening"],
        classifier=classifier,
        completer=Completer(folder / "completion", catalogue, tokeniser, generation=manifest.name),
        gone=gone,
    )


def _open_whoosh(folder: Path, manifest: Manifest) -> WhooshEngine:
    """The index for queries with operators; its contents are compared when one is asked."""
    engine = WhooshEngine(folder)
    found = (engine.size("passage"), engine.size("article"))
    if found != (manifest.passages, manifest.articles):
        raise IndexDamaged(
            f"{folder}: {found[0]} passages and {found[1]} articles, {manifest.passages} and "
            f"{manifest.articles} expected; {_REPAIR}"
        )
    return engine


def _check_versions(manifest: Manifest, folder: Path, embedder: Embedder | None) -> None:
    if manifest.normaliser != NORMALISER_VERSION:
        raise IndexMismatch(
            f"{folder}: built with normaliser {manifest.normaliser}, this version has "
            f"{NORMALISER_VERSION}; run `kb index`"
        )
    if embedder is None:
        return
    wanted = (embedder.model_id, embedder.dimension)
    if wanted != (manifest.model, manifest.dimension):
        raise IndexMismatch(
            f"{folder}: built with model {manifest.model} ({manifest.dimension} numbers), "
            f"KB_MODEL is {wanted[0]} ({wanted[1]}); run `kb index`, or set KB_MODEL back"
        )


def _check_counts(
    manifest: Manifest,
    folder: Path,
    articles: RecordFile,
    passages: RecordFile,
    keyword: KeywordEngine,
    vectors: AnyEngine,
    arrays: Mapping[str, npt.NDArray[Any]],
    texts: tuple[int, int],
) -> None:
    found = {
        "articles": (manifest.articles, len(articles)),
        "passages": (manifest.passages, len(passages)),
        "passages in the keyword index": (manifest.passages, keyword.size("passage")),
        "articles in the keyword index": (manifest.articles, keyword.size("article")),
        "passages in the article map": (manifest.passages, len(arrays["passage_article"])),
        "folded passages": (manifest.passages, texts[0]),
        "folded titles": (manifest.articles, texts[1]),
        "vectors": (manifest.units, vectors.count),
        "related articles": (manifest.articles, len(arrays["related"])),
        "passages in the unit table": (manifest.units, len(arrays["unit_passage"])),
        "sentences in the unit table": (manifest.units, len(arrays["unit_sentence"])),
        "titles in the unit table": (manifest.units, len(arrays["unit_title"])),
        "kinds in the unit table": (manifest.units, len(arrays["unit_kind"])),
        "numbers in a vector": (manifest.dimension, vectors.dimension),
        "titles": (manifest.articles, len(arrays["title_mass"])),
        "rows in the whitening": (manifest.dimension, len(arrays["whitening"])),
        "classes": (len(arrays["classifier_bias"]), len(arrays["classifier_weights"])),
    }
    for what, (expected, actual) in found.items():
        if expected != actual:
            raise IndexDamaged(f"{folder}: {actual} {what}, {expected} expected; {_REPAIR}")


def passage_to_dict(passage: Passage) -> dict[str, Any]:
    """A JSON-ready form of what `Generation.passage` reads."""
    return {
        "id": passage.id,
        "article_id": passage.article_id,
        "locale": passage.locale,
        "anchor": passage.anchor,
        "headings": list(passage.headings),
        "sentences": list(passage.sentences),
    }
