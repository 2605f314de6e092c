"""What no article answers: its file, and that the search becomes unsure by it."""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import TODAY, ArticleWriter
from indexer.check import check_folder
from indexer.outside import read_outside
from indexer.problems import Problem
from portal.services import Services
from search.types import LOCALES
from tests_support import ROOT


def _write(articles: Path, text: str) -> None:
    (articles / "outside").mkdir()
    (articles / "outside" / "en.txt").write_text(text, "utf-8")


def test_topics_and_comments(articles: Path) -> None:
    _write(articles, "#! what this is for\n\n# Weather\nwill it rain\n\n# Cooking\nhow to fry\n")
    problems: list[Problem] = []
    found = read_outside(articles, "en", problems)
    assert not problems
    assert [(topic.name, topic.questions) for topic in found.topics] == [
        ("Weather", ("will it rain",)), ("Cooking", ("how to fry",)),
    ]  # fmt: skip
    assert read_outside(articles, "zh-Hans", problems).topics == ()


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("will it rain\n", 1, "before the first topic"),
        ("# Weather\nwill it rain\nWill it RAIN\n", 3, "also stands in line 2"),
        ("# Weather\n" + "x" * 201 + "\n", 2, "201 characters"),
    ],
)
def test_mistakes_are_named(articles: Path, text: str, line: int, message: str) -> None:
    _write(articles, text)
    problems: list[Problem] = []
    read_outside(articles, "en", problems)
    assert [(p.path, p.line, message in p.message) for p in problems] == [
        ("articles/outside/en.txt", line, True)
    ]


def test_what_an_article_asks_is_not_outside(articles: Path, write_article: ArticleWriter) -> None:
    write_article(questions="[how long does it take]")
    _write(articles, "# Time\nHow long does it take\n")
    _, problems = check_folder(articles, today=TODAY)
    assert [(p.path, p.line) for p in problems] == [("articles/outside/en.txt", 2)]


@pytest.mark.parametrize(
    "query",
    ["what will the weather be like on sunday", "周末天气怎么样", "do you have student rates"],
)
def test_the_search_is_not_sure_of_them(services: Services, query: str) -> None:
    found = services.library.search(query)
    assert not found.resolved
    assert found.trace.features["inside"] < 0


@pytest.mark.parametrize("locale", LOCALES)
def test_the_shipped_files_are_good(locale: str) -> None:
    problems: list[Problem] = []
    found = read_outside(ROOT / "articles", locale, problems)
    assert not problems
    assert len(found.topics) > 40
