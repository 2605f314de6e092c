"""Cuts a rendered article into passages: under one heading, of whole sentences."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from selectolax.lexbor import LexborHTMLParser, LexborNode

from search.text import split_sentences
from search.types import Passage

# Findings: about 120 tokens is where one passage still speaks of one thing.
_PASSAGE_WORDS = 120
_LEVELS = {"h2": 2, "h3": 3, "h4": 4}
_CONTAINERS = {"div", "section", "blockquote", "dl"}
_HAN = re.compile("[\u3400-\u9fff]+")


@dataclass(frozen=True, slots=True)
class Section:
    """The sentences under one heading, in order; the opening has no anchor."""

    anchor: str
    headings: tuple[str, ...]
    sentences: tuple[str, ...]


def split_article(*, article_id: str, locale: str, title: str, html: str) -> list[Passage]:
    """Passages of one article in reading order; every sentence stands in exactly one."""
    passages: list[Passage] = []
    numbers: defaultdict[str, count[int]] = defaultdict(count)  # raw HTML may repeat an anchor
    for section in split_sections(html, title=title, locale=locale):
        for sentences in pack(section.sentences):
            place = section.anchor or "top"
            passages.append(
                Passage(
                    id=f"{article_id}@{locale}#{place}/{next(numbers[place])}",
                    article_id=article_id,
                    locale=locale,
                    anchor=section.anchor,
                    headings=section.headings,
                    sentences=sentences,
                )
            )
    return passages


def split_sections(html: str, *, title: str, locale: str) -> list[Section]:
    """The article's text by heading, each with the path of titles above it."""
    page = LexborHTMLParser(html.replace("<br>", " "))
    for mark in page.css('sup[id^="fnref"]'):
        mark.decompose()
    body = page.body
    sections: list[Section] = []
    anchor, path, sentences = "", [(1, title)], list[str]()

    def close() -> None:
        if sentences:
            titles = tuple(text for _, text in path)
            sections.append(Section(anchor, titles, tuple(sentences)))
            sentences.clear()

    for node in _blocks(body):
        if (level := _LEVELS.get(str(node.tag))) is not None:
            close()
            anchor = node.attributes.get("id") or ""
            path = [item for item in path if item[0] < level] + [(level, _text(node))]
        else:
            sentences.extend(_sentences(node, locale))
    close()
    return sections


def _blocks(node: LexborNode | None) -> Iterator[LexborNode]:
    """Blocks in reading order, containers such as notes and scroll boxes opened."""
    child = node.child if node is not None else None
    while child is not None:
        if child.tag in _CONTAINERS:
            yield from _blocks(child)
        else:
            yield child
        child = child.next


def _sentences(node: LexborNode, locale: str) -> list[str]:
    if node.tag == "table":
        return _table_sentences(node, locale)
    if node.tag in ("ul", "ol"):
        return [
            sentence for item in _children(node, "li") for sentence in _item_sentences(item, locale)
        ]
    if node.tag == "dd":
        return _item_sentences(node, locale)
    return split_sentences(_text(node))


def _item_sentences(item: LexborNode, locale: str) -> list[str]:
    found: list[str] = []
    own: list[str] = []

    def close() -> None:
        found.extend(split_sentences(_squeeze("".join(own))))
        own.clear()

    child = item.child
    while child is not None:
        if child.tag in _CONTAINERS:
            close()
            found.extend(text for node in _blocks(child) for text in _sentences(node, locale))
        elif child.tag in ("ul", "ol", "table"):
            close()
            found.extend(_sentences(child, locale))
        else:
            own.append(child.text(deep=True))
        child = child.next
    close()
    return found


def _table_sentences(table: LexborNode, locale: str) -> list[str]:
    """One sentence a row, its cells named by the header, so that a row can be an answer."""
    rows = [[_text(cell) for cell in row.css("th, td")] for row in table.css("tr")]
    if not rows:
        return []
    header, *body = rows
    colon, comma = ("：", "，") if locale.startswith("zh") else (": ", ", ")
    sentences = []
    for cells in body:
        pairs = [
            f"{name}{colon}{cell}" if name else cell
            for name, cell in zip(header[1:], cells[1:], strict=False)
            if cell
        ]
        if line := comma.join(filter(None, [cells[0] if cells else "", *pairs])):
            sentences.append(line)
    return sentences


def _children(node: LexborNode, tag: str) -> Iterator[LexborNode]:
    child = node.child
    while child is not None:
        if child.tag == tag:
            yield child
        child = child.next


def _text(node: LexborNode) -> str:
    return _squeeze(node.text(deep=True))


def _squeeze(text: str) -> str:
    return " ".join(text.replace("\u21a9\ufe0e", "").split())


def pack(sentences: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Groups of whole sentences of about equal size, none much over the passage size.

    What is left is shared out anew after each group, or the last one would get all the rounding.
    """
    sizes = [_words(sentence) for sentence in sentences]
    left = sum(sizes)
    groups: list[tuple[str, ...]] = []
    current: list[str] = []
    filled = 0
    for sentence, size in zip(sentences, sizes, strict=True):
        parts = max(1, round(left / _PASSAGE_WORDS))
        if current and parts > 1 and filled + size / 2 > left / parts:
            groups.append(tuple(current))
            left -= filled
            current, filled = [], 0
        current.append(sentence)
        filled += size
    if current:
        groups.append(tuple(current))
    return groups


def _words(text: str) -> int:
    """Length in words; two Han characters count as one."""
    han = 0 if text.isascii() else sum(map(len, _HAN.findall(text)))
    return len(text.split()) + han // 2
