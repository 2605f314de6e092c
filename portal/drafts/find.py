"""Finds the file of an article in the folder: the index does not know drafts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from portal.drafts.errors import ArticleMissing
from portal.drafts.paths import ArticlePath
from search.types import LOCALES

_HEAD = 8192  # bytes that hold the front matter of any article but for a very long one
_FIELD = r"^{name}:[ \t]*[\"']?([^\"'#\r\n]*?)[\"']?[ \t]*(?:#.*)?$"
_FIELDS = {
    name: re.compile(_FIELD.format(name=name), re.MULTILINE)
    for name in ("id", "title", "status", "closes")
}


@dataclass(frozen=True, slots=True)
class Listed:
    """An article's file and the fields of its front matter that lists need, "" where missing."""

    path: ArticlePath
    id: str
    title: str
    status: str
    closes: str


def listed(root: Path) -> Iterator[Listed]:
    """Every file that can be an article, in the order of languages, sections and names."""
    for locale in LOCALES:
        for file in sorted((root / locale).glob("*/*.md")):
            try:
                path = ArticlePath(locale, file.parent.name, file.stem)
                with path.inside(root).open("rb") as content:
                    head = content.read(_HEAD).decode("utf-8", errors="replace")
            except (ArticleMissing, OSError):
                continue  # `kb check` tells of it
            head = head.replace("\r\n", "\n").replace("\r", "\n").partition("\n---")[0]
            found = {name: field.search(head) for name, field in _FIELDS.items()}
            values = {name: one[1] if one else "" for name, one in found.items()}
            yield Listed(path, **values)


def by_id(root: Path, article: str) -> ArticlePath:
    """The file of an article, `locale:id`. Raises `ArticleMissing`."""
    locale, _, name = article.partition(":")
    for one in listed(root):
        if one.path.locale == locale and one.id == name:
            return one.path
    raise ArticleMissing(f"{article}: there is no such article in {root.name}/.")
