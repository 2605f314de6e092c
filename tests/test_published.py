"""A run over what has not changed finds that out from its fingerprint, and writes nothing."""

from __future__ import annotations

import ast
import gc
import importlib.metadata
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from conftest import ROOT, TODAY
from fakes import HashingEmbedder
from indexer import completion, parsed_cache, unfinished, vocabulary
from indexer.build import build_and_publish
from indexer.fingerprint import LIBRARIES, _libraries, code_version, fingerprint, version_of
from indexer.folder import read_folder
from indexer.problems import ArticlesInvalid
from indexer.publish import roll_back
from indexer.published import Published
from search.generation import current_name

Write = Callable[..., Path]


@pytest.fixture(autouse=True)
def _no_wait_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """One item for every time that the articles were gone through."""
    done: list[str] = []
    check = unfinished.check

    def recorded(*args: Any, **options: Any) -> Any:
        done.append("checked")
        return check(*args, **options)

    monkeypatch.setattr(unfinished, "check", recorded)
    return done


def _publish(articles: Path, data: Path, **options: Any) -> Published:
    return build_and_publish(articles, data, HashingEmbedder(), **{"today": TODAY, **options})


def _state(data: Path) -> dict[str, tuple[int, bytes]]:
    """Every file but the lock, which says nothing, with its time of change and content."""
    return {
        path.relative_to(data).as_posix(): (path.stat().st_mtime_ns, path.read_bytes())
        for path in data.rglob("*")
        if path.is_file() and path.name != "publish.lock"
    }


# --- the fingerprint


def _print(articles: Path, **facts: str) -> str:
    return fingerprint(read_folder(articles), facts)


@pytest.mark.parametrize(
    "path",
    ["en/refunds/refund-timing.md", "zh-Hans/refunds/refund-timing.md", "taxonomy.yaml",
     "words.txt", "synonyms/en.txt", "synonyms/zh-Hans.txt", "outside/en.txt",
     "outside/zh-Hans.txt"],
)  # fmt: skip
def test_it_changes_with_every_file_that_has_a_part_in_the_index(
    articles: Path, write_article: Write, path: str
) -> None:
    write_article()
    write_article(locale="zh-Hans")
    file = articles / path
    file.parent.mkdir(exist_ok=True)
    before = _print(articles)
    content = file.read_bytes() if file.exists() else b""
    file.write_bytes(content + b" ")
    changed = _print(articles)
    assert changed != before
    file.write_bytes(content + b"x")
    assert _print(articles) not in (before, changed)
    file.unlink()
    assert (_print(articles) == before) == (content == b"")


def test_it_changes_with_names_facts_and_nothing_else(articles: Path, write_article: Write) -> None:
    path = write_article()
    before = _print(articles, today="2026-11-22")
    path.touch()
    (articles / "notes.txt").write_text("x")
    (articles / "en" / "refunds" / "notes.txt").write_text("x")
    assert _print(articles, today="2026-11-22") == before
    assert _print(articles, today="2026-11-23") != before
    moved = path.rename(path.with_name("refund-days.md"))
    assert _print(articles, today="2026-11-22") != before
    moved.rename(path)
    other = articles.rename(articles.with_name("other"))
    assert _print(other, today="2026-11-22") != before


def test_it_changes_with_the_code_and_the_libraries(
    articles: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    def forget() -> None:
        code_version.cache_clear()
        _libraries.cache_clear()

    request.addfinalizer(forget)
    forget()
    before = _print(articles), version_of(["search.text"])
    forget()
    assert (_print(articles), version_of(["search.text"])) == before
    forget()
    monkeypatch.setattr("importlib.metadata.version", lambda name: "999")
    after = _print(articles), version_of(["search.text"])
    assert after[0] != before[0]
    assert after[1] != before[1]
    assert version_of(["search.types"]) != after[1]
    assert version_of(["search.text"], ["a word"]) != after[1]


def _imports(module: str) -> set[str]:
    tree = ast.parse((ROOT / f"{module.replace('.', '/')}.py").read_text("utf-8"))
    nodes = list(ast.walk(tree))
    found = {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    return found.union(a.name for node in nodes if isinstance(node, ast.Import) for a in node.names)


def _needed_by(modules: set[str]) -> set[str]:
    """These modules of ours and all that they import, directly or not."""
    found: set[str] = set()
    while modules - found:
        found |= modules
        imported = set().union(*map(_imports, modules))
        modules = {name for name in imported if name.startswith(("indexer.", "search."))}
    return found


@pytest.mark.parametrize(
    ("cache", "makers", "user"),
    [
        (parsed_cache, {"indexer.article_file", "indexer.outside", "search.synonyms"}, "articles"),
        (completion, {"indexer.readings", "search.completion_compile"}, "completion"),
        (vocabulary, {"search.vocabulary"}, "vocabulary"),
    ],
)
def test_what_is_in_a_cache_is_of_the_code_and_libraries_that_make_it(
    cache: ModuleType, makers: set[str], user: str
) -> None:
    assert set(cache.MODULES) == _needed_by(makers) | {f"indexer.{user}"}
    packages = importlib.metadata.packages_distributions()
    used = {name.partition(".")[0] for module in cache.MODULES for name in _imports(module)}
    libraries = {packages[name][0] for name in used & packages.keys()}
    # These hold numbers and bytes; kb-portal is ourselves.
    assert libraries - {"kb-portal", "numpy", "msgspec"} <= set(LIBRARIES)


def test_a_file_that_cannot_be_read_is_not_as_an_empty_one(
    articles: Path, write_article: Write
) -> None:
    path = write_article()
    path.unlink()
    path.write_bytes(b"")
    empty = _print(articles)
    path.unlink()
    path.mkdir()
    assert _print(articles) != empty


# --- publishing


def test_nothing_changed_reads_and_writes_nothing(
    articles: Path, data: Path, write_article: Write, checks: list[str]
) -> None:
    write_article(review_by="2026-11-02")
    first = _publish(articles, data)
    before = _state(data)
    second = _publish(articles, data)
    assert _state(data) == before
    assert checks == ["checked"]
    assert not second.changed
    assert (second.name, second.encoded, second.pruned) == (first.name, 0, ())
    assert (second.articles, second.passages, second.units) == (
        first.articles, first.passages, first.units,
    )  # fmt: skip
    assert second.warnings == first.warnings
    assert [warning.field for warning in second.warnings] == ["review_by"]


def test_on_another_day_reviews_fall_due_without_a_new_generation(
    articles: Path, data: Path, write_article: Write, checks: list[str]
) -> None:
    write_article(review_by=str(TODAY))
    first = _publish(articles, data)
    second = _publish(articles, data, today=TODAY + timedelta(days=1))
    assert (second.changed, second.name) == (False, first.name)
    assert [str(warning.message) for warning in second.warnings] == [f"was due on {TODAY}"]
    assert _publish(articles, data, today=TODAY + timedelta(days=1)).warnings == second.warnings
    assert len(checks) == 2


def test_a_rebuild_asks_no_fingerprint(articles: Path, data: Path, write_article: Write) -> None:
    write_article()
    first = _publish(articles, data)
    assert _publish(articles, data, rebuild=True).name > first.name
    assert not _publish(articles, data).changed


def test_after_a_rollback_the_articles_are_published_again(
    articles: Path, data: Path, write_article: Write
) -> None:
    write_article()
    first = _publish(articles, data)
    write_article(summary="Another one.")
    second = _publish(articles, data)
    assert roll_back(data) == first.name
    third = _publish(articles, data)
    assert third.changed
    assert third.name > second.name
    assert current_name(data) == third.name


def test_going_back_to_what_was_is_a_change(
    articles: Path, data: Path, write_article: Write
) -> None:
    path = write_article()
    text = path.read_text("utf-8")
    _publish(articles, data)
    write_article(summary="Another one.")
    _publish(articles, data)
    path.write_text(text, "utf-8")
    assert _publish(articles, data).changed
    assert not _publish(articles, data).changed


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"published": 1}', b"\xff", None])
def test_without_a_record_that_can_be_read_all_is_gone_through(
    articles: Path, data: Path, write_article: Write, checks: list[str], content: bytes | None
) -> None:
    write_article()
    first = _publish(articles, data)
    record = data / "cache" / "published.json"
    if content is None:
        record.unlink()
    else:
        record.write_bytes(content)
    second = _publish(articles, data)
    assert (second.changed, second.name) == (False, first.name)
    assert len(checks) == 2
    _publish(articles, data)
    assert len(checks) == 2


def test_a_file_of_the_generation_that_was_touched_is_looked_at(
    articles: Path, data: Path, write_article: Write, checks: list[str]
) -> None:
    write_article()
    name = _publish(articles, data).name
    (data / "generations" / name / "site.json").touch()
    assert not _publish(articles, data).changed
    assert len(checks) == 2


def test_the_collector_of_cycles_rests_while_publishing_and_no_longer(
    articles: Path, data: Path, write_article: Write
) -> None:
    write_article()
    seen: list[bool] = []
    _publish(articles, data, progress=lambda *_: seen.append(gc.isenabled()))
    assert seen
    assert not any(seen)
    assert gc.isenabled()
    write_article(owner=None)
    with pytest.raises(ArticlesInvalid):
        _publish(articles, data)
    assert gc.isenabled()
