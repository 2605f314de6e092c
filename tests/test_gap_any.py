"""Whether there may be gaps: told by the file alone, and never wrongly told that there are none."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from gap_support import put
from portal.database import migrate, open_engine
from portal.gaps.any import may_have_gaps


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'a log.db'}"


def test_no_file_and_no_table_and_no_row_are_no_gap(url: str, tmp_path: Path) -> None:
    assert not may_have_gaps(url)
    assert not (tmp_path / "a log.db").exists()
    sqlite3.connect(tmp_path / "a log.db").close()
    assert not may_have_gaps(url)
    engine = open_engine(url)
    migrate(engine)
    assert not may_have_gaps(url)
    put(engine, ["velvet sofa"])
    assert may_have_gaps(url)
    engine.dispose()


def test_what_cannot_be_told_is_asked_properly(url: str, tmp_path: Path) -> None:
    (tmp_path / "a log.db").write_bytes(b"no database at all" * 100)
    assert may_have_gaps(url)
    assert may_have_gaps("postgresql+psycopg://somewhere/kb")
    assert may_have_gaps("sqlite+pysqlite:///x.db")
