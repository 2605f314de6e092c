"""Which terms stand in which documents, and how often: what the keyword engines are made from.

Kept with a generation, so that the next one can be made from it and the few documents that changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from search.array_file import map_arrays, write_arrays
from search.bm25 import FIELDS, OWN_FIELDS, VOCABULARIES, Terms
from search.dictionary import Dictionary, dictionary_path, write_dictionary
from search.errors import IndexDamaged

Numbers = npt.NDArray[np.int64]


class Vocabulary:
    """Terms and their numbers while an index is being made; numbers never change."""

    def __init__(self, known: Dictionary | None = None) -> None:
        self._known = known
        self._old = len(known) if known else 0
        self._new: dict[str, int] = {}

    def __len__(self) -> int:
        return self._old + len(self._new)

    def number(self, terms: Iterable[str]) -> list[int]:
        """The number of each term; new terms get new ones."""
        found = []
        for term in terms:
            number = self._new.get(term, -1)
            if number < 0 and self._known is not None:
                number = self._known.find(term)
            if number < 0:
                number = self._new[term] = len(self)
            found.append(number)
        return found

    def save(self, path: Path) -> None:
        """Write all terms."""
        write_dictionary(path, list(self._new), after=self._known)


@dataclass(frozen=True, slots=True)
class Postings:
    """The documents of every field with terms of its own, by term number."""

    vocabularies: Mapping[str, Vocabulary]
    fields: Mapping[str, sparse.csr_array]
    """(documents, terms) how often each term stands in each document."""

    @classmethod
    def empty(cls) -> Postings:
        """What the first index starts from."""
        return cls(
            {name: Vocabulary() for name in VOCABULARIES},
            {name: sparse.csr_array((0, 0), dtype=np.int32) for name in OWN_FIELDS},
        )

    def changed(
        self, orders: Mapping[str, Numbers], added: Mapping[str, Sequence[Terms]]
    ) -> Postings:
        """The postings after documents came and went.

        `added` holds the new documents of each table; `orders[table]` has, for every row of the
        new table, the row it had here or, counted on from the end, that of a new document.
        """
        fields = {}
        for name in OWN_FIELDS:
            field = FIELDS[name]
            vocabulary = self.vocabularies[field.vocabulary]
            fresh = _count([terms[name] for terms in added[field.table]], vocabulary)
            old = self.fields[name]
            width = len(vocabulary)
            kept = sparse.csr_array((old.data, old.indices, old.indptr), (old.shape[0], width))
            together = sparse.vstack([kept, fresh], format="csr") if old.shape[0] else fresh
            fields[name] = together[orders[field.table]]
        # A field may have met terms after an earlier one of its vocabulary was counted.
        for name, matrix in fields.items():
            matrix.resize(matrix.shape[0], len(self.vocabularies[FIELDS[name].vocabulary]))
        return Postings(self.vocabularies, fields)

    def save(self, folder: Path) -> None:
        """Write the documents; `ImpactEngine.compile` writes the terms."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, matrix in self.fields.items():
            write_arrays(
                folder / f"{name}.documents",
                {"starts": matrix.indptr, "terms": matrix.indices, "counts": matrix.data},
            )

    @classmethod
    def open(cls, folder: Path, impacts: Path) -> Postings:
        """Read what `save` wrote, and the terms from the engine compiled of it.

        Raises `IndexDamaged`.
        """
        vocabularies = {
            name: Vocabulary(Dictionary(dictionary_path(impacts, name))) for name in VOCABULARIES
        }
        fields = {}
        for name in OWN_FIELDS:
            path = folder / f"{name}.documents"
            arrays = map_arrays(path)
            try:
                parts = arrays["counts"], _short(arrays["terms"]), _short(arrays["starts"])
                width = len(vocabularies[FIELDS[name].vocabulary])
                fields[name] = sparse.csr_array(parts, (len(parts[2]) - 1, width))
            except (KeyError, ValueError) as error:
                raise IndexDamaged(f"{path}: {error}; run `kb index --rebuild`") from error
        return cls(vocabularies, fields)


def _short(numbers: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
    return numbers.astype(np.int32, copy=False)


def _count(documents: Sequence[Sequence[str]], vocabulary: Vocabulary) -> sparse.csr_array:
    numbers = [vocabulary.number(terms) for terms in documents]
    # In 32 bits throughout: the matrices take half the room, and whatever is done to them too.
    starts = np.cumsum([0, *(len(found) for found in numbers)], dtype=np.int32)
    flat = np.fromiter((n for found in numbers for n in found), np.int32, int(starts[-1]))
    matrix = sparse.csr_array(
        (np.ones(len(flat), np.int32), flat, starts), (len(documents), len(vocabulary))
    )
    matrix.sum_duplicates()
    return matrix
