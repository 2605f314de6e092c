"""What may be stored of a text that somebody typed."""

from __future__ import annotations

from portal.redact import redact, shorten

_WORD_LIMIT = 100


def clean(text: str, limit: int) -> str:
    """Redacted, at most `limit` characters, and nothing in it that a database refuses."""
    text = text.encode(errors="replace").decode().replace("\0", " ")
    return shorten(redact(text), limit)


def clean_word(text: str | None) -> str | None:
    """The same of what should be one word, such as a reason picked from a list."""
    return None if text is None else clean(text, _WORD_LIMIT)
