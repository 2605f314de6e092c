"""Posting lists as bytes, laid out by whole arrays as `whoosh.codec.whoosh3` reads them."""

from __future__ import annotations

import mmap
import pickle
import struct
from typing import Any

import numpy as np
import numpy.typing as npt
from whoosh.codec.whoosh3 import WHOOSH3_HEADER_MAGIC

from search.posting_lists import Integers, Postings, within

Bytes = npt.NDArray[np.uint8]
_BLOCK = 128  # postings; Whoosh's own choice
_BLOCK_HEAD = np.dtype(
    [
        ("size", ">i4"), ("start", "V3"), ("op0", "u1"), ("count", "<i4"), ("op1", "u1"),
        ("last", "<i4"), ("op2", "u1"), ("heaviest", "<i4"), ("uncompressed", "V2"),
        ("op3", "u1"), ("shortest", "u1"), ("op4", "u1"), ("longest", "u1"), ("end", "V2"),
    ]
)  # fmt: skip
"""The size of a block, and the pickled tuple of what can be told of it without reading it."""
TERM_INFO = np.dtype(
    [
        ("inlined", "u1"), ("weight", ">f4"), ("count", ">u4"), ("shortest", "u1"),
        ("longest", "u1"), ("heaviest", ">f4"), ("first", ">u4"), ("last", ">u4"),
        ("offset", ">i8"), ("size", ">i4"),
    ]
)  # fmt: skip
_SIZE = struct.Struct(">i")
_TUPLE = b"("  # opcodes of pickle: what stands between these two becomes a tuple
_END = b"t"
_NONE = b"N"
_BYTE, _HALF, _INT, _BYTES = b"KMJB"


def lay_out(postings: Postings, lengths: Bytes, offset: int) -> tuple[bytes, list[bytes]]:
    """Posting lists as they stand in the file from `offset` on, and where and what each is.

    A list is a magic word and blocks; a block is its head and a pickled tuple of three tuples:
    differences of document numbers, weights (None if all are 1) and positions (None if not kept).
    """
    starts, documents, frequencies = postings.starts, postings.documents, postings.frequencies
    counts = np.diff(starts)
    in_term = -(-counts // _BLOCK)
    term = np.repeat(np.arange(len(counts)), in_term)
    low = starts[term] + _BLOCK * within(in_term)
    high = np.minimum(low + _BLOCK, starts[term + 1])
    opening = np.diff(term, prepend=-1) != 0
    closing = np.append(opening[1:], True)
    of_documents = lengths[documents]
    shortest = np.minimum.reduceat(of_documents, starts[:-1])
    longest = np.maximum.reduceat(of_documents, starts[:-1])
    heaviest = np.maximum.reduceat(frequencies, starts[:-1])

    differences = np.diff(documents, prepend=0)
    differences[low] = documents[low]
    parts = [_pickled(differences), _pickled(frequencies)]
    if postings.positions is not None:
        parts.append(_pickled_positions(postings.positions, frequencies))
    columns: list[list[bytes]] = []
    for blob, ends in parts:
        cuts = zip(ends[low].tolist(), ends[high].tolist(), strict=True)
        columns.append([_TUPLE + blob[start:end] + _END for start, end in cuts])
    for place in np.flatnonzero(heaviest[term] == 1).tolist():
        columns[1][place] = _NONE
    if postings.positions is None:
        columns.append([_NONE] * len(low))
    bodies = [
        b"\x80\x03" + numbers + weights + values + b"\x87."
        for numbers, weights, values in zip(*columns, strict=True)
    ]

    heads = np.zeros(len(low), _BLOCK_HEAD)
    size = np.fromiter(map(len, bodies), np.int64, len(bodies)) + _BLOCK_HEAD.itemsize - 4
    heads["size"] = np.where(closing, -size, size)
    heads["start"], heads["end"] = np.void(b"\x80\x02("), np.void(b"t.")
    heads["uncompressed"] = np.void(b"K\x00")
    heads["op0"] = heads["op1"] = heads["op2"] = _INT
    heads["op3"] = heads["op4"] = _BYTE
    heads["count"], heads["last"] = high - low, documents[high - 1]
    for name, values in (("heaviest", heaviest), ("shortest", shortest), ("longest", longest)):
        heads[name] = values[term]
    magic = [b"", WHOOSH3_HEADER_MAGIC]
    blocks = [
        magic[first] + head + body
        for first, head, body in zip(opening.tolist(), _records(heads), bodies, strict=True)
    ]

    infos = np.zeros(len(counts), TERM_INFO)
    infos["weight"] = np.add.reduceat(frequencies, starts[:-1])
    infos["count"], infos["heaviest"] = counts, heaviest
    infos["shortest"], infos["longest"] = shortest, longest
    infos["first"], infos["last"] = documents[starts[:-1]], documents[starts[1:] - 1]
    sizes = np.add.reduceat(np.fromiter(map(len, blocks), np.int64), np.flatnonzero(opening))
    infos["offset"], infos["size"] = offset + np.cumsum(sizes) - sizes, sizes
    return b"".join(blocks), _records(infos)


def read_lists(blob: mmap.mmap, terms: list[bytes], infos: npt.NDArray[Any]) -> Postings:
    """What `lay_out` laid out."""
    differences: list[int] = []
    weights: list[int] = []
    values: list[bytes] = []
    opening: list[int] = []  # the first posting of each block
    placed = False
    for offset, size in zip(infos["offset"].tolist(), infos["size"].tolist(), strict=True):
        place, end = offset + len(WHOOSH3_HEADER_MAGIC), offset + size
        while place < end:
            length = 4 + abs(_SIZE.unpack_from(blob, place)[0])
            body = blob[place + _BLOCK_HEAD.itemsize : place + length]
            numbers, frequencies, places = pickle.loads(body)  # noqa: S301 - our own file, checked
            opening.append(len(differences))
            differences += numbers
            weights += frequencies or (1,) * len(numbers)
            if places is not None:
                placed = True
                values += places
            place += length
    documents = np.cumsum(np.array(differences, np.int64))
    starts = np.array(opening, np.int64)
    sizes = np.diff(starts, append=len(documents))
    documents -= np.repeat(documents[starts] - np.array(differences, np.int64)[starts], sizes)
    return Postings(
        terms=terms,
        starts=np.concatenate([[0], np.cumsum(infos["count"].astype(np.int64))]),
        documents=documents,
        frequencies=np.array(weights, np.int64),
        positions=np.frombuffer(b"".join(values), "<u4").astype(np.int64) if placed else None,
    )


def _records(table: npt.NDArray[Any]) -> list[bytes]:
    blob, size = table.tobytes(), table.dtype.itemsize
    return [blob[start : start + size] for start in range(0, len(blob), size)]


def _pickled(values: Integers) -> tuple[bytes, Integers]:
    """Whole numbers as pickle writes them, one after another, and (n + 1,) where each starts."""
    largest = int(values.max())
    op, width = next(
        (op, width)
        for op, width, limit in (
            (_BYTE, "u1", 1 << 8),
            (_HALF, "<u2", 1 << 16),
            (_INT, "<i4", 1 << 31),
        )
        if largest < limit
    )
    table = np.zeros(len(values), [("op", "u1"), ("value", width)])
    table["op"], table["value"] = op, values
    return table.tobytes(), np.arange(len(values) + 1) * table.dtype.itemsize


def _pickled_positions(positions: Integers, frequencies: Integers) -> tuple[bytes, Integers]:
    """Each posting's positions as `Positions` reads them, as pickle writes bytes."""
    sizes = 5 + 4 * frequencies
    ends = np.concatenate([[0], np.cumsum(sizes)])
    out = np.empty(int(ends[-1]), np.uint8)
    out[ends[:-1]] = _BYTES
    _scatter(out, ends[:-1] + 1, 4 * frequencies)
    _scatter(out, np.repeat(ends[:-1] + 5, frequencies) + 4 * within(frequencies), positions)
    return out.tobytes(), ends


def _scatter(out: Bytes, places: Integers, numbers: Integers) -> None:
    """Put numbers into an array of bytes, little-endian, 4 bytes each."""
    digits = numbers.astype("<u4").view(np.uint8).reshape(-1, 4)
    for digit in range(4):
        out[places + digit] = digits[:, digit]
