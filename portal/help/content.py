"""The body of an article, made ready for its page."""

from __future__ import annotations

import re
from html import unescape

from flask_babel import gettext as _
from markupsafe import Markup, escape

from search.types import Article

_HEADING = re.compile(r'<h([234]) id="([^"]+)">(.*?)</h\1>', re.DOTALL)
_TABLE = re.compile(r'<div class="table-scroll"[^>]*>')
_TAG = re.compile(r"<[^>]+>")


def split_opening(article: Article) -> tuple[Markup, Markup]:
    """The direct answer before the first heading, and the rest with its anchors.

    `article.html` was sanitised when it was published; only fixed markup is added here.
    """
    first = article.html.find("<h2")
    cut = first if first >= 0 else len(article.html)
    opening = _label_tables(article.html[:cut], article.title)
    return Markup(opening), Markup(_add_anchors(article.html[cut:]))  # noqa: S704 (sanitised)


def _add_anchors(html: str) -> str:
    """Give every heading a link to itself, and every table the name of its section."""
    pieces: list[str] = []
    title, end = "", 0
    for match in _HEADING.finditer(html):
        pieces.append(_label_tables(html[end : match.start()], title))
        level, anchor, inner = match.groups()
        title = unescape(_TAG.sub("", inner))
        label = escape(_("Link to “%(title)s”", title=title))
        pieces.append(
            f'<div class="heading heading-{level}">{match[0]}'
            f'<a class="anchor" href="#{anchor}" aria-label="{label}"></a></div>'
        )
        end = match.end()
    pieces.append(_label_tables(html[end:], title))
    return "".join(pieces)


def _label_tables(html: str, title: str) -> str:
    """A region that scrolls is announced by what it holds."""
    name = escape(_("Table: %(title)s", title=title))
    box = f'<div class="table-scroll" role="group" tabindex="0" aria-label="{name}">'
    return _TABLE.sub(lambda _match: box, html)
