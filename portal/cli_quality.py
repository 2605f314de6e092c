"""`kb eval`: how good retrieval is, on anyone's labelled questions."""

from __future__ import annotations

import dataclasses
import json
from functools import partial
from pathlib import Path
from typing import Any

from portal.config import Settings
from portal.progress import Bars
from search.embed import open_embedder
from search.evaluate import METRICS, LabelledQuery, read_beir, read_golden
from search.generation import open_current
from search.measure import Summary, run, summarise
from search.searcher import MODES, Searcher


def measure(settings: Settings, folder: Path) -> list[Summary]:
    """Every mode on a BEIR folder, or on golden questions against the published index."""
    embedder = open_embedder(settings.model)
    queries: list[LabelledQuery]
    with Bars() as bars:
        if (folder / "corpus.jsonl").exists():
            from indexer.beir import open_corpus

            documents, queries = read_beir(folder)
            generation = open_corpus(documents, embedder, data=settings.data, progress=bars.update)
        else:
            queries = read_golden(folder)
            generation = open_current(settings.data, embedder)
        searcher = Searcher(generation, embedder)
        return [
            summarise(mode, run(searcher, queries, mode=mode, progress=partial(bars.update, mode)))
            for mode in MODES
        ]


def as_json(folder: Path, summaries: list[Summary]) -> str:
    """The figures for a program."""
    body: dict[str, Any] = {
        "dataset": folder.name,
        "modes": {summary.mode: dataclasses.asdict(summary) for summary in summaries},
    }
    return json.dumps(body, indent=2)


def as_table(folder: Path, summaries: list[Summary]) -> str:
    """The figures for people, in Markdown."""
    names = [*METRICS, "p50 ms", "p95 ms"]
    lines = [f"| {folder.name} | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for summary in summaries:
        values = [f"{summary.metrics[name]:.4f}" for name in METRICS]
        values += [f"{summary.latency_ms[name]:.1f}" for name in ("p50", "p95")]
        lines.append(f"| {summary.mode} | " + " | ".join(values) + " |")
    hybrid = next((summary for summary in summaries if summary.mode == "hybrid"), None)
    if hybrid and hybrid.auroc is not None and hybrid.caught_at_5 is not None:
        lines += [
            "",
            f"Telling answerable from unanswerable: AUROC {hybrid.auroc:.4f}, "
            f"{hybrid.caught_at_5:.1%} of the unanswerable caught at 5 % false alarms. "
            f"At the shipped threshold {hybrid.refused_unanswerable:.1%} of the unanswerable and "
            f"{hybrid.refused_answerable:.1%} of the answerable are not answered; "
            f"{hybrid.wrong_answers} answers come from an article that is not marked right.",
        ]
    return "\n".join(lines)
