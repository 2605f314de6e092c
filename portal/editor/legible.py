"""Texts of customers as pages and tables show them: nothing in them moves, rings or turns round."""

from __future__ import annotations


def legible(text: str) -> str:
    """With a space for every control character and every mark that changes the direction."""
    return "".join(character if character.isprintable() else " " for character in text)
