"""Puts two edits of one text together, line by line, by the text that both began with.

Two libraries were looked at and are not used: merge3 is under the GPL, three-merge has had no
release since 2020. The way is that of diff3 (Khanna, Kunal and Pierce, "A Formal
Investigation of Diff3", 2007): what neither has changed stands firm, and between two such runs of
lines either one side alone has changed something, or both the same, or it is a conflict.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from portal.drafts.lines import matching, shown

YOURS, BETWEEN, THEIRS = "<<<<<<<", "=======", ">>>>>>>"
_MARK = re.compile(rf"(?:{YOURS}|{THEIRS})(?: |$)")
Kind = Literal["kept", "theirs", "mine", "same", "conflict"]


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of lines: what the two sides have there, and whose change it is."""

    kind: Kind
    theirs: tuple[str, ...]
    mine: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Merged:
    """Two edits put together."""

    pieces: tuple[Piece, ...]

    @property
    def conflicts(self) -> int:
        """In how many places both have changed the same lines in two ways."""
        return sum(piece.kind == "conflict" for piece in self.pieces)

    def text(self, *, yours: str, theirs: str) -> str:
        """The text; of a conflict both sides, between marks that name them."""
        lines: list[str] = []
        for piece in self.pieces:
            if piece.kind == "conflict":
                lines += [f"{YOURS} {yours}", *piece.mine, BETWEEN]
                lines += [*piece.theirs, f"{THEIRS} {theirs}"]
            else:
                lines += piece.mine if piece.kind == "mine" else piece.theirs
        return "\n".join(lines)


def merge(base: str | None, theirs: str, mine: str) -> Merged:
    """`theirs` and `mine` put together, which both were `base`; as a page's text field has them.

    Without a base every difference is a conflict: nobody knows who made it.
    """
    a, b = (shown(text).split("\n") for text in (theirs, mine))
    if base is None:
        return Merged(tuple(_of_two(a, b)))
    return Merged(tuple(_of_three(shown(base).split("\n"), a, b)))


def marked_line(text: str) -> int:
    """The first line that still is a mark of a conflict, from 1; 0 without one."""
    lines = enumerate(shown(text).split("\n"), 1)
    return next((number for number, line in lines if _MARK.match(line)), 0)


def _of_two(theirs: Sequence[str], mine: Sequence[str]) -> Iterator[Piece]:
    i = j = 0
    for block in matching(theirs, mine):
        if (i, j) != (block.a, block.b):
            yield Piece("conflict", tuple(theirs[i : block.a]), tuple(mine[j : block.b]))
        i, j = block.a + block.size, block.b + block.size
        if block.size:
            yield Piece("kept", tuple(theirs[block.a : i]), tuple(mine[block.b : j]))


def _of_three(base: Sequence[str], theirs: Sequence[str], mine: Sequence[str]) -> Iterator[Piece]:
    at = i = j = 0
    for start, in_theirs, in_mine, size in _firm(base, theirs, mine):
        old = tuple(base[at:start])
        left, right = tuple(theirs[i:in_theirs]), tuple(mine[j:in_mine])
        if old or left or right:
            yield Piece(_kind(old, left, right), left, right)
        at, i, j = start + size, in_theirs + size, in_mine + size
        if size:
            lines = tuple(base[start:at])
            yield Piece("kept", lines, lines)


def _kind(old: tuple[str, ...], theirs: tuple[str, ...], mine: tuple[str, ...]) -> Kind:
    if theirs == mine:
        return "same"
    if theirs == old:
        return "mine"
    return "theirs" if mine == old else "conflict"


def _firm(
    base: Sequence[str], theirs: Sequence[str], mine: Sequence[str]
) -> Iterator[tuple[int, int, int, int]]:
    """Runs of lines that all three have: their place in each and their length, and an empty run at
    the end."""
    left, right = matching(base, theirs), matching(base, mine)
    x = y = 0
    while x < len(left) and y < len(right):
        one, two = left[x], right[y]
        start = max(one.a, two.a)
        end = min(one.a + one.size, two.a + two.size)
        if start < end:
            yield start, one.b + start - one.a, two.b + start - two.a, end - start
        if one.a + one.size < two.a + two.size:
            x += 1
        else:
            y += 1
    yield len(base), len(theirs), len(mine), 0
