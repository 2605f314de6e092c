"""`kb eval`: how good retrieval is, on anyone's labelled questions."""

from __future__ import annotations

import dataclasses
import json
from functools import partial
from pathlib import Path
from typing import Any

from portal.config import Settings
from portal.progress import Bars
from search.confidence import read_calibrations
from search.embed import open_embedder
from search.evaluate import METRICS, LabelledQuery, read_beir, read_golden
from search.library import CALIBRATION, open_searcher
from search.measure import Summary, run, summarise
from search.searcher import MODES, Searcher
from search.threads import limit_threads


def measure(settings: Settings, folder: Path) -> list[Summary]:
    """Every mode on a BEIR folder, or on golden questions against the published index."""
    limit_threads()
    embedder = open_embedder(settings.model)
    queries: list[LabelledQuery]
    with Bars() as bars:
        if (folder / "corpus.jsonl").exists():
            from indexer.beir import open_corpus

            documents, queries = read_beir(folder)
            generation = open_corpus(documents, embedder, data=settings.data, progress=bars.update)
            calibrations = read_calibrations(settings.data / CALIBRATION)
            searcher = Searcher(generation, embedder, calibrations=calibrations)
        else:
            queries = read_golden(folder)
            searcher = open_searcher(settings.data, embedder)
        return [
            summarise(mode, run(searcher, queries, mode=mode, progress=partial(bars.update, mode)))
            for mode in MODES
        ]


def calibrate(settings: Settings, golden: Path, output: Path) -> str:
    """Refit each language's confidence, keep what is no worse, write it, and say what was done."""
    from search.calibrate import fit, to_json

    limit_threads()
    embedder = open_embedder(settings.model)
    searcher = open_searcher(settings.data, embedder)
    queries = read_golden(golden)
    with Bars() as bars:
        outcomes = run(searcher, queries, progress=partial(bars.update, "asking"))
    calibrations = dict(searcher.calibrations)
    lines = []
    for locale, present in searcher.calibrations.items():
        found = fit([o for o in outcomes if o.query.locale == locale], present)
        if found is None:
            lines.append(f"{locale}: too few questions; the present calibration stays.")
            continue
        better = found.log_loss < found.present_log_loss
        if better:
            calibrations[locale] = found.calibration
        lines.append(
            f"{locale}: fitted on {found.questions} questions; on {found.held_out} held out AUROC "
            f"{found.auroc:.3f}, log loss {found.log_loss:.3f} bits "
            f"({found.present_log_loss:.3f} at present); "
            + ("fitted anew." if better else "no better, so the present one stays.")
        )
    text = json.dumps(to_json(calibrations), indent=2) + "\n"
    output.parent.mkdir(parents=True, exist_ok=True)
    temporary = output.with_suffix(".new")
    temporary.write_text(text, "utf-8")
    temporary.replace(output)
    return "\n".join([*lines, f"Written to {output}."])


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
