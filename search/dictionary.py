"""Terms and their numbers, on disk: looked up by hash, shared by all processes."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from search.array_file import map_arrays, write_arrays
from search.errors import IndexDamaged

_REMEMBERED = 50_000  # terms a process keeps the numbers of


class Dictionary:
    """Numbers of the terms of one vocabulary, in the order they were first seen."""

    def __init__(self, path: Path) -> None:
        arrays = map_arrays(path)
        try:
            self._hashes, self._numbers = arrays["hashes"], arrays["numbers"]
            self._offsets, self._letters = arrays["offsets"], arrays["letters"]
        except KeyError as error:
            raise IndexDamaged(f"{path}: has no {error}; run `kb index --rebuild`") from error
        if not len(self._hashes) == len(self._numbers) == len(self._offsets) - 1:
            raise IndexDamaged(f"{path}: its parts do not fit; run `kb index --rebuild`")
        self._known: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._numbers)

    def find(self, term: str) -> int:
        """The number of a term, or -1."""
        number = self._known.get(term)
        if number is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            number = self._known[term] = self._find(term)
        return number

    def _find(self, term: str) -> int:
        wanted = term.encode()
        hashed = np.uint64(_hash(wanted))
        place = int(self._hashes.searchsorted(hashed))
        while place < len(self._hashes) and self._hashes[place] == hashed:
            number = int(self._numbers[place])
            if self._at(number) == wanted:
                return number
            place += 1  # another term of the same hash
        return -1

    def _at(self, number: int) -> bytes:
        return self._letters[int(self._offsets[number]) : int(self._offsets[number + 1])].tobytes()

    def terms(self) -> list[str]:
        """All terms in the order of their numbers."""
        letters, ends = self._letters.tobytes(), self._offsets.tolist()
        return [letters[low:high].decode() for low, high in itertools.pairwise(ends)]


def dictionary_path(folder: Path, vocabulary: str) -> Path:
    """The file of a vocabulary's terms."""
    return folder / f"{vocabulary}.terms"


def write_dictionary(path: Path, terms: Sequence[str], *, after: Dictionary | None = None) -> None:
    """Write terms, each of which gets its place as its number, counted on from those of `after`."""
    encoded = [term.encode() for term in terms]
    hashes = np.fromiter(map(_hash, encoded), np.uint64, len(encoded))
    order = np.argsort(hashes, kind="stable")
    sizes = np.fromiter(map(len, encoded), np.int64, len(encoded))
    hashes, numbers = hashes[order], order.astype(np.int32)
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    letters = np.frombuffer(b"".join(encoded), np.uint8)
    if after is not None:
        places = np.searchsorted(after._hashes, hashes, side="right")
        hashes = np.insert(after._hashes, places, hashes)
        numbers = np.insert(after._numbers, places, numbers + np.int32(len(after)))
        offsets = np.concatenate([after._offsets, after._offsets[-1] + offsets[1:]])
        letters = np.concatenate([after._letters, letters])
    arrays: dict[str, npt.NDArray[np.generic]] = {
        "hashes": hashes, "numbers": numbers, "offsets": offsets, "letters": letters,
    }  # fmt: skip
    write_arrays(path, arrays)


def _hash(term: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(term, digest_size=8).digest(), "little")
