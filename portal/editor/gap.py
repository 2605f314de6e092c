"""`/editor/gaps/<n>`: one gap, the questions behind it, and what editors do about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from typing import Any

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
from portal.accounts.types import Role
from portal.editor import gap_words as words
from portal.editor import gap_work
from portal.editor.access import current_user, wants_data
from portal.editor.arguments import NUMBER
from portal.editor.downloads import csv_file, json_file
from portal.editor.gaps import platform_names, read_chosen
from portal.editor.words import moment
from portal.gaps import definitions
from portal.gaps.export import gap_dict, plain, question_dict
from portal.gaps.store import Ask, GapFilter
from portal.gaps.types import SEVERITY, Gap, GapChanged, GapRefused, GapUnknown, Kind, State
from portal.services import services
from search.errors import KnowledgeBaseError
from search.text import normalise
from search.types import Article

_ROWS = 500
_EVERY = 1_000_000
_OTHERS = 200  # gaps offered by name
_SEVERAL = 5
_ASKED = ("at", "question", "locale", "platform", "channel", "source", "reasons", "event")
Done = tuple[str, dict[str, object], str]
"""The audit's action and detail, and what to tell the editor."""


def add_routes(blueprint: Blueprint) -> None:
    here = f"/gaps/{NUMBER}"
    blueprint.add_url_rule(here, "gap", page)
    blueprint.add_url_rule(f"{here}.json", "gap_json", as_json)
    blueprint.add_url_rule(f"{here}/asked", "gap_asked", asked)
    blueprint.add_url_rule(f"{here}/asked.csv", "gap_asked_csv", asked_as_csv)
    blueprint.add_url_rule(f"{here}/asked.json", "gap_asked_json", asked_as_json)
    for name, act in (
        ("assign", _assign), ("note", _note), ("ignore", _ignore), ("reopen", _reopen),
        ("kind", _kind), ("merge", _merge), ("unmerge", _unmerge),
        ("split", _split), ("move", _move),
    ):  # fmt: skip
        blueprint.add_url_rule(
            f"{here}/{name}", f"gap_{name}", _action(name, act), methods=["POST"]
        )


def page(number: int) -> AnyResponse:
    """Everything about a gap; of one that was merged what was known of it, and a way back."""
    return make_response(_page(services().gaps.get(number)))


def as_json(number: int) -> Response:
    """The gap with its questions and history, for programs."""
    store = services().gaps
    gap = store.get(number)
    data = gap_dict(gap) | {
        "merged_into": gap.merged_into,
        "asked": [question_dict(question) for question in store.questions(number)],
        "history": [
            asdict(entry) | {"at": entry.at.isoformat()} for entry in store.history(number)
        ],
    }
    return json_file(f"gap-{number}.json", data)


def asked(number: int) -> str:
    """The rows behind the figures: what was asked, when, by how many, and what came of it."""
    gap, chosen = services().gaps.get(number), read_chosen()
    return render_template(
        "editor/gap_asked.html",
        gap=gap,
        rows=services().gaps.asks(number, chosen.filter(), limit=_ROWS),
        most=_ROWS,
        chosen=chosen,
        platforms=platform_names(services().gaps.platforms()),
        reasons=words.reason_names(),
        sources=words.source_names(),
        words=words,
        moment=moment,
        csv=url_for(".gap_asked_csv", number=number, **chosen.query()),
        json=url_for(".gap_asked_json", number=number, **chosen.query()),
    )


def asked_as_csv(number: int) -> Response:
    """The same rows, all of them."""
    rows = _all_asked(number)
    lines = (
        (row.at.isoformat(), plain(row.text), row.locale, row.platform or "", row.channel,
         row.source, " ".join(row.reasons), row.event)
        for row in rows
    )  # fmt: skip
    return csv_file(f"gap-{number}-asked.csv", _ASKED, lines)


def asked_as_json(number: int) -> Response:
    """The same rows for programs, with how often each was asked and what stood first."""
    rows = [
        {
            "at": row.at.isoformat(), "question": row.text, "locale": row.locale,
            "platform": row.platform, "channel": row.channel, "source": row.source,
            "reasons": [reason.value for reason in row.reasons], "event": row.event,
            "searches": row.searches, "top_article": row.top_article or None,
        }
        for row in _all_asked(number)
    ]  # fmt: skip
    return json_file(f"gap-{number}-asked.json", {"gap": number, "asked": rows})


def _all_asked(number: int) -> list[Ask]:
    services().gaps.get(number)
    return services().gaps.asks(number, read_chosen().filter(), limit=_EVERY)


def _page(
    gap: Gap, *, conflict: GapChanged | None = None, refused: str = "", failed: str = ""
) -> str:
    """The page; after a form failed, with what was typed into it and why."""
    store = services().gaps
    questions, history = store.questions(gap.number), store.history(gap.number)
    whole = store.get(store.merged()[gap.number]) if gap.merged_into is not None else None
    known = questions if whole is None else store.questions(whole.number)
    texts = {question.key: question.text for question in known}
    return render_template(
        "editor/gap.html",
        gap=gap,
        whole=whole,
        can_unmerge=whole is not None and store.can_unmerge(gap.number),
        parts=store.parts(gap.number),
        questions=questions,
        history=history,
        texts=texts,
        others=[other for other in store.list() if other.number != gap.number][:_OTHERS],
        people=_people(gap.owner),
        today=services().clock().date(),
        run=store.last_run(),
        failed=failed,
        refused=refused,
        conflict=words.changes_text(conflict.changes, texts) if conflict else None,
        typed=request.form if request.method == "POST" else {},
        typed_keys=set(request.form.getlist("question")),
        evidence=[(one, _article(one.article)) for one in gap.evidence],
        words=words,
        reasons=words.reason_names(),
        kinds=words.kind_names(),
        states=words.state_names(),
        platforms=platform_names(list(gap.figures.platforms)),
        severity=SEVERITY,
        definitions=definitions,
        moment=moment,
        **gap_work.context(gap, questions),
    )


def _action(name: str, act: Callable[[int, int], Done]) -> Callable[[int], AnyResponse]:
    """A view that does one thing to a gap, and shows the page again where it cannot be done."""

    def view(number: int) -> AnyResponse:
        version = request.form.get("version", type=int)
        try:
            if version is None:
                raise GapRefused("the form has no version; reload the page", "no_version")
            action, detail, told = act(number, version)
        except GapChanged as error:
            return _failed(number, name, 409, conflict=error)
        except GapRefused as error:
            return _failed(number, name, 422, refused=words.refusal(error))
        audit(f"gap.{action}", f"gap-{number}", detail)
        if wants_data(request):
            return jsonify(gap_dict(services().gaps.get(number)))
        flash(told)
        return redirect(_next(number, detail), 303)

    return view


def _failed(
    number: int, name: str, status: int, *, conflict: GapChanged | None = None, refused: str = ""
) -> AnyResponse:
    gap = services().gaps.get(number)
    if wants_data(request):
        changed = words.changes_text(conflict.changes, {}) if conflict else []
        return make_response(jsonify(error=refused or str(conflict), changes=changed,
                                     version=gap.version), status)  # fmt: skip
    return make_response(_page(gap, conflict=conflict, refused=refused, failed=name), status)


def _assign(number: int, version: int) -> Done:
    owner = request.form.get("owner", "").strip()
    gap = services().gaps.get(number)
    if owner and owner not in _people(gap.owner):
        raise GapRefused(_("Nobody of this name may work on gaps."))
    due = _day(request.form.get("due", ""))
    if due and due != gap.due and due < services().clock().date():
        raise GapRefused(_("That day is past. Give today or a later one."))
    services().gaps.assign(number, owner, by=_by(), version=version, due=due)
    detail: dict[str, object] = {"owner": owner, "due": due.isoformat() if due else ""}
    return "assigned", detail, _("Saved who does it.")


def _note(number: int, version: int) -> Done:
    services().gaps.note(number, request.form.get("text", ""), by=_by(), version=version)
    return "noted", {}, _("Note added.")


def _ignore(number: int, version: int) -> Done:
    because = request.form.get("because", "")
    services().gaps.ignore(number, because, by=_by(), version=version)
    # Why stands in the gap's history, without what could tell who somebody is.
    return "ignored", {}, _("Ignored. “Reopen” takes it back.")


def _reopen(number: int, version: int) -> Done:
    services().gaps.reopen(number, by=_by(), version=version)
    return "reopened", {}, _("Open again.")


def _kind(number: int, version: int) -> Done:
    given = request.form.get("kind", "")
    kind = Kind(given) if given in set(Kind) else None
    services().gaps.correct_kind(number, kind, by=_by(), version=version)
    return (
        "kind",
        {"kind": given},
        _("Kind saved. No refresh changes it again.")
        if kind
        else _("The kind is proposed again with the next refresh."),
    )


def _merge(number: int, version: int) -> Done:
    into = _number(request.form.get("into", ""), but=number)
    services().gaps.merge(number, into, by=_by(), version=version)
    told = _("Gap %(number)s is a part of this one now. Its page takes it back.", number=number)
    return "merged", {"into": into}, told


def _unmerge(number: int, version: int) -> Done:
    gap = services().gaps.unmerge(number, by=_by(), version=version)
    told = _("A gap of its own again, with %(count)s questions.", count=gap.questions)
    return "unmerged", {"questions": gap.questions}, told


def _split(number: int, version: int) -> Done:
    keys = request.form.getlist("question")
    new = services().gaps.split(number, keys, by=_by(), version=version)
    told = _("%(count)s questions are gap %(number)s now.", count=new.questions, number=new.number)
    return "split", {"new": new.number, "questions": new.questions}, told


def _move(number: int, version: int) -> Done:
    keys, to = request.form.getlist("question"), _number(request.form.get("to", ""), but=number)
    services().gaps.move(number, keys, to, by=_by(), version=version)
    told = _("Questions moved to gap %(number)s, where they stay.", number=to)
    return "moved", {"to": to, "questions": len(keys)}, told


def _next(number: int, detail: dict[str, Any]) -> str:
    """Where to go after a change: on to the other gap, or back to where the editor was."""
    if "into" in detail:
        return url_for("editor.gap", number=detail["into"])
    if "new" in detail:
        return url_for("editor.gap", number=detail["new"])
    if request.form.get("back") == "queue":
        return url_for("editor.gaps")
    return url_for("editor.gap", number=number)


def _number(text: str, *, but: int) -> int:
    """The number of another gap, as `17`, `gap-17`, "17 Its name" or words of its name alone.

    Raises `GapRefused` where it is no gap, or more than one.
    """
    first = text.strip().removeprefix("gap-").partition(" ")[0]
    number = int(first) if first.isascii() and first.isdigit() and len(first) < 10 else None
    if number is not None:
        try:
            return services().gaps.get(number).number
        except GapUnknown:
            pass
    found = [gap for gap in _named(text) if gap.number != but]
    if len(found) == 1:
        return found[0].number
    if found:
        some = _(", ").join(f"{gap.number} {gap.name}" for gap in found[:_SEVERAL])
        raise GapRefused(_("Several gaps have such a name, give the number: %(gaps)s", gaps=some))
    if number is not None:
        raise GapRefused(_("There is no gap %(number)s.", number=first))
    raise GapRefused(_("Give the number or the name of a gap; none is found by this one."))


def _named(text: str) -> list[Gap]:
    """Gaps of this name, else those with all of these words in it."""
    wanted = normalise(text)
    if not wanted:
        return []
    every = services().gaps.list(GapFilter(states=tuple(State), least=0))
    names = {gap.number: normalise(gap.name) for gap in every}
    exact = [gap for gap in every if names[gap.number] == wanted]
    return exact or [
        gap for gap in every if all(word in names[gap.number] for word in wanted.split())
    ]


def _day(text: str) -> date | None:
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise GapRefused(_("Write the day as year-month-day, such as 2026-12-31.")) from None


def _people(owner: str) -> list[str]:
    """Whoever may work on a gap, and who has it already."""
    users = services().accounts.users.all()
    may = [user.name for user in users if not user.disabled and user.role >= Role.EDITOR]
    return may if not owner or owner in may else [*may, owner]


def _article(key: str) -> Article | None:
    locale, _colon, article_id = key.partition(":")
    try:
        return services().library.catalogue.get(locale, article_id) if article_id else None
    except KnowledgeBaseError:
        return None


def _by() -> str:
    return current_user().name
