"""Addresses of article files: nothing but a locale, a section and a slug ever becomes a path."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from portal.drafts.errors import ArticleMissing
from search.types import LOCALES

_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_LONGEST = 80


@dataclass(frozen=True, slots=True, order=True)
class ArticlePath:
    """Where an article lies below the folder of articles: `<locale>/<section>/<slug>.md`."""

    locale: str
    section: str
    slug: str

    def __post_init__(self) -> None:
        """Raises `ArticleMissing` for what no article's file can be called."""
        names = (self.section, self.slug)
        if self.locale not in LOCALES or not all(is_name(name) for name in names):
            raise ArticleMissing("address")

    def __str__(self) -> str:
        return f"{self.locale}/{self.section}/{self.slug}.md"

    @classmethod
    def parse(cls, text: str) -> ArticlePath:
        """The path of `en/refunds/refund-timing.md`. Raises `ArticleMissing`."""
        parts = text.removesuffix(".md").split("/")
        if len(parts) != 3:
            raise ArticleMissing("address")
        return cls(*parts)

    def inside(self, root: Path) -> Path:
        """The file, links followed. Raises `ArticleMissing` where a link leads out of `root`."""
        base = root.resolve()
        file = (base / str(self)).resolve()
        if not file.is_relative_to(base):
            raise ArticleMissing("link_out", {"name": self})
        return file


def is_name(text: str) -> bool:
    """Whether a section or a slug may be called so."""
    return len(text) <= _LONGEST and _NAME.fullmatch(text) is not None
