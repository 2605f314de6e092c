"""Reading a folder with a cache gives what reading it without one does, and reads what changed."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from conftest import ROOT, TODAY
from indexer import frontmatter
from indexer.article_file import FileReader
from indexer.articles import Library
from indexer.check import check, check_folder
from indexer.content import gather
from indexer.folder import read_folder
from indexer.frontmatter import Parsed, parse
from indexer.markdown import Renderer, render
from indexer.parsed_cache import ParsedCache
from indexer.problems import Problem

Write = Callable[..., Path]


@pytest.fixture
def read_again(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The slugs of the files that were parsed and rendered, in order."""
    slugs: list[str] = []
    read = FileReader.read

    def recorded(self: FileReader, path: str, name: str, text: str) -> object:
        slugs.append(Path(path).stem)
        return read(self, path, name, text)

    monkeypatch.setattr(FileReader, "read", recorded)
    return slugs


def _cached(articles: Path) -> tuple[Library, list[Problem]]:
    with ParsedCache(articles.parent / "cache.sqlite") as cache:
        return check(read_folder(articles), today=TODAY, cache=cache)


def test_files_that_have_not_changed_are_not_read_again(
    articles: Path, write_article: Write, read_again: list[str]
) -> None:
    for slug in ("a-one", "b-two", "c-three"):
        write_article(slug)
    first = _cached(articles)
    assert read_again == ["a-one", "b-two", "c-three"]
    assert _cached(articles) == first
    write_article("b-two", summary="Another one.")
    (articles / "en" / "refunds" / "c-three.md").unlink()
    read_again.clear()
    library, problems = _cached(articles)
    assert read_again == ["b-two"]
    assert (library, problems) == check_folder(articles, today=TODAY)


def test_a_link_is_resolved_again_when_its_target_comes_or_goes(
    articles: Path, write_article: Write, read_again: list[str]
) -> None:
    write_article("a-one", body="See [it](b-two.md#card) and [itself](a-one.md).\n")
    write_article("c-three", body="Nothing to [see](#card).\n\n## X {#card}\ny\n")
    _cached(articles)

    def read_after(change: Callable[[], object]) -> list[str]:
        read_again.clear()
        change()
        found = _cached(articles)
        read = sorted(read_again)
        assert found == check_folder(articles, today=TODAY)
        return read

    assert read_after(lambda: write_article("b-two")) == ["a-one", "b-two"]
    assert read_after(lambda: write_article("d-four", status="draft")) == ["d-four"]
    assert read_after((articles / "en" / "refunds" / "b-two.md").unlink) == ["a-one"]


def _spoil(text: str, chance: random.Random) -> str:
    lines = text.split("\n")
    place = chance.randrange(len(lines))
    line = lines[place]
    lines[place] = chance.choice([
        "", "colour: red", "\t- x", "# Top", "title: a: b", line[1:], line.replace("[", "[x, ", 1),
        line + " [x](nowhere.md) [y](../returns/how-to-return.md#z)", "review_by: 2026-01-01",
        "status: draft", "{#z}", "updated: 2027-01-01",
    ])  # fmt: skip
    return "\n".join(lines)


def test_the_problems_of_spoilt_articles_are_the_same_with_and_without_a_cache(
    tmp_path: Path,
) -> None:
    articles, chance = tmp_path / "articles", random.Random(3)
    shutil.copytree(ROOT / "articles", articles)
    paths = sorted((articles / "en").rglob("*.md"))
    shutil.rmtree(articles / "zh-Hans")
    for _ in range(4):
        for path in chance.sample(paths, 8):
            path.write_text(_spoil(path.read_text("utf-8"), chance), "utf-8")
        plain = check_folder(articles, today=TODAY)
        assert len(plain[1]) > 8
        assert _cached(articles) == plain  # with the files of the round before in the cache
        assert _cached(articles) == plain


def test_a_folder_of_another_name_is_told_by_it(articles: Path, write_article: Write) -> None:
    write_article(body="# Top\n")
    assert [problem.path for problem in _cached(articles)[1]] == [
        "articles/en/refunds/refund-timing.md"
    ]
    other = articles.rename(articles.with_name("other"))
    assert [problem.path for problem in _cached(other)[1]] == ["other/en/refunds/refund-timing.md"]


def test_a_damaged_cache_is_only_time_lost(
    articles: Path, write_article: Write, read_again: list[str]
) -> None:
    write_article()
    first = _cached(articles)
    (articles.parent / "cache.sqlite").write_bytes(b"garbage" * 999)
    assert _cached(articles) == first
    assert len(read_again) == 2


def test_a_run_that_fails_keeps_what_the_last_one_knew(
    articles: Path, write_article: Write, read_again: list[str]
) -> None:
    write_article()
    _cached(articles)
    with (
        pytest.raises(RuntimeError),
        ParsedCache(articles.parent / "cache.sqlite"),
    ):
        raise RuntimeError
    _cached(articles)
    assert read_again == ["refund-timing"]


def test_the_key_of_an_article_changes_with_what_is_published_of_it_and_with_nothing_else(
    articles: Path, write_article: Write
) -> None:
    def keys() -> dict[str, str]:
        content = gather(_cached(articles)[0])
        return {a.slug: key for a, key in zip(content.articles, content.keys, strict=True)}

    write_article("a-one", body="See [it](b-two.md).\n")
    write_article("c-three")
    write_article("d-four")
    first = keys()
    assert len(set(first.values())) == 3
    path = write_article("c-three", tags="[new]")
    path.touch()
    write_article("b-two")
    second = keys()
    assert second["d-four"] == first["d-four"]
    assert second["a-one"] != first["a-one"]  # its link leads somewhere now
    assert second["c-three"] != first["c-three"]
    path.write_text(path.read_text("utf-8").replace("id: c-three\n", "id: 'c-three' # same\n"))
    assert keys() == second


def test_what_a_file_says_survives_the_cache() -> None:
    library, _ = check_folder(ROOT / "articles", today=TODAY)
    for file in library.files:
        text = (ROOT / "articles" / file.path).read_text("utf-8")
        assert file.parsed == parse(text, file.name)


# --- what makes reading fast changes nothing

_MARKS = st.sampled_from(
    ["## H\n", "text ", "\n\n", "[^1]", "[^1]: note\n", "*[FAQ]: Long\n", "FAQ ", "```\n", "- a\n",
     "1. b\n", "!!! note\n    x\n", "| a |\n|---|\n| b |\n", "[l](x.md) ", "[r]: /u\n", "[r] ",
     "{: #id}\n", "Term\n:   x\n", "<div markdown>", "    code\n", "## H {#h}\n", "&amp; ", "\x02"]
)  # fmt: skip


@given(st.lists(st.lists(_MARKS, max_size=12).map("".join), min_size=2, max_size=4))
@settings(max_examples=60, deadline=None)
def test_a_page_is_rendered_alike_whatever_was_rendered_before(pages: list[str]) -> None:
    renderer = Renderer()
    resolve = {"x.md": "/x"}.get
    for page in pages:
        assert renderer.render(page, resolve=resolve) == render(page, resolve=resolve)


_FRONT = """\
id: refund-timing
title: When will my refund arrive?
summary: A card takes 5 to 10 days.
section: refunds
status: published
owner: Refunds team
updated: 2026-11-01
verified_on: 2026-11-01
review_by: 2027-05-01
"""
_PIECES = [
    "tags: ", "policy: ", "questions:", "- ", "  ", "\n", "\n  - ", "[a, b]", "[", "]", ",", ":",
    ": ", "?", " #", "#", "'", '"', "|\n  x", ">", "!", "!!str ", "%", "&a ", "*a", "~", "null",
    "true", "1", "2026-01-02", "{a: 1}", "\t", "window_days: 3\n", "退款", "<<: ", "0x1", "1:20",
    "Is it late?", "10% off!", "A & B", "section: a", "\ufeff", "\x85",
]  # fmt: skip
_YAML = st.lists(st.one_of(st.sampled_from(_PIECES), st.text(max_size=3)), max_size=12).map("".join)


@given(_YAML)
@example("tags:\n  - \n")
@example("title: &a x\nowner: *a\n")
@settings(max_examples=300, deadline=None)
def test_front_matter_is_read_alike_by_both_readers(extra: str) -> None:
    text = f"---\n{_FRONT}{extra}\n---\nText.\n"
    with mock.patch.object(frontmatter, "_DEEPEST", -1):  # which sends all to the slow one
        slowly = parse(text, "x.md")
    assert parse(text, "x.md") == slowly


def test_most_front_matter_is_read_by_the_fast_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [path.read_text("utf-8") for path in (ROOT / "articles").rglob("*/*/*.md")]
    monkeypatch.setattr(frontmatter, "_Loader", None)
    read = 0
    for text in texts:
        try:
            read += isinstance(parse(text, "x.md"), Parsed)
        except TypeError:
            continue
    assert read > len(texts) * 0.8


@pytest.mark.parametrize("value", ["[" * 200_000, "- " * 200_000, "[a, " * 100_000])
def test_front_matter_nested_without_end_is_a_problem_and_no_crash(value: str) -> None:
    outcome = parse(f"---\n{_FRONT}tags: {value}\n---\nText.\n", "x.md")
    assert isinstance(outcome, list)
