"""Retrieval quality: metrics as the field defines them, over any labelled set."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from search.errors import DatasetInvalid

DEPTH = 10
_GRADE = re.compile(r"-?[0-9]+")
Qrels = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class LabelledQuery:
    """A question, the relevance of documents to it, and whether any document answers it."""

    id: str
    text: str
    relevant: Qrels
    answerable: bool = True
    locale: str | None = None
    tags: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Document:
    """A document of a BEIR corpus."""

    id: str
    title: str
    text: str


def read_beir(folder: Path) -> tuple[list[Document], list[LabelledQuery]]:
    """A data set in BEIR layout: corpus.jsonl, queries.jsonl and qrels/*.tsv.

    Queries whose `metadata.answerable` is false are kept, with nothing relevant; other queries
    without a judgement are left out. Raises `DatasetInvalid` naming file and line.
    """
    documents = [
        Document(str(row["_id"]), str(row.get("title") or ""), str(row["text"]))
        for _, row in read_jsonl(folder / "corpus.jsonl", ("_id", "text"))
    ]
    qrels = _read_qrels(folder)
    queries = []
    for _, row in read_jsonl(folder / "queries.jsonl", ("_id", "text")):
        metadata = row.get("metadata")
        metadata = metadata if isinstance(metadata, dict) else {}
        answerable = metadata.get("answerable", True) is not False
        relevant = qrels.get(str(row["_id"]), {})
        if relevant or not answerable:
            queries.append(
                LabelledQuery(
                    str(row["_id"]), str(row["text"]), relevant, answerable, None, metadata
                )
            )
    if not documents or not queries:
        raise DatasetInvalid(f"{folder}: no document or no judged query")
    return documents, queries


def read_golden(path: Path) -> list[LabelledQuery]:
    """Golden questions: JSON lines with id, text, locale and the articles that answer.

    The first article counts 2, the others 1; an empty list is a question nothing answers.
    """
    files = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    queries = []
    for file in files:
        for _, row in read_jsonl(file, ("id", "text", "locale", "articles"), lists=("articles",)):
            relevant = {
                str(article): 2 if place == 0 else 1
                for place, article in enumerate(row["articles"])
            }
            tags = {"part": row.get("part", ""), "kind": row.get("kind", "")}
            queries.append(
                LabelledQuery(row["id"], row["text"], relevant, bool(relevant), row["locale"], tags)
            )
    if not queries:
        raise DatasetInvalid(f"{path}: no golden question found")
    return queries


def select(
    queries: Sequence[LabelledQuery],
    *,
    source: Path,
    part: str | None = None,
    locale: str | None = None,
    sample: int | None = None,
) -> list[LabelledQuery]:
    """The queries of one part and one language, at most `sample` of them, in their order.

    The sample goes by a hash of the ids, so it is the same in every run, a smaller one lies within
    a larger one, and a question that is added later moves at most one other out.
    Raises `DatasetInvalid` naming `source` when none is left.
    """
    chosen = [
        query
        for query in queries
        if part in (None, query.tags.get("part")) and locale in (None, query.locale)
    ]
    if not chosen:
        asked = [f"{name} {value}" for name, value in (("part", part), ("locale", locale)) if value]
        raise DatasetInvalid(f"{source}: has no question of {' and '.join(asked)}")
    if sample is not None and sample < len(chosen):
        first = sorted(range(len(chosen)), key=lambda place: _hash(chosen[place].id))[:sample]
        chosen = [chosen[place] for place in sorted(first)]
    return chosen


def _hash(name: str) -> bytes:
    return hashlib.blake2b(name.encode(), digest_size=8).digest()


def read_jsonl(
    path: Path, required: Sequence[str], *, lists: Sequence[str] = ()
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line number and object of every line that is not empty.

    Raises `DatasetInvalid` naming file, line and field when one of `required` is missing or one of
    `lists` is no list.
    """
    try:
        lines = path.read_text("utf-8").split("\n")  # text may hold U+2028, which is no line's end
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetInvalid(f"{path}: cannot be read ({error})") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise DatasetInvalid(f"{path}:{number}: not JSON ({error.msg})") from error
        if missing := [name for name in required if not isinstance(row, dict) or name not in row]:
            raise DatasetInvalid(f"{path}:{number}: {missing[0]} is missing")
        if wrong := [name for name in lists if not isinstance(row[name], list)]:
            raise DatasetInvalid(f"{path}:{number}: {wrong[0]} is not a list")
        yield number, row


def _read_qrels(folder: Path) -> dict[str, dict[str, int]]:
    files = sorted((folder / "qrels").glob("*.tsv"))
    if not files:
        raise DatasetInvalid(f"{folder / 'qrels'}: no .tsv file with judgements")
    qrels: dict[str, dict[str, int]] = {}
    try:
        lines = files[-1].read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetInvalid(f"{files[-1]}: cannot be read ({error})") from error
    for number, line in enumerate(lines, 1):
        parts = line.split("\t")
        if number == 1 and not _GRADE.fullmatch(parts[-1].strip()):
            continue  # the header
        if len(parts) != 3 or not _GRADE.fullmatch(parts[2].strip()):
            raise DatasetInvalid(f"{files[-1]}:{number}: not query, document and grade")
        qrels.setdefault(parts[0], {})[parts[1]] = int(parts[2])
    return qrels


def ndcg(ranking: Sequence[str], relevant: Qrels, *, depth: int = DEPTH) -> float:
    """Normalised discounted cumulative gain, gain = grade (trec_eval's, as BEIR reports it)."""
    gains = [max(0, relevant.get(document, 0)) for document in ranking[:depth]]
    ideal = sorted((grade for grade in relevant.values() if grade > 0), reverse=True)[:depth]
    best = sum(grade / math.log2(place + 2) for place, grade in enumerate(ideal))
    found = sum(grade / math.log2(place + 2) for place, grade in enumerate(gains))
    return found / best if best else 0.0


def reciprocal_rank(ranking: Sequence[str], relevant: Qrels, *, depth: int = DEPTH) -> float:
    """1 / place of the first relevant document, 0 below `depth`."""
    for place, document in enumerate(ranking[:depth], 1):
        if relevant.get(document, 0) > 0:
            return 1 / place
    return 0.0


def recall(ranking: Sequence[str], relevant: Qrels, *, depth: int = DEPTH) -> float:
    """Share of the relevant documents among the first `depth`."""
    wanted = {document for document, grade in relevant.items() if grade > 0}
    return len(wanted & set(ranking[:depth])) / len(wanted) if wanted else 0.0


def precision_at_1(ranking: Sequence[str], relevant: Qrels) -> float:
    """1 when the first document is relevant."""
    return float(bool(ranking) and relevant.get(ranking[0], 0) > 0)


METRICS: Mapping[str, Callable[[Sequence[str], Qrels], float]] = {
    "nDCG@10": ndcg,
    "MRR@10": reciprocal_rank,
    "Recall@10": recall,
    "P@1": precision_at_1,
}


def auroc(positive: npt.ArrayLike, negative: npt.ArrayLike) -> float:
    """Chance that a positive scores above a negative, ties counting half."""
    above = np.asarray(positive, np.float64)
    below = np.sort(np.asarray(negative, np.float64))
    if not len(above) or not len(below):
        return math.nan
    left = np.searchsorted(below, above, side="left")
    right = np.searchsorted(below, above, side="right")
    return float((left + right).sum() / 2 / (len(above) * len(below)))


def caught_at(
    answerable: npt.ArrayLike, unanswerable: npt.ArrayLike, *, false_alarms: float = 0.05
) -> float:
    """Share of the unanswerable that fall under the threshold which refuses `false_alarms` of
    the answerable."""
    good = np.sort(np.asarray(answerable, np.float64))
    bad = np.asarray(unanswerable, np.float64)
    if not len(good) or not len(bad):
        return math.nan
    threshold = good[int(false_alarms * len(good))]
    return float((bad < threshold).mean())


def mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else math.nan
