"""`/editor/drafts/…/delete`: deletes a draft that no reader has ever seen."""

from __future__ import annotations

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug import Response as AnyResponse

from portal.accounts.audit import audit
from portal.accounts.trail import Chosen
from portal.drafts.errors import ArticleChanged, ArticlesReadOnly, EditRefused
from portal.drafts.files import Opened
from portal.drafts.find import Listed, listed
from portal.drafts.lines import shown
from portal.drafts.paths import ArticlePath
from portal.editor.drafts import AT, commit_saved
from portal.editor.failure_words import failure
from portal.editor.gap_undo import gone_back
from portal.gaps.store import EVERYTHING
from portal.gaps.types import Gap, State
from portal.proof.deeds import DRAFT_DELETED
from portal.services import services

_LATEST = 200  # publishes of an address and of those that begin like it


def add_routes(blueprint: Blueprint) -> None:
    blueprint.add_url_rule(f"{AT}/delete", "draft_delete_page", page)
    blueprint.add_url_rule(f"{AT}/delete", "draft_delete", delete, methods=["POST"])


def page(locale: str, section: str, slug: str) -> str:
    """What is going to be deleted, and the button for it; or why it is not."""
    path = ArticlePath(locale, section, slug)
    return _page(path, services().proof.files.read(path))


def delete(locale: str, section: str, slug: str) -> AnyResponse:
    """Delete the file as it was shown. 409 where it has changed since, or was published."""
    here = services()
    path = ArticlePath(locale, section, slug)
    opened = here.proof.files.read(path)
    file = _listed(path)
    if _why_not(path, file):
        return make_response(_page(path, opened), 409)
    gaps = _gaps_of(file)
    try:
        here.proof.files.remove(path, seen=request.form.get("seen", "")[:64])
    except ArticleChanged:
        words = _("The file was changed since you saw it. Look at it again.")
        return make_response(_page(path, here.proof.files.read(path), error=words), 409)
    except (ArticlesReadOnly, EditRefused) as error:
        return make_response(_page(path, opened, error=str(failure(error))), 409)
    audit("draft.deleted", str(path))
    commit_saved(str(path), why="draft deleted", deleted=True)
    flash(_("Draft deleted: %(path)s.", path=str(path)))
    of = _article(file)
    for gap in gaps:
        gone_back(gap.number, DRAFT_DELETED, {"of": of, "file": str(path)}, of=of)
    if gaps:
        return redirect(url_for(".gap", number=gaps[0].number, _anchor="work"), 303)
    return redirect(url_for(".gaps"), 303)


def _page(path: ArticlePath, opened: Opened, *, error: str = "") -> str:
    file = _listed(path)
    return render_template(
        "editor/draft_delete.html", path=path, title=file.title, text=shown(opened.text),
        seen=opened.digest, error=error, why_not=_why_not(path, file), gaps=_gaps_of(file),
        commits=services().proof.commits,
    )  # fmt: skip


def _why_not(path: ArticlePath, file: Listed) -> str:
    """Why the file stays; empty where it may go."""
    if file.status == "archived" or (file.status == "draft" and _was_published(path, file)):
        return str(_(
            "This article was published, and readers may have its address. Set `status: archived` "
            "in its text and save: from the next publish on its address says that it is gone."
        ))  # fmt: skip
    if file.status != "draft":
        return str(_(
            "Only a draft that was never published can be deleted here. To take an article off the "
            "site set `status: archived` in its text and save: from the next publish on its "
            "address says that it is gone."
        ))  # fmt: skip
    return ""


def _was_published(path: ArticlePath, file: Listed) -> bool:
    here = services()
    address = f"/{str(path).removesuffix('.md')}"
    if here.library.catalogue.by_path(address) or here.library.is_gone(address):
        return True
    if here.library.catalogue.get(path.locale, file.id):
        return True  # under another address
    published = Chosen(action="draft.published", subject=str(path))
    entries = here.accounts.trail.entries(published, limit=_LATEST)
    if any(entry.subject == str(path) for entry in entries):
        return True
    of = _article(file)
    return any(
        entry.action == State.PUBLISHED and entry.detail.get("article") == of
        for gap in _gaps_of(file)
        for entry in here.gaps.history(gap.number)
    )


def _gaps_of(file: Listed) -> list[Gap]:
    """The gaps that the draft is to close."""
    gaps = services().gaps
    everything, into = gaps.list(EVERYTHING), gaps.merged()
    closes = file.closes.removeprefix("gap-")
    named = into.get(int(closes), int(closes)) if closes.isdecimal() else None
    of = _article(file)
    return [gap for gap in everything if gap.article == of or gap.number == named]


def _listed(path: ArticlePath) -> Listed:
    """What lists say of the file, which is there."""
    files = listed(services().proof.root)
    return next((one for one in files if one.path == path), Listed(path, "", "", "", ""))


def _article(file: Listed) -> str:
    return f"{file.path.locale}:{file.id}"
