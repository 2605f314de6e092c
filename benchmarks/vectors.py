"""Times vector retrieval beside the exact index and the bare FAISS call, and counts what it finds.

`KB_DATA=… python benchmarks/vectors.py QUERIES.jsonl [--sizes 1000,…]` takes the vectors of the
published index; sizes beyond it are made by adding noise to real vectors (a cosine of about .94 to
the one they come from), which the table says. Recall counts a neighbour as found if it is as near
as the tenth of the exact index, so that equal sentences do not count against anybody.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import faiss
import numpy as np

from portal.config import load_settings
from search.embed import open_embedder, unit
from search.generation import open_current
from search.text import simplify, split_sentences
from search.threads import limit_threads
from search.types import VectorEngine, Vectors
from search.vectors import EXACT_BELOW, FaissEngine, SketchEngine
from search.whitening import whiten

_NOISE = 0.35  # length of the noise beside a vector of 1
_NEIGHBOURS = 10
_ASKED = 200
_SIZES = "1000,2000,4000,8000,16000,50000,100000,1000000"


def grown(vectors: Vectors, size: int, seed: int = 1) -> Vectors:
    """(size, d) vectors: the first of those there are, or all and noisy copies of them."""
    if size <= len(vectors):
        return np.ascontiguousarray(vectors[:: len(vectors) // size][:size])
    draw = np.random.default_rng(seed)
    made = np.empty((size, vectors.shape[1]), np.float32)
    made[: len(vectors)] = vectors
    for low in range(len(vectors), size, 50_000):
        high = min(size, low + 50_000)
        rows = draw.integers(0, len(vectors), high - low)
        noise = draw.normal(size=(high - low, vectors.shape[1])).astype(np.float32)
        made[low:high] = unit(vectors[rows] + np.float32(_NOISE) * unit(noise))
    return made


def median_ms(act: Callable[[Vectors], object], queries: Vectors) -> float:
    """The median time of one call for one query."""
    taken = []
    for query in queries:
        began = time.perf_counter()
        act(query[None])
        taken.append(time.perf_counter() - began)
    return float(np.median(taken)) * 1000


def recall(engine: VectorEngine, vectors: Vectors, queries: Vectors) -> float:
    """The share of the nearest that are found."""
    found = []
    for query in queries:
        near = vectors @ query
        least = np.partition(near, -_NEIGHBOURS)[-_NEIGHBOURS] - 1e-5
        rows, _ = engine.search(query[None], limit=_NEIGHBOURS)
        found.append((near[rows[0]] >= least).mean())
    return float(np.mean(found))


def row(vectors: Vectors, queries: Vectors, *, real: int) -> Sequence[str]:
    """One line of the table."""
    began = time.perf_counter()
    sketched = SketchEngine.build(vectors)
    built = time.perf_counter() - began
    exact = FaissEngine.build(vectors)
    bare = sketched._index

    def call(query: Vectors) -> object:
        return bare.search(query, max(200, len(vectors) // 250))

    exact_ms = median_ms(lambda query: exact.search(query, limit=_NEIGHBOURS), queries)
    sketch_ms = median_ms(lambda query: sketched.search(query, limit=_NEIGHBOURS), queries)
    bare_ms = median_ms(call, queries)
    ours = exact_ms if len(vectors) < EXACT_BELOW else sketch_ms
    return (
        f"{len(vectors):,}", "real" if len(vectors) <= real else "real and perturbed",
        f"{exact_ms:.2f}", f"{sketch_ms:.2f}", f"{exact_ms / ours:.1f}",
        f"{sketch_ms / bare_ms:.2f}", f"{recall(sketched, vectors, queries):.3f}", f"{built:.1f}",
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("queries", type=Path)
    parser.add_argument("--sizes", default=_SIZES)
    options = parser.parse_args()
    limit_threads()
    settings = load_settings()
    generation = open_current(settings.data)
    vectors = generation.vectors.vectors(np.arange(generation.vectors.count))
    texts = [json.loads(line)["text"] for line in options.queries.read_text("utf-8").splitlines()]
    firsts = [sentences[0] for text in texts if (sentences := split_sentences(simplify(text)))]
    chosen = firsts[:: max(1, len(firsts) // _ASKED)][:_ASKED]
    embedder = open_embedder(settings.model)
    queries = whiten(embedder.encode_queries(chosen), generation.whitening)
    print(f"FAISS {faiss.__version__}, one thread, {len(queries)} questions; sketches are used "
          f"from {EXACT_BELOW} vectors on\n")  # fmt: skip
    print("| vectors | made of | exact ms | sketch ms | times as fast | over bare call | recall@10 "
          "| built in s |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|")
    for size in map(int, options.sizes.split(",")):
        print("|", " | ".join(row(grown(vectors, size), queries, real=len(vectors))), "|")


if __name__ == "__main__":
    main()
