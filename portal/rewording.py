"""A question as the searcher read it, in its asker's own writing but for what was changed."""

from __future__ import annotations

import re
from collections.abc import Sequence

from search.text import normalise
from search.types import Change


def reworded(query: str, changes: Sequence[Change]) -> str:
    """The question with every change made; folded to the searcher's form where it must be.

    A change names what it found in folded form, so in a text of Traditional characters or full
    width letters it is not found as it stands.
    """
    text = query
    for change in changes:
        pattern = re.escape(change.found)
        if change.found.isascii():
            pattern = rf"(?<!\w){pattern}(?!\w)"
        text, made = re.subn(pattern, change.used, text, flags=re.IGNORECASE)
        if not made:
            text = normalise(text).replace(change.found, change.used)
    return text
