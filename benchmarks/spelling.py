"""Prints the tables on spelling: how often the right word is found, and what it costs.

`python benchmarks/spelling.py TYPOS.tsv [--articles DIR] [--queries FILE…]`, with symspellpy and
pyspellchecker installed beside the project for the comparison.

TYPOS.tsv has the columns typo, correct, set. A pair counts if the right word is in the general
vocabulary, also if the typo is a word itself. No article is indexed for this table. With
`--articles`, a second one says how many brand names a speller of these articles would change;
with `--queries` (JSON lines with a `text`), what it would change in questions, for a reader to
judge.
"""

from __future__ import annotations

import argparse
import importlib.resources
import json
import multiprocessing
import re
import resource
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from search.lexicon import english
from search.spelling import Speller
from search.text import normalise

Lookup = Callable[[str], list[str]]
Pair = tuple[str, str]
_LETTERS = re.compile("[a-z]+")

BRANDS = """
xiaomi huawei oppo vivo realme oneplus anker logitech lenovo asus acer dyson miele bosch philips
braun siemens makita dewalt garmin fitbit gopro canon nikon leica sony samsung iphone ipad airpods
macbook galaxy pixel kindle alexa siri nintendo playstation xbox zara uniqlo adidas nike puma
reebok asics lululemon gucci prada hermes chanel rolex swarovski pandora ikea lidl aldi tesco
argos asos shein temu shopee lazada taobao tmall pinduoduo jingdong alibaba aliexpress ebay etsy
wayfair zalando allegro klarna afterpay venmo zelle revolut monzo paypal stripe alipay wechat
unionpay amex maestro fedex usps evri yodel sfexpress yunda cainiao whatsapp telegram instagram
tiktok pinterest snapchat linkedin youtube netflix spotify roomba robovac nespresso keurig lego
barbie lekue sodastream vitamix tefal delonghi smeg sonos bose beats sennheiser jabra belkin
tplink netgear ubiquiti synology kobo remarkable withings oura theragun peloton hisense skyworth
midea haier gree roborock ecovacs dreame tineco ninebot segway yeezy crocs birkenstock timberland
patagonia columbia fjallraven arcteryx osprey samsonite rimowa tumi
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One library on one list; times in seconds, memory in bytes."""

    first: int
    in_three: int
    times: list[float]
    loading: float
    memory: int


def read_pairs(path: Path) -> dict[str, list[Pair]]:
    """Pairs (typo, right) by list.

    A file with quotation marks in its cells was cut from the source of Norvig's `spell.py` at
    the wrong ones: an entry's rows go on with the words of the entries after it. Its words still
    stand in order, so there each known word opens an entry, and the unknown ones after it are
    its misspellings; misspellings that are words are lost.
    """
    rows = [line.split("\t") for line in path.read_text("utf-8").splitlines()[1:]]
    broken = any("'" in cell for row in rows for cell in row)
    known = english().log_probabilities
    pairs: dict[str, list[Pair]] = defaultdict(list)
    right, cell = "", ""
    for typo, correct, name in rows:
        if not broken:
            pairs[name].append((typo, correct))
            continue
        if correct != cell:
            cell, right = correct, _LETTERS.findall(correct)[-1]
        for word in _LETTERS.findall(typo):
            if word in known:
                right = word
            else:
                pairs[name].append((word, right))
    return {name: [p for p in found if p[1] in known] for name, found in pairs.items()}


def ours() -> Lookup:
    speller = Speller({})
    speller.corrections("recieve")  # reads the vocabulary
    return lambda word: [correction.word for correction in speller.corrections(word)]


def symspell() -> Lookup:
    from symspellpy import SymSpell, Verbosity

    found = SymSpell(max_dictionary_edit_distance=2, prefix_length=7)
    file = importlib.resources.files("symspellpy") / "frequency_dictionary_en_82_765.txt"
    found.load_dictionary(str(file), term_index=0, count_index=1)
    return lambda word: [s.term for s in found.lookup(word, Verbosity.ALL, max_edit_distance=2)[:3]]


def pyspellchecker() -> Lookup:
    from spellchecker import SpellChecker

    checker = SpellChecker(language="en")
    frequency = checker.word_usage_frequency
    return lambda word: sorted(checker.candidates(word) or (), key=frequency, reverse=True)[:3]


LIBRARIES: dict[str, Callable[[], Lookup]] = {
    "this project": ours,
    "symspellpy": symspell,
    "pyspellchecker": pyspellchecker,
}


def measure(library: str, pairs: Sequence[Pair]) -> Outcome:
    """Run in a process of its own, so that its memory is its own."""
    before = _resident()
    began = time.perf_counter()
    lookup = LIBRARIES[library]()
    loading = time.perf_counter() - began
    times, first, in_three = [], 0, 0
    for typo, right in pairs:
        began = time.perf_counter()
        words = lookup(typo)
        times.append(time.perf_counter() - began)
        first += words[:1] == [right]
        in_three += right in words
    return Outcome(first, in_three, times, loading, _resident() - before)


def _resident() -> int:
    """Bytes of memory in use, on Linux."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * resource.getpagesize()


def comparison(lists: Mapping[str, Sequence[Pair]]) -> str:
    rows = [
        "| list | library | pairs | first | in three | p50 | p95 | loading | memory |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    context = multiprocessing.get_context("spawn")
    for name, pairs in lists.items():
        for library in LIBRARIES:
            with ProcessPoolExecutor(1, mp_context=context) as pool:
                result = pool.submit(measure, library, pairs).result()
            p95 = statistics.quantiles(result.times, n=20)[-1]
            cells = [
                name, library, str(len(pairs)),
                f"{result.first / len(pairs):.1%}", f"{result.in_three / len(pairs):.1%}",
                f"{1000 * statistics.median(result.times):.1f} ms", f"{1000 * p95:.1f} ms",
                f"{result.loading:.2f} s", f"{result.memory / 1e6:.0f} MB",
            ]  # fmt: skip
            rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows)


def speller_of(articles: Path) -> Speller:
    counts: Counter[str] = Counter()
    for file in articles.rglob("*.md"):
        counts.update(re.findall("[a-z]+(?:'[a-z]+)*", normalise(file.read_text("utf-8"))))
    return Speller(counts)


def changes(title: str, speller: Speller, texts: Sequence[str]) -> str:
    """One row: which words of some texts are replaced at once, and which asked about."""
    found: Counter[tuple[bool, str]] = Counter()
    for text in texts:
        for miss in speller.misspellings(normalise(text)):
            found[miss.sure, f"{miss.wrong} → {miss.right}"] += 1
    cells = []
    for kind in (True, False):
        counts = {words: n for (sure, words), n in found.items() if sure is kind}
        cells.append(", ".join(f"{words} ({n})" if n > 1 else words for words, n in counts.items()))
    return f"| {title} | {len(texts)} | " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("typos", type=Path)
    parser.add_argument("--articles", type=Path)
    parser.add_argument("--queries", type=Path, nargs="*", default=[])
    options = parser.parse_args()
    print(comparison(read_pairs(options.typos)))
    if options.articles:
        speller = speller_of(options.articles)
        print("\n| texts | number | replaced at once | asked about |\n|---|---|---|---|")
        print(changes("brand names", speller, BRANDS.split()))
        for file in options.queries:
            texts = [json.loads(line)["text"] for line in file.read_text("utf-8").splitlines()]
            print(changes(file.parent.name, speller, texts))


if __name__ == "__main__":
    main()
