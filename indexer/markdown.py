"""Markdown to sanitised HTML, with the headings and links found on the way."""

from __future__ import annotations

import html as entities
import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element

import nh3
from markdown import Markdown
from markdown.extensions.toc import slugify_unicode
from markdown.treeprocessors import Treeprocessor
from markdown.util import AMP_SUBSTITUTE
from selectolax.lexbor import LexborHTMLParser

from indexer.dropped import Dropped, dropped_of
from search.types import Heading

_TAGS = {
    "a", "abbr", "blockquote", "br", "code", "dd", "del", "div", "dl", "dt", "em", "h2", "h3",
    "h4", "hr", "li", "ol", "p", "pre", "section", "strong", "sub", "sup", "table", "tbody", "td",
    "th", "thead", "tr", "ul",
}  # fmt: skip
_ATTRIBUTES = {
    "a": {"href", "title"},
    "abbr": {"title"},
    "div": {"tabindex", "role"},
    "h2": {"id"},
    "h3": {"id"},
    "h4": {"id"},
    "li": {"id"},
    "ol": {"start"},
    "sup": {"id"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
}
_CLASSES = {
    "div": {"admonition", "note", "tip", "warning", "important", "table-scroll", "footnote"},
    "p": {"admonition-title"},
    "a": {"footnote-ref", "footnote-backref"},
}
_SCHEMES = {"http", "https"}
_ABSOLUTE = re.compile(r"/|[a-z][a-z0-9+.-]*:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Link:
    """A link as the author wrote it."""

    target: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """Sanitised HTML, the headings in order, and the article links that were written."""

    html: str
    headings: tuple[Heading, ...]
    links: tuple[Link, ...]
    elsewhere: tuple[str, ...] = ()
    """The other links: addresses, and relative ones in HTML, where they are not resolved."""
    dropped: tuple[Dropped, ...] = ()
    """What the sanitiser took out but for links."""


class Renderer:
    """Renders many bodies with one converter: setting it up costs as much as a short page.

    Not for several threads at once.
    """

    def __init__(self) -> None:
        self._links = _ResolveLinks()
        self._converter = Markdown(
            extensions=[
                "tables",
                "fenced_code",
                "admonition",
                "footnotes",
                "attr_list",
                "sane_lists",
                "def_list",
                "abbr",
                "toc",
            ],
            extension_configs={
                "toc": {"slugify": slugify_unicode, "toc_depth": "2-4"},
                "footnotes": {"BACKLINK_TEXT": "\u21a9\ufe0e"},
            },
            output_format="html",
        )
        self._converter.treeprocessors.register(self._links, "kb-links", 0)
        self._cleaner = nh3.Cleaner(
            tags=_TAGS,
            attributes=_ATTRIBUTES,
            allowed_classes=_CLASSES,
            url_schemes=_SCHEMES,
            link_rel="noopener",
        )

    def render(self, text: str, *, resolve: Callable[[str], str | None]) -> Rendered:
        """Render an article's body.

        `resolve` turns a relative target such as `../returns/return-window.md` into a path of the
        site, or None where no such article exists; the link is then left as text.
        """
        self._converter.reset()
        self._links.begin(resolve)
        converted = self._converter.convert(text)
        tokens: list[dict[str, Any]] = getattr(self._converter, "toc_tokens", [])
        links, elsewhere = self._links.found, self._links.elsewhere
        tree = LexborHTMLParser(f"<!doctype html><body>{converted}")
        for href in _hrefs(tree):
            if href not in self._links.known:  # the author wrote it in HTML
                if href.startswith("#"):
                    links.append(Link(href))
                else:
                    elsewhere.append(href)
        return Rendered(
            self._cleaner.clean(converted),
            tuple(_headings(tokens)),
            tuple(links),
            tuple(dict.fromkeys(elsewhere)),
            tuple(dropped_of(tree, _TAGS, _ATTRIBUTES)),
        )


def render(text: str, *, resolve: Callable[[str], str | None]) -> Rendered:
    """Render a single body, as `Renderer.render` does."""
    return Renderer().render(text, resolve=resolve)


def _hrefs(tree: LexborHTMLParser) -> list[str]:
    return [node.attributes.get("href") or "" for node in tree.css("a[href]")]


def _headings(tokens: list[dict[str, Any]]) -> list[Heading]:
    found: list[Heading] = []
    for token in tokens:
        title = entities.unescape(nh3.clean(token["name"], tags=set()))
        found.append(Heading(token["level"], token["id"], title))
        found.extend(_headings(token["children"]))
    return found


class _ResolveLinks(Treeprocessor):
    """Points article links at their pages and lets wide tables scroll within themselves."""

    def __init__(self) -> None:
        super().__init__()
        self.begin(lambda _: None)

    def begin(self, resolve: Callable[[str], str | None]) -> None:
        """Make ready for another page."""
        self._resolve = resolve
        self.found: list[Link] = []
        self.elsewhere: list[str] = []
        self.known: set[str] = set()
        """What all links of Markdown lead to."""

    def run(self, root: Element) -> None:
        for link in root.iter("a"):
            # Markdown hides addresses of mail from those who collect them.
            target = entities.unescape(link.get("href", "").replace(AMP_SUBSTITUTE, "&"))
            self.known.add(target)
            if link.get("class", "").startswith("footnote-"):
                continue
            if _ABSOLUTE.match(target):
                self.elsewhere.append(target)
                continue
            self.found.append(Link(target))
            if target.startswith("#"):
                continue
            file, hash_, anchor = target.partition("#")
            resolved = self._resolve(file)
            if resolved is None:
                del link.attrib["href"]
            else:
                link.set("href", resolved + hash_ + anchor)
                self.known.add(resolved + hash_ + anchor)
        for parent in list(root.iter()):
            for position, child in enumerate(list(parent)):
                if child.tag == "table" and parent.get("class") != "table-scroll":
                    # A region that scrolls must be reachable by keyboard.
                    box = Element("div", {"class": "table-scroll", "tabindex": "0"})
                    box.tail, child.tail = child.tail, None
                    parent.remove(child)
                    box.append(child)
                    parent.insert(position, box)


def relative_target(from_path: str, target: str) -> str:
    """`en/refunds/a.md` and `../returns/b.md` to `en/returns/b.md`."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(from_path), target))
