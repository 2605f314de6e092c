"""A file's text in a page's text field, and back without touching what was not edited.

A browser sends every line end as CR LF, whatever it was, and knows nothing of a byte order mark.
Lines that come back as they were shown keep every byte they had in the file.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import Match, SequenceMatcher

BOM = "\ufeff"
_END = re.compile(r"\r\n|\r|\n")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_AROUND = 2  # lines shown beside a change
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
    found: list[tuple[str, str]] = []
    known = done = 0
    for block in matching(old, new):
        found += [("there", line) for line in old[known : block.a]]
        found += [("yours", line) for line in new[done : block.b]]
        known, done = block.a + block.size, block.b + block.size
        found += [("both", line) for line in old[block.a : known]]
    return found


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an excerpt: `out`, `in`, `both`, or `skipped`, which stands for `count` lines."""

    side: str
    text: str = ""
    count: int = 0


def excerpt(before: str, after: str, *, around: int = _AROUND) -> list[Line]:
    """What was changed, with the lines around it; empty where nothing was."""
    sides = {"there": "out", "yours": "in", "both": "both"}
    lines = [Line(sides[side], text) for side, text in compared(before, after)]
    changed = [place for place, line in enumerate(lines) if line.side != "both"]
    near = {place + step for place in changed for step in range(-around, around + 1)}
    found: list[Line] = []
    for place, line in enumerate(lines):
        if place in near:
            found.append(line)
        elif found and found[-1].side == "skipped":
            found[-1] = Line("skipped", count=found[-1].count + 1)
        else:
            found.append(Line("skipped", count=1))
    return found if changed else []


def matching(old: Sequence[str], new: Sequence[str]) -> list[Match]:
    """Runs of lines that both have, in order, and an empty one at the end of both.

    What lies between the first and the last difference is compared where it is not too long.
    """
    start = common(old, new)
    end = common(old[start:][::-1], new[start:][::-1])
    inner = _blocks(old[start : len(old) - end], new[start : len(new) - end])
    found = [Match(0, 0, start)] if start else []
    found += [Match(start + a, start + b, size) for a, b, size in inner if size]
    if end:
        found.append(Match(len(old) - end, len(new) - end, end))
    return [*found, Match(len(old), len(new), 0)]


def _blocks(old: Sequence[str], new: Sequence[str]) -> list[Match]:
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
