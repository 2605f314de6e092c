"""Times publishing: `python benchmarks/publish.py FOLDER` with a folder of articles to copy.

First the bare encoding, spread over as many processes as the publish uses, on samples that are
scaled up: of the passages, which the model reads once each, and of every text that the index has a
vector of, as an indexer encodes that knows the model's interface alone. Then `kb index` as a
command, Python's start included: the first publish, nothing changed, one article changed, and put
back.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from indexer.check import check_folder
from indexer.content import gather
from indexer.encoding import encoders
from indexer.part import Published, items_of
from search.embed import open_embedder
from search.threads import limit_threads

_SAMPLE = 2048  # texts
_BATCH = 64


@dataclass(frozen=True, slots=True)
class Run:
    """One `kb index`."""

    what: str
    seconds: float
    said: str


def bare_encoding(texts: list[str], cache: Path, *, workers: int) -> float:
    """Seconds that encoding all the texts takes, from the first `_SAMPLE` of them."""
    sample = texts[:: max(1, len(texts) // _SAMPLE)][:_SAMPLE]
    batches = [sample[low : low + _BATCH] for low in range(0, len(sample), _BATCH)]
    with encoders(open_embedder(cache=cache), workers=workers, rows=len(texts)) as encode:
        list(encode(batches[:4]))  # processes start and load the model
        began = time.perf_counter()
        for _ in encode(batches):
            pass
        taken = time.perf_counter() - began
    return taken * len(texts) / len(sample)


def texts_of(articles: Sequence[Published]) -> list[str]:
    """Every text that has a vector."""
    texts: list[str] = []
    for item in items_of(articles):
        texts += [item] if isinstance(item, str) else item.composed()
    return texts


def publish(what: str, articles: Path, data: Path) -> Run:
    """Run `kb index` and time it."""
    command = [str(Path(sys.executable).parent / "kb"), "index"]
    environment = {**os.environ, "KB_ARTICLES": str(articles), "KB_DATA": str(data)}
    began = time.perf_counter()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return Run(what, time.perf_counter() - began, done.stdout.strip().splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("articles", type=Path)
    parser.add_argument("--data", type=Path, help="publish into this new folder, and keep it")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    limit_threads()
    with tempfile.TemporaryDirectory() as name:
        articles, data = Path(name) / "articles", options.data or Path(name) / "data"
        shutil.copytree(options.articles, articles)
        library, _ = check_folder(articles, today=date.today())
        content = gather(library)
        workers = os.cpu_count() or 1
        every = content.only(range(len(content.articles)))
        bare, vectors = (
            bare_encoding(texts, data / "cache", workers=workers)
            for texts in ([passage.text for passage in content.passages], texts_of(every))
        )
        shutil.rmtree(data)
        runs = [publish("first publish", articles, data)]
        runs.append(publish("nothing changed", articles, data))
        changed = sorted((articles / "en").rglob("*.md"))[len(content.articles) // 4]
        before = changed.read_text("utf-8")
        changed.write_text(f"{before.rstrip()} We wrote this sentence a moment ago.\n", "utf-8")
        runs.append(publish("one article changed", articles, data))
        changed.write_text(before, "utf-8")
        runs.append(publish("the same put back", articles, data))
    first = runs[0].seconds
    print(f"{len(content.articles):,} articles, {len(content.passages):,} passages; "
          f"{workers} processes encode\n")  # fmt: skip
    print("| what | seconds | over the passages' encoding | over that of all texts "
          "| over first publish |\n|---|---|---|---|---|")  # fmt: skip
    rows = [("bare encoding of the passages", bare), ("bare encoding of all texts", vectors)]
    for what, seconds in [*rows, *((run.what, run.seconds) for run in runs)]:
        print(f"| {what} | {seconds:.2f} | {seconds / bare:.2f} | {seconds / vectors:.2f} "
              f"| {seconds / first:.3f} |")  # fmt: skip
    print("\n".join(f"\n{run.what}: {run.said}" for run in runs))
    if options.json:
        figures = {run.what: run.seconds for run in runs}
        bares = {"bare encoding": bare, "bare encoding of all texts": vectors}
        options.json.write_text(json.dumps({**bares, **figures}), "utf-8")


if __name__ == "__main__":
    main()
