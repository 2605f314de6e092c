"""`/editor/drafts/…/publish`: what is published with an article, and what speaks against it."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug import Response as AnyResponse

from portal.accounts.audit import audit_of_run
from portal.drafts.examine import Examined
from portal.drafts.files import Opened, digest_of
from portal.drafts.paths import ArticlePath
from portal.editor.access import current_user
from portal.editor.drafts import AT, draft_page, examined_text, gap_of, save_typed
from portal.editor.failure_words import Failure, problem_words
from portal.gaps.types import Gap
from portal.proof.differences import Difference
from portal.proof.types import Outcome, RunsBusy
from portal.services import services
from search.errors import KnowledgeBaseError


@dataclass(frozen=True, slots=True)
class Outlook:
    """What an editor should know before an article is published.

    `proof` is `none`, `stale`, `fresh`, or empty where no gap is to be closed; `worse` is what the
    fresh one found, `refitted` how many of these are not the article's doing, `others` what else
    in the folder is published with it.
    """

    digest: str
    examined: Examined | None
    broken: Failure | None
    gap: Gap | None
    proof: str
    run: str
    worse: tuple[Outcome, ...]
    others: tuple[Difference, ...]
    refitted: int = 0

    @property
    def publishable(self) -> bool:
        """Whether the checks let it be published."""
        return self.examined is not None and self.examined.publishable

    @property
    def doubtful(self) -> bool:
        """Whether somebody has to say that it shall be published all the same."""
        return self.proof in ("none", "stale") or bool(self.worse or self.others)

    @property
    def lost(self) -> int:
        """How many questions lose their answer."""
        return sum(one.before.right and not one.after.right for one in self.worse)

    @property
    def token(self) -> str:
        """Stands for all of this: who agreed to it agreed to nothing else."""
        others = [f"{one.change} {one.name}" for one in self.others]
        return digest_of("\n".join([self.digest, self.proof, self.run, *others]).encode())


def add_routes(blueprint: Blueprint) -> None:
    blueprint.add_url_rule(f"{AT}/publish", "draft_publish_page", page)
    blueprint.add_url_rule(f"{AT}/publish", "draft_publish", publish, methods=["POST"])


def page(locale: str, section: str, slug: str) -> str:
    """What publishing the file as it lies there would do, and the button for it."""
    path = ArticlePath(locale, section, slug)
    outlook = _outlook(path, services().proof.files.read(path))
    return render_template(
        "editor/draft_publish.html", path=path, outlook=outlook, examined=outlook.examined,
        broken=outlook.broken, problem_words=problem_words,
    )  # fmt: skip


def publish(locale: str, section: str, slug: str) -> AnyResponse:
    """Save what was typed, if that was sent, then publish in the background.

    What speaks against it is shown first, and has to be agreed to as it was shown.
    """
    path = ArticlePath(locale, section, slug)
    here = url_for(".draft_publish_page", locale=locale, section=section, slug=slug)
    if "text" in request.form:
        saved = save_typed(path)
        if not isinstance(saved, Opened):
            return saved
    else:
        saved = services().proof.files.read(path)
        if saved.digest != request.form.get("seen"):
            return _look_again(here)
    outlook = _outlook(path, saved)
    if not outlook.publishable:
        words = _("Saved, but not published: what stands under “Checks” has to be mended first.")
        return make_response(draft_page(path, saved, error=words), 422)
    if outlook.doubtful and request.form.get("confirmed") != outlook.token:
        return _look_again(here) if "confirmed" in request.form else redirect(here, 303)
    try:
        run = services().proof.start_publish(
            path, seen=saved.digest, by=current_user().name,
            gap=outlook.gap.number if outlook.gap else None,
            ended=audit_of_run("draft.published", "draft.publish_failed", str(path)),
        )  # fmt: skip
    except RunsBusy as busy:
        flash(_("Another proof or publish is under way. Wait for it and publish then."), "error")
        return redirect(url_for(".run", name=busy.run), 303)
    return redirect(url_for(".run", name=run.id), 303)


def _look_again(where: str) -> AnyResponse:
    flash(_("What would be published has changed since you saw it. Look at it again."), "error")
    return redirect(where, 303)


def _outlook(path: ArticlePath, opened: Opened) -> Outlook:
    here = services()
    examined, broken = examined_text(path, opened.text)
    gap = gap_of(path)
    state, run_id, refitted = "", "", 0
    worse: tuple[Outcome, ...] = ()
    if gap is not None:
        run, proof = here.proof.proof_of(gap.number)
        state = "none"
        if run is not None and proof is not None and run.article == path:
            fresh = run.digest == here.proof.digest(opened.text)
            state = "fresh" if fresh and proof.generation == here.library.generation else "stale"
            run_id = run.id
            if state == "fresh":
                refitted = len(proof.worse_by_refitting)
                worse = (*proof.worse_by_article, *proof.worse_by_refitting)
    others: tuple[Difference, ...] = ()
    if examined is not None and examined.publishable:
        try:
            library = here.library
            found = here.proof.differences(path, library.catalogue, library.generation)
            others = found.others
        except KnowledgeBaseError:
            pass  # another file is broken, or nothing is served yet: the run says so
    return Outlook(opened.digest, examined, broken, gap, state, run_id, worse, others, refitted)
