"""An article as its readers would see it, made ready to stand inside another page."""

from __future__ import annotations

from dataclasses import replace

from selectolax.lexbor import LexborHTMLParser

from search.types import Article

_PREFIX = "preview-"


def embedded(article: Article) -> Article:
    """The article with all its anchors renamed, so that none is an id of the page around it.

    `article.html` is sanitised before and stays so: only `id` and `href` of what is there change.
    """
    tree = LexborHTMLParser(f"<div>{article.html}</div>")
    for node in tree.css("[id]"):
        node.attrs["id"] = f"{_PREFIX}{node.attrs['id']}"
    for node in tree.css('a[href^="#"]'):
        node.attrs["href"] = f"#{_PREFIX}{(node.attrs['href'] or '#')[1:]}"
    root = tree.css_first("div")
    return replace(
        article,
        html=(root.inner_html if root else None) or "",
        headings=tuple(
            replace(heading, anchor=_PREFIX + heading.anchor) for heading in article.headings
        ),
        policy=tuple(
            replace(clause, section=_PREFIX + clause.section if clause.section else "")
            for clause in article.policy
        ),
    )
