"""Where a query's time goes: `make profile`, or `KB_DATA=DIR python benchmarks/stages.py`.

The golden questions, one after the other in one thread, each beside the bare encoding of its text.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from serve import golden_questions

from portal.config import load_settings
from search.embed import open_embedder
from search.library import open_searcher
from search.threads import limit_threads

STAGES = ("analyse", "keyword", "encode", "vector", "rank", "present")


def measure(questions: int) -> dict[str, Any]:
    """Milliseconds of each stage, of the whole and of the bare encoding, question by question."""
    limit_threads()
    settings = load_settings()
    embedder = open_embedder(settings.model, cache=settings.cache)
    searcher = open_searcher(settings.data, embedder)
    texts = golden_questions()[:questions]
    for text in texts[:20]:
        searcher.search(text)
    times: dict[str, list[float]] = defaultdict(list)
    for text in texts:
        began = time.thread_time()
        embedder.encode_queries([text])
        encoded = time.thread_time()
        found = searcher.search(text)
        times["whole"].append((time.thread_time() - encoded) * 1000)
        times["bare"].append((encoded - began) * 1000)
        for stage in STAGES:
            times[stage].append(found.trace.timings_ms.get(stage, 0.0))
    manifest = searcher.generation.manifest
    return {
        "articles": manifest.articles,
        "passages": manifest.passages,
        "questions": len(texts),
        "times_ms": dict(times),
    }


def table(result: dict[str, Any]) -> str:
    """Median and 95th percentile of each stage, its share, and the ratio to the bare encoding."""
    times = {name: np.array(found) for name, found in result["times_ms"].items()}
    bare = np.median(times["bare"])
    in_all = sum(times[stage].sum() for stage in STAGES)
    rows = [
        f"{result['questions']} questions, {result['articles']} articles, "
        f"{result['passages']} passages:",
        "",
        "| stage | median, ms | 95 %, ms | share | median, of the bare encoding's |",
        "|---|--:|--:|--:|--:|",
    ]
    for name in (*STAGES, "whole", "bare"):
        share = f"{times[name].sum() / in_all:.0%}" if name in STAGES else ""
        middle, high = np.percentile(times[name], (50, 95))
        label = {"bare": "the bare encoding", "whole": "**the whole**"}.get(name, name)
        rows.append(f"| {label} | {middle:.2f} | {high:.2f} | {share} | {middle / bare:.2f} |")
    each = times["whole"] / times["bare"]
    rows += [
        "",
        f"The whole takes {np.median(each):.2f} times the bare encoding of the same question in "
        f"the median, {np.percentile(each, 95):.2f} times in the 95th percentile. Stages are "
        "measured by the clock on the wall, the whole and the bare encoding by that of the "
        "processor.",
    ]
    return "\n".join(rows)


def main() -> None:
    """Measure, print Markdown, and with `--json` write every time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=400)
    parser.add_argument("--json", type=Path, metavar="FILE")
    given = parser.parse_args()
    result = measure(given.questions)
    print(table(result))
    if given.json:
        given.json.write_text(json.dumps(result) + "\n", "utf-8")


if __name__ == "__main__":
    main()
