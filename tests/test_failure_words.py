"""What the checks find and why edits are refused, said in the reader's language."""

from __future__ import annotations

import ast
import importlib
import string
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pydantic import ValidationError

from conftest import ROOT
from drafts_support import TELESCOPE, gap_of, own_articles, telescope, write
from editor_session import sign_in
from indexer.frontmatter import parse
from indexer.messages import FIELDS, TEXTS
from indexer.problems import ArticlesInvalid, problem
from indexer.schema import FrontMatter
from portal.config import Settings
from portal.drafts.errors import REFUSALS, EditRefused
from portal.drafts.facts import facts_of
from portal.drafts.synonym_edit import add_synonym
from portal.drafts.yaml_edit import add_questions
from portal.editor import gap_words
from portal.editor.failure_words import FAILURES, failure, failure_of, problem_words
from portal.proof.types import RunKind
from portal.services import Services
from search.errors import KnowledgeBaseError
from test_i18n import catalogue

EDITOR = "/editor/drafts/en/orders/telescope-rental"
_ALL = [*TEXTS.values(), *REFUSALS.values(), *FAILURES.values(), *gap_words.REFUSALS.values()]
_SYSTEMS_OWN = "reason"


@pytest.fixture
def settings(published: Path, tmp_path: Path) -> Settings:
    return Settings(
        articles=own_articles(tmp_path),
        data=published,
        database_url=f"sqlite:///{tmp_path / 'events.db'}",
        secret_key="x" * 40,
        rate_limit="off",
        write_rate_limit="off",
    )


def places(text: str) -> set[tuple[str | None, str | None]]:
    """The places of a sentence; a library's own words may be left out of its translation."""
    found = {(name, how) for _, name, _, how in string.Formatter().parse(text) if name is not None}
    return {one for one in found if one[0] != _SYSTEMS_OWN}


@pytest.mark.parametrize("text", sorted(set(_ALL)))
def test_every_sentence_is_translated_with_what_it_speaks_of(text: str) -> None:
    message = catalogue().get(text)
    assert message is not None, text
    assert message.string
    assert message.string != text
    if "%(" not in text:
        assert places(message.string) == places(text)


def _calls(name: str) -> Iterator[tuple[Path, ast.Call]]:
    for package in ("search", "indexer", "portal"):
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") == name:
                    yield path, node


def test_a_problem_is_made_by_its_code_alone() -> None:
    assert {path.name for path, _ in _calls("Problem")} == {"problems.py", "published.py"}
    codes = {
        node.args[3].value
        for _, node in _calls("problem")
        if len(node.args) > 3 and isinstance(node.args[3], ast.Constant)
    }
    assert len(codes) > 20
    assert codes <= set(TEXTS)


@pytest.mark.parametrize(
    ("error", "known", "place"),
    [
        ("EditRefused", REFUSALS, 0),
        ("ArticleMissing", REFUSALS, 0),
        ("ArticleChanged", REFUSALS, 0),
        ("ArticlesReadOnly", REFUSALS, 0),
        ("GapRefused", gap_words.REFUSALS, 1),
    ],
)
def test_every_refusal_has_a_code_with_words(
    error: str, known: Mapping[str, str], place: int
) -> None:
    found = 0
    for path, node in _calls(error):
        first = node.args[0]
        if isinstance(first, ast.Call) and getattr(first.func, "id", "") == "_":
            continue  # said in the reader's language where it is raised
        code = node.args[place]
        assert isinstance(code, ast.Constant), f"{path}:{node.lineno}"
        assert code.value in known, f"{path}:{node.lineno}"
        found += 1
    assert found


def test_every_error_that_ends_a_run_has_words() -> None:
    makers = ("search.errors", "indexer.problems", "indexer.publish", "indexer.encoding",
              "portal.event_types", "portal.proof.types")  # fmt: skip
    # What is answered before a run begins, or is none of a run.
    others = {"QueryRejected", "NothingToRollBackTo", "RunUnknown", "RunsBusy"}
    names = {
        name
        for module in map(importlib.import_module, makers)
        for name, kind in vars(module).items()
        if isinstance(kind, type) and issubclass(kind, KnowledgeBaseError)
    }
    assert names - others <= set(FAILURES)


_VALID: dict[str, Any] = {
    "id": "a", "title": "t", "summary": "s", "section": "x", "status": "draft", "owner": "o",
    "updated": "2026-01-01", "verified_on": "2026-01-01", "review_by": "2026-01-01",
}  # fmt: skip
_ODD: list[Any] = [
    None, True, 1, 1.5, 10**30, float("nan"), "", "A b", "x" * 3000, "2026-13-01", "9" * 5000,
    "2026-01-01T10:00", (), ("x",), (1,), {}, {"a": 1}, ({"a": 1},), "\ud800", -1, "abc",
    "ftp://x.de", "https://", "https://" + "x" * 3000, date(2020, 1, 1), datetime(2020, 1, 1, 2),
]  # fmt: skip


def _kinds() -> set[str]:
    source = {"title": "a", "url": "https://x.de", "verified_on": "2026-01-01"}
    texts = [{**_VALID, name: odd} for name in FrontMatter.model_fields for odd in _ODD]
    texts += [
        {**_VALID, "sources": ({**source, name: odd},)} for name in source for odd in _ODD
    ]  # fmt: skip
    texts += [
        {**_VALID, "policy": ({name: odd},)}
        for name in ("section", "window_days", "refund_method", "conditions", "regions")
        for odd in _ODD
    ]
    found = set()
    for text in texts:
        try:
            FrontMatter.model_validate(text)
        except ValidationError as error:
            found |= {item["type"] for item in error.errors()}
    return found


def test_every_mistake_in_a_field_has_words_of_its_own() -> None:
    kinds = _kinds() - {"missing", "extra_forbidden"}
    assert len(kinds) > 15
    assert kinds <= set(FIELDS)


def test_a_problem_says_in_chinese_what_it_says_in_english(app: Flask) -> None:
    front = "".join(f"{name}: {value}\n" for name, value in _VALID.items())
    (found,) = parse(f"---\n{front.replace('draft', 'live')}---\n", "x.md")  # type: ignore[misc]
    facts = facts_of(ArticlesInvalid([found]))["problems"][0]
    with app.test_request_context("/en/"):
        assert problem_words(facts) == f"{found.message}. {found.mend}"
    with app.test_request_context("/zh-Hans/"):
        said = problem_words(facts)
        assert said.startswith("应为以下之一：'draft', 'published', 'archived'。请用")
        old = {"code": "gone", "message": "an old sentence", "mend": "Mend it.", "mends": []}
        assert problem_words(old) == "an old sentence. Mend it."


def test_a_refusal_names_the_mistake_that_is_in_the_way(app: Flask) -> None:
    with pytest.raises(EditRefused) as front:
        add_questions("---\nid: x\n", ["q"])
    with pytest.raises(EditRefused) as synonyms:
        add_synonym("a => b => c\n", "one", "other")
    assert "the front matter has no end. Close it" in str(front.value)
    with app.test_request_context("/zh-Hans/"):
        assert str(failure(front.value)).endswith("文件头没有结尾。请用一行 `---` 收尾。")
        assert str(failure(synonyms.value)) == (
            "同义词文件第 1 行有错，请先改正。有两个箭头。每行只写一个 `=>`。"
        )


def test_what_has_no_words_stays_english(app: Flask) -> None:
    with app.test_request_context("/zh-Hans/"):
        found = failure_of({"code": "GoneError", "problems": []}, "the disk is full")
        assert (found.said, found.detail) == ("没有成功，原因如下：", "the disk is full")
        assert failure_of({"code": "interrupted"}, "It was stopped.").detail == ""


def test_the_page_of_a_draft_is_chinese_throughout(
    client: FlaskClient, services: Services, settings: Settings
) -> None:
    sign_in(client, services)
    write(settings.articles, TELESCOPE, telescope(body="[gone](../refunds/<i>nowhere.md)\n"))
    page = client.get(f"{EDITOR}?lang=zh-Hans").text
    assert "指向的不是已发布的文章。" in page
    assert "leads to no published article" not in page
    assert "<i>nowhere" not in page
    assert "leads to no published article" in client.get(f"{EDITOR}?lang=en").text
    (settings.articles / "taxonomy.yaml").write_text("- a\n", "utf-8")
    page = client.get(f"{EDITOR}?lang=zh-Hans").text
    assert "不是由各组构成的列表。" in page
    assert "taxonomy.yaml</code>" in page


def test_why_a_publish_failed_is_told_in_chinese(
    client: FlaskClient, services: Services, settings: Settings
) -> None:
    gap = gap_of(services, {"can I rent a telescope": False})
    write(settings.articles, TELESCOPE, telescope(gap=gap.number))
    runs = services.proof.runs
    sign_in(client, services)
    wrong = problem("articles/en/orders/a.md", 3, "", "link_article", {"link": "b.md"})
    for error, told in (
        (ArticlesInvalid([wrong]), "链接 &#39;b.md&#39; 指向的不是已发布的文章。"),
        (EditRefused("unwritten", {"name": TELESCOPE, "lines": "4, 9"}), "第 4, 9 行还有待写"),
    ):
        run = runs.begin(RunKind.PUBLISH, TELESCOPE, gap=gap.number, by="Ann", digest="d")
        runs.fail(run.id, str(error), facts_of(error))
        page = client.get(f"/editor/runs/{run.id}?lang=zh-Hans").text
        assert told in page
        assert str(error) not in page


def test_a_refused_change_of_a_gap_is_told_in_chinese(
    client: FlaskClient, services: Services
) -> None:
    gap = gap_of(services, {"can I rent a telescope": False})
    sign_in(client, services)
    client.get("/editor/gaps?lang=zh-Hans")
    answer = client.post(
        f"/editor/gaps/{gap.number}/merge", data={"version": gap.version, "into": gap.number}
    )
    assert answer.status_code == 422
    assert "这就是本缺口" in answer.text
