"""Writes the Whoosh index of a generation: whole, or as a small step from the generation before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from whoosh import index
from whoosh.filedb.filestore import FileStorage

from search.bm25 import FieldStatistics, Terms
from search.keyword_documents import (
    GENERATION,
    TABLES,
    WITH_POSITIONS,
    Documents,
    documents_files,
    fields_of,
    toc_file,
)
from search.keyword_files import Contents, Stamp, link
from search.posting_lists import Integers, Postings, combine, group
from search.segments import read_segment, schema_of, segments_of, write_segment

# A segment is merged with what is added while it has at most so many times its documents. Each is
# then larger than twice all smaller ones together: 20,000 documents stand in ten segments at most,
# and what one article adds is merged with a few dozen documents, not with thousands.
_GROWTH = 2
# A segment of which a larger share than this is deleted is written anew: the deleted cost disk, are
# stepped over by every query, and are counted by going through the postings.
_DEAD = 1 / 3


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """A segment and what is known of its documents."""

    segment: Any
    rows: Integers
    """(numbers,) -1 for those deleted."""
    lengths: Integers
    """(fields, numbers)"""

    @property
    def living(self) -> int:
        return int((self.rows >= 0).sum())

    @property
    def deleted(self) -> int:
        return len(self.rows) - self.living

    def files(self, contents: Contents) -> list[str]:
        prefix = f"{self.segment.segment_id()}."
        return [name for name in contents.files if name.startswith(prefix)]


def build_index(
    folder: Path, ids: Mapping[str, Sequence[str]], terms: Mapping[str, Sequence[Terms]]
) -> None:
    """Write all documents, given by table in the order of the rows, into an empty folder."""
    written = {}
    for table in TABLES:
        unique = _unique(ids[table])
        by_row = dict(zip(range(len(unique)), terms[table], strict=True))
        parts = _write_part(folder, table, by_row)
        written[table] = _write_table(folder, table, unique, parts)
    _finish(folder, written, {})


def update_index(
    folder: Path,
    previous: Path,
    ids: Mapping[str, Sequence[str]],
    terms: Mapping[str, Mapping[str, Terms]],
) -> None:
    """Write the index of some documents, given by table in the order of the rows.

    `terms` has new and changed documents by id; all others are as they were in `previous`, whose
    segments are linked into the empty `folder`. Raises `IndexDamaged` if that is not what was
    written, and `ValueError` for an id of which there are neither terms nor an earlier document.
    """
    contents = Contents.read(previous)
    unique = {table: _unique(ids[table]) for table in TABLES}
    compared = {
        table: _compare(previous, contents, table, unique[table], terms[table]) for table in TABLES
    }
    linked: dict[str, Stamp] = {}
    written = {}
    for table, (parts, added) in compared.items():
        merged = _to_merge(parts, len(added))
        for part in merged:
            contents.verify(previous, part.files(contents))
        kept = [part for part in parts if part.living and part not in merged]
        for part in kept:
            for name in part.files(contents):
                link(previous / name, folder / name)
                linked[name] = contents.files[name]
        new = _write_part(folder, table, added, merged, previous)
        written[table] = _write_table(folder, table, unique[table], [*kept, *new])
    _finish(folder, written, linked)


def _unique(ids: Sequence[str]) -> Sequence[str]:
    if len(set(ids)) < len(ids):
        twice = next(id_ for place, id_ in enumerate(ids) if id_ in ids[:place])
        raise ValueError(f"two documents have the id {twice}")
    return ids


def _compare(
    folder: Path, contents: Contents, table: str, ids: Sequence[str], terms: Mapping[str, Terms]
) -> tuple[list[_Part], dict[int, Terms]]:
    """The segments there are, with the rows their documents now have, and what is new by row."""
    contents.verify(folder, (toc_file(table), *documents_files(table)))
    before = Documents.read(folder, table)
    old_rows = {id_: row for row, id_ in enumerate(before.ids)}
    new_rows = np.full(len(before.ids) + 1, -1, np.int64)  # the last is that of deleted documents
    added: dict[int, Terms] = {}
    for row, id_ in enumerate(ids):
        if id_ in terms:
            added[row] = terms[id_]
        elif id_ in old_rows:
            new_rows[old_rows[id_]] = row
        else:
            raise ValueError(f"{id_}: neither are its terms given nor is it in {folder}")
    rows = new_rows[before.rows]
    parts, low = [], 0
    for segment in segments_of(folder, table):
        high = low + segment.doc_count_all()
        parts.append(_Part(segment, rows[low:high], before.lengths[:, low:high]))
        low = high
    return parts, added


def _to_merge(parts: Sequence[_Part], added: int) -> list[_Part]:
    """The segments to be written anew, together with so many new documents."""
    merged = [part for part in parts if part.living and part.deleted > _DEAD * len(part.rows)]
    size = added + sum(part.living for part in merged)
    for part in sorted(parts, key=lambda part: part.living):
        if part.living and part not in merged and part.living <= _GROWTH * size:
            merged.append(part)
            size += part.living
    return merged


def _write_part(
    folder: Path,
    table: str,
    added: Mapping[int, Terms],
    merged: Sequence[_Part] = (),
    previous: Path = Path(),
) -> list[_Part]:
    """A segment of new documents and of the living ones of others; none if there are none."""
    documents = list(added.values())
    rows = [part.rows[part.rows >= 0] for part in merged]
    lengths = [part.lengths[:, part.rows >= 0] for part in merged]
    sources = []
    size = 0
    for part in merged:
        living = part.rows >= 0
        numbers = np.where(living, size + np.cumsum(living) - 1, -1)
        sources.append((read_segment(previous, part.segment), numbers))
        size += part.living
    if not size + len(documents):
        return []

    def postings() -> Iterator[tuple[str, Postings]]:
        for name in fields_of(table):
            positions = name in WITH_POSITIONS
            new = group([terms[name] for terms in documents], positions=positions)
            old = [(found[name], numbers) for found, numbers in sources if name in found]
            if sources:
                new = combine(
                    [*old, (new, np.arange(size, size + len(documents)))], positions=positions
                )
            yield name, new

    own = [[len(terms[name]) for terms in documents] for name in fields_of(table)]
    all_lengths = np.hstack([*lengths, np.array(own, np.int64).reshape(len(own), -1)])
    by_field = dict(zip(fields_of(table), all_lengths, strict=True))
    segment = write_segment(folder, table, by_field, postings())
    return [_Part(segment, np.concatenate([*rows, np.array(list(added), np.int64)]), all_lengths)]


def _write_table(folder: Path, table: str, ids: Sequence[str], parts: Sequence[_Part]) -> Documents:
    for part in parts:
        for number in np.flatnonzero(part.rows < 0).tolist():
            part.segment.delete_document(number)
    toc = index.TOC(schema_of(table), [part.segment for part in parts], GENERATION)
    toc.write(FileStorage(str(folder)), table)
    no_lengths = np.empty((len(fields_of(table)), 0), np.int64)
    documents = Documents(
        ids,
        np.concatenate([np.empty(0, np.int64), *(part.rows for part in parts)]),
        np.hstack([no_lengths, *(part.lengths for part in parts)]),
    )
    documents.write(folder, table)
    return documents


def _finish(folder: Path, written: Mapping[str, Documents], linked: Mapping[str, Stamp]) -> None:
    statistics: dict[str, FieldStatistics] = {}
    for table, documents in written.items():
        statistics |= documents.statistics(table)
    Contents.write(
        folder,
        documents={table: len(documents.ids) for table, documents in written.items()},
        statistics=statistics,
        linked=linked,
    )
