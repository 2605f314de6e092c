"""What every engine is given and asked, and the protocol it is driven by."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, cast

import numpy as np
from embedders import PooledEmbedder, StoredEmbedder

from search.embed import open_embedder
from search.types import Embedder, Vectors

TOP = 50  # passages a query asks for
MODES = ("keyword", "vector", "hybrid")

ENGINES = {
    "product": "own_product",
    "engines": "own_engines",
    "words": "own_words",
    "whoosh": "whoosh_bm25f",
    "fts5": "sqlite_fts5",
    "bm25s": "bm25s_numba",
    "tantivy": "tantivy_boolean",
    "lancedb": "lancedb_hybrid",
    "txtai": "txtai_hybrid",
}
"""Engine names and the modules of this package that have them, in the order of the tables."""


@dataclass(frozen=True, slots=True)
class Query:
    """A question as every engine gets it: cut once by the project's tokeniser, encoded once."""

    text: str
    locale: str | None
    terms: tuple[str, ...]
    """Content words, each once; the same for all, so that all do the same work."""
    vector: Vectors
    """(d,) of length 1."""


@dataclass(frozen=True, slots=True)
class Material:
    """A folder of passages to index, and of queries to ask of them.

    Passages are read as they are needed: what an engine holds in memory is its own doing.
    """

    folder: Path
    encoding: Literal["never", "missing", "always"] = "never"
    """What an engine that encodes for itself may ask of the model; the rest is stored."""

    def terms(self) -> Iterator[list[str]]:
        """The terms of each passage, in order."""
        with (self.folder / "terms.txt").open(encoding="utf-8") as lines:
            for line in lines:
                yield line.split()

    def texts(self) -> Iterator[str]:
        """The text of each passage, in order."""
        with (self.folder / "texts.txt").open(encoding="utf-8") as lines:
            for line in lines:
                yield line.rstrip("\n")

    def vectors(self) -> Vectors:
        """(passages, d) vectors of length 1, mapped from the file."""
        mapped: Vectors = np.load(self.folder / "vectors.npy", mmap_mode="r")
        return mapped

    @property
    def passages(self) -> int:
        return len(self.vectors())

    def documents(self) -> list[str]:
        """The document each passage is of."""
        return (self.folder / "documents.txt").read_text("utf-8").splitlines()

    def queries(self) -> list[Query]:
        vectors = np.load(self.folder / "query_vectors.npy")
        lines = (self.folder / "queries.jsonl").read_text("utf-8").splitlines()
        return [
            Query(vector=vector, **{**row, "terms": tuple(row["terms"])})
            for row, vector in zip(map(json.loads, lines), vectors, strict=True)
        ]

    @property
    def source(self) -> Path:
        """The articles or BEIR folder that this was made of."""
        return Path(self._made_of()["path"])

    def embedder(self) -> Embedder:
        """For an engine that encodes for itself."""
        store = StoredEmbedder(
            Path(self._made_of()["vectors"]), may_encode=self.encoding != "never"
        )
        queries = open_embedder() if self.encoding == "always" else store
        # The store may have grown since the passages were encoded.
        pool = store.all()[: self._made_of()["pool"]]
        return PooledEmbedder(pool, queries=queries) if self.perturbed else queries

    @property
    def perturbed(self) -> bool:
        """Whether the passages' vectors are perturbed ones of other texts."""
        return bool(self._made_of()["pool"])

    def _made_of(self) -> dict[str, Any]:
        made_of: dict[str, Any] = json.loads((self.folder / "source.json").read_text("utf-8"))
        return made_of

    @property
    def is_corpus(self) -> bool:
        """Whether the source is a folder of articles, not one in BEIR layout."""
        return not (self.source / "corpus.jsonl").exists()


@dataclass(frozen=True, slots=True)
class About:
    """What the table says of an engine."""

    name: str
    distribution: str
    """The package whose version is shown; empty for what comes with Python."""
    modes: tuple[str, ...]
    note: str
    """Settings, and why they are what its documentation advises."""
    finds: str = "passages"
    """What a search gives: numbers of passages, or names of documents."""

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


class Engine(Protocol):
    """An open index. A module of an engine has `ABOUT`, `build` and `open_index`."""

    def search(self, mode: str, query: Query, limit: int) -> Sequence[int] | Sequence[str]:
        """Best first: numbers of passages, or names of documents, as `About.finds` says."""
        ...


class EngineModule(Protocol):
    """What a module of this package offers."""

    ABOUT: About

    def build(self, material: Material, folder: Path) -> None:
        """Write an index of all passages into an empty folder."""
        ...

    def open_index(self, material: Material, folder: Path) -> Engine: ...


def load_engine(name: str) -> EngineModule:
    """The module of an engine, imported only now: no process loads another one's libraries."""
    return cast(EngineModule, importlib.import_module(f"peers.{ENGINES[name]}"))


def fuse(rankings: Sequence[Sequence[int]], limit: int, *, k: int = 60) -> list[int]:
    """Reciprocal rank fusion (Cormack, Clarke and Büttcher, 2009)."""
    scores: dict[int, float] = {}
    for ranking in rankings:
        for place, row in enumerate(ranking, 1):
            scores[row] = scores.get(row, 0.0) + 1 / (k + place)
    return sorted(scores, key=lambda row: -scores[row])[:limit]
