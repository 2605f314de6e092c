"""The keyword index compiled: every term's share of every score, computed while publishing.

A question is then scored by adding up a few array slices. The arrays are memory-mapped, so workers
share them. Idea: Lucene's impacts, and bm25s (Lù, 2024), which scores all documents eagerly.
"""

from __future__ import annotations

import mmap
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from search.bm25 import FIELDS, Field, Terms, idf, parts, statistics, stored_length
from search.errors import IndexDamaged
from search.types import Scores


class ImpactEngine:
    """A table of impacts for each field."""

    def __init__(self, folder: Path) -> None:
        self._tables = {name: _Table(folder / name) for name in FIELDS}

    @classmethod
    def build(
        cls, folder: Path, *, passages: Sequence[Terms], articles: Sequence[Terms]
    ) -> ImpactEngine:
        """Compile documents given as terms by field, in row order."""
        folder.mkdir(parents=True, exist_ok=True)
        documents = {"passages": passages, "articles": articles}
        for name, field in FIELDS.items():
            _compile(folder / name, field, [terms[name] for terms in documents[field.table]])
        return cls(folder)

    def size(self, field: str) -> int:
        return self._tables[field].size

    def scores(self, field: str, terms: Mapping[str, float]) -> Scores:
        table = self._tables[field]
        scores = np.zeros(table.size, np.float32)
        for term, weight in terms.items():
            rows, values = table.postings(term)
            scores[rows] += np.float32(weight) * values
        return scores

    def explain(self, field: str, terms: Mapping[str, float], row: int) -> dict[str, float]:
        table = self._tables[field]
        found: dict[str, float] = {}
        for term, weight in terms.items():
            rows, values = table.postings(term)
            place = int(np.searchsorted(rows, row))
            if place < len(rows) and rows[place] == row:
                found[term] = weight * float(values[place])
        return found

    def document_frequency(self, field: str, term: str) -> int:
        return len(self._tables[field].postings(term)[0])


class _Table:
    """Postings of one field: term number -> rows in order, and what the term adds to each."""

    def __init__(self, stem: Path) -> None:
        try:
            self._starts, self._rows, self._values = (
                _mapped(Path(f"{stem}.{name}.npy")) for name in ("starts", "rows", "values")
            )
            self._terms = _Dictionary(stem)
            self.size = int(np.load(f"{stem}.size.npy", allow_pickle=False))
        except (OSError, ValueError, EOFError, TypeError) as error:
            raise IndexDamaged(
                f"{stem}.*: cannot be read ({error}); run `kb index --rebuild`"
            ) from error
        if len(self._starts) != len(self._terms) + 1 or not (
            int(self._starts[-1]) == len(self._rows) == len(self._values)
        ):
            raise IndexDamaged(f"{stem}.*: its parts do not fit; run `kb index --rebuild`")

    def postings(self, term: str) -> tuple[npt.NDArray[np.int32], Scores]:
        number = self._terms.find(term)
        if number is None:
            return self._rows[:0], self._values[:0]
        low, high = int(self._starts[number]), int(self._starts[number + 1])
        return self._rows[low:high], self._values[low:high]


class _Dictionary:
    """Sorted terms in one mapped blob, found by bisection."""

    def __init__(self, stem: Path) -> None:
        self._offsets = _mapped(Path(f"{stem}.offsets.npy"))
        path = Path(f"{stem}.terms")
        size = path.stat().st_size
        if len(self._offsets) == 0 or int(self._offsets[-1]) != size:
            raise ValueError(f"{path.name} has {size} bytes where its offsets say otherwise")
        with path.open("rb") as file:
            self._blob: mmap.mmap | bytes = (
                mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
            )

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def find(self, term: str) -> int | None:
        wanted = term.encode()
        low, high = 0, len(self)
        while low < high:
            middle = (low + high) // 2
            if self._at(middle) < wanted:
                low = middle + 1
            else:
                high = middle
        return low if low < len(self) and self._at(low) == wanted else None

    def _at(self, number: int) -> bytes:
        return bytes(self._blob[int(self._offsets[number]) : int(self._offsets[number + 1])])


def _compile(stem: Path, field: Field, documents: Sequence[Sequence[str]]) -> None:
    postings: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for row, terms in enumerate(documents):
        for term, frequency in Counter(terms).items():
            postings[term].append((row, frequency))
    known = statistics([len(terms) for terms in documents])
    lengths = np.array([stored_length(len(terms)) for terms in documents], np.float64)
    names = sorted(postings, key=str.encode)
    counts = np.array([len(postings[name]) for name in names], np.int64)
    pairs = np.array([pair for name in names for pair in postings[name]], np.int64).reshape(-1, 2)
    rows = pairs[:, 0].astype(np.int32)
    idfs = np.repeat([idf(known.documents, int(count)) for count in counts], counts)
    values = parts(pairs[:, 1].astype(np.float64), lengths[rows], idfs, field, known.mean_length)
    encoded = [name.encode() for name in names]
    Path(f"{stem}.terms").write_bytes(b"".join(encoded))
    arrays: dict[str, npt.NDArray[np.generic]] = {
        "offsets": _starts(np.array([len(name) for name in encoded], np.int64)),
        "starts": _starts(counts),
        "rows": rows,
        "values": values.astype(np.float32),
        "size": np.array(len(documents), np.int64),
    }
    for name, array in arrays.items():
        np.save(f"{stem}.{name}.npy", array)


def _mapped(path: Path) -> npt.NDArray[Any]:
    """An array in mapped memory, as a plain array: NumPy's memmap class is slow to slice."""
    return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))


def _starts(counts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
