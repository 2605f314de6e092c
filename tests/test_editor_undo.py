"""What was done about a gap in files is taken back, and the gap goes back with it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from conftest import NOW
from drafts_support import TELESCOPE, gap_of, own_settings, telescope, write
from editor_session import sign_in
from portal.accounts.trail import Chosen
from portal.config import Settings
from portal.gaps.changes import recount
from portal.gaps.types import Gap, State
from portal.proof.deeds import standing
from portal.services import Services

TIMING = "en/refunds/refund-timing.md"
AT = "/editor/drafts/en/orders/telescope-rental"


@pytest.fixture
def settings(published: Path, tmp_path: Path) -> Settings:
    return own_settings(tmp_path, published)


@pytest.fixture
def editor(client: FlaskClient, services: Services) -> FlaskClient:
    sign_in(client, services)
    return client


@pytest.fixture
def gap(services: Services) -> Gap:
    made = gap_of(services, {"dosh back": False, "when, o when: is it here": False})
    recount(services.engine, [made.number], NOW)
    return services.gaps.get(made.number)


def add_synonym(
    editor: FlaskClient, gap: Gap, said: str, meant: str = "refund", article: str = ""
) -> None:
    form = {"said": said, "meant": meant, "article": article}
    assert editor.post(f"/editor/gaps/{gap.number}/synonym", data=form).status_code == 303


def add_questions(
    editor: FlaskClient, services: Services, gap: Gap, article: str = "en:refund-timing"
) -> None:
    keys = [one.key for one in services.gaps.questions(gap.number)]
    form = {"question": keys, "article": article}
    assert editor.post(f"/editor/gaps/{gap.number}/add-questions", data=form).status_code == 303


def take_back(editor: FlaskClient, services: Services, gap: Gap, which: int = 0) -> str:
    """Take the deed back that stands in this place of the list; gives the page that follows."""
    deed = standing(services.gaps.history(gap.number))[which]
    answer = editor.post(f"/editor/gaps/{gap.number}/undo", data={"deed": deed.id})
    assert answer.status_code == 303
    return editor.get(answer.location).text


def stands(services: Services, gap: Gap) -> tuple[State, str | None]:
    now = services.gaps.get(gap.number)
    return now.state, now.article


def test_a_synonym_is_taken_back_to_the_byte_with_the_state_of_its_gap(
    editor: FlaskClient, services: Services, settings: Settings, gap: Gap
) -> None:
    path = settings.articles / "synonyms/en.txt"
    before = path.read_bytes()
    add_synonym(editor, gap, "dosh", article="en:refund-timing")
    assert path.read_bytes() != before
    assert stands(services, gap) == (State.DRAFTED, "en:refund-timing")
    page = editor.get(f"/editor/gaps/{gap.number}").text
    assert page.count("/undo") == 1
    page = take_back(editor, services, gap)
    assert "Taken back: “dosh” is no longer searched as “refund”." in page
    assert f"Gap {gap.number} is open again." in page
    assert "/undo" not in page
    assert path.read_bytes() == before
    assert stands(services, gap) == (State.OPEN, None)
    done = [one.action for one in services.gaps.history(gap.number)]
    assert done == ["open", "synonym_undone", "synonym_added", "drafted"]
    entries = services.accounts.trail.entries(Chosen(action="gap.synonym_undone"), limit=5)
    assert [(one.subject, one.detail["said"]) for one in entries] == [(f"gap-{gap.number}", "dosh")]


def test_questions_are_taken_out_again_and_what_others_changed_elsewhere_stays(
    editor: FlaskClient, services: Services, settings: Settings, gap: Gap
) -> None:
    path = settings.articles / TIMING
    before = path.read_bytes()
    add_questions(editor, services, gap)
    take_back(editor, services, gap)
    assert path.read_bytes() == before
    add_questions(editor, services, gap)
    path.write_bytes(path.read_bytes() + b"\nMore.\n")
    page = take_back(editor, services, gap)
    assert f"2 questions taken out of {TIMING} again." in page
    assert path.read_bytes() == before + b"\nMore.\n"
    assert stands(services, gap) == (State.OPEN, None)
    entries = services.accounts.trail.entries(Chosen(action="gap.questions_undone"), limit=5)
    assert len(entries) == 2


def test_what_was_changed_at_that_place_stays_and_so_does_the_gap(
    editor: FlaskClient, services: Services, settings: Settings, gap: Gap
) -> None:
    path = settings.articles / TIMING
    add_questions(editor, services, gap)
    edited = path.read_text("utf-8").replace("- dosh back", "- my dosh back")
    path.write_text(edited, "utf-8")
    page = take_back(editor, services, gap)
    assert "do not stand in the file any more as they were added" in page
    assert path.read_text("utf-8") == edited
    assert stands(services, gap) == (State.DRAFTED, "en:refund-timing")
    assert len(standing(services.gaps.history(gap.number))) == 1


def test_a_gap_goes_back_when_the_last_that_was_done_about_its_article_is_taken_back(
    editor: FlaskClient, services: Services, gap: Gap
) -> None:
    add_questions(editor, services, gap)
    add_synonym(editor, gap, "dosh", article="en:refund-timing")
    add_synonym(editor, gap, "moolah")  # of no article
    take_back(editor, services, gap, 2)
    assert stands(services, gap) == (State.DRAFTED, "en:refund-timing")
    take_back(editor, services, gap)
    assert stands(services, gap) == (State.DRAFTED, "en:refund-timing")
    take_back(editor, services, gap)
    assert stands(services, gap) == (State.OPEN, None)


def test_a_gap_goes_back_to_the_article_that_something_else_was_done_about(
    editor: FlaskClient, services: Services, gap: Gap
) -> None:
    services.gaps.ignore(gap.number, "nobody asks", by="ann", version=gap.version)
    add_questions(editor, services, gap)
    add_questions(editor, services, gap, "en:return-window")
    now = services.gaps.get(gap.number)
    services.gaps.set_state(gap.number, State.PUBLISHED, by="ann", version=now.version)
    take_back(editor, services, gap)
    assert stands(services, gap) == (State.DRAFTED, "en:refund-timing")
    take_back(editor, services, gap)
    assert stands(services, gap) == (State.IGNORED, None)
    assert services.gaps.get(gap.number).ignored_because == "nobody asks"


def test_what_evidence_has_closed_stays_closed(
    editor: FlaskClient, services: Services, gap: Gap
) -> None:
    add_questions(editor, services, gap)
    now = services.gaps.get(gap.number)
    services.gaps.set_state(gap.number, State.CLOSED, by="", version=now.version)
    take_back(editor, services, gap)
    assert stands(services, gap) == (State.CLOSED, "en:refund-timing")


def test_nothing_is_taken_back_twice_or_of_another_gap(
    editor: FlaskClient, services: Services, settings: Settings, gap: Gap
) -> None:
    other = gap_of(services, {"other": False})
    add_synonym(editor, gap, "dosh")
    deed = standing(services.gaps.history(gap.number))[0]
    path = settings.articles / "synonyms/en.txt"
    added = path.read_bytes()
    for number, form in ((other.number, {"deed": deed.id}), (gap.number, {"deed": "x"})):
        editor.post(f"/editor/gaps/{number}/undo", data=form)
    assert path.read_bytes() == added
    editor.post(f"/editor/gaps/{gap.number}/undo", data={"deed": deed.id})
    add_synonym(editor, gap, "dosh")
    editor.post(f"/editor/gaps/{gap.number}/undo", data={"deed": deed.id})
    assert path.read_bytes() == added
    add_synonym(editor, gap, "dosh")  # stands there already
    assert len(standing(services.gaps.history(gap.number))) == 1


def draft(editor: FlaskClient, gap: Gap) -> str:
    form = {"title": "Renting a telescope", "section": "orders", "locale": "en"}
    answer = editor.post(f"/editor/gaps/{gap.number}/draft", data=form)
    assert answer.status_code == 303
    return str(answer.location)


def delete(editor: FlaskClient, at: str, seen: str = "") -> tuple[int, str]:
    page = editor.get(f"{at}/delete").text
    found = re.search(r'name="seen" value="([0-9a-f]+)"', page)
    form = {"seen": seen or (found[1] if found else "")}
    answer = editor.post(f"{at}/delete", data=form)
    return answer.status_code, answer.location or answer.text


def test_a_draft_that_was_never_published_is_deleted_after_a_question(
    editor: FlaskClient, services: Services, settings: Settings, gap: Gap
) -> None:
    add_synonym(editor, gap, "dosh", article="en:refund-timing")
    at = draft(editor, gap)
    assert f'{at}/delete"' in editor.get(at).text
    path = settings.articles / "en/orders/renting-a-telescope.md"
    text = path.read_text("utf-8")
    assert "dosh back" in editor.get(f"{at}/delete").text
    assert path.read_text("utf-8") == text  # looking deletes nothing
    status, page = delete(editor, at, seen="0" * 64)
    assert (status, path.read_text("utf-8")) == (409, text)
    assert "was changed since you saw it" in page
    assert delete(editor, at) == (303, f"/editor/gaps/{gap.number}#work")
    assert not path.exists()
    assert stands(services, gap) == (State.DRAFTED, "en:refund-timing")
    take_back(editor, services, gap)
    assert stands(services, gap) == (State.OPEN, None)
    entries = services.accounts.trail.entries(Chosen(action="draft.deleted"), limit=5)
    assert [one.subject for one in entries] == ["en/orders/renting-a-telescope.md"]
    page = editor.get(f"/editor/gaps/{gap.number}").text
    assert "draft deleted: en/orders/renting-a-telescope.md" in page
    assert editor.get(f"{at}/delete").status_code == 404


def test_the_draft_of_a_gap_outlives_what_else_was_done_about_it(
    editor: FlaskClient, services: Services, gap: Gap
) -> None:
    draft(editor, gap)
    add_questions(editor, services, gap, "en:renting-a-telescope")  # stand in it already
    add_synonym(editor, gap, "dosh", article="en:renting-a-telescope")
    take_back(editor, services, gap)
    assert stands(services, gap) == (State.DRAFTED, "en:renting-a-telescope")


def test_what_was_published_is_not_deleted(
    editor: FlaskClient, services: Services, settings: Settings, gap: Gap
) -> None:
    at = "/editor/drafts/en/refunds/refund-timing"
    path = settings.articles / TIMING
    for status in ("published", "draft", "archived"):
        text = re.sub(r"(?m)^status: \w+", f"status: {status}", path.read_text("utf-8"))
        path.write_text(text, "utf-8")
        page = editor.get(f"{at}/delete").text
        assert "Set `status: archived`" in page or "set `status: archived`" in page
        assert "Delete the draft" not in page
        code, _page = delete(editor, at)
        assert (code, path.read_text("utf-8")) == (409, text)
    write(settings.articles, TELESCOPE, telescope(gap=gap.number))
    services.accounts.trail.record(
        "draft.published", str(TELESCOPE), {}, user_id=None, user_name="ann"
    )
    assert delete(editor, AT)[0] == 409
    assert (settings.articles / str(TELESCOPE)).exists()


@pytest.mark.parametrize("known", [True, False])
def test_a_deleted_draft_is_committed_where_git_has_known_it(
    editor: FlaskClient, settings: Settings, gap: Gap, known: bool
) -> None:
    object.__setattr__(settings, "git_commit", True)
    root = settings.articles

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", "-c", "user.name=x", "-c", "user.email=x@localhost", *arguments],
            cwd=root, check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip

    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "all")
    write(root, TELESCOPE, telescope(gap=gap.number))
    if known:
        git("add", str(TELESCOPE))
        git("commit", "-qm", "draft")
    assert delete(editor, AT)[0] == 303
    assert git("status", "--short") == ""
    assert ("draft deleted" in git("log", "-1", "--format=%s")) == known


def test_readers_see_what_was_done_and_take_nothing_back(
    client: FlaskClient, editor: FlaskClient, services: Services, gap: Gap
) -> None:
    add_synonym(editor, gap, "dosh")
    sign_in(client, services, "reader")
    page = client.get(f"/editor/gaps/{gap.number}").text
    assert "“dosh” is also searched as “refund”" in page
    assert "/undo" not in page
