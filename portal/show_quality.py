"""A measurement of retrieval, for people as Markdown and for programs as JSON."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from typing import Any

from portal.show_compare import difference, model_label
from portal.show_failures import failure_to_dict, show_failures
from search.compare import paired_test
from search.evaluate import METRICS
from search.measure import Summary, breakdown
from search.report import Cost, ModelRun, Report

_TIMES = ("p50", "p95")
_COMPARED_BY = "nDCG@10"


def as_json(report: Report) -> str:
    """The figures for a program: `modes` are those of the first model, `models` has them all."""
    models = {run.name: _run_to_dict(run, report.lead) for run in report.runs}
    body = {
        "dataset": report.dataset,
        "modes": models[report.runs[0].name]["modes"],
        "lead": report.lead,
        "models": models,
    }
    return json.dumps(_without_nan(body), ensure_ascii=False, indent=2)


def _run_to_dict(run: ModelRun, lead: str) -> dict[str, Any]:
    return {
        "model_id": run.model_id,
        "calibrated": run.calibrated,
        "cost": _cost_to_dict(run.cost) if run.cost else None,
        "modes": {summary.mode: dataclasses.asdict(summary) for summary in run.summaries()},
        "groups": {
            tag: {value: dataclasses.asdict(summary) for value, summary in groups.items()}
            for tag, groups in breakdown(lead, run.outcomes[lead]).items()
        },
        "worst": [failure_to_dict(failure) for failure in run.failures],
    }


def _cost_to_dict(cost: Cost) -> dict[str, Any]:
    return {**dataclasses.asdict(cost), "corpus_seconds": cost.corpus_seconds}


def _without_nan(value: Any) -> Any:
    """JSON has no NaN: what could not be calculated is null."""
    if isinstance(value, dict):
        return {key: _without_nan(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(one) for one in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def as_table(report: Report) -> str:
    """The figures for people, one block a model, and what sets the models apart below."""
    several = len(report.runs) > 1
    blocks = []
    for run in report.runs:
        lines = [f"## {model_label(run.name)}", ""] if several else []
        if run.cost:
            lines += [_cost_line(run.cost), ""]
        blocks.append("\n".join([*lines, *_block(report, run)]))
    if several:
        blocks.append("\n".join(["## Models", "", *_models(report)]))
    return "\n\n".join(blocks)


def _block(report: Report, run: ModelRun) -> list[str]:
    summaries = run.summaries()
    lines = [*_header(report.dataset, [*METRICS, "p50 ms", "p95 ms"])]
    lines += [_row(s.mode, [*_metrics(s), *_latency(s)]) for s in summaries]
    lead = next(summary for summary in summaries if summary.mode == report.lead)
    if lead.auroc is not None and lead.caught_at_5 is not None and not math.isnan(lead.auroc):
        lines += ["", _refusals(lead, calibrated=run.calibrated)]
    groups = breakdown(report.lead, run.outcomes[report.lead])
    if groups:
        lines += ["", *_header(f"{report.lead} by", ["questions", *METRICS])]
        lines += [
            _row(f"{tag} {value}", [str(summary.questions), *_metrics(summary)])
            for tag, found in groups.items()
            for value, summary in found.items()
        ]
    if run.failures:
        lines += ["", f"Worst of {report.lead}:", *show_failures(run.failures)]
    return lines


def _header(corner: str, names: list[str]) -> list[str]:
    return [_row(corner, names), "|---" * (len(names) + 1) + "|"]


def _row(name: str, cells: list[str]) -> str:
    return f"| {name} | " + " | ".join(cells) + " |"


def _metrics(summary: Summary) -> list[str]:
    return [_figure(summary.metrics[name]) for name in METRICS]


def _latency(summary: Summary) -> list[str]:
    return [f"{summary.latency_ms[name]:.1f}" for name in _TIMES]


def _figure(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.4f}"


def _refusals(summary: Summary, *, calibrated: bool) -> str:
    text = (
        f"Telling answerable from unanswerable: AUROC {summary.auroc:.4f}, "
        f"{summary.caught_at_5:.1%} of the unanswerable caught at 5 % false alarms. "
    )
    if not calibrated:
        return text + "The threshold is fitted for another model and not judged here."
    return text + (
        f"At the shipped threshold {summary.refused_unanswerable:.1%} of the unanswerable and "
        f"{summary.refused_answerable:.1%} of the answerable are not answered; "
        f"{summary.wrong_answers} answers come from an article that is not marked right."
    )


def _cost_line(cost: Cost) -> str:
    return (
        f"{cost.dimension} numbers a vector; {cost.texts_per_second:.1f} texts/s, timed on "
        f"{cost.timed} texts of the corpus: {cost.corpus_seconds:.1f} s for its {cost.vectors} "
        "vectors."
    )


def _models(report: Report) -> list[str]:
    """Quality and cost side by side, and whether each model differs from the first."""
    columns = [*METRICS, "numbers", "texts/s", "corpus s", "p50 ms", "p95 ms"]
    lines = _header(f"{report.dataset}, {report.lead}", columns)
    for run in report.runs:
        (summary,) = (s for s in run.summaries() if s.mode == report.lead)
        cost: list[str] = []
        if run.cost:
            cost = [
                str(run.cost.dimension),
                f"{run.cost.texts_per_second:.1f}",
                f"{run.cost.corpus_seconds:.1f}",
            ]
        lines.append(_row(model_label(run.name), [*_metrics(summary), *cost, *_latency(summary)]))
    first, *others = report.runs
    before = _scores(first, report.lead)
    for other in others if before else ():
        after = _scores(other, report.lead)
        test = paired_test(list(before.values()), [after[name] for name in before])
        names = {"a": model_label(first.name), "b": model_label(other.name)}
        lines += ["", difference(test, _COMPARED_BY, **names)]
    return lines


def _scores(run: ModelRun, mode: str) -> Mapping[str, float]:
    return {
        outcome.query.id: outcome.score(_COMPARED_BY)
        for outcome in run.outcomes[mode]
        if outcome.query.answerable
    }
