"""Working a gap from the pages: the file is the truth, nothing typed is lost, nothing escapes."""

from __future__ import annotations

import html
import re
import subprocess
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from selectolax.lexbor import LexborHTMLParser

from conftest import NOW
from drafts_support import (
    HELD_OUT,
    TELESCOPE,
    few_golden,
    gap_of,
    own_data,
    own_settings,
    telescope,
    write,
)
from editor_session import sign_in
from indexer.frontmatter import Parsed, parse
from portal.accounts.trail import Chosen, Entry
from portal.app import create_app
from portal.config import Settings
from portal.drafts.files import ArticleFiles, Opened, digest_of
from portal.drafts.paths import ArticlePath
from portal.gaps.changes import recount
from portal.gaps.tables import GAPS
from portal.gaps.types import Evidence, Kind, State
from portal.proof.types import RunKind, RunState
from portal.services import Services
from search.generation import current_name

AT = "/editor/drafts/en/orders/telescope-rental"
HOSTILE = '<script>alert(1)</script> =1+1 "x": - --- {{ 7*7 }} </textarea>'


@pytest.fixture
def data(published: Path) -> Path:
    """The index of all tests; the class that builds has one of its own."""
    return published


@pytest.fixture
def settings(data: Path, tmp_path: Path) -> Settings:
    return own_settings(tmp_path, data, golden=few_golden(tmp_path))


@pytest.fixture
def editor(client: FlaskClient, services: Services) -> FlaskClient:
    sign_in(client, services)
    return client


def field(page: str) -> str:
    """What stands in the page's text field."""
    found = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", page, re.DOTALL)
    assert found is not None
    return html.unescape(found[1])


def fields(page: str) -> list[str]:
    """What stands in all of them."""
    return [
        html.unescape(one)
        for one in re.findall(r"<textarea[^>]*>\n(.*?)</textarea>", page, re.DOTALL)
    ]


def opened(page: str) -> str:
    """What the page says the text was when it was opened."""
    found = re.search(r'name="opened" value="(.*?)">', page, re.DOTALL)
    assert found is not None
    return html.unescape(found[1])


def seen(page: str) -> str:
    found = re.search(r'name="seen" value="([0-9a-f]*)"', page)
    assert found is not None
    return found[1]


def file(settings: Settings, path: ArticlePath = TELESCOPE) -> Path:
    return settings.articles / str(path)


def test_a_draft_is_written_from_a_gap_without_what_is_held_out(
    editor: FlaskClient, services: Services, settings: Settings
) -> None:
    gap = gap_of(
        services,
        {"can I rent a telescope": False, HOSTILE: False, "renting telescopes": True},
        name="can I rent a telescope",
    )
    answer = editor.post(
        f"/editor/gaps/{gap.number}/draft",
        data={"title": "Telescope: <b>rent</b>", "section": "orders", "locale": "en"},
    )
    assert answer.status_code == 303
    assert answer.location == "/editor/drafts/en/orders/telescope-b-rent-b"
    path = ArticlePath("en", "orders", "telescope-b-rent-b")
    made = parse(file(settings, path).read_text("utf-8"), "x")
    assert isinstance(made, Parsed)
    assert made.front.closes == f"gap-{gap.number}"
    assert made.front.status == "draft"
    questions = services.gaps.questions(gap.number)
    assert list(made.front.questions) == [
        " ".join(one.text.split()) for one in questions if not one.held_out
    ]
    gap = services.gaps.get(gap.number)
    assert (gap.state, gap.article) == (State.DRAFTED, "en:telescope-b-rent-b")
    page = editor.get(answer.location)
    assert page.status_code == 200
    assert "<script>alert" not in page.text
    assert "something is still to be written here" in page.text
    again = editor.post(
        f"/editor/gaps/{gap.number}/draft", data={"title": "Telescope: <b>rent</b>"}
    )
    assert again.location.endswith("telescope-b-rent-b-2")  # never over one that is there


def test_an_article_of_the_other_language_gives_its_translation_address_and_anchors(
    editor: FlaskClient, services: Services, settings: Settings
) -> None:
    (settings.articles / "zh-Hans" / "refunds" / "refund-timing.md").unlink(missing_ok=True)
    catalogue = services.library.catalogue
    only = next(
        catalogue.at(row)
        for row in range(len(catalogue))
        if catalogue.at(row).locale == "zh-Hans"
        and catalogue.get("en", catalogue.at(row).id) is None
    )
    from portal.editor import gap_work
    from portal.gaps.types import Evidence

    gap = gap_of(services, {"zh only": False}, kind="other_language")
    with editor.application.test_request_context("/editor/"):
        evidence = (Evidence("x", article=f"zh-Hans:{only.id}"),)
        source = gap_work._source(replace(gap, evidence=evidence), "en")
    assert source == only


@pytest.mark.parametrize("state", [State.DRAFTED, State.PUBLISHED])
def test_the_second_language_of_a_gap_is_a_translation_and_takes_nothing_back(
    editor: FlaskClient, services: Services, settings: Settings, state: State
) -> None:
    gap = gap_of(services, {"are you open on bank holidays": False, "国庆节营业吗": False})
    form = {"title": "are you open on bank holidays", "section": "orders"}
    editor.post(f"/editor/gaps/{gap.number}/draft", data={**form, "locale": "en"})
    drafted = services.gaps.get(gap.number)
    assert drafted.state == State.DRAFTED
    if state is not State.DRAFTED:
        services.gaps.set_state(gap.number, state, by="anna", version=drafted.version)
    editor.post(f"/editor/gaps/{gap.number}/draft", data={**form, "locale": "zh-Hans"})
    slug = "are-you-open-on-bank-holidays"
    paths = [ArticlePath(locale, "orders", slug) for locale in ("en", "zh-Hans")]
    english, chinese = (parse(file(settings, path).read_text("utf-8"), "x") for path in paths)
    assert isinstance(english, Parsed)
    assert isinstance(chinese, Parsed)
    assert english.front.id == chinese.front.id == slug
    assert english.front.title == "are you open on bank holidays"
    assert chinese.front.title == chinese.front.questions[0]
    assert chinese.front.title.startswith("国庆节营业吗")
    now = services.gaps.get(gap.number)
    assert (now.state, now.article) == (state, f"en:{slug}")
    page = editor.get(f"/editor/gaps/{gap.number}").text
    assert all(str(path) in page for path in paths)


def test_a_save_changes_the_lines_that_were_edited_and_no_others(
    editor: FlaskClient, settings: Settings
) -> None:
    old = telescope().replace("\n", "\r\n").replace("owner:", "# Ann's\r\nowner:")
    file(settings).write_bytes(b"\xef\xbb\xbf" + old.encode())
    page = editor.get(AT).text
    typed = field(page).replace("40 euros.", "45 euros.").replace("\n", "\r\n")
    answer = editor.post(f"{AT}/save", data={"text": typed, "seen": seen(page)})
    assert answer.status_code == 303
    wanted = b"\xef\xbb\xbf" + old.replace("40 euros.", "45 euros.").encode()
    assert file(settings).read_bytes() == wanted


@pytest.mark.parametrize("outside", ["another editor", "git"])
def test_a_change_made_meanwhile_is_shown_beside_ones_own(
    editor: FlaskClient, settings: Settings, outside: str
) -> None:
    write(settings.articles, TELESCOPE, telescope())
    page = editor.get(AT).text
    theirs = telescope().replace("40 euros", "50 euros <script>")
    if outside == "git":
        write(settings.articles, TELESCOPE, theirs)
    else:
        saved = editor.post(f"{AT}/save", data={"text": theirs, "seen": seen(page)})
        assert saved.status_code == 303
    mine = field(page) + "\nMine.\n"
    form = {"text": mine, "seen": seen(page), "opened": opened(page)}
    conflict = editor.post(f"{AT}/save", data=form)
    assert conflict.status_code == 409
    assert file(settings).read_text("utf-8") == theirs
    both = theirs + "\nMine.\n"
    assert fields(conflict.text) == [both, mine]
    assert "50 euros &lt;script&gt;" in conflict.text
    assert "<script>" not in conflict.text
    for text in (both, mine):  # together, or over what stands there
        write(settings.articles, TELESCOPE, theirs)
        saved = editor.post(f"{AT}/save", data={"text": text, "seen": seen(conflict.text)})
        assert saved.status_code == 303
        assert file(settings).read_text("utf-8") == text


def test_where_both_changed_the_same_the_marks_have_to_go_before_it_is_saved(
    editor: FlaskClient, settings: Settings
) -> None:
    write(settings.articles, TELESCOPE, telescope())
    page = editor.get(AT).text
    theirs = telescope().replace("40 euros", "50 euros")
    write(settings.articles, TELESCOPE, theirs)
    mine = telescope().replace("40 euros", "60 euros")
    form = {"text": mine.replace("\n", "\r\n"), "seen": seen(page), "opened": opened(page)}
    conflict = editor.post(f"{AT}/save", data=form)
    assert "In 2 places both have changed the same lines." in html.unescape(conflict.text)
    both, own = fields(conflict.text)
    assert own == mine
    assert both.count("<<<<<<< yours\n") == both.count(">>>>>>> in the file\n") == 2
    form = {"text": both, "seen": seen(conflict.text), "opened": opened(conflict.text)}
    refused = editor.post(f"{AT}/save", data=form)
    assert refused.status_code == 422
    assert "still has a mark of two texts put together" in refused.text
    assert field(refused.text) == both
    assert (seen(refused.text), opened(refused.text)) == (form["seen"], theirs)
    assert file(settings).read_text("utf-8") == theirs
    chosen = re.sub(r"<<<<<<< .*?\n(.*?)=======\n.*?>>>>>>> .*?\n", r"\1", both, flags=re.DOTALL)
    assert chosen == mine
    assert editor.post(f"{AT}/save", data={**form, "text": chosen}).status_code == 303
    assert file(settings).read_text("utf-8") == mine


@pytest.mark.parametrize("action", ["preview", "save"])
def test_a_third_change_is_put_together_by_the_text_that_was_shown_last(
    editor: FlaskClient, settings: Settings, action: str
) -> None:
    write(settings.articles, TELESCOPE, telescope())
    page = editor.get(AT).text
    mine = field(page) + "\nMine.\n"
    form = {"text": mine, "seen": seen(page), "opened": opened(page), "action": action}
    if action == "preview":
        page = editor.post(f"{AT}/save", data=form).text
    else:
        write(settings.articles, TELESCOPE, telescope().replace("40 euros", "50 euros"))
        page = editor.post(f"{AT}/save", data=form).text
    present = file(settings).read_text("utf-8")
    write(settings.articles, TELESCOPE, present.replace("Orders team", "Ann"))
    form = {"text": field(page), "seen": seen(page), "opened": opened(page)}
    page = editor.post(f"{AT}/save", data=form).text
    assert field(page) == present.replace("Orders team", "Ann") + "\nMine.\n"
    assert "Save both together" in page


def test_without_the_text_that_was_opened_every_difference_is_marked(
    editor: FlaskClient, settings: Settings
) -> None:
    write(settings.articles, TELESCOPE, telescope())
    mine = telescope() + "\nMine.\n"
    page = editor.post(f"{AT}/save", data={"text": mine, "seen": "0" * 64}).text
    assert "What the file was when you opened it is not known." in page
    both, own = fields(page)
    assert own == mine
    assert "<<<<<<< yours\n\nMine." in both or "<<<<<<< yours\nMine." in both


def test_the_same_change_made_twice_is_none(editor: FlaskClient, settings: Settings) -> None:
    write(settings.articles, TELESCOPE, telescope())
    page = editor.get(AT).text
    theirs = telescope().replace("40 euros", "50 euros")
    write(settings.articles, TELESCOPE, theirs)
    form = {"text": theirs, "seen": seen(page), "opened": opened(page)}
    assert editor.post(f"{AT}/save", data=form).status_code == 303
    assert file(settings).read_text("utf-8") == theirs


def test_without_any_cookie_what_was_written_is_given_back(
    client: FlaskClient, settings: Settings
) -> None:
    client.application.config["WTF_CSRF_ENABLED"] = True
    data = {"text": telescope(), "seen": "", "opened": "as it was opened", "csrf_token": "x"}
    page = client.post(f"{AT}/save", data={**data, "opened": data["opened"] * 3})
    assert page.status_code == 400
    assert "as it was opened" not in page.text
    assert field(page.text) == telescope()
    assert "Nothing was saved." in page.text
    assert not file(settings).exists()
    assert client.post(f"{AT}/save", data={"text": "x"}).status_code == 400


def test_a_file_removed_meanwhile_can_be_saved_again(
    editor: FlaskClient, settings: Settings
) -> None:
    write(settings.articles, TELESCOPE, telescope())
    page = editor.get(AT).text
    file(settings).unlink()
    conflict = editor.post(f"{AT}/save", data={"text": field(page), "seen": seen(page)})
    assert conflict.status_code == 409
    assert seen(conflict.text) == ""
    editor.post(f"{AT}/save", data={"text": field(page), "seen": ""})
    assert file(settings).read_text("utf-8") == telescope()


@pytest.mark.parametrize("present", [None, "not UTF-8: \xff".encode("latin-1"), b"Theirs.\n"])
def test_a_file_that_changes_between_two_looks_loses_nothing_typed(
    editor: FlaskClient, settings: Settings, monkeypatch: pytest.MonkeyPatch, present: bytes | None
) -> None:
    write(settings.articles, TELESCOPE, telescope())
    page = editor.get(AT).text
    read = ArticleFiles.read

    def once(files: ArticleFiles, path: ArticlePath) -> Opened:
        opened = read(files, path)
        if present is None:
            file(settings).unlink()
        else:
            file(settings).write_bytes(present)
        return opened

    monkeypatch.setattr(ArticleFiles, "read", once)
    mine = field(page) + "Mine.\n"
    conflict = editor.post(f"{AT}/save", data={"text": mine, "seen": seen(page)})
    assert conflict.status_code == 409
    assert fields(conflict.text)[-1] == mine
    assert seen(conflict.text) == ("" if present is None else digest_of(
        present.decode("utf-8", errors="replace").encode()
    ))  # fmt: skip


def test_checks_are_those_of_the_command_line(editor: FlaskClient, settings: Settings) -> None:
    write(settings.articles, TELESCOPE, telescope())
    other = (settings.articles / "en/refunds/refund-timing.md").read_text("utf-8")
    title = re.search(r"^title: (.*)$", other, re.MULTILINE)
    assert title is not None
    text = telescope(body="[gone](../refunds/nowhere.md)\n").replace(
        "title: Renting a telescope", f"title: {title[1]}"
    )
    found = editor.post(f"{AT}/check", data={"text": text}).get_json()
    assert not found["publishable"]
    assert "leads to no published article" in found["problems"]
    assert "is also the title of" in found["problems"]
    broken = editor.post(f"{AT}/check", data={"text": text.replace("status: draft\n", "")})
    assert "the field is missing" in broken.get_json()["problems"]
    assert "once the front matter can be read" in broken.get_json()["preview"]
    good = editor.post(f"{AT}/check", data={"text": telescope()}).get_json()
    assert good["publishable"]
    assert "Nothing is wrong with it." in good["problems"]
    assert file(settings).read_text("utf-8") == telescope()  # a check writes nothing


def test_what_the_preview_leaves_out_is_told_beside_it(editor: FlaskClient) -> None:
    body = "![plan](plan.png)\n\n<script>x()</script>\n\n[write](/en/orders/nope)\n"
    text = telescope(body=body)
    found = editor.post(f"{AT}/check", data={"text": text}).get_json()["problems"]
    for words in ("image &#39;plan.png&#39; is not shown", "&lt;script&gt; is taken out"):
        assert words in found
    first = text[: text.index("![plan]")].count("\n") + 1
    assert [f"line {first + after}<" in found for after in (0, 2, 4)] == [True, True, True]
    assert "/en/orders/nope&#39; leads to no published article" in found


def test_typing_uses_up_nobodys_writes(services: Services, settings: Settings) -> None:
    strict = settings.model_copy(update={"write_rate_limit": "3 per minute"})
    app = create_app(strict, replace(services, settings=strict))
    app.config["WTF_CSRF_ENABLED"] = False
    client = app.test_client()
    sign_in(client, services)
    for _ in range(5):
        assert client.post(f"{AT}/check", data={"text": telescope()}).status_code == 200
    saved = client.post(f"{AT}/save", data={"text": telescope(), "seen": ""})
    assert saved.status_code == 303


def test_a_hostile_text_is_harmless_in_preview_and_field(
    editor: FlaskClient, settings: Settings
) -> None:
    body = (
        "<script>alert(1)</script><img src=x onerror=alert(1)>"
        "[x](javascript:alert(1)) <a href='vbscript:x'>y</a>\n\n## Main {#main}\n\n"
        '<form id="logout"></form><p style="position:fixed">z</p></div></div></textarea>\n'
        "[up](#main) <svg onload=alert(1)>\n"
    )
    page = editor.post(
        f"{AT}/save", data={"text": telescope(body=body), "seen": "", "action": "preview"}
    )
    assert page.status_code == 200
    assert not file(settings).exists()
    preview = page.text.partition('id="draft-preview"')[2].partition("</section>")[0]
    for bad in ("<script", "onerror", "javascript:", "vbscript:", "<form", "style=", "<svg",
                'id="main"'):  # fmt: skip
        assert bad not in preview, bad
    assert 'id="preview-main"' in preview
    assert 'href="#preview-main"' in preview
    assert field(page.text) == telescope(body=body)
    assert page.text.count("</textarea>") == 1


@pytest.mark.parametrize(
    "address",
    [
        "/editor/drafts/en/orders/..%2f..%2f..%2fetc%2fpasswd", "/editor/drafts/en/../x",
        "/editor/drafts/fr/orders/x", "/editor/drafts/en/orders/nothing-here",
        "/editor/drafts/en/.git/config", "/editor/drafts/en/orders/taxonomy.yaml",
    ],
)  # fmt: skip
def test_no_address_of_a_draft_leads_elsewhere(editor: FlaskClient, address: str) -> None:
    assert editor.get(address).status_code == 404
    assert editor.post(f"{address}/save", data={"text": "x", "seen": "0"}).status_code in (404, 409)


def test_a_read_only_folder_is_told_and_the_text_stays(
    editor: FlaskClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from portal.drafts import files

    def refuse(*_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(files, "_replace", refuse)
    page = editor.post(f"{AT}/save", data={"text": telescope(), "seen": ""})
    assert page.status_code == 409
    assert "may not write the folder of articles" in page.text
    assert field(page.text) == telescope()


def test_a_long_article_fits_and_one_that_is_too_long_is_refused(
    editor: FlaskClient, settings: Settings
) -> None:
    text = telescope(body="长" * 60_000 + "\n")
    data = {"text": text, "seen": ""}
    answer = editor.post(f"{AT}/save", data=data, content_type="multipart/form-data")
    assert answer.status_code == 303
    assert file(settings).read_text("utf-8") == text
    form = "application/x-www-form-urlencoded"
    answer = editor.post(f"{AT}/save", data="seen=&text=" + "x" * 600_000, content_type=form)
    assert answer.status_code == 413


def test_a_held_out_question_is_no_title(editor: FlaskClient, services: Services) -> None:
    gap = gap_of(services, {"renting a telescope": True, "telescope for a week": False})
    answer = editor.post(f"/editor/gaps/{gap.number}/draft", data={"title": ""})
    assert "/telescope-for-a-week" in answer.headers["Location"]


def test_questions_are_added_to_an_article_and_held_out_ones_never(
    editor: FlaskClient, services: Services, settings: Settings
) -> None:
    gap = gap_of(services, {"when, o when: is my money back": False, "secret one": True})
    path = settings.articles / "en/refunds/refund-timing.md"
    before = path.read_bytes()
    keys = [one.key for one in services.gaps.questions(gap.number)]
    answer = editor.post(
        f"/editor/gaps/{gap.number}/add-questions",
        data={"question": keys, "article": "en:refund-timing"},
    )
    assert answer.status_code == 303
    after = path.read_bytes()
    assert after != before
    assert b"when, o when: is my money back" in after
    assert b"secret one" not in after
    start = next(n for n, (a, b) in enumerate(zip(before, after, strict=False)) if a != b)
    assert after.endswith(before[start:])
    assert services.gaps.get(gap.number).article == "en:refund-timing"
    for article in ("en:nothing", "../../etc/passwd", ""):
        editor.post(
            f"/editor/gaps/{gap.number}/add-questions",
            data={"question": keys, "article": article},
        )
    assert path.read_bytes() == after


def test_words_go_where_their_language_is(
    editor: FlaskClient, services: Services, settings: Settings
) -> None:
    gap = gap_of(services, {"dosh back": False, "有沙发展厅吗": False})
    other = settings.articles / "synonyms" / "zh-Hans.txt"
    english = settings.articles / "synonyms" / "en.txt"
    before = english.read_bytes()
    data = {"said": "展厅", "meant": "门店", "locale": "en"}
    editor.post(f"/editor/gaps/{gap.number}/synonym", data=data)
    assert "展厅 => 门店" in other.read_text("utf-8")
    assert english.read_bytes() == before
    recount(services.engine, [gap.number], NOW)
    page = editor.get(f"/editor/gaps/{gap.number}").text
    ticked = re.findall(r'name="question" value="[^"]+" checked><span[^>]*>([^<]+)', page)
    assert ticked == ["dosh back"]


def test_questions_of_another_language_than_the_articles_are_refused(
    editor: FlaskClient, services: Services, settings: Settings
) -> None:
    gap = gap_of(services, {"dosh back": False, "有沙发展厅吗": False})
    path = settings.articles / "en/refunds/refund-timing.md"
    before = path.read_bytes()
    at = f"/editor/gaps/{gap.number}"
    keys = [one.key for one in services.gaps.questions(gap.number)]
    data = {"question": keys, "article": "en:refund-timing", "find": "back"}
    answer = editor.post(f"{at}/add-questions", data=data)
    assert answer.location.startswith(f"{at}?find=back&way=questions")
    assert path.read_bytes() == before
    page = editor.get(answer.location).text
    assert "en/refunds/refund-timing.md is in English" in page
    assert "these questions are not: “有沙发展厅吗" in page
    assert "dosh back" not in page.partition("these questions are not")[2].partition("untick")[0]
    data["article"] = "zh-Hans:refund-timing"
    data["question"] = [key for key in keys if "沙发" in services_text(services, gap.number, key)]
    editor.post(f"{at}/add-questions", data=data)
    assert "有沙发展厅吗" in (settings.articles / "zh-Hans/refunds/refund-timing.md").read_text(
        "utf-8"
    )


def test_an_english_question_with_a_chinese_name_in_it_is_an_english_one(
    editor: FlaskClient, services: Services, settings: Settings
) -> None:
    gap = gap_of(services, {"what does 仅退款 mean on the refund form": False})
    (asked,) = services.gaps.questions(gap.number)
    data = {"question": asked.key, "article": "en:refund-timing"}
    editor.post(f"/editor/gaps/{gap.number}/add-questions", data=data)
    assert asked.text in (settings.articles / "en/refunds/refund-timing.md").read_text("utf-8")


def services_text(services: Services, gap: int, key: str) -> str:
    return next(one.text for one in services.gaps.questions(gap) if one.key == key)


def test_articles_are_offered_in_each_language_of_the_questions_and_what_is_right_is_ticked(
    editor: FlaskClient, services: Services
) -> None:
    asked = (
        "do you have a showroom",
        "do you hvae a showroom",
        "refnd for the sofa",
        "退款多久到账",
    )
    gap = gap_of(services, dict.fromkeys(asked, False))
    recount(services.engine, [gap.number], NOW)
    page = LexborHTMLParser(editor.get(f"/editor/gaps/{gap.number}").text)
    offered = [one.attributes["value"] or "" for one in page.css("[data-add] [name=article]")]
    assert {one.partition(":")[0] for one in offered} == {"en", "zh-Hans"}
    assert "zh-Hans:refund-timing" in offered
    boxes = {
        node.parent.text(strip=True): "checked" in node.attributes
        for node in page.css("[data-add] [name=question]") if node.parent
    }  # fmt: skip
    assert [text for text, ticked in boxes.items() if ticked] == [
        one for one in boxes if one.startswith("do you have")
    ]
    assert sum("perhaps misspelt" in text for text in boxes) == 2


def test_where_an_article_does_not_help_its_text_is_opened_first_and_no_draft_offered_open(
    editor: FlaskClient, services: Services
) -> None:
    gap = gap_of(services, {"where is my refund": False})
    recount(services.engine, [gap.number], NOW)
    found = asdict(Evidence("answered_now", "zh-Hans:refund-timing", "退款", 1, 1))

    def page(kind: Kind) -> LexborHTMLParser:
        with services.engine.begin() as connection:
            connection.execute(sa.update(GAPS).values(kind=kind, evidence=[found]))
        return LexborHTMLParser(editor.get(f"/editor/gaps/{gap.number}").text)

    shown = page(Kind.NOT_HELPFUL)
    links = [node.attributes["href"] for node in shown.css("#work a")]
    assert links == [
        f"/editor/drafts/{locale}/refunds/refund-timing" for locale in ("en", "zh-Hans")
    ]
    first = shown.css_first("#work :is(a.button, button)")
    assert first is not None
    assert first.attributes["href"] == "/editor/drafts/zh-Hans/refunds/refund-timing"
    assert not shown.css("#way-draft[open]")
    other = page(Kind.NO_ARTICLE)
    assert not other.css("#mend")
    assert other.css("#way-draft[open]")


def test_a_typical_question_that_the_article_is_not_near_to_is_not_ticked_for_it(
    editor: FlaskClient, services: Services
) -> None:
    asked = ("do you have a showroom", "can I try a sofa before I buy it", "where is my parcel")
    gap = gap_of(services, dict.fromkeys(asked, False))
    recount(services.engine, [gap.number], NOW)
    evidence = asdict(
        Evidence("add_questions", "en:refund-timing", "When", 2, 3, questions=asked[:2])
    )
    with services.engine.begin() as connection:
        connection.execute(sa.update(GAPS).values(typical=list(asked), evidence=[evidence]))
    text = editor.get(f"/editor/gaps/{gap.number}").text
    assert "The others look like another matter." in text
    boxes = {
        (node.parent.text(strip=True) if node.parent else ""): "checked" in node.attributes
        for node in LexborHTMLParser(text).css("[data-add] [name=question]")
    }
    assert [one for one, ticked in boxes.items() if not ticked] == [
        "where is my parcelperhaps another matter"
    ]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("appeal-declined-refund", "en:appeal-declined-refund"),
        ("zh-Hans:appeal-declined-refund", "zh-Hans:appeal-declined-refund"),
        ("https://shop.example/zh-Hans/refunds/refund-timing", "zh-Hans:refund-timing"),
        ("declined APPEAL", "en:appeal-declined-refund"),
    ],
)
def test_the_article_for_questions_and_synonyms_can_be_looked_for(
    editor: FlaskClient, services: Services, text: str, first: str
) -> None:
    gap = gap_of(services, {"dosh back": False})
    recount(services.engine, [gap.number], NOW)
    for way, chosen in (
        ("questions", "#way-questions[open] [name=article][checked]"),
        ("synonym", "#way-synonym[open] [name=article] option[selected]"),
    ):
        answer = editor.get(f"/editor/gaps/{gap.number}", query_string={"find": text, "way": way})
        found = LexborHTMLParser(answer.text).css_first(chosen)
        assert found is not None
        assert found.attributes["value"] == first
    nothing = editor.get(f"/editor/gaps/{gap.number}?find=zzzz&way=synonym").text
    assert "No article is found by “zzzz”." in nothing


def test_an_article_that_many_are_named_like_is_looked_for_in_both_languages(
    editor: FlaskClient, services: Services
) -> None:
    gap = gap_of(services, {"dosh back": False})
    recount(services.engine, [gap.number], NOW)
    for text, first in (("refund", "en"), ("退款", "zh-Hans")):
        answer = editor.get(f"/editor/gaps/{gap.number}", query_string={"find": text})
        page = LexborHTMLParser(answer.text)
        offered = [one.attributes["value"] or "" for one in page.css("[data-add] [name=article]")]
        languages = [one.partition(":")[0] for one in offered[:10]]
        assert languages[0] == first
        assert min(languages.count("en"), languages.count("zh-Hans")) >= 4


def test_a_synonym_is_added_or_refused_with_its_reason(
    editor: FlaskClient, services: Services, settings: Settings
) -> None:
    gap = gap_of(services, {"dosh back": False})
    path = settings.articles / "synonyms" / "en.txt"
    before = path.read_bytes()
    editor.post(f"/editor/gaps/{gap.number}/synonym", data={"said": "dosh", "meant": "refund"})
    added = path.read_bytes()
    assert added.replace(b", dosh =>", b" =>") == before
    assert services.gaps.get(gap.number).state == State.OPEN  # no article is named
    data = {"said": "moolah", "meant": "refund", "article": "en:no-such"}
    editor.post(f"/editor/gaps/{gap.number}/synonym", data=data)
    assert path.read_bytes() == added
    recount(services.engine, [gap.number], NOW)
    page = editor.get(f"/editor/gaps/{gap.number}").text
    listed = re.search(r'id="work-meant-article".*?<option value="([^"]+)"', page, re.DOTALL)
    assert listed is not None
    editor.post(
        f"/editor/gaps/{gap.number}/synonym",
        data={"said": "spondulicks", "meant": "refund", "article": listed[1]},
    )
    now = services.gaps.get(gap.number)
    assert (now.state, now.article) == (State.DRAFTED, listed[1])
    added = path.read_bytes()
    for said in ("a => b", "x\nevil => good", "dosh,cash", ""):
        editor.post(f"/editor/gaps/{gap.number}/synonym", data={"said": said, "meant": "refund"})
    assert path.read_bytes() == added


def trail(services: Services) -> list[Entry]:
    """What became of runs, the newest first."""
    entries = services.accounts.trail.entries(Chosen(), limit=20)
    runs = ("gap.proof", "draft.publish")
    return [one for one in entries if one.action.startswith(runs)]


def run_of(services: Services, gap: int, kind: RunKind) -> str:
    run = services.proof.runs.latest(gap, kind)
    assert run is not None
    assert services.proof.jobs.wait(run.id, 120)
    return run.id


class TestRuns:
    """What builds an index, which is the test's own."""

    @pytest.fixture
    def data(self, published: Path, tmp_path: Path) -> Path:
        return own_data(tmp_path, published)

    def test_proof_then_publish_then_the_gap_waits_for_evidence(
        self, editor: FlaskClient, services: Services, settings: Settings
    ) -> None:
        gap = gap_of(services, {"can I rent a telescope": False, HELD_OUT[0]: True})
        write(settings.articles, TELESCOPE, telescope(gap=gap.number))
        before = current_name(settings.data)
        assert editor.post(f"/editor/gaps/{gap.number}/prove").status_code == 303
        run = run_of(services, gap.number, RunKind.PROOF)
        assert editor.get(f"/editor/runs/{run}.json").get_json()["state"] == "done"
        assert editor.get(f"/editor/runs/{run}").status_code == 200
        found = editor.get(f"/editor/gaps/{gap.number}/proof.json").get_json()
        assert found["gap"]["held_out"]["by_article"]["count"] == 1
        assert found["gap"]["unused"]["before"]["count"] == 0
        table = editor.get(f"/editor/gaps/{gap.number}/proof.csv").text.splitlines()
        assert table[0].startswith("\ufeffpart,question,locale")
        assert len(table) >= 3
        assert current_name(settings.data) == before

        page = editor.get(AT).text
        data = {"text": field(page), "seen": seen(page)}
        published = editor.post(f"{AT}/publish", data=data)
        assert published.status_code == 303
        assert "/editor/runs/" in published.location  # nothing speaks against it
        run = run_of(services, gap.number, RunKind.PUBLISH)
        assert services.proof.runs.get(run).state == RunState.DONE
        assert "articles are in the index now" in editor.get(published.location).text
        after = services.gaps.get(gap.number)
        assert (after.state, after.article) == (State.PUBLISHED, "en:telescope-rental")
        assert current_name(settings.data) != before
        assert services.gaps.history(gap.number)[0].action == "published"
        page = editor.get("/editor/proof").text
        assert f"gap-{gap.number}" in page

        # The status has changed and nothing that was proved.
        page = editor.get(f"/editor/gaps/{gap.number}").text
        assert "have been changed since this proof" not in page
        assert "published as it was proved" in page
        again = editor.post(f"/editor/gaps/{gap.number}/prove", follow_redirects=True)
        assert "Nothing differs from what is published" in again.text
        assert [one.action for one in trail(services)] == ["draft.published", "gap.proof"]

    def test_what_speaks_against_a_publish_is_named_and_has_to_be_agreed_to(
        self, editor: FlaskClient, services: Services, settings: Settings
    ) -> None:
        gap = gap_of(services, {"can I rent a telescope": False})
        write(settings.articles, TELESCOPE, telescope(gap=gap.number))
        other = settings.articles / "en/refunds/refund-timing.md"
        other.write_text(other.read_text("utf-8") + "\nOne more sentence.\n", "utf-8")
        page = editor.get(AT).text
        asked = editor.post(f"{AT}/publish", data={"text": field(page), "seen": seen(page)})
        assert asked.location == f"{AT}/publish"
        named = editor.get(asked.location).text
        assert "No proof of this article has been made" in named
        assert "en/refunds/refund-timing.md" in named
        data = {"seen": seen(named), "confirmed": "0" * 64}
        assert editor.post(f"{AT}/publish", data=data).location == f"{AT}/publish"
        assert services.proof.runs.latest(gap.number, RunKind.PUBLISH) is None
        agreed = re.search(r'name="confirmed" value="([0-9a-f]+)"', named)
        assert agreed is not None
        synonyms = settings.articles / "synonyms/en.txt"
        before = synonyms.read_bytes()
        synonyms.write_bytes(before + b"dosh => refund\n")
        data["confirmed"] = agreed[1]
        assert editor.post(f"{AT}/publish", data=data).location == f"{AT}/publish"
        assert "synonyms/en.txt" in editor.get(f"{AT}/publish").text
        synonyms.write_bytes(before)
        assert "/editor/runs/" in editor.post(f"{AT}/publish", data=data).location
        run = run_of(services, gap.number, RunKind.PUBLISH)
        assert services.proof.runs.get(run).state == RunState.DONE

    def test_a_failed_publish_is_no_publish_to_the_audit_and_old_news_after_the_next_save(
        self, editor: FlaskClient, services: Services, settings: Settings,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        gap = gap_of(services, {"can I rent a telescope": False})
        write(settings.articles, TELESCOPE, telescope(gap=gap.number))

        def refuse(_data: Path, _name: str) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("indexer.publish.point_to", refuse)
        named = editor.get(f"{AT}/publish").text
        agreed = re.search(r'name="confirmed" value="([0-9a-f]+)"', named)
        assert agreed is not None
        editor.post(f"{AT}/publish", data={"seen": seen(named), "confirmed": agreed[1]})
        run_of(services, gap.number, RunKind.PUBLISH)
        assert [one.action for one in trail(services)] == ["draft.publish_failed"]
        page = editor.get(AT).text
        assert "goes on serving" in page
        assert "goes on serving" in editor.get(f"/editor/gaps/{gap.number}").text
        text = field(page) + "Another sentence.\n"
        editor.post(f"{AT}/save", data={"text": text, "seen": seen(page)})
        assert "goes on serving" not in editor.get(AT).text
        assert "goes on serving" not in editor.get(f"/editor/gaps/{gap.number}").text

    def test_what_stops_a_publish_is_shown_and_the_old_index_serves_on(
        self, editor: FlaskClient, services: Services, settings: Settings
    ) -> None:
        gap = gap_of(services, {"can I rent a telescope": False})
        text = telescope(gap=gap.number, body="[gone](../refunds/nowhere.md)\n")
        write(settings.articles, TELESCOPE, text)
        before = current_name(settings.data)
        page = editor.get(AT).text
        shown = editor.post(f"{AT}/publish", data={"text": field(page), "seen": seen(page)})
        assert shown.status_code == 422
        assert "not published" in shown.text
        assert "leads to no published article" in shown.text
        assert services.proof.runs.latest(gap.number, RunKind.PUBLISH) is None
        assert file(settings).read_text("utf-8") == text
        assert current_name(settings.data) == before
        assert services.gaps.get(gap.number).state == State.OPEN


def test_saves_are_committed_as_the_editor_where_that_is_wanted(
    services: Services, settings: Settings, tmp_path: Path
) -> None:
    from portal.proof.desk import ProofDesk

    wanted = settings.model_copy(update={"git_commit": True})
    begin = ["-c", "user.name=x", "-c", "user.email=x@x", "commit", "-qm", "start"]
    for command in (["init", "-q"], ["add", "."], begin):
        subprocess.run(["git", *command], cwd=wanted.articles, check=True)
    desk = ProofDesk(wanted, services.engine, services.clock, services.gaps, lambda: None)  # type: ignore[arg-type,return-value]
    app = create_app(wanted, replace(services, settings=wanted, proof=desk))
    app.config["WTF_CSRF_ENABLED"] = False
    client = app.test_client()
    sign_in(client, services)
    answer = client.post(f"{AT}/save", data={"text": telescope(), "seen": ""})
    assert answer.status_code == 303
    log = subprocess.run(
        ["git", "log", "-1", "--name-only", "--format=%an: %s"], cwd=wanted.articles, check=True,
        capture_output=True, text=True,
    ).stdout.split("\n")  # fmt: skip
    assert log[0] == f"editor: {TELESCOPE}: edited"
    assert log[2] == str(TELESCOPE)


def test_readers_see_the_report_and_change_nothing(client: FlaskClient, services: Services) -> None:
    gap = gap_of(services, {"can I rent a telescope": False})
    sign_in(client, services, "reader")
    for name in ("draft", "add-questions", "synonym", "prove"):
        assert client.post(f"/editor/gaps/{gap.number}/{name}").status_code == 403
    assert client.post(f"{AT}/save").status_code == 403
    assert client.get("/editor/proof").status_code == 200
    assert client.get("/editor/proof.json").get_json()["gaps"] == []
    assert client.get("/editor/proof.csv").text.startswith("\ufeffgap,name,state")
