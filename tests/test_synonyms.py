"""Synonyms: the file, its mistakes, and what they do to a search."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from conftest import TODAY, ArticleWriter
from indexer.build import build_and_publish
from indexer.check import check_folder
from search.library import open_searcher
from search.synonyms import Rule, Thesaurus, parse_synonyms
from search.text import Tokeniser, normalise
from search.types import LOCALES, Embedder
from tests_support import ROOT


def _alternatives(text: str, rules: str) -> dict[str, list[str]]:
    parsed, mistakes = parse_synonyms(rules)
    assert not mistakes
    tokeniser = Tokeniser()
    thesaurus = Thesaurus({"en": parsed}, tokeniser)
    normalised = normalise(text)
    found = thesaurus.alternatives(normalised, list(tokeniser.tokens(normalised)), ["en"])
    return {phrase.found: [other.text for other in phrase.substitutes] for phrase in found}


def test_commas_go_both_ways_and_arrows_one() -> None:
    rules = "# a comment\nrefund, money back, reimbursement # and another\nfapiao => invoice\n"
    assert _alternatives("my Money BACK!", rules) == {"money back": ["refund", "reimbursement"]}
    assert _alternatives("a fapiao", rules) == {"fapiao": ["invoice"]}
    assert _alternatives("an invoice", rules) == {}


def test_words_match_in_any_form_but_whole() -> None:
    assert _alternatives("two refunds", "refund, money back") == {"refund": ["money back"]}
    assert _alternatives("scarves", "car, automobile") == {}


def test_chinese_matches_however_it_is_cut() -> None:
    assert _alternatives("怎麼退錢給我", "退钱 => 退款") == {"退钱": ["退款"]}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("refund", "one phrase only"),
        ("refund,", "empty"),
        ("=> refund", "empty"),
        ("a => b => c", "two arrows"),
        ("a, " * 21 + "b", "over 20"),
        ("x" * 61 + ", y", "over 60"),
    ],
)
def test_a_line_that_is_no_rule_is_named(line: str, message: str) -> None:
    rules, mistakes = parse_synonyms(f"# header\n{line}\n")
    assert not rules
    assert [mistake.line for mistake in mistakes] == [2]
    assert message in mistakes[0].message


def test_a_phrase_stands_in_one_line() -> None:
    _, mistakes = parse_synonyms("refund, money back\ncash, money back\n")
    assert [(mistake.line, "line 1" in mistake.message) for mistake in mistakes] == [(2, True)]


def test_check_finds_chinese_among_english_synonyms(
    articles: Path, write_article: ArticleWriter
) -> None:
    write_article()
    (articles / "synonyms").mkdir()
    (articles / "synonyms" / "en.txt").write_text("cash => refund\n展厅 => 门店\n", "utf-8")
    (articles / "synonyms" / "zh-Hans.txt").write_text("展厅 => 门店\nVIP => 会员\n", "utf-8")
    _, problems = check_folder(articles, today=TODAY)
    assert {(one.path, one.line, one.code, one.severity) for one in problems} == {
        ("articles/synonyms/en.txt", 2, "synonym_language", "warning")
    }


def test_check_names_file_and_line(articles: Path, write_article: ArticleWriter) -> None:
    write_article()
    (articles / "synonyms").mkdir()
    (articles / "synonyms" / "en.txt").write_text("refund, money back\nalone\n", "utf-8")
    _, problems = check_folder(articles, today=TODAY)
    assert [str(problem).split(" ")[0] for problem in problems] == ["articles/synonyms/en.txt:2:"]


def test_a_synonym_finds_adds_nothing_twice_and_costs_no_encoding(
    articles: Path, write_article: ArticleWriter, tmp_path: Path, embedder: Embedder
) -> None:
    write_article("refund", title="Refunds", body="A refund takes five days.\n")
    write_article("other", title="Kettles", body="Kettles boil water, and reimbursement is rare.\n")
    data = tmp_path / "data"
    publish = {"today": date(2026, 11, 22)}
    build_and_publish(articles, data, embedder, **publish)

    def terms(query: str) -> dict[str, tuple[float, tuple[str, ...]]]:
        found = open_searcher(data, embedder).search(query, mode="keyword", explain=True)
        synonyms = found.trace.synonyms
        return {r.article.id: (r.score, tuple(synonyms)) for r in found.results}

    assert "refund" not in terms("recompense")
    plain = terms("refund")["refund"][0]
    (articles / "synonyms").mkdir()
    (articles / "synonyms" / "en.txt").write_text("recompense => refund\nrefund, reimbursement\n")
    published = build_and_publish(articles, data, embedder, **publish)
    assert published.changed
    assert published.encoded == 0
    score, trace = terms("recompense")["refund"]
    assert trace == ("recompense",)
    assert 0 < score < plain
    assert terms("refund")["refund"][0] == pytest.approx(plain)
    assert terms("refund")["other"][0] > 0


@pytest.mark.parametrize("locale", LOCALES)
def test_the_shipped_files_are_good(locale: str) -> None:
    text = (ROOT / "articles" / "synonyms" / f"{locale}.txt").read_text("utf-8")
    rules, mistakes = parse_synonyms(text)
    assert not mistakes
    assert len(rules) > 50
    assert all(isinstance(rule, Rule) for rule in rules)
