"""Times what publishing does before and beside the engines: `python benchmarks/reading.py FOLDER`.

With a copy of a folder of articles and caches of its own: at first, again with nothing changed, and
with one article changed. Prints processor seconds by stage, and those of the whole as a clock sees
them, so that a busy machine shows.
"""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import shutil
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from pathlib import Path
from typing import TypeVar

from indexer.check import check
from indexer.completion import write_completions
from indexer.content import gather
from indexer.folder import read_folder
from indexer.parsed_cache import ParsedCache
from indexer.published import made_of
from indexer.vocabulary import write_vocabulary
from search.text import Tokeniser

T = TypeVar("T")


class Stages:
    """Processor seconds by the name of a stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def time(self, name: str, work: Callable[[], T]) -> T:
        began = time.process_time()
        done = work()
        self.seconds[name] = time.process_time() - began
        return done


def run(articles: Path, caches: Path, out: Path) -> dict[str, float]:
    """Go through all stages once, in a process of its own: dictionaries are loaded anew."""
    stages, began = Stages(), time.perf_counter()
    today = date.today()
    folder = stages.time("read and hash", lambda: read_folder(articles))
    stages.time("fingerprint", lambda: made_of(folder, model="none", today=today))

    def checked() -> object:
        with ParsedCache(caches / "articles.sqlite") as cache:
            return gather(check(folder, today=today, cache=cache)[0])

    content = stages.time("parse and check", checked)
    tokeniser = Tokeniser(content.words)
    stages.time("tokeniser", lambda: list(tokeniser.tokens("退款")))
    stages.time(
        "completions",
        lambda: write_completions(
            out / "completion", content.articles, tokeniser, cache=caches / "completions.sqlite"
        ),
    )
    stages.time(
        "vocabulary",
        lambda: write_vocabulary(out, content, tokeniser, cache=caches / "vocabulary.sqlite"),
    )
    return {**stages.seconds, "by the clock": time.perf_counter() - began}


def change(articles: Path, number: int) -> None:
    """Ask and say something else in one of the articles."""
    path = sorted(articles.glob("zh-Hans/*/*.md"))[0]
    text = path.read_text("utf-8").replace(
        "questions:\n", f"questions:\n  - 第{number}次退款吗\n", 1
    )
    path.write_text(f"{text}\n这是第{number}句新话。\n", "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as base:
        articles, caches = Path(base) / "articles", Path(base) / "caches"
        shutil.copytree(given.folder, articles)
        rows = {}
        for number, what in enumerate(["first", "unchanged", "one changed", "one changed again"]):
            if number > 1:
                change(articles, number)
            with ProcessPoolExecutor(
                1, multiprocessing.get_context("spawn"), gc.disable
            ) as process:
                out = Path(base) / f"out{number}"
                rows[what] = process.submit(run, articles, caches, out).result()
    stages = list(rows["first"])
    print(f"| {given.folder.name} | {' | '.join(stages)} |")
    print("|---|" + "---:|" * len(stages))
    for what, seconds in rows.items():
        print(f"| {what} | {' | '.join(f'{seconds[stage]:.2f}' for stage in stages)} |")


if __name__ == "__main__":
    main()
