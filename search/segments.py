"""Segments of a Whoosh index, written straight from terms in Whoosh's own format.

Whoosh's own writer passes every occurrence through an analyser, sorts the postings as tuples and
looks a document's length up once for each of them: minutes for 20,000 passages. Here the terms come
ready, so a field is grouped by a few array operations and its files are laid out as arrays of
bytes. Whoosh reads them as its own; the layout is that of `whoosh.codec.whoosh3`.
"""

from __future__ import annotations

import mmap
import struct
import zlib
from array import array
from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from whoosh import fields, formats, index
from whoosh.codec.whoosh3 import W3Codec
from whoosh.filedb.filestore import FileStorage
from whoosh.filedb.filetables import HashWriter, OrderedHashReader, OrderedHashWriter
from whoosh.filedb.structfile import StructFile
from whoosh.util.numeric import length_to_byte
from whoosh.util.numlists import GrowableArray

from search.keyword_documents import GENERATION, WITH_POSITIONS, fields_of
from search.posting_blocks import TERM_INFO, Bytes, lay_out, read_lists
from search.posting_lists import Integers, Postings, pieces, within

_FIELD = struct.Struct("!H")  # stands before each term
_PIECE = 50_000  # terms laid out at a time, which bounds memory to some 50 MB
_LENGTHS = struct.Struct("!ii")  # of a term and of what is known of it
_SLOT = np.dtype([("hash", ">u4"), ("position", ">i8")])
_CRC32 = 1  # Whoosh's number for it; the other choice, MD5, is several times slower


class Frequencies(formats.Format):  # type: ignore[misc]
    """A posting is a document and how often the term stands in it: its weight."""

    posting_size = 0


class Positions(formats.Format):  # type: ignore[misc]
    """Frequencies and where in the list of terms each occurrence stands: 4 bytes each."""

    posting_size = -1

    def decode_positions(self, value: bytes) -> list[int]:
        return [position for (position,) in struct.iter_unpack("<I", value)]

    def decode_frequency(self, value: bytes) -> int:
        return len(value) // 4


class TermsField(fields.FieldType):  # type: ignore[misc]
    """A field of ready terms: Whoosh must neither cut nor fold them again."""

    def __init__(self, *, positions: bool) -> None:
        super().__init__(Positions() if positions else Frequencies(), None, scorable=True)


class MappedStorage(FileStorage):  # type: ignore[misc]
    """Files are read where they are mapped, so that all threads and workers share them.

    Whoosh's compound segments would be copied into memory by every searcher.
    """

    def open_file(self, name: str, **_options: Any) -> StructFile:
        with Path(self.folder, name).open("rb") as file:
            if not file.seek(0, 2):
                return StructFile(BytesIO(), name=name)
            return StructFile(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), name=name)


def schema_of(table: str) -> fields.Schema:
    return fields.Schema(
        **{name: TermsField(positions=name in WITH_POSITIONS) for name in fields_of(table)}
    )


def open_table(folder: Path, table: str) -> Any:
    """Whoosh's index of a table, read only; raises what Whoosh and its unpickling raise."""
    storage = MappedStorage(str(folder), readonly=True)
    return index.FileIndex(storage, schema=schema_of(table), indexname=table)


def segments_of(folder: Path, table: str) -> list[Any]:
    """Whoosh's objects for the segments of a table, oldest first."""
    storage = MappedStorage(str(folder), readonly=True)
    toc = index.TOC.read(storage, table, gen=GENERATION, schema=schema_of(table))
    return list(toc.segments)


def write_segment(
    folder: Path,
    table: str,
    lengths: Mapping[str, Integers],
    postings: Iterable[tuple[str, Postings]],
) -> Any:
    """Write a segment; gives Whoosh's object for it.

    `lengths` are by field, one a document; `postings` come field by field.
    """
    storage = FileStorage(str(folder))
    segment = W3Codec().new_segment(storage, table)
    segment.set_doc_count(len(next(iter(lengths.values()))))
    segment._fieldlengths = {name: int(values.sum()) for name, values in lengths.items()}
    stored = {name: _stored_lengths(values) for name, values in lengths.items()}
    for name, values in stored.items():
        if values.any():
            file = W3Codec.column_filename(segment, f"_{name}_len")
            (folder / file).write_bytes(values.tobytes())
    index = _TermIndex(segment.create_file(storage, W3Codec.TERMS_EXT))
    with segment.create_file(storage, W3Codec.POSTS_EXT) as file:
        position = 0
        for name, found in postings:
            for piece in pieces(found, _PIECE):
                blob, infos = lay_out(piece, stored[name], position)
                file.write(blob)
                index.add_terms(name, piece.terms, infos)
                position += len(blob)
    index.close()
    return segment


def read_segment(folder: Path, segment: Any) -> dict[str, Postings]:
    """The postings of a segment by field, deleted documents and all.

    Only of a segment that `write_segment` wrote: Whoosh's own may be compressed.
    """
    storage = MappedStorage(str(folder))
    terms = OrderedHashReader.open(storage, segment.make_filename(W3Codec.TERMS_EXT))
    names = {number: name for name, number in terms.extras["fieldmap"].items()}
    keys: dict[str, list[bytes]] = {name: [] for name in names.values()}
    infos: dict[str, list[bytes]] = {name: [] for name in names.values()}
    entries = terms.dbfile.get(terms.startofdata, terms.endofdata - terms.startofdata)
    place = 0
    while place < len(entries):
        of_key, of_info = _LENGTHS.unpack_from(entries, place)
        place += _LENGTHS.size
        name = names[_FIELD.unpack_from(entries, place)[0]]
        keys[name].append(entries[place + _FIELD.size : place + of_key])
        place += of_key
        infos[name].append(entries[place : place + of_info])
        place += of_info
    blob = segment.open_file(storage, W3Codec.POSTS_EXT).file
    return {
        name: read_lists(blob, keys[name], np.frombuffer(b"".join(infos[name]), TERM_INFO))
        for name in keys
    }


def _stored_lengths(lengths: Integers) -> Bytes:
    """The length of each document as Whoosh keeps it, in one byte."""
    distinct, places = np.unique(lengths, return_inverse=True)
    encoded = np.array([length_to_byte(int(length)) for length in distinct], np.uint8)
    return encoded[places]


class _TermIndex(OrderedHashWriter):  # type: ignore[misc]
    """Whoosh's table of terms; hash tables of all terms are filled at once."""

    def __init__(self, file: StructFile) -> None:
        HashWriter.__init__(self, file, hashtype=_CRC32)
        self.index = GrowableArray("q")
        self.extras["fieldmap"] = {}
        self._hashes: list[int] = []
        self._positions: list[Integers] = []

    def add_terms(self, name: str, terms: Sequence[bytes], infos: Sequence[bytes]) -> None:
        """Add terms of a field, sorted; fields are numbered as they come."""
        known = self.extras["fieldmap"]
        prefix = _FIELD.pack(known.setdefault(name, len(known)))
        keys = [prefix + term for term in terms]
        entries = [
            _LENGTHS.pack(len(key), len(info)) + key + info
            for key, info in zip(keys, infos, strict=True)
        ]
        sizes = np.fromiter(map(len, entries), np.int64, len(entries))
        self._positions.append(self.dbfile.tell() + np.cumsum(sizes) - sizes)
        self._hashes += map(zlib.crc32, keys)
        self.dbfile.write(b"".join(entries))

    def _write_hashes(self) -> None:
        """256 tables with open addressing, each with twice as many slots as entries.

        Entries in the order of the slots they belong into go there, or behind the last one placed.
        """
        hashes = np.array(self._hashes, np.int64)
        positions = np.concatenate([np.empty(0, np.int64), *self._positions])
        self.index.array = array("q", positions.tobytes())
        buckets = hashes & 255
        entries = np.bincount(buckets, minlength=256)
        slots, begins = 2 * entries, 2 * (np.cumsum(entries) - entries)
        homes = (hashes >> 8) % np.maximum(slots, 1)[buckets]
        order = np.lexsort((homes, buckets))
        buckets, homes = buckets[order], homes[order]
        steps = within(entries)
        apart = buckets * 4 * (len(hashes) + 1)  # keeps what one bucket reaches below the next
        places = np.maximum.accumulate(homes - steps + apart) - apart + steps
        table = np.zeros(2 * len(hashes), _SLOT)
        fits = places < slots[buckets]
        chosen = begins[buckets[fits]] + places[fits]
        table["hash"][chosen] = hashes[order[fits]]
        table["position"][chosen] = positions[order[fits]]
        for bucket, entry in zip(buckets[~fits].tolist(), order[~fits].tolist(), strict=True):
            # What runs over the end goes on at the beginning.
            mine = table[begins[bucket] : begins[bucket] + slots[bucket]]
            mine[np.argmin(mine["position"])] = hashes[entry], positions[entry]
        start = self.dbfile.tell()
        self.directory += zip(
            (start + _SLOT.itemsize * begins).tolist(), slots.tolist(), strict=True
        )
        self.dbfile.write(table.tobytes())
