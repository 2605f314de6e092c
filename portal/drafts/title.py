"""What an article that is to close a gap is called until somebody calls it otherwise."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from portal.drafts.spelling import Spelling
from portal.drafts.yaml_edit import one_line
from search.text import normalise

_NAMELESS: Mapping[str, str] = {"en": "Article for gap {gap}", "zh-Hans": "缺口 {gap} 的文章"}
_PLAIN_WORD = re.compile(r"[a-z]+(?![^\W_])")


def default_title(
    name: str, asked: Sequence[str], spelling: Spelling, *, locale: str, gap: int
) -> str:
    """The gap's name where one of the questions `asked` has these words, else one of them.

    It is the first that is spelt well, else the first as it is meant. A name may be a question that
    is held out; a title made of it would be found by it, and proof would measure nothing. `asked`
    are those that are not and are in the title's language, the most typical first. Never empty.
    """
    words = normalise(name)
    own = [name] if words and any(words in normalise(text) for text in asked) else []
    offered = [text for text in map(one_line, [*own, *asked]) if text]
    clean = next(filter(spelling.is_clean, offered), "")
    if not clean:
        # What is meant may be a question that is held out.
        meant = [text for text in offered if not spelling.is_copy(text)]
        clean = spelling.corrected(meant[0]) if meant else ""
    return capitalised(clean or _NAMELESS[locale].format(gap=gap))


def capitalised(text: str) -> str:
    """With a capital at its beginning, unless its first word is written in a way of its own."""
    return text[:1].upper() + text[1:] if _PLAIN_WORD.match(text) else text
