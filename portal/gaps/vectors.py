"""Vectors of questions, kept between refreshes: only questions that are new are encoded."""

from __future__ import annotations

import os
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from portal.gaps.encoding import key_of
from search.types import Embedder, Vectors

_FILE = "gap-vectors.npz"
_BATCH = 64


def vectors_of(
    texts: Sequence[str],
    embedder: Embedder,
    cache: Path | None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Vectors:
    """(n, d) unit vectors of n texts, as questions are encoded.

    The file in `cache` holds those of the last refresh for this model, and may be deleted at any
    time. A folder that cannot be written costs time and nothing else. Raises `ModelUnavailable`.
    """
    keys = [key_of(text) for text in texts]
    vectors = np.zeros((len(texts), embedder.dimension), np.float32)
    known = _read(cache, embedder) if cache else {}
    missing = []
    for place, key in enumerate(keys):
        if key in known:
            vectors[place] = known[key]
        else:
            missing.append(place)
    progress(len(texts) - len(missing), len(texts))
    # Texts of like length together: a batch takes as long as its longest.
    missing.sort(key=lambda place: (len(texts[place]), texts[place]))
    for start in range(0, len(missing), _BATCH):
        places = missing[start : start + _BATCH]
        vectors[places] = embedder.encode_queries([texts[place] for place in places])
        progress(len(texts) - len(missing) + start + len(places), len(texts))
    if cache and missing:
        _write(cache, embedder, keys, vectors)
    return vectors


def _read(cache: Path, embedder: Embedder) -> dict[str, npt.NDArray[np.float32]]:
    try:
        with np.load(cache / _FILE, allow_pickle=False) as file:
            if str(file["model"]) != embedder.model_id:
                return {}
            keys, vectors = file["keys"].tolist(), file["vectors"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return {}
    if vectors.shape != (len(keys), embedder.dimension) or vectors.dtype != np.float32:
        return {}
    return dict(zip(keys, vectors, strict=True))


def _write(cache: Path, embedder: Embedder, keys: list[str], vectors: Vectors) -> None:
    """Whole or not at all: written beside, then renamed."""
    try:
        cache.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=cache, prefix=f".{_FILE}.")
    except OSError:
        return
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, model=np.array(embedder.model_id), keys=np.array(keys), vectors=vectors)
        Path(name).replace(cache / _FILE)
    except OSError:
        Path(name).unlink(missing_ok=True)
