"""Writes `search/data/readings.txt`, the usual reading of every Han character, from pypinyin."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from indexer.completion import spell_in_context
from search.pinyin import FIRST, LAST, UNKNOWN

FILE = Path(__file__).parent.parent / "search" / "data" / "readings.txt"
_HEAD = """\
# The usual reading of every Han character without its tone, one syllable a line.
# Made by benchmarks/readings.py from the dictionary of single characters of pypinyin 0.55.
#
# MIT License
# Copyright (c) 2016 mozillazg, 闲耘 <hotoo.cn@gmail.com>
#
# Permission is hereby granted, free of charge, to any person obtaining a copy of this software
# and associated documentation files (the "Software"), to deal in the Software without
# restriction, including without limitation the rights to use, copy, modify, merge, publish,
# distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the
# Software is furnished to do so, subject to the following conditions:
#
# The above copyright notice and this permission notice shall be included in all copies or
# substantial portions of the Software.
#
# THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING
# BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND
# NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM,
# DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
# OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""


def table() -> str:
    """What the file is to hold."""
    characters: dict[str, list[str]] = defaultdict(list)
    for character in map(chr, range(FIRST, LAST + 1)):
        characters[spell_in_context(character)[0]].append(character)
    characters.pop(UNKNOWN, None)
    lines = [f"{syllable} {''.join(characters[syllable])}\n" for syllable in sorted(characters)]
    return _HEAD + "".join(lines)


if __name__ == "__main__":
    FILE.write_text(table(), "utf-8")
