"""SQLite's full-text index."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from peers.base import About, Material, Query

ABOUT = About(
    name="SQLite FTS5",
    distribution="",
    modes=("keyword",),
    note="Contentless table, unicode61 over terms cut by our tokeniser, `optimize` after loading, "
    "`OR` of terms by `rank` (bm25).",
)


class Fts5:
    def __init__(self, folder: Path) -> None:
        self._connection = sqlite3.connect(folder / "fts5.sqlite")

    def search(self, mode: str, query: Query, limit: int) -> Sequence[int]:
        del mode
        match = " OR ".join(f'"{term}"' for term in query.terms)
        rows = self._connection.execute(
            "SELECT rowid FROM passages WHERE passages MATCH ? ORDER BY rank LIMIT ?",
            (match, limit),
        )
        return [row for (row,) in rows]


def build(material: Material, folder: Path) -> None:
    with sqlite3.connect(folder / "fts5.sqlite") as connection:
        connection.execute("CREATE VIRTUAL TABLE passages USING fts5(text, content='')")
        connection.executemany(
            "INSERT INTO passages (rowid, text) VALUES (?, ?)",
            ((row, " ".join(terms)) for row, terms in enumerate(material.terms())),
        )
        connection.execute("INSERT INTO passages (passages) VALUES ('optimize')")


def open_index(material: Material, folder: Path) -> Fts5:
    del material
    return Fts5(folder)
