"""Per-query results of a measurement as JSON lines, so that two runs can be compared."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from search.errors import DatasetInvalid, KnowledgeBaseError
from search.evaluate import METRICS, read_jsonl
from search.measure import Outcome

_TEXTS = ("dataset", "model", "mode", "id", "text")


class ResultsUnwritable(KnowledgeBaseError):
    """The file for the per-query results cannot be written."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class QueryResult:
    """One line of a results file; `metrics` are None for a question nothing answers."""

    place: str
    """File and line, for messages."""
    dataset: str
    model: str
    mode: str
    id: str
    text: str
    relevant: Mapping[str, int]
    metrics: Mapping[str, float | None]


@contextmanager
def writing_results(path: Path) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Gives a function that adds a line; the file appears when all went well, else stays as it was.

    Raises `ResultsUnwritable` before anything is measured when it cannot be written.
    """
    temporary = path.with_name(f"{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = temporary.open("w", encoding="utf-8")
    except OSError as error:
        raise ResultsUnwritable(
            f"{path}: cannot be written ({error.strerror}); give --output another file"
        ) from error
    try:
        with file:
            yield lambda row: print(json.dumps(row, ensure_ascii=False), file=file)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def result_row(dataset: str, model: str, mode: str, outcome: Outcome) -> dict[str, Any]:
    """What is written of one question; metrics are null where nothing answers."""
    query = outcome.query
    return {
        "dataset": dataset,
        "model": model,
        "mode": mode,
        "id": query.id,
        "text": query.text,
        "locale": query.locale,
        **{name: query.tags[name] for name in ("part", "kind") if query.tags.get(name)},
        "answerable": query.answerable,
        "relevant": dict(query.relevant),
        "metrics": {name: outcome.score(name) if query.answerable else None for name in METRICS},
        "ranking": list(outcome.ranking),
        "confidence": outcome.confidence,
        "resolved": outcome.resolved,
        "answered_by": outcome.answered_by,
        "milliseconds": round(outcome.milliseconds, 3),
    }


def read_results(path: Path) -> list[QueryResult]:
    """Reads what `kb eval --output` wrote. Raises `DatasetInvalid` naming file, line and field."""
    found: dict[tuple[str, ...], QueryResult] = {}
    for number, row in read_jsonl(path, (*_TEXTS, "relevant", "metrics")):
        place = f"{path}:{number}"
        for name in _TEXTS:
            if not isinstance(row[name], str):
                raise DatasetInvalid(f"{place}: {name} is not a string")
        for name, fits in (("relevant", _is_grade), ("metrics", _is_value)):
            if not isinstance(row[name], dict) or not all(map(fits, row[name].values())):
                raise DatasetInvalid(f"{place}: {name} does not hold numbers by name")
        dataset, model, mode, identity, text = (str(row[name]) for name in _TEXTS)
        result = QueryResult(
            place, dataset, model, mode, identity, text, row["relevant"], row["metrics"]
        )
        key = (dataset, model, mode, identity)
        if key in found:
            raise DatasetInvalid(
                f"{place}: query {identity!r} stands here again; it is at {found[key].place} too"
            )
        found[key] = result
    if not found:
        raise DatasetInvalid(f"{path}: no result found; write one with `kb eval --output`")
    return list(found.values())


def _is_grade(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_value(value: object) -> bool:
    if value is None:
        return True
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
