"""What customers typed, made harmless for feeds, mails and terminals."""

from __future__ import annotations


def one_line(text: str, limit: int = 200) -> str:
    """At most `limit` characters on one line, without those that control or turn around a line.

    XML forbids control characters, terminals obey them, and a mail's subject ends at one.
    """
    text = text.encode(errors="replace").decode()
    plain = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return plain if len(plain) <= limit else plain[: limit - 1].rstrip() + "…"
