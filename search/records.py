"""Records on disk, one JSON line each, read by row through a memory map.

Nothing is kept on the heap, so workers share the pages and a large index starts at once.
"""

from __future__ import annotations

import json
import mmap
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from search.errors import IndexDamaged

T = TypeVar("T")
_RECORDS = msgspec.json.Decoder(dict[str, Any])


def write_records(path: Path, records: Iterable[dict[str, Any]]) -> int:
    """Write `path` and, beside it, the byte offset of every line; gives the number of records."""
    lines = map(encode_record, records)
    return write_lines(path, ((line, np.array([len(line)])) for line in lines))


def encode_record(record: dict[str, Any]) -> bytes:
    """A record as the line it is written as."""
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


Piece = tuple[bytes, npt.NDArray[np.int64]]
"""Some rows as they are written, and the size of each in bytes."""


def write_lines(path: Path, pieces: Iterable[Piece]) -> int:
    """As `write_records`, of lines that are ready."""
    sizes = [np.zeros(1, np.int64)]
    with path.open("wb") as file:
        for content, own in pieces:
            file.write(content)
            sizes.append(own)
    offsets = np.cumsum(np.concatenate(sizes))
    np.save(_offsets_path(path), offsets)
    return len(offsets) - 1


class RecordFile:
    """Random access to what `write_records` wrote."""

    def __init__(self, path: Path) -> None:
        try:
            mapped = np.load(_offsets_path(path), mmap_mode="r", allow_pickle=False)
            self._offsets = np.asarray(
                mapped
            )  # of its own class each slice costs three times as much
            with path.open("rb") as file:
                size = path.stat().st_size
                self._bytes: mmap.mmap | bytes = (
                    mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
                )
        except (OSError, ValueError, EOFError) as error:
            raise IndexDamaged(f"{path}: cannot be read ({error}); run `kb index --rebuild`") from (
                error
            )
        self._path = path
        if len(self._offsets) == 0 or int(self._offsets[-1]) != size:
            raise IndexDamaged(
                f"{path}: {size} bytes where its offsets say otherwise; run `kb index --rebuild`"
            )

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def stretch(self, low: int, high: int) -> Piece:
        """Some records as they were written."""
        offsets = self._offsets[low : high + 1]
        return self._bytes[int(offsets[0]) : int(offsets[-1])], np.diff(offsets)

    def line(self, row: int) -> bytes:
        """A record as it was written."""
        if not 0 <= row < len(self):
            raise IndexError(row)
        return self._bytes[int(self._offsets[row]) : int(self._offsets[row + 1])]

    def __getitem__(self, row: int) -> dict[str, Any]:
        return self.read(row, _RECORDS)

    def read(self, row: int, decoder: msgspec.json.Decoder[T]) -> T:
        """A record as what the decoder makes of it. Raises `IndexDamaged`."""
        try:
            return decoder.decode(self.line(row))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise IndexDamaged(
                f"{self._path}:{row + 1}: cannot be read ({error}); run `kb index --rebuild`"
            ) from error


def _offsets_path(path: Path) -> Path:
    return path.with_suffix(".offsets.npy")
