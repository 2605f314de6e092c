"""`/editor/gaps/<n>/undo`: takes back a synonym or questions that were added for a gap."""

from __future__ import annotations

from flask import Blueprint, flash, request
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug import Response as AnyResponse

from portal.accounts.audit import audit
from portal.drafts.errors import ArticleChanged, ArticleMissing, ArticlesReadOnly, EditRefused
from portal.drafts.find import listed
from portal.editor.access import current_user
from portal.editor.arguments import NUMBER
from portal.editor.drafts import commit_saved
from portal.editor.gap_work import back_to, refused
from portal.gaps.types import State
from portal.proof.deeds import SYNONYM, TAKEN_BACK, Deed, standing, take_back
from portal.services import services
from search.errors import KnowledgeBaseError


def add_routes(blueprint: Blueprint) -> None:
    blueprint.add_url_rule(f"/gaps/{NUMBER}/undo", "gap_undo", undo, methods=["POST"])


def undo(number: int) -> AnyResponse:
    """Write the file without what was added, and let the gap go back to where it stood."""
    here = services()
    gap = here.gaps.get(number)
    wanted = request.form.get("deed", type=int)
    done = standing(here.gaps.history(number)) if gap.merged_into is None else []
    deed = next((one for one in done if one.id == wanted), None)
    if deed is None:
        flash(_("There is nothing to take back: somebody else was quicker."), "error")
        return back_to(number)
    try:
        saved = take_back(here.proof.files, deed)
    except (ArticleMissing, ArticleChanged, ArticlesReadOnly, EditRefused) as error:
        return refused(number, error)
    if deed.action == SYNONYM:
        detail: dict[str, object] = {"said": deed.said, "meant": deed.meant}
        audit("gap.synonym_undone", f"gap-{number}", detail)
    else:
        detail = {"article": deed.of, "questions": len(deed.texts)}
        audit("gap.questions_undone", f"gap-{number}", detail)
    commit_saved(saved.name, why=f"taken back for gap-{number}")
    flash(_told(deed))
    flash(_("What is published changes with the next publish."))
    _go_back(number, deed)
    return back_to(number)


def gone_back(number: int, action: str, detail: dict[str, object], *, of: str) -> None:
    """Note in a gap's history what is no longer there of the article `of`, and say where the gap
    stands now if that is elsewhere."""
    here = services()
    closing = {
        f"{file.path.locale}:{file.id}"
        for file in listed(here.proof.root)
        if file.closes == f"gap-{number}"
    }
    try:
        before = here.gaps.get(number).state
        state = here.proof.deeds.note_back(
            number, action, detail, of=of, by=current_user().name, closing=closing
        )
    except KnowledgeBaseError:
        flash(_("The gap could not be changed; see that it names the right article."), "error")
        return
    if state != before and state in (State.OPEN, State.REOPENED):
        flash(_("Gap %(number)s is open again.", number=number))


def _go_back(number: int, deed: Deed) -> None:
    detail: dict[str, object] = {"entry": deed.id, "of": deed.of}
    if deed.action == SYNONYM:
        detail |= {"said": deed.said, "meant": deed.meant}
    else:
        detail |= {"questions": len(deed.texts), "texts": list(deed.texts)}
    gone_back(number, TAKEN_BACK[deed.action], detail, of=deed.of)


def _told(deed: Deed) -> str:
    if deed.action == SYNONYM:
        return str(
            _(
                "Taken back: “%(said)s” is no longer searched as “%(meant)s”.",
                said=deed.said, meant=deed.meant,
            )
        )  # fmt: skip
    return str(
        ngettext(
            "%(num)s question taken out of %(file)s again.",
            "%(num)s questions taken out of %(file)s again.", len(deed.texts), file=deed.file,
        )
    )  # fmt: skip
