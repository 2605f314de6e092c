"""The distribution of words in a folder of articles, as the search's tokeniser cuts them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from search.text import Tokeniser
from search.types import LOCALES

_HEADER = (
    "| language | words | different | after a tenth | Zipf's exponent | Heaps's exponent |",
    "|---|---|---|---|---|---|",
)


def report(folder: Path) -> str:
    """A Markdown table: size and growth of the vocabulary, slope of rank against frequency."""
    words = (folder / "words.txt").read_text("utf-8").splitlines()
    tokeniser = Tokeniser(word for word in words if not word.startswith("#"))
    return "\n".join([*_HEADER, *(_row(folder, locale, tokeniser) for locale in LOCALES)])


def _row(folder: Path, locale: str, tokeniser: Tokeniser) -> str:
    paths = sorted((folder / locale).rglob("*.md"), key=lambda path: path.name)
    counts: Counter[str] = Counter()
    tenth, total_at_tenth = 1, 1
    for number, path in enumerate(paths):
        body = path.read_text("utf-8").split("\n---\n", 1)[1]
        counts.update(tokeniser.terms(body))
        if number == len(paths) // 10:
            tenth, total_at_tenth = len(counts), counts.total()
    heaps = np.log(len(counts) / tenth) / np.log(counts.total() / total_at_tenth)
    return (
        f"| {locale} | {counts.total():,} | {len(counts):,} | {tenth:,} | {_zipf(counts):.2f} | "
        f"{heaps:.2f} |"
    )


def _zipf(counts: Counter[str]) -> float:
    """The slope of log frequency over log rank, at ranks evenly spread in the logarithm."""
    frequencies = np.array(sorted(counts.values(), reverse=True), float)
    ranks = np.unique(np.geomspace(10, len(frequencies), 100).astype(int))
    slope, _ = np.polyfit(np.log(ranks), np.log(frequencies[ranks - 1]), 1)
    return -float(slope)
