"""The questions that went worst, with the evidence for what was wanted and for what came."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from search.failures import Failure, Wanted
from search.types import Explanation

_TERMS = 8  # of an explanation


def failure_to_dict(failure: Failure) -> dict[str, Any]:
    """A JSON-ready form."""
    outcome = failure.outcome
    return {
        "id": outcome.query.id,
        "text": outcome.query.text,
        "nDCG@10": outcome.score("nDCG@10") if outcome.query.answerable else None,
        "confidence": outcome.confidence,
        "answered_by": outcome.answered_by,
        "candidates": failure.candidates,
        "wanted": [dataclasses.asdict(wanted) for wanted in failure.wanted],
        "first": [
            {
                "article": result.article.id,
                "title": result.article.title,
                "score": result.score,
                "explanation": result.explanation and dataclasses.asdict(result.explanation),
            }
            for result in failure.first
        ],
        "trace": dataclasses.asdict(failure.trace),
    }


def show_failures(failures: Sequence[Failure]) -> list[str]:
    """Lines for the terminal, one block a question."""
    lines = []
    for number, failure in enumerate(failures, 1):
        lines += ["", *_show(number, failure)]
    return lines


def _show(number: int, failure: Failure) -> list[str]:
    outcome, trace = failure.outcome, failure.trace
    score = f"nDCG@10 {outcome.score('nDCG@10'):.4f}, " if outcome.query.answerable else ""
    said = f"answered from {outcome.answered_by}" if outcome.answered_by else "not answered"
    lines = [
        f"{number}. {outcome.query.id}: {' '.join(outcome.query.text.split())}",
        f"   {score}confidence {outcome.confidence:.2f}, {said}",
    ]
    lines += [f"   wanted  {_place(wanted, failure)}" for wanted in failure.wanted]
    if not failure.wanted:
        lines.append("   wanted  nothing: no article answers it")
    lines += [
        f"   came {place:>2}. {result.article.id} “{result.article.title}”"
        for place, result in enumerate(failure.first, 1)
    ]
    if not failure.first:
        lines.append("   came    nothing")
    lines.append(f"   terms: {' '.join(trace.terms) or 'none'}")
    if len(trace.sentences) > 1:
        lines.append(f"   sentences: {' | '.join(trace.sentences)}")
    lines.append(f"   vector weight {trace.vector_weight:.2f}")
    lines += [f"   ! {problem}" for problem in trace.degraded]
    return lines + _evidence(failure)


def _place(wanted: Wanted, failure: Failure) -> str:
    title = f" “{wanted.title}”" if wanted.title else ""
    name = f"{wanted.article}{title} (grade {wanted.grade})"
    if wanted.place:
        return f"{name}: place {wanted.place}"
    if wanted.title is None:
        return f"{name}: not in the index"
    return f"{name}: not among the {failure.candidates} candidates"


def _evidence(failure: Failure) -> list[str]:
    """What the best placed of the wanted and the first result have, beside each other."""
    columns: list[tuple[str, str, Explanation]] = []
    found = [wanted for wanted in failure.wanted if wanted.place and wanted.explanation]
    best = min(found, key=lambda wanted: wanted.place or 0, default=None)
    if best and best.explanation:
        columns.append(("wanted", best.article, best.explanation))
    first = failure.first[0] if failure.first else None
    if first and first.explanation and not (best and best.place == 1):
        columns.append(("first", first.article.id, first.explanation))
    if not columns:
        return []
    lines = ["   " + " " * 16 + "".join(f"{label:>10}" for label, _, _ in columns)]
    rows = [("score", [why.score for _, _, why in columns])]
    rows += [
        (name, [why.features[name] for _, _, why in columns]) for name in columns[0][2].features
    ]
    lines += [
        f"   {name:16}" + "".join(f"{value:10.3f}" for value in values) for name, values in rows
    ]
    for label, _, why in columns:
        terms = ", ".join(f"{term} {score:.2f}" for term, score in why.terms[:_TERMS]) or "none"
        lines.append(f"   words of {label} ({why.passage_id}): {terms}")
    return lines
