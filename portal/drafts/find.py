"""Finds the file of an article in the folder: the index does not know drafts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from portal.drafts.errors import ArticleMissing
from portal.drafts.paths import ArticlePath
from search.types import LOCALES

_HEAD = 8192  # bytes that hold the front matter of any article but for a very long one
_FIELDS = ("id", "title", "status", "closes")
_FIELD = re.compile(rf"^({'|'.join(_FIELDS)}):((?:[ \t].*)?(?:\n[ \t]+.*)*)$", re.MULTILINE)
_PLAIN = re.compile(r"[a-z]+(?:-[a-z0-9]+)*")


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
            values = dict.fromkeys(_FIELDS, "")
            for name, written in reversed(_FIELD.findall(head)):  # of two the first
                values[name] = _value(written.strip())
            yield Listed(path, **values)


def _value(written: str) -> str:
    """What YAML reads; as it stands where that is not one text: a list has half-written drafts."""
    if _PLAIN.fullmatch(written):
        return written
    try:
        value = yaml.load(f"- {written}", yaml.CBaseLoader)[0]  # noqa: S506 - makes texts only
    except yaml.YAMLError:
        return written
    return value if isinstance(value, str) else written


def by_id(root: Path, article: str) -> ArticlePath:
    """The file of an article, `locale:id`. Raises `ArticleMissing`."""
    locale, _, name = article.partition(":")
    for one in listed(root):
        if one.path.locale == locale and one.id == name:
            return one.path
    raise ArticleMissing("missing", {"name": article})
