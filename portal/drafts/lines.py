"""A file's text in a page's text field, and back without touching what was not edited.

A browser sends every line end as CR LF, whatever it was, and knows nothing of a byte order mark.
Lines that come back as they were shown keep every byte they had in the file.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from difflib import Match, SequenceMatcher

BOM = "\ufeff"
_END = re.compile(r"\r\n|\r|\n")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_MOST_COMPARED = 1000
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
    start = common(known, new)
    end = common(known[start:][::-1], new[start:][::-1])
    ends = Counter(found[0] for line in old if (found := _END.search(line)))
    usual = ends.most_common(1)[0][0] if ends else "\n"
    middle = new[start : len(new) - end]
    kept = old[start : len(old) - end]
    lines = [*old[:start], *_merge(kept, middle, usual), *old[len(old) - end :]]
    whole = "".join(lines)
    if _plain(whole) != _plain(typed):  # a lone CR that was kept met a new LF
        whole = _END.sub(usual, _plain(typed))
    return mark + whole


def compared(there: str, yours: str) -> list[tuple[str, str]]:
    """Both texts line by line, as shown: `both`, `there` or `yours`, and the line without its end.

    What lies between the first and the last difference is compared line with line, where it is not
    too long.
    """
    old, new = shown(there).splitlines(), shown(yours).splitlines()
    start = common(old, new)
    end = common(old[start:][::-1], new[start:][::-1])
    left, right = old[start : len(old) - end], new[start : len(new) - end]
    found = [("both", line) for line in old[:start]]
    known = done = 0
    for block in _blocks(left, right):
        found += [("there", line) for line in left[known : block.a]]
        found += [("yours", line) for line in right[done : block.b]]
        known, done = block.a + block.size, block.b + block.size
        found += [("both", line) for line in left[block.a : known]]
    return [*found, *(("both", line) for line in old[len(old) - end :])]


def _blocks(old: list[str], new: list[str]) -> list[Match]:
    """Runs of equal lines, none of texts that are too long, and an empty one at the end."""
    if len(old) + len(new) > _MOST_COMPARED:
        return [Match(len(old), len(new), 0)]
    return SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()


def _merge(old: list[str], new: list[str], usual: str) -> list[str]:
    lines = [_END.sub(usual, line) for line in new]
    for block in _blocks([_plain(line) for line in old], new):
        lines[block.b : block.b + block.size] = old[block.a : block.a + block.size]
    return lines


def _plain(text: str) -> str:
    return _END.sub("\n", text).replace("\0", "\ufffd")


def common(one: Sequence[str], other: Sequence[str]) -> int:
    """How many lines, or characters, both begin with."""
    length = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        length += 1
    return length
