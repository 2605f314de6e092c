"""One published generation: opened, checked and then only read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from search.catalogue import Catalogue
from search.classifier import ArticleClassifier, identities
from search.completion import Completer
from search.errors import IndexDamaged, IndexMismatch, IndexMissing
from search.impacts import ImpactEngine
from search.keyword import WhooshEngine
from search.reading import Reader
from search.records import RecordFile
from search.synonyms import Rule, Thesaurus
from search.taxonomy import Taxonomy
from search.text import NORMALISER_VERSION, Tokeniser, normalise
from search.types import Embedder, KeywordEngine, Passage, Rows, VectorEngine, Vectors
from search.vectors import FaissEngine
from search.vocabulary import Vocabulary

FORMAT = 8
_ARRAYS = (
    "unit_passage", "unit_sentence", "unit_kind", "unit_title", "passage_article", "title_mass",
    "related", "whitening", "classifier_weights", "classifier_bias",
)  # fmt: skip
_BACKGROUND = 256  # articles
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

    Rows of one article stand together, in the order of the article table.
    """

    passage: npt.NDArray[np.int32]
    sentence: npt.NDArray[np.int32]
    kind: npt.NDArray[np.int8]
    title: npt.NDArray[np.float32]
    """Cosine to the title of its own article."""


@dataclass(frozen=True, eq=False)
class Generation:
    """Everything a search reads. Held by a request from its start to its end."""

    manifest: Manifest
    catalogue: Catalogue
    tokeniser: Tokeniser
    thesaurus: Thesaurus
    reader: Reader
    keyword: KeywordEngine
    vectors: VectorEngine
    units: Units
    passages: RecordFile
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
        return passage_from_dict(self.passages[row])

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

    def with_translations(self, articles: Rows) -> Rows:
        """The given articles and the same ones in every other language, ascending."""
        chosen = np.isin(self.identity, self.identity[articles])
        return np.flatnonzero(chosen)

    @cached_property
    def identity(self) -> Rows:
        """(articles,) a number that translations share: the class of the classifier."""
        return identities([article.id for article in self.catalogue])

    @cached_property
    def titles(self) -> tuple[str, ...]:
        """(articles,) titles as they are searched, folded."""
        return tuple(normalise(article.title) for article in self.catalogue)

    def articles_in(self, locale: str) -> npt.NDArray[np.bool_]:
        """(articles,) which are written in a language; all of them when none is."""
        mask = self._locales == locale
        return mask if mask.any() else np.ones_like(mask)

    def share_of(self, locale: str) -> float:
        """Share of the articles that are written in a language."""
        return float((self._locales == locale).mean())

    @cached_property
    def _locales(self) -> npt.NDArray[np.str_]:
        return np.array([article.locale for article in self.catalogue])

    def background(self, locale: str) -> tuple[Rows, Rows, Vectors]:
        """A sample of a language's articles: rows of their vectors, starts, and the vectors.

        What the similarity of an ordinary article to a question is can be seen on a sample; the
        whole corpus need not be scored.
        """
        if locale not in self._backgrounds:
            articles = np.flatnonzero(self.articles_in(locale))
            chosen = articles[:: max(1, -(-len(articles) // _BACKGROUND))]
            rows, starts = self.units_of(chosen)
            self._backgrounds[locale] = rows, starts, self.vectors.vectors(rows)
        return self._backgrounds[locale]

    @cached_property
    def _backgrounds(self) -> dict[str, tuple[Rows, Rows, Vectors]]:
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
    _check_whoosh(folder / "keyword", manifest)
    keyword = ImpactEngine(folder / "impacts")
    vectors = FaissEngine.open(folder / "vectors.faiss")
    _check_counts(manifest, folder, articles, passages, keyword, vectors, arrays)
    related = [[int(row) for row in rows if row >= 0] for rows in arrays["related"]]
    try:
        catalogue = Catalogue(articles, Taxonomy.from_dict(site["taxonomy"]), related)
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
    classes = len({article.id for article in catalogue})
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
        vectors=vectors,
        units=Units(*(arrays[f"unit_{name}"] for name in ("passage", "sentence", "kind", "title"))),
        passages=passages,
        passage_article=arrays["passage_article"],
        title_mass=arrays["title_mass"],
        whitening=arrays["whitening"],
        classifier=classifier,
        completer=Completer(folder / "completion", catalogue, tokeniser, generation=manifest.name),
        gone=gone,
    )


def _check_whoosh(folder: Path, manifest: Manifest) -> None:
    """The Whoosh index serves phrases and spelling only, but must be whole all the same."""
    try:
        engine = WhooshEngine(folder)
        found = (engine.size("passage"), engine.size("article"))
    except IndexDamaged:
        raise
    except Exception as error:  # Whoosh lets through whatever its unpickling meets
        raise IndexDamaged(f"{folder}: cannot be read ({error!r}); {_REPAIR}") from error
    if found != (manifest.passages, manifest.articles):
        raise IndexDamaged(
            f"{folder}: {found[0]} passages, {manifest.passages} expected; {_REPAIR}"
        )


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
    vectors: FaissEngine,
    arrays: Mapping[str, npt.NDArray[Any]],
) -> None:
    found = {
        "articles": (manifest.articles, len(articles)),
        "passages": (manifest.passages, len(passages)),
        "passages in the keyword index": (manifest.passages, keyword.size("passage")),
        "articles in the keyword index": (manifest.articles, keyword.size("article")),
        "passages in the article map": (manifest.passages, len(arrays["passage_article"])),
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
    """A JSON-ready form; `passage_from_dict` reads it back."""
    return {
        "id": passage.id,
        "article_id": passage.article_id,
        "locale": passage.locale,
        "anchor": passage.anchor,
        "headings": list(passage.headings),
        "sentences": list(passage.sentences),
    }


def passage_from_dict(data: Mapping[str, Any]) -> Passage:
    return Passage(
        id=cast(str, data["id"]),
        article_id=cast(str, data["article_id"]),
        locale=cast(str, data["locale"]),
        anchor=cast(str, data["anchor"]),
        headings=tuple(data["headings"]),
        sentences=tuple(data["sentences"]),
    )
