"""Embedders: the bundled multilingual one, any other through sentence-transformers."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import numpy as np

from search.errors import ModelUnavailable
from search.types import Embedder, PassageEmbedder, TitledPassage, Vectors
from search.use_encoder import BUNDLED, UniversalSentenceEncoder

_BATCH = 16
__all__ = [
    "BUNDLED",
    "SentenceTransformerEmbedder",
    "UniversalSentenceEncoder",
    "encode_passages",
    "open_embedder",
    "unit",
]


def open_embedder(
    model: str = BUNDLED, *, cache: Path | None = None, soon: bool = False
) -> Embedder:
    """The embedder for a model name: the bundled one, a hub name or a folder.

    `cache` is the folder of caches, where `kb index` puts the bundled model's weights unpacked.
    `soon` starts loading the bundled one at once, beside what the caller goes on with.
    Raises `ModelUnavailable` when it cannot be loaded.
    """
    if model == BUNDLED:
        bundled = UniversalSentenceEncoder(cache)
        if soon:
            bundled.load_beside()
        return bundled
    return SentenceTransformerEmbedder(model)


def encode_passages(embedder: Embedder, passages: Sequence[TitledPassage]) -> list[Vectors]:
    """(sentences + 1, d) unit vectors of each passage: its sentences with the title, then all.

    A model that reads a passage once does; for any other the texts are put together and encoded,
    equal ones once.
    """
    if isinstance(embedder, PassageEmbedder):
        return embedder.encode_passages(passages)
    texts = [passage.composed() for passage in passages]
    rows = {text: row for row, text in enumerate(dict.fromkeys(chain.from_iterable(texts)))}
    vectors = embedder.encode_documents(list(rows))
    return [vectors[[rows[text] for text in own]] for own in texts]


class SentenceTransformerEmbedder:
    """Any sentence-transformers model, by hub name or folder, with the prompts it was trained on.

    The library and torch are imported only here: they take seconds and hundreds of megabytes.
    """

    def __init__(self, model: str) -> None:
        self._name = model
        try:
            from sentence_transformers import SentenceTransformer

            self._model = SentenceTransformer(model)
        except Exception as error:  # the library raises many kinds, from OSError to ValueError
            raise ModelUnavailable(
                f"KB_MODEL={model}: cannot be loaded as a sentence-transformers model "
                f"({type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}); "
                f"give a folder that holds one, a hub name, or {BUNDLED}"
            ) from error
        # Newer releases have renamed it, and the old name warns there.
        measure = getattr(self._model, "get_embedding_dimension", None)
        measure = measure or self._model.get_sentence_embedding_dimension
        self._dimension = int(measure() or 0)

    @property
    def model_id(self) -> str:
        folder = Path(self._name)
        if not folder.is_dir():
            return self._name
        # Two folders may have the same name; their vectors must never be taken for each other's.
        place = hashlib.blake2b(str(folder.resolve()).encode(), digest_size=4).hexdigest()
        return f"{folder.name}@{place}"

    @property
    def dimension(self) -> int:
        return self._dimension

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return self._encode(texts, query=True)

    def encode_documents(self, texts: Sequence[str]) -> Vectors:
        return self._encode(texts, query=False)

    def _encode(self, texts: Sequence[str], *, query: bool) -> Vectors:
        if not texts:
            return np.empty((0, self.dimension), np.float32)
        encode = self._model.encode_query if query else self._model.encode_document
        vectors = encode(list(texts), batch_size=_BATCH, show_progress_bar=False)
        return unit(np.asarray(vectors, dtype=np.float32))


def unit(vectors: Vectors) -> Vectors:
    """Rows scaled to length 1, so that the inner product is the cosine; zero rows stay zero."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: Vectors = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return scaled
