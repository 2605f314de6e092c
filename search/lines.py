"""Many short texts in two arrays, which can lie in mapped memory."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import numpy.typing as npt

END = b"\n"
"""Ends every text. It sorts before every character of a normalised text."""


class Lines:
    """Texts in one array of bytes, each ended by a line feed."""

    def __init__(self, content: npt.NDArray[np.uint8], starts: npt.NDArray[np.int32]) -> None:
        if len(starts) == 0 or int(starts[-1]) != len(content):
            raise ValueError(f"{len(content)} bytes of text where their offsets say otherwise")
        self.content = content.data
        self.starts = starts.data

    @staticmethod
    def pack(texts: Iterable[str]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int32]]:
        """The two arrays for texts without line feeds."""
        ended = [text.encode() + END for text in texts]
        starts = np.cumsum([0, *map(len, ended)]).astype(np.int32)
        return np.frombuffer(b"".join(ended), np.uint8), starts

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, number: int) -> str:
        return self.rest(number, self.starts[number]).decode()

    def rest(self, number: int, offset: int) -> bytes:
        """What a text has from some byte of the whole array on."""
        return bytes(self.content[offset : self.starts[number + 1] - 1])

    def at(self, offset: int, length: int) -> bytes:
        """Bytes from anywhere on, across the ends of texts."""
        return bytes(self.content[offset : offset + length])


def span(ordered: Sequence[int], wanted: bytes, read: Callable[[int], bytes]) -> tuple[int, int]:
    """The slice of `ordered` whose elements read as `wanted`; sorted by what `read` gives."""
    low = bisect_left(ordered, wanted, key=read)
    return low, bisect_right(ordered, wanted, low, key=read)
