"""The folder of articles: every mistake told at once with file, line, field and mend."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from fakes import HashingEmbedder
from indexer.articles import Library
from indexer.build import build_and_publish, gather
from indexer.check import check_folder
from indexer.problems import ArticlesInvalid, Problem
from search.generation import open_current
from search.types import LOCALES

ROOT = Path(__file__).parent.parent
TODAY = date(2026, 11, 22)
BODY_LINE = 12  # of what `write_article` writes with no further field
Write = Callable[..., Path]


def _check(articles: Path) -> list[Problem]:
    return check_folder(articles, today=TODAY)[1]


def _only(articles: Path) -> Problem:
    (problem,) = _check(articles)
    return problem


def _place(problem: Problem) -> tuple[str, int, str]:
    return problem.path, problem.line, problem.field


# --- one file


def test_a_valid_article_has_no_problem(articles: Path, write_article: Write) -> None:
    write_article()
    library, problems = check_folder(articles, today=TODAY)
    assert problems == []
    assert [file.site_path for file in library.published] == ["/en/refunds/refund-timing"]


def test_a_mistake_in_front_matter_names_the_file_as_the_author_knows_it(
    articles: Path, write_article: Write
) -> None:
    write_article(owner=None)
    problem = _only(articles)
    assert _place(problem) == ("articles/en/refunds/refund-timing.md", 1, "owner")
    assert str(problem) == (
        "articles/en/refunds/refund-timing.md:1: error: owner: the field is missing. "
        "Add `owner: …`. Name the team or person who answers for the article."
    )


def test_a_file_that_is_not_utf_8_is_told(articles: Path, write_article: Write) -> None:
    path = write_article()
    path.write_bytes(path.read_text("utf-8").replace("A summary", "退款").encode("gb18030"))
    problem = _only(articles)
    assert _place(problem) == ("articles/en/refunds/refund-timing.md", 1, "")
    assert "'utf-8' codec can't decode" in problem.message
    assert problem.mend == "Save it as UTF-8."


def test_a_byte_order_mark_is_no_mistake(articles: Path, write_article: Write) -> None:
    path = write_article()
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert _check(articles) == []


@pytest.mark.parametrize("place", ["en/loose.md", "en/refunds/old/deep.md"])
def test_a_file_outside_a_section_is_told(articles: Path, write_article: Write, place: str) -> None:
    path = write_article()
    (articles / place).parent.mkdir(exist_ok=True)
    path.rename(articles / place)
    problem = _only(articles)
    assert _place(problem) == (f"articles/{place}", 1, "")
    assert problem.message == "the file is not in a section's folder"
    assert problem.mend == "Move it to <locale>/<section>/<slug>.md."


@pytest.mark.parametrize("slug", ["Refund-Timing", "refund timing", "refund_timing", "退款"])
def test_a_file_name_that_is_no_address_is_told(
    articles: Path, write_article: Write, slug: str
) -> None:
    write_article(slug, id="refund-timing")
    problem = _only(articles)
    assert _place(problem) == (f"articles/en/refunds/{slug}.md", 1, "")
    assert problem.message == f"the file name {slug!r} cannot be an address"
    assert problem.mend == "Use lower-case letters, digits and hyphens."


def test_a_section_other_than_the_folder_is_told(articles: Path, write_article: Write) -> None:
    path = write_article()
    path.write_text(path.read_text("utf-8").replace("section: refunds", "section: returns"))
    problem = _only(articles)
    assert _place(problem) == ("articles/en/refunds/refund-timing.md", 5, "section")
    assert problem.message == "says 'returns' but the file lies in 'refunds'"
    assert problem.mend == "Move the file or change the field."


def test_a_section_that_the_taxonomy_does_not_have_is_told(
    articles: Path, write_article: Write
) -> None:
    write_article(section="gossip")
    problem = _only(articles)
    assert _place(problem) == ("articles/en/gossip/refund-timing.md", 5, "section")
    assert problem.message == "'gossip' is not in taxonomy.yaml"
    assert problem.mend.startswith("Add it there or use one of: refunds, returns, ")


@pytest.mark.parametrize("field", ["reasons", "platforms"])
def test_an_unknown_reason_or_platform_is_told(
    articles: Path, write_article: Write, field: str
) -> None:
    write_article(**{field: "[nonsense]"})
    problem = _only(articles)
    assert _place(problem) == ("articles/en/refunds/refund-timing.md", 11, field)
    assert problem.message == "'nonsense' is not in taxonomy.yaml"
    assert problem.mend.startswith("Add it there or use one of: ")


@pytest.mark.parametrize("part", ["reasons", "platforms", "evidence"])
def test_an_unknown_name_in_a_clause_is_told_with_its_place(
    articles: Path, write_article: Write, part: str
) -> None:
    write_article(policy=f"\n  - window_days: 3\n  - window_days: 4\n    {part}: [nonsense]")
    problem = _only(articles)
    assert _place(problem) == ("articles/en/refunds/refund-timing.md", 14, f"policy.1.{part}")
    assert problem.message == "'nonsense' is not in taxonomy.yaml"


def test_a_clause_of_a_heading_that_is_not_there_is_told(
    articles: Path, write_article: Write
) -> None:
    write_article(policy="\n  - section: cash")
    problem = _only(articles)
    assert _place(problem) == ("articles/en/refunds/refund-timing.md", 12, "policy.0.section")
    assert problem.message == "no heading has the anchor 'cash'"
    assert problem.mend == "Use one of: card."


@pytest.mark.parametrize(
    "body", ["", "  \n\n", "<script>alert(1)</script>\n", "## Only a heading\n"]
)
def test_an_article_without_text_is_told(articles: Path, write_article: Write, body: str) -> None:
    write_article(body=body)
    (problem,) = (one for one in _check(articles) if one.severity == "error")
    assert _place(problem) == ("articles/en/refunds/refund-timing.md", BODY_LINE, "")
    assert problem.message == "the article is empty"
    assert problem.mend == "Write its text."


@pytest.mark.parametrize(
    ("body", "offset"),
    [
        ("# Refunds\n\nText.\n", 0),
        ("Text.\n\n#Refunds\n", 2),
        ("Text.\n\nRefunds\n=======\n", 3),
    ],
)
def test_a_heading_of_the_first_level_is_told(
    articles: Path, write_article: Write, body: str, offset: int
) -> None:
    write_article(body=body)
    problem = _only(articles)
    assert _place(problem) == ("articles/en/refunds/refund-timing.md", BODY_LINE + offset, "")
    assert problem.message == "a heading of the first level"
    assert problem.mend == "Start with ##; the title is in the front matter."


@pytest.mark.parametrize("fence", ["```", "~~~"])
def test_a_comment_in_a_code_block_is_no_heading(
    articles: Path, write_article: Write, fence: str
) -> None:
    write_article(body=f"Run this.\n\n{fence}\n# a comment\n{fence}\n")
    library, problems = check_folder(articles, today=TODAY)
    assert problems == []
    assert "<code># a comment" in library.files[0].rendered.html


@pytest.mark.parametrize("target", ["refund-none.md", "../returns/refund-timing.md", "x", ""])
def test_a_dead_link_is_told_with_its_line(
    articles: Path, write_article: Write, target: str
) -> None:
    write_article(body=f"Text.\n\nSee [this]({target}).\n")
    problem = _only(articles)
    assert problem.path == "articles/en/refunds/refund-timing.md"
    assert problem.line == BODY_LINE + 2
    assert problem.message == f"the link {target!r} leads to no published article"
    assert problem.mend == "Mend the path or publish that article."


def test_a_link_to_a_draft_is_dead(articles: Path, write_article: Write) -> None:
    write_article("draft-one", status="draft")
    write_article(body="See [this](draft-one.md).\n")
    assert _only(articles).message == "the link 'draft-one.md' leads to no published article"


@pytest.mark.parametrize(
    "target", ["#cash", "refund-timing.md#cash", "../refunds/refund-timing.md#cash"]
)
def test_a_dead_anchor_is_told_with_those_there_are(
    articles: Path, write_article: Write, target: str
) -> None:
    write_article(body=f"See [this]({target}).\n\n## By card {{#card}}\n\nText.\n\n## 退款\n\nX.\n")
    problem = _only(articles)
    assert _place(problem) == ("articles/en/refunds/refund-timing.md", BODY_LINE, "")
    assert problem.message == f"the link {target!r} leads to no heading of that article"
    assert problem.mend == "Use one of: card, 退款."


def test_live_links_of_every_form_are_no_mistake(articles: Path, write_article: Write) -> None:
    write_article("refund-only")
    write_article("how-to-return", section="returns")
    write_article(
        locale="en",
        body="[a](refund-only.md) [b](../returns/how-to-return.md#card) [c](#d) "
        "[d](https://example.org/x.md) [e](/static/form.pdf)\n\n## D\n\nText.[^1]\n\n[^1]: Note.\n",
    )
    assert _check(articles) == []


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("/en/returns/nope", "leads to no published article"),
        ("/zh-Hans/refunds/refund-timing", "leads to no published article"),
        ("/en/refunds/draft-one", "leads to no published article"),
        ("/en/refunds/refund-timing/", "leads to no page of this portal"),
        ("/en/refunds/refund-timing#cash", "leads to no heading of that article"),
        ("/en/refunds/old-name#cash", "leads to no heading of that article"),
        ("/en/refund", "leads to no page of this portal"),
        ("/zh-Hans/refunds", "leads to no page of this portal"),
        ("https://", "is no address"),
        ("https:/example.com", "is no address"),
        ("//example.com/page", "is no address"),
        ("http://[example.com", "is no address"),
    ],
)
@pytest.mark.parametrize("form", ["See [this]({}).", 'See <a href="{}">this</a>.'])
def test_a_broken_address_is_told_with_its_line(
    articles: Path, write_article: Write, target: str, message: str, form: str
) -> None:
    write_article("draft-one", status="draft")
    write_article("other", redirect_from="[/en/refunds/old-name]")
    write_article(body=f"Text.\n\n{form.format(target)}\n")
    problem = _only(articles)
    assert _place(problem) == ("articles/en/refunds/refund-timing.md", BODY_LINE + 2, "")
    assert problem.message == f"the link {target!r} {message}"
    assert problem.severity == "error"
    assert problem.mend


def test_addresses_of_pages_that_are_there_are_no_mistake(
    articles: Path, write_article: Write
) -> None:
    write_article("other", redirect_from="[/en/refunds/old-name]")
    write_article("refund-x", locale="zh-Hans", body="## 银行卡 {#卡}\n\n五天。\n")
    links = (
        "/en/refunds/other#card", "/en/refunds/old-name?x=1", "/zh-Hans/refunds/refund-x#%E5%8D%A1",
        "/zh-Hans/refunds/refund-x#卡", "/en/refunds/", "/en/refunds", "/en/", "/zh-Hans",
        "/en/search?q=card", "/en/still-stuck", "/static/form.pdf", "/shop", "#card",
        "https://example.com:8000/en/refunds/nope", "HTTP://example.com",
    )  # fmt: skip
    text = "\n".join(f'[x]({link}) <a href="{link}">y</a>' for link in links)
    write_article(body=f"{text}\n\n## Card {{#card}}\n\nText.\n")
    assert _check(articles) == []


def test_a_path_in_html_is_told(articles: Path, write_article: Write) -> None:
    write_article("other")
    write_article(body='See <a href="other.md">this</a>.\n')
    problem = _only(articles)
    assert problem.line == BODY_LINE
    assert "'other.md' stands in HTML" in problem.message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("![card](x.png)", "the image 'x.png' is not shown: articles have no images"),
        ("![card][1]\n\n[1]: /static/x.png", "the image '/static/x.png' is not shown"),
        ("<img src='x.png' onerror='alert(1)'>", "the image 'x.png' is not shown"),
        ("[write](mailto:help@example.com)", "the link 'mailto:help@example.com' is taken out"),
        ("Write to <help@example.com>.", "the link 'mailto:help@example.com' is taken out"),
        ("[call](tel:+4912345)", "the link 'tel:+4912345' is taken out"),
        ("<script>alert(1)</script>", "<script> is taken out"),
        ("Text <SCRIPT src=x></SCRIPT>", "<script> is taken out"),
        ('<iframe src="https://example.com"></iframe>', "<iframe> is taken out"),
        ('<p style="color: red">Text</p>', "<p style> is taken out"),
        ("<p\nonclick='x()'>Text</p>", "<p onclick> is taken out"),
        ("Text\n{: style=color:red }", "<p style> is taken out"),
        ("<video><source src=x></video>", "<video>, <source> is taken out"),
    ],
)
@pytest.mark.parametrize("status", ["published", "draft"])
def test_what_the_sanitiser_takes_out_is_a_warning_with_its_line(
    articles: Path, write_article: Write, text: str, message: str, status: str
) -> None:
    code = "`<script>` and\n\n```\n<script>\n<iframe>\n```\n\n<!-- <iframe> -->\n\n"
    write_article(body=f"{code}{text}\n", status=status)
    problem = _only(articles)
    within = code.count("\n") + text[: text.index(text.split()[-1])].count("\n")
    assert problem.line - BODY_LINE in (code.count("\n"), within)
    assert problem.message.startswith(message)
    assert problem.severity == "warning"
    assert problem.mend


def test_what_markdown_makes_itself_is_not_told(articles: Path, write_article: Write) -> None:
    write_article(
        body="| a |\n|--:|\n| 1 |\n\n```python\nx\n```\n\n!!! danger\n    Text.[^1]\n\n"
        "[^1]: Note.\n\n<em>x</em> and <br class='x'>\n"
    )
    assert _check(articles) == []


def test_dates_that_cannot_be_are_told(articles: Path, write_article: Write) -> None:
    write_article(updated="2026-11-23", verified_on="2026-12-01", review_by="2026-11-30")
    assert [(p.line, p.field, p.message, p.severity) for p in _check(articles)] == [
        (8, "updated", "lies in the future", "error"),
        (9, "verified_on", "lies in the future", "error"),
        (10, "review_by", "is before verified_on", "error"),
    ]


def test_an_overdue_review_is_a_warning(articles: Path, write_article: Write) -> None:
    write_article(review_by="2026-11-21")
    problem = _only(articles)
    assert _place(problem) == ("articles/en/refunds/refund-timing.md", 10, "review_by")
    assert (problem.message, problem.severity) == ("was due on 2026-11-21", "warning")
    assert problem.mend == "Verify the article and set verified_on and review_by."


def test_a_review_due_today_is_not_overdue(articles: Path, write_article: Write) -> None:
    write_article(review_by=str(TODAY))
    assert _check(articles) == []


# --- several files


def test_a_duplicate_id_is_told_with_the_other_file(articles: Path, write_article: Write) -> None:
    write_article("refund-only")
    write_article("refund-timing", id="refund-only")
    problem = _only(articles)
    assert _place(problem) == ("articles/en/refunds/refund-timing.md", 2, "id")
    assert problem.message == "is also the id of articles/en/refunds/refund-only.md"
    assert problem.mend == "Give each article of a language an id of its own."


def test_translations_share_their_id(articles: Path, write_article: Write) -> None:
    write_article()
    write_article(locale="zh-Hans")
    assert _check(articles) == []


def test_a_duplicate_title_is_told_whatever_its_case_or_script(
    articles: Path, write_article: Write
) -> None:
    write_article("a-one", locale="zh-Hans", title="退货运费 FAQ")
    write_article("b-two", locale="zh-Hans", title="退貨運費  ｆａｑ")
    problem = _only(articles)
    assert _place(problem) == ("articles/zh-Hans/refunds/b-two.md", 3, "title")
    assert problem.message == "is also the title of articles/zh-Hans/refunds/a-one.md"
    assert problem.mend == "Say what is different about this article."


def test_a_question_that_two_articles_ask_is_a_warning(
    articles: Path, write_article: Write
) -> None:
    write_article("a-one", questions="[where is my money]")
    write_article("b-two", questions="[how long, Where is my MONEY]")
    problem = _only(articles)
    assert _place(problem) == ("articles/en/refunds/b-two.md", 11, "questions")
    assert problem.severity == "warning"
    assert problem.message == ("'Where is my MONEY' is also asked in articles/en/refunds/a-one.md")


@pytest.mark.parametrize("old", ["/en/refunds/a-one", "/en/refunds/a-one/", "/en/refunds/former"])
def test_a_former_path_that_another_article_has_is_told(
    articles: Path, write_article: Write, old: str
) -> None:
    write_article("a-one", redirect_from="[/en/refunds/former]")
    write_article("b-two", redirect_from=f"[/en/x, {old}]")
    problem = _only(articles)
    assert _place(problem) == ("articles/en/refunds/b-two.md", 11, "redirect_from")
    assert problem.message == f"{old.rstrip('/')} belongs to articles/en/refunds/a-one.md"
    assert problem.mend == "Remove it from one of the two."


def test_an_own_former_path_and_that_of_a_draft_are_free(
    articles: Path, write_article: Write
) -> None:
    write_article("a-one", status="draft")
    write_article("b-two", redirect_from="[/en/refunds/a-one, /en/refunds/b-two]")
    assert _check(articles) == []


def test_a_translation_older_than_what_it_translates_is_a_warning(
    articles: Path, write_article: Write
) -> None:
    write_article(updated="2026-11-10", verified_on="2026-11-10")
    write_article(locale="zh-Hans", updated="2026-11-01")
    problem = _only(articles)
    assert _place(problem) == ("articles/zh-Hans/refunds/refund-timing.md", 8, "updated")
    assert problem.severity == "warning"
    assert problem.message == ("is older than articles/en/refunds/refund-timing.md (2026-11-10)")
    assert problem.mend == "See what changed there and bring this translation up to date."


def test_a_translation_with_other_anchors_is_a_warning(
    articles: Path, write_article: Write
) -> None:
    write_article()
    write_article(locale="zh-Hans", body="退款。\n\n## 银行卡\n十天。\n")
    problem = _only(articles)
    assert _place(problem) == ("articles/zh-Hans/refunds/refund-timing.md", BODY_LINE, "")
    assert problem.severity == "warning"
    assert problem.message == (
        "its headings' anchors differ from articles/en/refunds/refund-timing.md"
    )


def test_one_broken_file_never_hides_what_is_wrong_with_the_others(
    articles: Path, write_article: Write
) -> None:
    write_article("a-yaml", title="a: b: c")
    write_article("b-fence").write_text("no fence")
    write_article("c-bytes").write_bytes(b"---\n\xff\n---\n")
    write_article("d-field", colour="red")
    write_article("e-link", body="[x](a-nothing.md)\n")
    write_article("f-review", review_by="2026-11-02")
    (articles / "en" / "loose.md").write_text("loose")
    write_article("z-good")
    library, problems = check_folder(articles, today=TODAY)
    assert [Path(problem.path).stem for problem in problems] == [
        "loose", "a-yaml", "b-fence", "c-bytes", "d-field", "e-link", "f-review",
    ]  # fmt: skip
    assert [file.slug for file in library.published] == ["e-link", "f-review", "z-good"]


def test_problems_come_in_the_order_of_files_and_lines(
    articles: Path, write_article: Write
) -> None:
    write_article("b-two", body="# One\n\n[x](y.md)\n\n# Two\n", colour="red")
    write_article("a-one", body="# One\n\n[x](y.md)\n\n# Two\n")
    problems = _check(articles)
    assert problems == sorted(problems)
    assert [(Path(p.path).stem, p.line) for p in problems] == [
        ("a-one", 12), ("a-one", 14), ("a-one", 16), ("b-two", 11),
    ]  # fmt: skip


def test_errors_leave_the_published_index_as_it_was_and_all_of_them_are_told(
    articles: Path, write_article: Write, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    write_article()
    before = build_and_publish(articles, data, HashingEmbedder(), today=TODAY)
    write_article("a-one", owner=None)
    write_article("b-two", review_by="2026-11-02")
    write_article("c-three", status="live")
    with pytest.raises(ArticlesInvalid) as caught:
        build_and_publish(articles, data, HashingEmbedder(), today=TODAY)
    assert [(Path(p.path).stem, p.field) for p in caught.value.problems] == [
        ("a-one", "owner"), ("b-two", "review_by"), ("c-three", "status"),
    ]  # fmt: skip
    assert str(caught.value).endswith(
        "\n2 errors; nothing was published, the last index stays as it was."
    )
    assert caught.value.exit_code == 2
    generation = open_current(data)
    assert generation.name == before.name
    assert [article.id for article in generation.catalogue] == ["refund-timing"]


def test_warnings_are_published_and_told(
    articles: Path, write_article: Write, tmp_path: Path
) -> None:
    write_article(review_by="2026-11-02")
    outcome = build_and_publish(articles, tmp_path / "data", HashingEmbedder(), today=TODAY)
    assert outcome.changed
    assert [warning.field for warning in outcome.warnings] == ["review_by"]


# --- what belongs to the folder


@pytest.mark.parametrize(
    ("text", "line", "field", "message"),
    [
        (None, 1, "", "cannot be read (No such file or directory)"),
        ("sections: [\n", 2, "", "the YAML cannot be read"),
        ("- a\n", 1, "", "is not a list of groups"),
        ("shop: {en: A, zh-Hans: B}\n", 1, "sections", "the group is missing"),
        ("shop: {en: A}\n", 1, "shop.shop", "has no label in zh-Hans"),
    ],
)
def test_a_broken_taxonomy_is_told(
    articles: Path, text: str | None, line: int, field: str, message: str
) -> None:
    path = articles / "taxonomy.yaml"
    if text is None:
        path.unlink()
    else:
        path.write_text(text)
    with pytest.raises(ArticlesInvalid) as caught:
        check_folder(articles, today=TODAY)
    (problem,) = caught.value.problems
    assert _place(problem) == ("articles/taxonomy.yaml", line, field)
    assert problem.message == message
    assert problem.mend


def test_a_label_without_a_language_is_told(articles: Path) -> None:
    path = articles / "taxonomy.yaml"
    path.write_text(
        re.sub(r"(refunds:\n    en: Refunds\n)    zh-Hans: .*\n", r"\1", path.read_text("utf-8"))
    )
    with pytest.raises(ArticlesInvalid, match=r"sections\.refunds: has no label in zh-Hans\. Add"):
        check_folder(articles, today=TODAY)


def test_a_word_list_that_is_not_utf_8_is_told(articles: Path) -> None:
    (articles / "words.txt").write_bytes("运费险".encode("gb18030"))
    with pytest.raises(ArticlesInvalid, match=r"articles/words\.txt:1: error: cannot be read"):
        check_folder(articles, today=TODAY)


def test_the_word_list_may_be_absent_and_has_comments(articles: Path) -> None:
    (articles / "words.txt").write_text("# words\n运费险 # insurance\n\n仅退款\n", "utf-8")
    assert check_folder(articles, today=TODAY)[0].words == ("运费险", "仅退款")
    (articles / "words.txt").unlink()
    assert check_folder(articles, today=TODAY)[0].words == ()


# --- what is shipped


@pytest.fixture(scope="module")
def shipped() -> tuple[Library, list[Problem]]:
    return check_folder(ROOT / "articles", today=TODAY)


def test_the_shipped_articles_have_no_error(shipped: tuple[Library, list[Problem]]) -> None:
    errors = [str(problem) for problem in shipped[1] if problem.severity == "error"]
    assert errors == []


def test_the_shipped_articles_have_no_warning_on_the_day_they_were_written(
    shipped: tuple[Library, list[Problem]],
) -> None:
    assert [str(problem) for problem in shipped[1]] == []


@pytest.mark.parametrize("locale", LOCALES)
def test_at_least_45_articles_are_shipped_in_each_language(
    shipped: tuple[Library, list[Problem]], locale: str
) -> None:
    assert sum(file.locale == locale for file in shipped[0].published) >= 45


def test_the_shipped_articles_come_in_pairs_but_for_matters_of_one_country(
    shipped: tuple[Library, list[Problem]],
) -> None:
    ids = {
        locale: {f.parsed.front.id for f in shipped[0].published if f.locale == locale}
        for locale in LOCALES
    }
    assert len(ids["en"] & ids["zh-Hans"]) >= 45
    # Invoices, insurance and consumer law differ by country.
    assert ids["en"] - ids["zh-Hans"] <= {"invoices-vat", "uk-consumer-rights"}
    assert ids["zh-Hans"] - ids["en"] <= {"fapiao", "shipping-insurance", "three-guarantees"}


def test_every_section_of_the_taxonomy_has_articles_in_each_language(
    shipped: tuple[Library, list[Problem]],
) -> None:
    library = shipped[0]
    for locale in LOCALES:
        used = {file.section for file in library.published if file.locale == locale}
        assert used == set(library.taxonomy.sections)


def test_every_shipped_article_asks_questions_and_has_passages(
    shipped: tuple[Library, list[Problem]],
) -> None:
    content = gather(shipped[0])
    assert set(content.passage_article) == set(range(len(content.articles)))
    assert [article.path for article in content.articles if not article.questions] == []
