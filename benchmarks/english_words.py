"""Writes `search/data/english.txt`, the general vocabulary of the spelling correction.

`python benchmarks/english_words.py [FILE]`, with symspellpy 6.10.1 and pyspellchecker 0.9.1
installed. The first list knows written British English (Google Books), the second spoken American
(subtitles). Where both have a word, its probability is their geometric mean, so that what is
frequent by accident in one (`oder` of German books) is not believed; a word of one list alone is
taken at 1/e of its probability there.
"""

from __future__ import annotations

import importlib.resources
import math
import re
import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from spellchecker import SpellChecker

OUT = Path(__file__).parent.parent / "search" / "data" / "english.txt"
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)*")
_ALONE = -1.0  # log of what a word of one list is worth
_HEADER = """\
# General English vocabulary with probabilities, made by benchmarks/english_words.py.
# Each line: -10 ln(probability), then the words that have it.
# Words and counts: SymSpell's frequency_dictionary_en_82_765 as symspellpy ships it, from Google
# Books Ngrams (https://books.google.com/ngrams) and SCOWL; and pyspellchecker's English
# dictionary, from OpenSubtitles (http://www.opensubtitles.org/).
#
# MIT License
# Copyright (c) 2025 mmb L, (c) 2021 Wolf Garbe (SymSpell, symspellpy)
# Copyright (c) 2018-2021 Tyler Barrus (pyspellchecker)
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


def written() -> dict[str, int]:
    """Counts of symspellpy's list."""
    file = importlib.resources.files("symspellpy") / "frequency_dictionary_en_82_765.txt"
    counts = {}
    for line in file.read_text("utf-8-sig").splitlines():
        word, count = line.split()
        counts[word] = int(count)
    return counts


def spoken() -> dict[str, int]:
    """Counts of pyspellchecker's list, without possessives."""
    dictionary = SpellChecker(language="en").word_frequency.dictionary
    return {word: count for word, count in dictionary.items() if not word.endswith("'s")}


def merged(lists: list[Mapping[str, int]]) -> dict[str, float]:
    """Log probability of every word of any of the lists."""
    known: dict[str, list[float]] = defaultdict(list)
    for counts in lists:
        total = math.log(sum(counts.values()))
        for word, count in counts.items():
            if _WORD.fullmatch(word) and count > 0:
                known[word].append(math.log(count) - total)
    means = {
        word: sum(logs) / len(logs) + (_ALONE if len(logs) < len(lists) else 0)
        for word, logs in known.items()
    }
    whole = math.log(math.fsum(map(math.exp, means.values())))
    return {word: value - whole for word, value in means.items()}


def write(path: Path) -> None:
    levels: dict[int, list[str]] = defaultdict(list)
    for word, value in merged([written(), spoken()]).items():
        levels[round(-10 * value)].append(word)
    lines = [f"{level} {' '.join(sorted(levels[level]))}\n" for level in sorted(levels)]
    path.write_text(_HEADER + "".join(lines), "utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else OUT)
