"""The tables of the Whoosh index: their fields, and which row each of their documents has.

Knows nothing of Whoosh, whose import takes longer than a search.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from search.bm25 import FIELDS, FieldStatistics, statistics
from search.errors import IndexDamaged
from search.posting_lists import Integers

WHOOSH_FIELDS = tuple(name for name, field in FIELDS.items() if not field.compiled_only)
TABLES = tuple(dict.fromkeys(field.table for field in FIELDS.values()))
# Phrases are looked for in whole articles; elsewhere positions would only cost.
WITH_POSITIONS = frozenset(
    {"article", "article_grams", "questions", "questions_grams", "title", "title_grams"}
)
GENERATION = 1  # of Whoosh's tables of contents: a folder is written once, so it has one of each


@dataclass(frozen=True, slots=True, eq=False)
class Documents:
    """The documents of a table, which Whoosh numbers by segment, in the rows of a generation."""

    ids: Sequence[str]
    """By row."""
    rows: Integers
    """(numbers,) the row of each document as Whoosh numbers it; -1 for deleted ones."""
    lengths: Integers
    """(fields, numbers) of the table's fields; Whoosh itself keeps them rounded to one byte."""

    @classmethod
    def read(cls, folder: Path, table: str) -> Documents:
        """Raises `IndexDamaged`."""
        ids, numbers = (folder / name for name in documents_files(table))
        try:
            array = np.load(numbers, allow_pickle=False)
            if len(array) != 1 + len(fields_of(table)):
                raise ValueError(f"{len(array) - 1} fields")
            return cls(json.loads(ids.read_text("utf-8")), array[0], array[1:])
        except (OSError, ValueError, EOFError) as error:
            raise IndexDamaged(
                f"{folder}: the documents of {table} cannot be read ({error}); "
                "run `kb index --rebuild`"
            ) from error

    def write(self, folder: Path, table: str) -> None:
        ids, numbers = (folder / name for name in documents_files(table))
        ids.write_text(json.dumps(list(self.ids), ensure_ascii=False), "utf-8")
        np.save(numbers, np.vstack([self.rows, self.lengths]).astype(np.int32))

    def numbers(self) -> Integers:
        """(rows,) how Whoosh numbers the documents."""
        living = np.flatnonzero(self.rows >= 0)
        numbers = np.empty(len(living), np.int64)
        numbers[self.rows[living]] = living
        return numbers

    def statistics(self, table: str) -> dict[str, FieldStatistics]:
        """Of the living documents."""
        lengths = self.lengths[:, self.rows >= 0].tolist()
        return {
            name: statistics(found) for name, found in zip(fields_of(table), lengths, strict=True)
        }


def documents_files(table: str) -> tuple[str, str]:
    return f"{table}.ids.json", f"{table}.documents.npy"


def toc_file(table: str) -> str:
    return f"_{table}_{GENERATION}.toc"


def fields_of(table: str) -> list[str]:
    """The fields of a table that Whoosh has, in the order of `Documents.lengths`."""
    return [name for name in WHOOSH_FIELDS if FIELDS[name].table == table]
