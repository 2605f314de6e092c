"""`/editor/runs/…`: how far a proof or a publish is, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, jsonify, render_template, url_for
from flask_babel import gettext as _

from portal.editor.failure_words import failure_of
from portal.proof.types import Run, RunKind
from portal.services import services


def add_routes(blueprint: Blueprint) -> None:
    blueprint.add_url_rule("/runs/<name>", "run", page)
    blueprint.add_url_rule("/runs/<name>.json", "run_json", as_json)


def page(name: str) -> str:
    """How far a run is; the page looks again by itself, or by its link without script."""
    run = services().proof.runs.get(name)
    return render_template("editor/run.html", run=run_facts(run), path=run.article)


def as_json(name: str) -> Response:
    """The same for the script of a page."""
    run = services().proof.runs.get(name)
    return jsonify(
        state=run.state, stage=stage_name(run.stage), done=run.done, total=run.total,
        error=run.error,
    )  # fmt: skip


def run_facts(run: Run) -> Mapping[str, Any]:
    """A run as templates show it: its words in the editor's language, and where it is looked at."""
    article = run.article
    return {
        "id": run.id, "state": run.state.value, "kind": run.kind.value, "by": run.by,
        "running": run.running, "stage": stage_name(run.stage), "done": run.done,
        "total": max(1, run.total), "started_at": run.started_at,
        "failure": failure_of((run.result or {}).get("failure", {}), run.error),
        "finished_at": run.finished_at, "result": run.result or {}, "gap": run.gap,
        "is_proof": run.kind == RunKind.PROOF,
        "watch": url_for("editor.run_json", name=run.id),
        "page": url_for("editor.run", name=run.id),
        "draft": url_for("editor.draft", locale=article.locale, section=article.section,
                         slug=article.slug),
        "article": str(article),
    }  # fmt: skip


def stage_name(stage: str) -> str:
    """What a stage of the work is called; one that is not known as it is."""
    names = {
        "": _("Starting"),
        "reading articles": _("Reading the articles"),
        "encoding sentences": _("Encoding what is new"),
        "keyword index": _("Building the index"),
        "asking questions": _("Asking the questions"),
        "publishing": _("Publishing"),
    }
    return str(names.get(stage, stage))
