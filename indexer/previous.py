"""The generation that a new one is made from: what has not changed is taken from it."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from indexer.content import Content
from indexer.related import Related
from search.array_file import map_arrays, write_arrays
from search.errors import KnowledgeBaseError
from search.generation import FORMAT, Manifest
from search.postings import Postings
from search.records import RecordFile
from search.text import NORMALISER_VERSION
from search.texts import TextTable
from search.types import Embedder, Rows
from search.vectors import AnyEngine, open_engine

BASE = "base"
"""The folder in a generation of what only the next publish reads."""
OWN_ARRAYS = ("unit_counts", "article_words", "article_means", "related_scores")
_KEYS, _ARRAYS, _SEAL = "keys.json", "articles.arrays", "seal.json"
_MOST_CHANGED = 0.2  # of the articles; with more, building anew takes no longer
_MOST_DRIFT = 0.05  # of the vectors, changed since the spaces they are measured in were fitted


@dataclass(frozen=True, slots=True)
class Previous:
    """One generation, as far as the next one can be made from it."""

    folder: Path
    manifest: Manifest
    keys: Sequence[str]
    """The digest of each article."""
    arrays: dict[str, npt.NDArray[Any]]
    vectors: AnyEngine
    articles: RecordFile
    passages: RecordFile
    folded: TextTable
    titles: TextTable

    @classmethod
    def open(cls, folder: Path, content: Content, embedder: Embedder) -> Previous | None:
        """The generation in `folder` if this content can be built on it, else None."""
        try:
            manifest = Manifest.read(folder)
            site = json.loads((folder / "site.json").read_text("utf-8"))
            if (
                manifest.format != FORMAT
                or manifest.normaliser != NORMALISER_VERSION
                or (manifest.model, manifest.dimension) != (embedder.model_id, embedder.dimension)
                or site["words"] != list(content.words)
            ):
                return None
            base = folder / BASE
            if not _is_whole(base):
                return None
            keys = json.loads((base / _KEYS).read_text("utf-8"))
            shown = (
                "unit_passage", "unit_sentence", "unit_kind", "unit_title", "passage_article",
                "whitening", "related",
            )  # fmt: skip
            arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in shown}
            found = cls(
                folder, manifest, keys, {**arrays, **map_arrays(base / _ARRAYS)},
                open_engine(folder / "vectors.faiss"),
                RecordFile(folder / "articles.jsonl"), RecordFile(folder / "passages.jsonl"),
                TextTable(folder / "passages.texts"), TextTable(folder / "titles.texts"),
            )  # fmt: skip
        except (KnowledgeBaseError, OSError, ValueError, KeyError, TypeError):
            return None  # damaged: everything is made anew
        return found if found._worth_it(content) else None

    def _worth_it(self, content: Content) -> bool:
        if not content.keys or len(self.keys) != self.manifest.articles:
            return False
        kept = len(set(self.keys) & set(content.keys))
        if len(content.keys) - kept > _MOST_CHANGED * len(content.keys):
            return False
        known = set(content.keys)
        lost = sum(
            count
            for key, count in zip(self.keys, self.arrays["unit_counts"].tolist(), strict=True)
            if key not in known
        )
        return bool(self.manifest.drift + lost <= _MOST_DRIFT * self.manifest.units)

    def kept(self, keys: Sequence[str]) -> Rows:
        """(articles,) the row each article has here, or -1."""
        rows = {key: row for row, key in enumerate(self.keys)}
        return np.array([rows.get(key, -1) for key in keys], np.int64)

    @property
    def passage_counts(self) -> Rows:
        """(articles,) passages of each."""
        return np.bincount(self.arrays["passage_article"], minlength=len(self.keys))

    @property
    def unit_passage(self) -> Rows:
        """(units,) the passage of each vector, counted from the first of its article."""
        first = np.cumsum(self.passage_counts) - self.passage_counts
        found: Rows = self.arrays["unit_passage"] - np.repeat(first, self.arrays["unit_counts"])
        return found

    @property
    def related(self) -> Related:
        """What was related to what."""
        arrays = self.arrays
        return Related(arrays["related"], arrays["related_scores"], arrays["article_means"])

    @property
    def postings(self) -> Postings:
        """The terms of its documents. Raises `IndexDamaged`."""
        return Postings.open(self.folder / BASE, self.folder / "impacts")


def write_base(
    folder: Path,
    keys: Sequence[str],
    arrays: Mapping[str, npt.NDArray[Any]],
    postings: Postings,
) -> None:
    """Write what the next generation can be made from, sealed by checksums."""
    postings.save(folder)
    (folder / _KEYS).write_text(json.dumps(keys), "utf-8")
    write_arrays(folder / _ARRAYS, arrays)
    (folder / _SEAL).write_text(json.dumps(_checksums(folder)), "utf-8")


def _is_whole(folder: Path) -> bool:
    sealed = json.loads((folder / _SEAL).read_text("utf-8"))
    return bool(sealed == _checksums(folder))


def _checksums(folder: Path) -> dict[str, int]:
    return {
        path.name: zlib.crc32(path.read_bytes())
        for path in sorted(folder.iterdir())
        if path.name != _SEAL
    }
