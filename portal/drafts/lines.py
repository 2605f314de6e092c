"""A file's text in a page's text field, and back without touching what was not edited.

A browser sends every line end as CR LF, whatever it was, and knows nothing of a byte order mark.
Lines that come back as they were shown keep every byte they had in the file.
"""

from __future__ import annotations

import re
from collections import Counter
from difflib import SequenceMatcher

BOM = "\ufeff"
_END = re.compile(r"\r\n|\r|\n")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_MOST_COMPARED = 4000
"""Lines between the first and the last change; with more, all between count as edited."""


def shown(text: str) -> str:
    """What a page's text field holds of a file."""
    return _plain(text.removeprefix(BOM))


def restored(original: str, typed: str) -> str:
    """The file's new text: the lines of `original` that are still there, byte for byte.

    Lines that are new get the line end that most lines have.
    """
    mark = BOM if original.startswith(BOM) else ""
    old = _LINE.findall(original.removeprefix(BOM))
    known = [_plain(line) for line in old]
    new = _LINE.findall(_plain(typed))
    start = _common(known, new)
    end = _common(known[start:][::-1], new[start:][::-1])
    ends = Counter(found[0] for line in old if (found := _END.search(line)))
    usual = ends.most_common(1)[0][0] if ends else "\n"
    middle = new[start : len(new) - end]
    kept = old[start : len(old) - end]
    lines = [*old[:start], *_merge(kept, middle, usual), *old[len(old) - end :]]
    whole = "".join(lines)
    if _plain(whole) != _plain(typed):  # a lone CR that was kept met a new LF
        whole = _END.sub(usual, _plain(typed))
    return mark + whole


def _merge(old: list[str], new: list[str], usual: str) -> list[str]:
    lines = [_END.sub(usual, line) for line in new]
    if len(old) + len(new) <= _MOST_COMPARED:
        known = [_plain(line) for line in old]
        for block in SequenceMatcher(None, known, new, autojunk=False).get_matching_blocks():
            lines[block.b : block.b + block.size] = old[block.a : block.a + block.size]
    return lines


def _plain(text: str) -> str:
    return _END.sub("\n", text).replace("\0", "\ufffd")


def _common(one: list[str], other: list[str]) -> int:
    length = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        length += 1
    return length
