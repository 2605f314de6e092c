"""Names of files and addresses made from what customers ask."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container

_HAN = re.compile(r"[\u3400-\u9fff]+")
_OTHER = re.compile(r"[^a-z0-9]+")
_LONGEST = 60
_NAMELESS = "article"


def slug_of(title: str) -> str:
    """Lower-case words with hyphens; Chinese as its pinyin without tones. Never empty."""
    if _HAN.search(title):
        from pypinyin import lazy_pinyin  # loads its dictionary, which few pages need

        title = _HAN.sub(lambda found: f" {' '.join(lazy_pinyin(found[0]))} ", title)
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    plain = plain.replace("'", "")
    words = [word for word in _OTHER.split(plain) if word]
    while len(words) > 1 and len("-".join(words)) > _LONGEST:
        words.pop()
    return "-".join(words)[:_LONGEST].strip("-") or _NAMELESS


def free_slug(title: str, taken: Container[str]) -> str:
    """The slug of a title, with a number where another article has it."""
    slug = slug_of(title)
    if slug not in taken:
        return slug
    number = 2
    while f"{slug}-{number}" in taken:
        number += 1
    return f"{slug}-{number}"
