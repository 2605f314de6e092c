"""The closed set of personal data kinds, and the folded view of a text the rules read."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from enum import StrEnum
from functools import lru_cache

HIDDEN = "\x00"
"""Stands in the view for what is already replaced or must stay; no rule matches it."""


class Kind(StrEnum):
    """What a piece of text was before a placeholder took its place."""

    EMAIL = "email"
    PHONE = "phone"
    ORDER = "order"
    TRACKING = "tracking"
    CARD = "card"
    ID_NUMBER = "id-number"
    IBAN = "iban"
    ADDRESS = "address"
    NAME = "name"
    ACCOUNT = "account"
    LINK_TOKEN = "link-token"  # noqa: S105

    @property
    def placeholder(self) -> str:
        return f"[{self.value}]"


Finding = tuple[int, int, Kind | None]
"""Start and end in the view, and the kind; without a kind the stretch is kept as it is."""

Rule = Callable[[str], Iterable[Finding]]

PLACEHOLDERS = tuple(kind.placeholder for kind in Kind)
PLACEHOLDER = re.compile(r"\[(?:" + "|".join(kind.value for kind in Kind) + r")\]")


def fold(text: str) -> tuple[str, list[int]]:
    """The text as a reader sees it, and for every character of it the one it came from.

    Width, decorated digits, accents written apart, invisible characters and the many dashes
    are ways to write the same number; rules should need to know only one of them.
    """
    if text.isascii() and text.isprintable():
        return text, list(range(len(text)))
    characters: list[str] = []
    origins: list[int] = []
    for index, character in enumerate(text):
        for folded in _fold_character(character):
            characters.append(folded)
            origins.append(index)
    return "".join(characters), origins


@lru_cache(maxsize=4096)
def _fold_character(character: str) -> str:
    if " " <= character <= "~" or character == "\n":
        return character
    category = unicodedata.category(character)
    if category == "Cf" or category.startswith("M") or character in "\u115f\u1160\u3164\uffa0":
        return ""
    if category in ("Zl", "Zp") or character == "\r":
        return "\n"
    if category in ("Zs", "Cc"):
        return " "
    if category == "Pd" or character == "\u2212":
        return "-"
    if category == "Nd":
        return str(unicodedata.decimal(character))
    folded = unicodedata.normalize("NFKC", character)
    if folded == character:
        return character
    return "".join(_fold_character(part) if part != character else part for part in folded)
