"""What the form for a draft proposes: nothing misspelt, nothing held out, nothing left empty."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from conftest import NOW
from drafts_support import gap_of, own_settings
from editor_session import sign_in
from indexer.frontmatter import Parsed, parse
from portal.config import Settings
from portal.drafts.spelling import Spelling
from portal.drafts.title import capitalised, default_title
from portal.gaps.changes import recount
from portal.gaps.tables import GAPS
from portal.gaps.types import Gap, State
from portal.services import Services
from search.text import normalise

SHOWROOM = "do you have a showroom for sofas"


@pytest.fixture
def settings(published: Path, tmp_path: Path) -> Settings:
    return own_settings(tmp_path, published)


@pytest.fixture
def editor(client: FlaskClient, services: Services) -> FlaskClient:
    sign_in(client, services)
    return client


def spelling(services: Services, *questions: str) -> Spelling:
    return Spelling(questions, services.library.reader)


def form(editor: FlaskClient, services: Services, gap: Gap) -> str:
    recount(services.engine, [gap.number], NOW)
    page = editor.get(f"/editor/gaps/{gap.number}").text
    found = re.search(r"Draft an article</summary>(.*?)</details>", page, re.DOTALL)
    assert found is not None
    return unescape(found[1])


def chosen(page: str, name: str) -> str:
    found = re.search(rf'name="{name}".*?<option value="([^"]*)"[^>]* selected', page, re.DOTALL)
    return found[1] if found else "none"


@pytest.mark.parametrize(
    ("right", "typed"),
    [
        (SHOWROOM, "do you hvae a showroom for sofas"),
        ("no notifications from the app", "no notifications from te app"),
        ("where are my loyalty points", "where are my loyalty poinnts"),
        ("积分过期了能恢复吗", "积分过其了能恢复吗"),
        ("会员积分在哪里看", "会员积分再哪里看"),
    ],
)  # fmt: skip
def test_a_misspelt_copy_is_known_by_the_question_it_repeats(
    services: Services, right: str, typed: str
) -> None:
    for order in ((right, typed), (typed, right)):
        found = spelling(services, *order)
        assert found.is_copy(typed)
        assert not found.is_copy(right)
        assert found.corrected(typed) == right
        assert found.is_clean(right)
        assert not found.is_clean(typed)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("can I return one shoe", "can I return one show"),
        ("where is my order", "where is my orders"),
        ("how do I use the gift card", "how do I use the gift cart"),
        ("do you sell oak tables", "do you sell oak chairs"),
        ("什么时候发货", "什么时候退货"),
        ("can I pay in euros", "can I pay in yuan"),
    ],
)
def test_questions_that_say_something_else_are_no_copies(
    services: Services, one: str, other: str
) -> None:
    found = spelling(services, one, other)
    assert not found.is_copy(one)
    assert not found.is_copy(other)


def test_a_slip_alone_is_mended_as_the_search_reads_it_and_capitals_stay(
    services: Services,
) -> None:
    found = spelling(services, "Who pays the rfund to VISA")
    assert found.corrected("Who pays the rfund to VISA") == "Who pays the refund to VISA"
    assert not found.is_copy("Who pays the rfund to VISA")


def test_a_title_is_spelt_well_capitalised_and_never_empty(services: Services) -> None:
    def title(name: str, *asked: str, locale: str = "en") -> str:
        return default_title(name, asked, spelling(services, *asked), locale=locale, gap=184)

    assert title("do you hvae a showroom for sofas", "do you hvae a showroom for sofas",
                 SHOWROOM) == "Do you have a showroom for sofas"  # fmt: skip
    assert title("telescope", "a telescope for a week") == "Telescope"
    assert title("secret", "a telescope for a week") == "A telescope for a week"
    assert title("who pays the rfund", "who pays the rfund") == "Who pays the refund"
    assert title("secret") == "Article for gap 184"
    assert title("", " \u200b ", locale="zh-Hans") == "缺口 184 的文章"
    assert title('=HYPERLINK("x")', '=HYPERLINK("x")') == '=HYPERLINK("x")'
    assert title("退款", "退款多久", locale="zh-Hans") == "退款"
    assert [capitalised(text) for text in ("iPhone cases", "élan", "a", "b2b orders", "")] == [
        "iPhone cases", "élan", "A", "b2b orders", "",
    ]  # fmt: skip


def test_a_draft_has_each_question_once_and_spelt_well_and_nothing_held_out(
    editor: FlaskClient, services: Services, settings: Settings
) -> None:
    gap = gap_of(
        services,
        {SHOWROOM: False, "do you hvae a showroom for sofas": False, "有沙发展厅吗": False,
         "is there a showroom in town": True, "is there a showroom in twon": False},
        name=SHOWROOM,
    )  # fmt: skip
    page = form(editor, services, gap)
    title = re.search(r'name="title"[^>]*value="([^"]*)"', page)
    assert title is not None
    assert title[1].startswith("Do you have a showroom for sofas")
    data = {"title": title[1], "section": "orders", "locale": "en"}
    answer = editor.post(f"/editor/gaps/{gap.number}/draft", data=data)
    name = str(answer.location).removeprefix("/editor/drafts/")
    made = parse((settings.articles / f"{name}.md").read_text("utf-8"), "x")
    assert isinstance(made, Parsed)
    assert [normalise(one).rstrip("?") for one in made.front.questions] == [SHOWROOM]


def test_the_form_tells_how_many_are_held_out_and_of_none_nothing(
    editor: FlaskClient, services: Services
) -> None:
    told = re.compile(r"[^>.]* held out")
    for asked, said in (
        ({"a b": False}, []),
        ({"c d": False, "e f": True}, ["1 question is held out"]),
        ({"g h": True, "i j": True}, ["2 questions are held out"]),
    ):
        page = form(editor, services, gap_of(services, asked))
        assert [found.strip() for found in told.findall(page)] == said


def test_where_every_question_is_held_out_the_form_still_has_a_title(
    editor: FlaskClient, services: Services
) -> None:
    gap = gap_of(services, {'=HYPERLINK("http://x")': True})
    assert f'value="Article for gap {gap.number}"' in form(editor, services, gap)
    answer = editor.post(f"/editor/gaps/{gap.number}/draft", data={"title": ""})
    assert answer.location.endswith(f"/article-for-gap-{gap.number}")


def test_the_language_is_that_of_the_questions_that_may_be_used(
    editor: FlaskClient, services: Services
) -> None:
    gap = gap_of(services, {"telescope rental": True, "望远镜可以租吗": False})
    page = form(editor, services, gap)
    assert chosen(page, "locale") == "zh-Hans"
    assert 'value="望远镜可以租吗' in page


def test_the_section_is_that_of_what_is_near_or_has_to_be_chosen(
    editor: FlaskClient, services: Services
) -> None:
    late = gap_of(services, {"my parcel is late, when will it be delivered": False})
    assert chosen(form(editor, services, late), "section") == "delivery"
    named = gap_of(services, {"vase": False}, kind="not_found")
    catalogue = services.library.catalogue
    known = next(catalogue.at(row) for row in range(len(catalogue))
                 if catalogue.at(row).section == "marketplaces")  # fmt: skip
    with services.engine.begin() as connection:
        evidence = [{"key": "near", "article": f"{known.locale}:{known.id}"}]
        connection.execute(
            sa.update(GAPS).where(GAPS.c.number == named.number).values(evidence=evidence)
        )
    assert chosen(form(editor, services, named), "section") == "marketplaces"
    hours = gap_of(services, {"which shops are open on bank holidays": False})
    page = form(editor, services, hours)
    assert chosen(page, "section") == ""
    assert "Choose a section" in page


@pytest.mark.parametrize("state", list(State))
def test_only_what_was_ended_can_be_opened_again(
    editor: FlaskClient, services: Services, state: State
) -> None:
    gap = gap_of(services, {"telescope rental": False})
    services.gaps.set_state(gap.number, state, by="ann", version=gap.version)
    page = editor.get(f"/editor/gaps/{gap.number}").text
    offered = f'action="/editor/gaps/{gap.number}/reopen"' in page
    assert offered == (state in (State.CLOSED, State.IGNORED, State.PUBLISHED))
