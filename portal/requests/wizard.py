"""The steps after the order: one question a page, back without loss, articles on the way."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import structlog
from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug import Response

from portal.help.context import LOCALE, article_url
from portal.i18n import current_locale
from portal.requests import current, offers, steps
from portal.requests.clauses import cited_clauses
from portal.requests.drafts import Draft
from portal.requests.eligibility import WISHES, Verdict, Wish, judge
from portal.requests.words import explain, headline
from portal.services import services
from search.types import Article

_log = structlog.get_logger(__name__)
_MIDDLE = ", ".join(repr(step) for step in steps.STEPS[1:])


def add_routes(blueprint: Blueprint) -> None:
    new = f"{LOCALE}/requests/new"
    blueprint.add_url_rule(f"{new}/<any({_MIDDLE}):step>", "step", step)
    blueprint.add_url_rule(f"{new}/<any({_MIDDLE}):step>", "answer", answer, methods=["POST"])
    blueprint.add_url_rule(f"{new}/articles/<any('reason', 'comments'):step>", "articles", articles)
    blueprint.add_url_rule(f"{new}/read/<locale_of>/<article_id>", "read", read)
    blueprint.add_url_rule(f"{new}/solved", "solved", solved)
    blueprint.add_url_rule(f"{new}/solved", "solve", solve, methods=["POST"])
    blueprint.add_url_rule(f"{new}/stopped", "stop", stop, methods=["POST"])
    blueprint.add_url_rule(f"{new}/stopped", "stopped", stopped)


def step(step: str) -> Response | str:
    """The page of a step, filled with what was answered before."""
    draft = current.current()
    if draft is None:
        return _without_draft()
    first = steps.first_open(draft)
    if steps.STEPS.index(step) > steps.STEPS.index(first):
        return redirect(url_for("requests.step", step=first))
    return page(step, draft)


def answer(step: str) -> Response | str | tuple[str, int]:
    """Take the answer of a step and go on, or back; either way what was given is kept."""
    from portal.requests.sending import send

    draft = current.current()
    if draft is None:
        typed = request.form.get("comments", "")
        if typed and current.sent_token() is None:
            return render_template("requests/expired.html", typed=typed, errors={}), 410
        return _without_draft()
    if request.form.get("draft", draft.session) != draft.session:
        # Another order was looked up in another tab; what was typed for this one is not that one's.
        typed = request.form.get("comments", "")
        return render_template("requests/expired.html", typed=typed, other=True, errors={}), 410
    back = request.form.get("go") == "back"
    if step == "check":
        return redirect(_address(steps.before(step)), 303) if back else send(draft)
    done = steps.READERS[step](request.form, draft, services().library.catalogue.taxonomy.reasons)
    current.keep(done.draft)
    if back:
        return redirect(_address(steps.before(step)), 303)
    if done.errors:
        return page(step, done.draft, errors=dict(done.errors)), 422
    if step in offers.OFFERED and step not in done.draft.offered and offers.offer_text(
        done.draft, step
    ):  # fmt: skip
        return redirect(url_for("requests.articles", step=step), 303)
    return redirect(_address(steps.after(step)), 303)


def articles(step: str) -> Response | str:
    """What may settle it, once after each of two steps; nothing new leads straight on."""
    draft = current.current()
    if draft is None:
        return _without_draft()
    onward = _address(steps.after(step))
    try:
        draft, found = offers.find_offers(draft, step)
    except Exception as error:  # whatever it is, a form goes on without suggestions
        _log.error("request_not_suggested", error=type(error).__name__)
        found = ()
    draft = replace(draft, offered=tuple(dict.fromkeys((*draft.offered, step))))
    if not found:
        current.keep(draft)
        return redirect(onward)
    current.keep(offers.mark_shown(draft, [offer.article for offer in found]))
    offers.record(draft, "shown", step=step)
    return render_template(
        "requests/articles.html", step=step, draft=draft, items=found, onward=onward, errors={}
    )


def read(locale_of: str, article_id: str) -> Response:
    """Note that an offered article was opened, and lead there."""
    article = services().library.catalogue.get(locale_of, article_id)
    if article is None:
        abort(404)
    draft = current.current()
    if draft is not None:
        position = request.args.get("n", "")
        step = request.args.get("after", "")
        current.keep(offers.mark_opened(draft, article))
        offers.record(
            draft, "opened", step=step, article=article,
            position=int(position) if position in ("1", "2", "3") else None,
        )  # fmt: skip
    return redirect(article_url(article, anchor=request.args.get("at", "")))


def solve() -> Response:
    """ "This solved it": noted, and asked whether the request is to be stopped."""
    draft = current.current()
    if draft is None:
        return _without_draft()
    key = request.form.get("article", "")
    offers.record(draft, "resolved", step=request.form.get("after", ""), article=_shown(draft, key))
    return redirect(url_for("requests.solved"), 303)


def solved() -> Response | str:
    """Whether to stop the request, or to go on after all."""
    draft = current.current()
    if draft is None:
        return _without_draft()
    onward = _address(steps.first_open(draft))
    return render_template("requests/solved.html", draft=draft, onward=onward, errors={})


def stop() -> Response:
    """The request is not needed: its draft goes."""
    current.forget()
    return redirect(url_for("requests.stopped"), 303)


def stopped() -> str:
    return render_template("requests/stopped.html", errors={})


def page(step: str, draft: Draft, *, errors: dict[str, str] | None = None, **more: Any) -> str:
    """The page of one step."""
    catalogue = services().library.catalogue
    verdict = verdict_of(draft, draft.wish) if draft.wish else None
    return render_template(
        f"requests/{step}.html",
        step=step,
        draft=draft,
        order=draft.order,
        errors=errors or {},
        taxonomy=catalogue.taxonomy,
        wishes=_wishes(draft) if step == "wish" else {},
        explained=explain(verdict, catalogue) if verdict else None,
        **more,
    )


def verdict_of(draft: Draft, wish: Wish) -> Verdict:
    """What the rules say to a draft, for one of the wishes."""
    here = services()
    return judge(
        cited_clauses(here.library.catalogue, current_locale()), draft.order, draft.chosen,
        reason=draft.reason, wish=wish, today=here.clock().date(),
    )  # fmt: skip


def _wishes(draft: Draft) -> dict[str, tuple[str, str]]:
    """For each wish the outcome and the verdict in a few words, to choose by."""
    verdicts = {wish: verdict_of(draft, wish) for wish in WISHES}
    return {
        wish: (verdict.outcome, headline(verdict.outcome, verdict.until))
        for wish, verdict in verdicts.items()
    }


def _address(step: str) -> str:
    return url_for("requests.order") if step == "order" else url_for("requests.step", step=step)


def _shown(draft: Draft, key: str) -> Article | None:
    locale, _colon, article_id = key.partition(":")
    return services().library.catalogue.get(locale, article_id) if key in draft.shown else None


def _without_draft() -> Response:
    """What was sent already leads to its page, else the form begins anew and says why."""
    token = current.sent_token()
    if token is not None:
        return redirect(url_for("requests.status", token=token), 303)
    return redirect(url_for("requests.expired"), 303)
