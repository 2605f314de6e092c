"""The widget: its script, for the forms of any site, and a page that shows it on a plain one."""

from __future__ import annotations

import gzip
import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache

from flask import Flask, Response, current_app, make_response, render_template, request
from flask_babel import gettext as _
from flask_limiter import Limiter

from portal.assets import STATIC
from portal.help.context import absolute
from portal.i18n import current_locale, use_locale
from portal.locales import match_locale
from portal.services import services

_SOURCE = STATIC / "widget" / "widget.js"
_FRESH = 600  # seconds; sites name the script without a version, so a mended one must arrive soon
_STALE = 24 * 3600
_COMMENT = re.compile(r"^ *//.*\n", re.MULTILINE)
_INDENT = re.compile(r"^ +", re.MULTILINE)
_LONGEST = 5000


@dataclass(frozen=True, slots=True)
class Script:
    """The script as it is sent, as bytes in UTF-8 and packed by gzip."""

    text: bytes
    packed: bytes
    tag: str


def register(app: Flask, limiter: Limiter) -> None:
    """Add the script, which is read as often as other sites' pages are, and the demo."""
    app.add_url_rule("/widget.js", "widget_script", script)
    app.add_url_rule("/widget/demo", "widget_demo", demo, methods=["GET", "POST"])
    limiter.exempt(app.view_functions["widget_script"])


def script() -> Response:
    """The script, which pages of any site may load, those isolated from other origins as well."""
    made = _make() if current_app.debug else _made_once()
    packed = request.accept_encodings.quality("gzip") > 0
    response = Response(made.packed if packed else made.text, mimetype="text/javascript")
    if packed:
        response.content_encoding = "gzip"
    response.set_etag(f"{made.tag}-gzip" if packed else made.tag)
    response.vary.add("Accept-Encoding")
    response.cache_control.public = True
    response.cache_control.max_age = _FRESH
    response.cache_control.stale_while_revalidate = _STALE
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.make_conditional(request)
    return response


@lru_cache(maxsize=1)
def _made_once() -> Script:
    return _make()


def _make() -> Script:
    text = shrink(_SOURCE.read_text("utf-8")).encode()
    return Script(text, gzip.compress(text, 9, mtime=0), hashlib.sha256(text).hexdigest()[:20])


def shrink(source: str) -> str:
    """The script without its comments and its indentation.

    Comments stand on lines of their own, and no text that runs over lines needs its indentation.
    """
    return _INDENT.sub("", _COMMENT.sub("", source))


def demo() -> Response:
    """A plain form with the one line of script; what is sent is shown and kept nowhere."""
    if chosen := match_locale(request.args.get("lang")):
        use_locale(chosen)
    taxonomy = services().library.catalogue.taxonomy
    locale = current_locale()
    values = {name: request.form.get(name, "")[:_LONGEST] for name in _labels()}
    response = make_response(
        render_template(
            "widget/demo.html",
            values=values,
            sent=_labels() if request.method == "POST" else {},
            reasons={key: label.title(locale) for key, label in taxonomy.reasons.items()},
            platforms={key: label.title(locale) for key, label in taxonomy.platforms.items()},
            script_url=absolute("/widget.js"),
        )
    )
    response.vary.update(("Accept-Language", "Cookie"))
    return response


def _labels() -> dict[str, str]:
    """The fields of the demo's form and what they are called, in their order."""
    return {
        "order": _("Order number"),
        "platform": _("Where did you buy it?"),
        "reason": _("Why do you want to return it?"),
        "text": _("What happened?"),
    }
