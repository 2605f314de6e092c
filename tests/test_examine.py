"""Checks of a text as it would lie in the folder: what opening the first draft costs."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from drafts_support import own_articles
from indexer.article_file import FileReader
from indexer.check import check
from indexer.folder import read_folder
from indexer.parsed_cache import ParsedCache
from portal.drafts.examine import examine
from portal.drafts.paths import ArticlePath

TODAY = date(2026, 11, 22)
PATH = ArticlePath("en", "refunds", "refund-timing")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return own_articles(tmp_path)


def test_the_first_check_of_a_draft_begins_with_what_the_index_parsed(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed, drafts = tmp_path / "cache" / "articles.sqlite", tmp_path / "cache" / "drafts.sqlite"
    parsed.parent.mkdir()
    with ParsedCache(parsed) as cache:
        check(read_folder(root), today=TODAY, cache=cache)
    read, rendered = FileReader.read, []

    def note(reader: FileReader, path: str, *rest: Any) -> Any:
        rendered.append(path)
        return read(reader, path, *rest)

    monkeypatch.setattr(FileReader, "read", note)
    text = PATH.inside(root).read_text("utf-8") + "\nOne more line.\n"
    assert examine(root, PATH, text, today=TODAY, cache=drafts).article is not None
    assert set(rendered) == {str(PATH)}
    assert {path.name for path in parsed.parent.iterdir()} == {"articles.sqlite", "drafts.sqlite"}


def test_a_damaged_cache_of_the_index_costs_time_and_nothing_else(
    root: Path, tmp_path: Path
) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "articles.sqlite").write_bytes(b"not a database" * 100)
    text = PATH.inside(root).read_text("utf-8")
    found = examine(root, PATH, text, today=TODAY, cache=tmp_path / "cache" / "drafts.sqlite")
    assert found.article is not None
    assert not list((tmp_path / "cache").glob("tmp*"))
