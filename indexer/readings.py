"""How Chinese is read aloud, character by character, as the words around it demand."""

from __future__ import annotations

import re
from functools import lru_cache

from search.pinyin import UNKNOWN

_SYLLABLE = re.compile("[a-z]+")


def spell_in_context(han: str) -> list[str]:
    """A syllable for each Han character, read as its neighbours demand: 银行 is `yin hang`."""
    from pypinyin.seg.mmseg import seg  # 0.3 s and 50 MB, so only where Chinese is published

    found = [syllable for word in seg.cut(han) for syllable in _spell_word(word)]
    return found if len(found) == len(han) else [UNKNOWN] * len(han)


@lru_cache(maxsize=100_000)
def _spell_word(word: str) -> tuple[str, ...]:
    from pypinyin import Style, lazy_pinyin

    found: list[str] = []
    for syllable in lazy_pinyin(word, style=Style.NORMAL, errors=lambda rare: UNKNOWN * len(rare)):
        known = _SYLLABLE.fullmatch(syllable) is not None
        found += [syllable] if known else [UNKNOWN] * max(1, syllable.count(UNKNOWN))
    return tuple(found)
