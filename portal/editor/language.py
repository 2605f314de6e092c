"""The language of the pages for editors: remembered, since their addresses do not say it."""

from __future__ import annotations

from flask import request, session, url_for

from portal.editor.arguments import link_arguments
from portal.i18n import use_locale
from portal.locales import match_locale

_KEY = "editor_locale"


def choose_language() -> None:
    """Speak the language that `?lang=` asks for, and go on speaking it on the next pages."""
    asked = match_locale(request.args.get("lang"))
    if asked and session.get(_KEY) != asked:
        session[_KEY] = asked
    if locale := asked or match_locale(session.get(_KEY)):
        use_locale(locale)


def language_url(locale: str) -> str:
    """The present page in another language; after a form was sent, where editors begin."""
    if request.method != "GET" or request.endpoint is None:
        return url_for("editor.home", lang=locale)
    values = link_arguments() | (request.view_args or {}) | {"lang": locale}
    return url_for(request.endpoint, **values)
