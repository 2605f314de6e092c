"""`kb suggest`: what a form would show for a text."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from portal.cli_settings import with_settings
from portal.config import Settings

if TYPE_CHECKING:
    from search.suggest import Suggestion, Suggestions


@click.command()
@click.argument("text")
@click.option("--locale", help="The language of the form: en or zh. Guessed when absent.")
@click.option("--reason", help="Why something is sent back: a key of the taxonomy, or its title.")
@click.option("--platform", help="Where it was bought, likewise.")
@click.option("--form", "key", default="request", show_default=True, help="Key of the form.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON, clauses as values.")
@with_settings
def suggest(
    settings: Settings,
    text: str,
    locale: str | None,
    reason: str | None,
    platform: str | None,
    key: str,
    as_json: bool,
) -> None:
    """Print what a form would show for TEXT, and how sure that is. Nothing is logged.

    Personal data is removed first, as everywhere; TEXT `-` is read from the standard input.
    """
    from portal.forms.registry import open_forms
    from portal.locales import match_locale
    from portal.redact import redact
    from search.embed import open_embedder
    from search.errors import QueryRejected
    from search.library import open_searcher
    from search.suggest import suggest as find
    from search.threads import limit_threads

    form = open_forms(settings).get(key)
    if form is None:
        raise QueryRejected(f"--form: {key!r} is not set up; see KB_FORMS")
    reader = match_locale(locale)
    if locale and reader is None:
        raise QueryRejected(f"--locale: {locale!r} is unknown; use en or zh")
    if text == "-":
        text = sys.stdin.read()
    limit_threads()
    embedder = open_embedder(settings.model, cache=settings.cache)
    found = find(
        open_searcher(settings.data, embedder), redact(text), locale=reader or form.locale,
        reason=reason, platform=platform, limit=form.limit, threshold=form.threshold,
    )  # fmt: skip
    for option, given, known in (
        ("reason", reason, found.reason), ("platform", platform, found.platform),
    ):  # fmt: skip
        if given and known is None:  # as for forms, which have values of their own
            click.echo(f"--{option}: {given!r} is not in the taxonomy and was left aside", err=True)
    if as_json:
        click.echo(json.dumps(_to_dict(found), ensure_ascii=False, indent=2))
    else:
        click.echo(_shown(found, form.threshold))


def _to_dict(found: Suggestions) -> dict[str, Any]:
    return {
        "suggestions": [_item(item) for item in found.items],
        "resolved": bool(found.items),
        "confidence": round(found.confidence, 4),
        "locale": found.locale,
        "reason": found.reason,
        "platform": found.platform,
        "sentences": list(found.sentences),
        "generation": found.generation,
    }


def _item(item: Suggestion) -> dict[str, Any]:
    from portal.search_json import policy_to_dict

    body: dict[str, Any] = {
        "id": item.article.id,
        "url": _url(item),
        "title": item.article.title,
        "excerpt": item.excerpt,
        "confidence": round(item.confidence, 4),
        "locale": item.article.locale,
    }
    if item.policy:
        body["policy"] = policy_to_dict(item.policy)
    return body


def _url(item: Suggestion) -> str:
    return item.article.path + (f"#{item.passage.anchor}" if item.passage.anchor else "")


def _shown(found: Suggestions, threshold: float) -> str:
    lines = ["Read:", *(f"   {sentence}" for sentence in found.sentences), ""]
    for number, item in enumerate(found.items, 1):
        lines.append(f"{number}. {item.article.title}  {item.confidence:.2f}")
        lines += [f"   {_url(item)}", f"   {item.excerpt}"]
    if not found.items:
        lines.append(
            f"Nothing is likely enough: {found.confidence:.2f}, and the form asks for "
            f"{threshold:.2f}."
            if found.sentences
            else "The text says nothing that could be searched for."
        )
    return "\n".join(lines)
