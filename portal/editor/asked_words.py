"""Customers' own words, judged before they become an article's: their language."""

from __future__ import annotations

import re

from search.text import HAN

_HAN = re.compile(f"[{HAN}]")


def language_of(text: str) -> str:
    """The language that words are in, whichever page they were written on."""
    return "zh-Hans" if _HAN.search(text) else "en"
