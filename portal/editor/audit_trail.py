"""`/editor/audit`: who did what, with filters, as a page, CSV and JSON. For admins."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for
from flask_babel import gettext as _

from portal.accounts.trail import Chosen, Entry
from portal.editor.arguments import row_number
from portal.editor.audit_words import action_names, details, who
from portal.editor.downloads import BOM
from portal.editor.legible import legible
from portal.editor.words import moment
from portal.forms.export import plain_cell
from portal.services import services

_PAGE = 100
_CHUNK = 1000


def add_routes(blueprint: Blueprint) -> None:
    blueprint.add_url_rule("/audit", "audit", page)
    blueprint.add_url_rule("/audit.csv", "audit_csv", as_csv)
    blueprint.add_url_rule("/audit.json", "audit_json", as_json)


def page() -> str:
    """The newest entries first, a hundred on a page; none, and why, where a day is no date."""
    chosen, mistakes = _chosen(), _mistakes()
    trail = services().accounts.trail
    before = request.args.get("before", type=row_number)
    found = [] if mistakes else trail.entries(chosen, limit=_PAGE + 1, before=before)
    names, actions = trail.words()
    query = _query()
    return render_template(
        "editor/audit.html",
        mistakes=mistakes,
        entries=found[:_PAGE],
        query=query,
        names=names,
        actions=actions,
        action_names=action_names(),
        moment=moment,
        details=details,
        who=who,
        older=url_for(".audit", **query, before=found[_PAGE - 1].id)
        if len(found) > _PAGE else "",
        newest=url_for(".audit", **query) if "before" in request.args else "",
        downloads={
            "csv": url_for(".audit_csv", **query),
            "json": url_for(".audit_json", **query),
        },
    )  # fmt: skip


def as_csv() -> Response:
    """Every entry that is chosen, the newest first. 400 where a day is no date."""
    if mistakes := _mistakes():
        return _refused(mistakes)
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(["id", "at", "user_id", "user", "action", "subject", "detail"])
    for entry in _all(_chosen()):
        number = "" if entry.user_id is None else str(entry.user_id)
        detail = json.dumps(entry.detail, ensure_ascii=False)
        row = (entry.user_name, entry.action, entry.subject, detail)
        writer.writerow([entry.id, entry.at.isoformat(), number, *map(plain_cell, row)])
    return _download(BOM + file.getvalue(), "audit.csv", "text/csv")


def as_json() -> Response:
    """The same for programs."""
    if mistakes := _mistakes():
        return _refused(mistakes)
    rows = [asdict(entry) | {"at": entry.at.isoformat()} for entry in _all(_chosen())]
    text = json.dumps(rows, ensure_ascii=False, indent=1)
    return _download(text, "audit.json", "application/json")


def _all(chosen: Chosen) -> Iterator[Entry]:
    before = None
    while found := services().accounts.trail.entries(chosen, limit=_CHUNK, before=before):
        yield from found
        before = found[-1].id


def _chosen() -> Chosen:
    """What the address asks for; `_mistakes` tells of days that are none."""
    query = _query()
    since, last = (_day(query.get(name, "")) for name in ("since", "until"))
    until = last + timedelta(days=1) if last and last.date() < date.max else None
    return Chosen(
        user=query.get("user", ""),
        action=query.get("action", ""),
        subject=query.get("subject", ""),
        since=since,
        until=until,
    )


def _mistakes() -> dict[str, str]:
    """What is wrong with a day that was asked for, by the name of its field."""
    given = {name: text for name, text in _query().items() if name in ("since", "until")}
    return {
        name: _("“%(text)s” is no date. Write it as 2026-12-31.", text=legible(text))
        for name, text in given.items()
        if _day(text) is None
    }


def _refused(mistakes: dict[str, str]) -> Response:
    lines = "".join(f"{name}: {text}\n" for name, text in mistakes.items())
    return Response(lines, 400, mimetype="text/plain")


def _query() -> dict[str, Any]:
    """The arguments that choose entries, without those that say nothing."""
    names = ("user", "action", "subject", "since", "until")
    given = {name: request.args.get(name, "").strip()[:200] for name in names}
    return {name: value for name, value in given.items() if value}


def _day(text: str) -> datetime | None:
    try:
        return datetime.combine(date.fromisoformat(text), time(), UTC)
    except ValueError:
        return None


def _download(text: str, name: str, kind: str) -> Response:
    response = Response(text, mimetype=kind)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
