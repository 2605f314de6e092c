"""Folded texts on disk, one a row, to look for stretches in."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from search.array_file import map_arrays, write_arrays
from search.errors import IndexDamaged
from search.records import Piece
from search.types import Rows

_END = b"\n"  # stands in no folded text


class TextTable:
    """Texts by row. Folded ones have no line breaks, so none is found across two rows."""

    def __init__(self, path: Path) -> None:
        arrays = map_arrays(path)
        try:
            self._offsets, self._letters = arrays["offsets"], arrays["letters"]
        except KeyError as error:
            raise IndexDamaged(f"{path}: has no {error}; run `kb index --rebuild`") from error
        if len(self._offsets) == 0 or int(self._offsets[-1]) != len(self._letters):
            raise IndexDamaged(f"{path}: its parts do not fit; run `kb index --rebuild`")

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def stretch(self, low: int, high: int) -> Piece:
        """Some rows as they were written."""
        offsets = self._offsets[low : high + 1]
        return self._letters[int(offsets[0]) : int(offsets[-1])].tobytes(), np.diff(offsets)

    def text(self, row: int) -> bytes:
        """A text as it was written."""
        low, high = int(self._offsets[row]), int(self._offsets[row + 1])
        return self._letters[low:high].tobytes().removesuffix(_END)

    def has(self, row: int, wanted: str) -> bool:
        """Whether a text has the wanted stretch."""
        return wanted.encode() in self.text(row)

    def rows_with(self, wanted: str) -> Rows:
        """(m,) rows that have the wanted stretch, ascending."""
        searched, letters, at = wanted.encode(), self._all, 0
        found: list[int] = []
        while searched and (at := letters.find(searched, at)) >= 0:
            row = int(np.searchsorted(self._offsets, at, side="right")) - 1
            found.append(row)
            at = int(self._offsets[row + 1])
        return np.array(found, np.int64)

    @cached_property
    def _all(self) -> bytes:
        return self._letters.tobytes()


def as_row(text: str) -> bytes:
    """A folded text as it is written."""
    return text.encode() + _END


def write_texts(path: Path, pieces: Iterable[Piece]) -> None:
    """Write rows, as `as_row` gives them, and their sizes."""
    contents, sizes = [], [np.zeros(1, np.int64)]
    for content, own in pieces:
        contents.append(content)
        sizes.append(own)
    arrays: dict[str, npt.NDArray[np.generic]] = {
        "offsets": np.cumsum(np.concatenate(sizes)),
        "letters": np.frombuffer(b"".join(contents), np.uint8),
    }
    write_arrays(path, arrays)
