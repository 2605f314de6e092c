"""`/editor/drafts/…`: an article's file in a page, with its checks, its preview and its publish."""

from __future__ import annotations

from flask import (
    Blueprint,
    Response,
    flash,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext as _
from werkzeug import Response as AnyResponse

from portal.accounts.audit import audit
from portal.drafts.commit import CommitFailed
from portal.drafts.errors import ArticleChanged, ArticleMissing, ArticlesReadOnly, EditRefused
from portal.drafts.examine import Examined
from portal.drafts.files import Opened, digest_of
from portal.drafts.find import listed
from portal.drafts.lines import excerpt, restored, shown
from portal.drafts.merge import marked_line, merge
from portal.drafts.paths import ArticlePath
from portal.drafts.preview import embedded
from portal.editor.access import current_user
from portal.editor.failure_words import Failure, failure, problem_words
from portal.editor.runs import run_facts
from portal.gaps.store import GapFilter
from portal.gaps.types import Gap, GapUnknown, State
from portal.help.content import split_opening
from portal.help.policy import clauses
from portal.proof.types import RunKind
from portal.services import services
from search.errors import KnowledgeBaseError

AT = "/drafts/<locale>/<section>/<slug>"
_LONGEST_KEPT = 40_000
"""Characters of a text that its form sends along as it was opened; a longer one must fit alone."""


def add_routes(blueprint: Blueprint) -> None:
    blueprint.add_url_rule(AT, "draft", page)
    blueprint.add_url_rule(f"{AT}/save", "draft_save", save, methods=["POST"])
    blueprint.add_url_rule(f"{AT}/check", "draft_check", check, methods=["POST"])


def page(locale: str, section: str, slug: str) -> str:
    """The file as it lies there, checked and rendered."""
    path = ArticlePath(locale, section, slug)
    return draft_page(path, services().proof.files.read(path))


def draft_page(path: ArticlePath, opened: Opened, *, error: str = "") -> str:
    """The page of a file as it was read, with what is wrong."""
    text = shown(opened.text)
    return _page(path, text, seen=opened.digest, opened=text, error=error)


def save(locale: str, section: str, slug: str) -> AnyResponse:
    """Write the file, or show what it would be: nothing typed is ever lost.

    409 with both edits and what they are together where the file is no longer the one that was
    opened.
    """
    path = ArticlePath(locale, section, slug)
    if request.form.get("action") == "preview":
        return make_response(_page(path, _typed(), seen=_seen(), opened=_opened()))
    outcome = save_typed(path)
    if not isinstance(outcome, Opened):
        return outcome
    flash(_("Saved."))
    return redirect(url_for(".draft", locale=locale, section=section, slug=slug), 303)


def check(locale: str, section: str, slug: str) -> Response:
    """Problems and preview of what stands in the field, for the script of the page."""
    path = ArticlePath(locale, section, slug)
    examined, error = examined_text(path, _typed())
    return jsonify(
        problems=render_template(
            "editor/_draft_problems.html",
            examined=examined,
            broken=error,
            problem_words=problem_words,
        ),
        preview=render_template("editor/_draft_preview.html", **_preview(examined)),
        publishable=bool(examined and examined.publishable),
    )


def save_typed(path: ArticlePath) -> Opened | AnyResponse:
    """The file as it was written, or the page that says why it was not."""
    desk = services().proof
    typed, seen, began = _typed(), _seen(), _opened()
    try:
        present = _present(path)
        if (present.digest if present else "") != seen:
            if present is not None and shown(present.text) == shown(typed):
                return present  # somebody else has made the very same change
            raise ArticleChanged("changed", str(path), present.text if present else None)
        if line := marked_line(typed):
            words = _(
                "Line %(line)s still has a mark of two texts put together. Choose between the "
                "lines that stand there and remove the marks.",
                line=line,
            )
            page = _page(path, typed, seen=seen, opened=began, error=words)
            return make_response(page, 422)
        new = restored(present.text if present else "", typed)
        if present is not None and new == present.text:
            return present
        outcome = desk.files.save(path, new, seen=seen or None)
    except ArticleChanged as conflict:
        return _conflict(path, typed, conflict)
    except ArticlesReadOnly as error:
        words = _(
            "This portal may not write the folder of articles. Copy your text from the field and "
            "edit the file where it is kept, or have the folder made writable."
        )
        page = _page(path, typed, seen=seen, opened=began, error=words, reason=failure(error))
        return make_response(page, 409)
    except EditRefused as error:
        words = _("The file could not be saved. Your text is still in the field.")
        page = _page(path, typed, seen=seen, opened=began, error=words, reason=failure(error))
        return make_response(page, 422)
    audit("draft.saved", str(path))
    commit_saved(str(path), why="edited")
    return outcome


def _present(path: ArticlePath) -> Opened | None:
    """The file as it lies there, if one does."""
    try:
        return services().proof.files.read(path)
    except ArticleMissing:
        return None


def commit_saved(name: str, *, why: str, deleted: bool = False) -> None:
    """Commit a file that was saved or deleted, where that is wanted, and say what came of it."""
    try:
        if made := services().proof.commit(name, by=current_user().name, why=why):
            flash(_("Committed to git as %(commit)s.", commit=made))
    except CommitFailed as error:
        words = (
            _("Deleted, but not committed to git: %(reason)s", reason=error.reason)
            if deleted
            else _("Saved, but not committed to git: %(reason)s", reason=error.reason)
        )
        flash(words, "error")


def _conflict(path: ArticlePath, typed: str, conflict: ArticleChanged) -> AnyResponse:
    """Both edits and what they are together, of the file as it was when it was found to differ."""
    present, began, mine = conflict.present, _opened(), shown(typed)
    there = shown(present or "")
    merged = merge(began, there, mine)
    base = there if began is None else shown(began)
    return make_response(
        render_template(
            "editor/draft_conflict.html", path=path, mine=mine, gone=present is None,
            opened=None if present is None else _kept(there),
            seen="" if present is None else digest_of(present.encode()),
            began=began is not None, conflicts=merged.conflicts,
            merged=merged.text(yours=_("yours"), theirs=_("in the file")),
            outside=excerpt(base, there), own=excerpt(base, mine),
        ),
        409,
    )  # fmt: skip


def _page(
    path: ArticlePath, text: str, *, seen: str, opened: str | None, error: str = "",
    reason: Failure | None = None,
) -> str:  # fmt: skip
    examined, broken = examined_text(path, text)
    gap = gap_of(path)
    run = services().proof.runs.latest(gap.number, RunKind.PUBLISH) if gap else None
    told = run is not None and run.article == path and run.tells_of(seen)
    return render_template(
        "editor/draft.html",
        path=path,
        text=text,
        seen=seen,
        opened=_kept(opened),
        error=error,
        reason=reason,
        examined=examined,
        broken=broken,
        problem_words=problem_words,
        gap=gap,
        last=run_facts(run) if run and told else None,
        live=services().library.catalogue.by_path(f"/{str(path).removesuffix('.md')}"),
        **_preview(examined),
    )


def _preview(examined: Examined | None) -> dict[str, object]:
    """The article as its page shows it; nothing of one whose front matter is broken."""
    if examined is None or examined.article is None:
        return {"article": None}
    article = embedded(examined.article)
    opening, body = split_opening(article)
    taxonomy = services().library.catalogue.taxonomy
    return {"article": article, "opening": opening, "body": body,
            "clauses": clauses(article, taxonomy)}  # fmt: skip


def examined_text(path: ArticlePath, text: str) -> tuple[Examined | None, Failure | None]:
    """What the checks say, or why they cannot say anything: another file breaks them all."""
    try:
        return services().proof.examine(path, text), None
    except KnowledgeBaseError as error:
        return None, failure(error)


def gap_of(path: ArticlePath) -> Gap | None:
    """The gap that names the article, being drafted before all others, else the one it names."""
    here = services()
    file = next((one for one in listed(here.proof.root) if one.path == path), None)
    if file is None:
        return None
    everything = here.gaps.list(GapFilter(states=tuple(State), least=0))
    naming = [gap for gap in everything if gap.article == f"{path.locale}:{file.id}"]
    if naming:
        return min(naming, key=lambda gap: (gap.state != State.DRAFTED, gap.number))
    number = file.closes.removeprefix("gap-")
    try:
        return here.gaps.get(int(number)) if number.isdecimal() else None
    except GapUnknown:
        return None


def _typed() -> str:
    return request.form.get("text", "")


def _opened() -> str | None:
    """What stood in the field when it was opened; None where the form does not say."""
    return request.form.get("opened")


def _kept(opened: str | None) -> str | None:
    """What a form sends along of the text as it was opened; None where that would be too much."""
    return opened if opened is not None and len(opened) <= _LONGEST_KEPT else None


def _seen() -> str:
    return request.form.get("seen", "")[:64]
