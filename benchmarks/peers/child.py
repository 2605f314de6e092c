"""One measured step of one engine, in a process and on a core of its own.

`python -m peers.child ENGINE STEP MATERIAL INDEX OUT`, from the folder `benchmarks`; the steps are
the functions below. What is measured is written to OUT as JSON; the parent watches the memory.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from peers.base import MODES, TOP, Engine, EngineModule, Material, Query, load_engine

_WARM_UP = 20  # queries
_ENOUGH = 120.0  # seconds of a mode, for engines that would take hours
_LEAST = 100  # queries that are asked all the same


def index(engine: EngineModule, material: Material, folder: Path) -> dict[str, Any]:
    """Build the index; seconds."""
    started = time.perf_counter()
    engine.build(material, folder)
    return {"seconds": time.perf_counter() - started}


def search(engine: EngineModule, material: Material, folder: Path) -> dict[str, Any]:
    """Ask the queries once in every mode, as many as time allows; milliseconds of each."""
    opened, queries = engine.open_index(material, folder), material.queries()
    return {
        "milliseconds": {mode: _time(opened, mode, queries) for mode in _modes(engine)},
    }


def quality(engine: EngineModule, material: Material, folder: Path) -> dict[str, Any]:
    """nDCG@10 of every mode."""
    from search.evaluate import mean, ndcg

    opened, queries = engine.open_index(material, folder), material.queries()
    documents = material.documents()
    relevant = json.loads((material.folder / "relevant.json").read_text("utf-8"))
    found = {}
    for mode in _modes(engine):
        rankings = [_documents(opened.search(mode, query, TOP), documents) for query in queries]
        found[mode] = mean([ndcg(*pair) for pair in zip(rankings, relevant, strict=True)])
    return {"ndcg": found}


def remember_texts(engine: EngineModule, material: Material, folder: Path) -> dict[str, Any]:
    """Build once with the model at hand, so that no later step has to encode."""
    engine.build(replace(material, encoding="missing"), folder)
    return {}


def remember_queries(engine: EngineModule, material: Material, folder: Path) -> dict[str, Any]:
    """Ask once with the model at hand, so that no later step has to encode."""
    opened = engine.open_index(replace(material, encoding="missing"), folder)
    for query in material.queries():
        opened.search("hybrid", query, TOP)
    return {}


def encode(engine: EngineModule, material: Material, folder: Path) -> dict[str, Any]:
    """Encode the queries with the model itself, one by one; milliseconds of each."""
    del engine, folder
    from search.embed import open_embedder
    from search.text import simplify

    model, texts = open_embedder(), [simplify(query.text) for query in material.queries()]
    model.encode_queries(texts[:_WARM_UP])  # loads it
    milliseconds = []
    for text in texts:
        started = time.perf_counter()
        model.encode_queries([text])
        milliseconds.append((time.perf_counter() - started) * 1000)
    return {"milliseconds": milliseconds}


def encoded(engine: EngineModule, material: Material, folder: Path) -> dict[str, Any]:
    """Hybrid queries with the model itself; milliseconds of each."""
    opened = engine.open_index(replace(material, encoding="always"), folder)
    return {"milliseconds": {"hybrid": _time(opened, "hybrid", material.queries())}}


STEPS: dict[str, Callable[[EngineModule, Material, Path], dict[str, Any]]] = {
    step.__name__: step
    for step in (index, search, quality, remember_texts, remember_queries, encode, encoded)
}


def _modes(engine: EngineModule) -> list[str]:
    return [mode for mode in MODES if mode in engine.ABOUT.modes]


def _time(opened: Engine, mode: str, queries: Sequence[Query]) -> list[float]:
    for query in queries[:_WARM_UP]:
        opened.search(mode, query, TOP)
    milliseconds = []
    for query in queries:
        started = time.perf_counter()
        opened.search(mode, query, TOP)
        milliseconds.append((time.perf_counter() - started) * 1000)
        if len(milliseconds) >= _LEAST and sum(milliseconds) > _ENOUGH * 1000:
            break
    return milliseconds


def _documents(found: Sequence[int] | Sequence[str], documents: Sequence[str]) -> list[str]:
    """Documents by their best passage."""
    names = (item if isinstance(item, str) else documents[item] for item in found)
    return list(dict.fromkeys(names))


def main(name: str, step: str, material: str, folder: str, out: str) -> None:
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # before any engine counts the cores
    found = STEPS[step](load_engine(name), Material(Path(material)), Path(folder))
    Path(out).write_text(json.dumps(found), "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
