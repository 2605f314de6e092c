"""txtai: FAISS and its own BM25, normalised and averaged."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from txtai import Embeddings
from txtai.vectors import Vectors as Model

from peers.base import About, Material, Query

ABOUT = About(
    name="txtai",
    distribution="txtai",
    modes=("keyword", "vector", "hybrid"),
    note="`hybrid` with normalised BM25 over terms cut by our tokeniser, FAISS as it chooses (IVF "
    "above 5,000 vectors), equal weights; keyword and vector ask its two parts directly.",
)


class Given(Model):  # type: ignore[misc]
    """A model for vectors that are there already: texts are encoded in the order of the passages,
    and a query's vector is laid ready before it is asked."""

    passages: Any = None
    done = 0
    query: Any = None

    def loadmodel(self, path: str) -> None:
        del path

    def encode(self, data: Sequence[str], category: str | None = None) -> Any:
        del category
        if Given.query is not None:
            return np.asarray(Given.query)[None]
        start, Given.done = Given.done, Given.done + len(data)
        return np.array(Given.passages[start : Given.done])


class Txtai:
    def __init__(self, folder: Path) -> None:
        self._embeddings = Embeddings()
        self._embeddings.load(str(folder / "index"))

    def search(self, mode: str, query: Query, limit: int) -> Sequence[int]:
        Given.query = query.vector
        if mode == "keyword":
            found = self._embeddings.scoring.search(list(query.terms), limit)
        elif mode == "vector":
            found = self._embeddings.ann.search(query.vector[None], limit)[0]
        else:
            found = self._embeddings.search(" ".join(query.terms), limit)
        return [row for row, _ in found]


def build(material: Material, folder: Path) -> None:
    Given.passages = material.vectors()
    embeddings = Embeddings(
        method="peers.txtai_hybrid.Given",
        hybrid=True,
        scoring={
            "method": "bm25", "terms": True, "normalize": True, "tokenizer": {"whitespace": True},
        },
    )  # fmt: skip
    embeddings.index((row, " ".join(terms), None) for row, terms in enumerate(material.terms()))
    embeddings.save(str(folder / "index"))


def open_index(material: Material, folder: Path) -> Txtai:
    del material
    return Txtai(folder)
