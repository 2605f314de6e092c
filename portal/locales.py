"""The languages of the portal by their tags; needs nothing of the web."""

from __future__ import annotations


def match_locale(tag: str | None) -> str | None:
    """The locale a language tag such as `zh-TW` or `en-US` is served with, or None."""
    language = (tag or "").casefold().replace("_", "-").split("-")[0]
    return {"zh": "zh-Hans", "en": "en"}.get(language)
