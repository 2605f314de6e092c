"""How well a form's text finds what settles it, how often it is rightly silent, and how fast.

`python benchmarks/suggest.py [DIR…]` compares the merge of whole and sentences with a plain search
for the whole text, on folders in BEIR layout and on texts as in `tests/golden/suggest`, which are
taken when no folder is named; then it measures texts of 120 words, with `--times` nothing else.
`--fit` fits the confidence to the part `fit` of the texts and of the golden questions beside them,
and prints search/data/suggest.json.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from portal.config import load_settings
from portal.redact import redact
from search.embed import open_embedder
from search.evaluate import (
    LabelledQuery,
    mean,
    ndcg,
    precision_at_1,
    read_beir,
    read_golden,
    read_jsonl,
    recall,
    select,
)
from search.library import open_searcher, tuned
from search.searcher import Searcher
from search.suggest import THRESHOLD, suggest
from search.suggest_weigh import Merging, Weighed, shipped_merging, weigh
from search.text import MAX_QUERY
from search.threads import limit_threads

ROOT = Path(__file__).parent.parent
GOLDEN = ROOT / "tests" / "golden"
TEXTS = GOLDEN / "suggest"
_SAMPLE = 250  # of a BEIR folder
_DEPTH = 10
_WORDS = 120
_REPEATS = 100
_UNTIMED = 8  # texts first, so that what is loaded on first use is not timed
_RIDGE = 1e-4


@dataclass(frozen=True, slots=True)
class Text:
    """What was written into a form, and the articles that settle it; none: silence is right."""

    query: LabelledQuery
    reason: str | None = None
    platform: str | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """The rankings of one text, and what was shown of it."""

    text: Text
    plain: tuple[str, ...]
    merged: tuple[str, ...]
    shown: tuple[str, ...]
    plain_shown: tuple[str, ...]


def read_texts(folder: Path) -> list[Text]:
    """Texts with reason and platform, from every `.jsonl` of a folder."""
    labelled = {query.id: query for query in read_golden(folder)}
    return [
        Text(labelled[row["id"]], row.get("reason"), row.get("platform"))
        for file in sorted(folder.glob("*.jsonl"))
        for _, row in read_jsonl(file, ("id",))
    ]


def run(searcher: Searcher, texts: Sequence[Text], merging: Merging) -> list[Result]:
    """Every text once, by plain search and by suggestion."""
    return [_ask(searcher, text, merging) for text in texts]


def _ask(searcher: Searcher, text: Text, merging: Merging) -> Result:
    query = text.query
    plain = searcher.search(query.text[:MAX_QUERY], locale=query.locale, limit=_DEPTH)
    found = suggest(
        searcher, query.text, locale=query.locale, reason=text.reason, platform=text.platform,
        merging=merging,
    )  # fmt: skip
    ranking = tuple(result.article.id for result in plain.results)
    return Result(
        text, ranking, tuple(_ids(searcher, _weigh(searcher, text, merging))),
        tuple(item.article.id for item in found.items),
        ranking[:3] if plain.confidence >= THRESHOLD else (),
    )  # fmt: skip


def _weigh(searcher: Searcher, text: Text, merging: Merging, most: int = _DEPTH) -> Weighed | None:
    return weigh(
        searcher, text.query.text, locale=text.query.locale, reason=text.reason,
        platform=text.platform, merging=merging, most=most,
    )  # fmt: skip


def _ids(searcher: Searcher, weighed: Weighed | None) -> Iterator[str]:
    ids = searcher.generation.catalogue.columns.ids
    return (ids[each.row] for each in (weighed.candidates if weighed else ()))


def quality(name: str, results: Sequence[Result]) -> str:
    """One row of the table of rankings."""
    good = [result for result in results if result.text.query.answerable]
    cells = [name, str(len(good))]
    for ranking in ("plain", "merged"):
        lists = [(getattr(result, ranking), result.text.query.relevant) for result in good]
        cells += [
            f"{mean([ndcg(found, relevant) for found, relevant in lists]):.3f}",
            f"{mean([precision_at_1(found, relevant) for found, relevant in lists]):.1%}",
            f"{mean([recall(found, relevant, depth=3) for found, relevant in lists]):.1%}",
        ]
    return "| " + " | ".join(cells) + " |"


def silence(name: str, results: Sequence[Result]) -> str:
    """One row of the table of what was shown: errors of silence, and how much was of use."""
    good = [result for result in results if result.text.query.answerable]
    bad = [result for result in results if not result.text.query.answerable]
    cells = [name, f"{len(good)} + {len(bad)}"]
    for kind in ("plain_shown", "shown"):
        lists = [(getattr(result, kind), result.text.query.relevant) for result in good]
        shown = sum(len(found) for found, _ in lists)
        useful = sum(name in relevant for found, relevant in lists for name in found)
        cells += [
            str(sum(not set(found) & relevant.keys() for found, relevant in lists)),
            str(sum(bool(getattr(result, kind)) for result in bad)),
            f"{useful / max(1, shown):.0%} of {shown}",
        ]
    return "| " + " | ".join(cells) + " |"


def latency(searcher: Searcher, texts: Sequence[Text]) -> str:
    """Milliseconds for texts of 120 words that nobody has asked yet, by the clock and of the
    processor, which what else runs on the machine does not lengthen."""
    words = [_of_length(text.query.text) for text in texts if len(text.query.text) > _WORDS]
    stages: dict[str, Callable[[str], object]] = {
        "redaction": redact,
        "suggestion": lambda text: suggest(
            searcher, text, reason="damaged", platform="wrenfield", threshold=0.0
        ),
        "plain search": lambda text: searcher.search(text[:MAX_QUERY], limit=3),
    }
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in stages}
    for number in range(-_UNTIMED, _REPEATS):
        text = f"{words[number % len(words)]} {number}"
        for name, stage in stages.items():
            wall, own = time.perf_counter(), time.process_time()
            stage(text)
            if number >= 0:
                taken[name].append(
                    (1000 * (time.perf_counter() - wall), 1000 * (time.process_time() - own))
                )
    rows = [
        "| texts of 120 words, ms | median | 95 % | of the processor: median | 95 % |",
        "|---|--:|--:|--:|--:|",
    ]
    times = {name: np.array(found) for name, found in taken.items()}
    times["redaction and suggestion"] = times["redaction"] + times["suggestion"]
    for name, found in times.items():
        middle, high = np.percentile(found, [50, 95], axis=0)
        rows.append(
            f"| {name} | {middle[0]:.1f} | {high[0]:.1f} | {middle[1]:.1f} | {high[1]:.1f} |"
        )
    return "\n".join(rows)


def _of_length(text: str) -> str:
    """The text repeated, then cut at 120 words, a Chinese character counting as two thirds."""
    if " " not in text.strip()[:60]:
        return (text * 3)[: int(_WORDS * 1.5)]
    return " ".join((text.split() * 3)[:_WORDS])


def fit(searcher: Searcher, texts: Sequence[Text], merging: Merging) -> Merging:
    """The confidence that explains best which candidates settle a text."""
    from scipy.optimize import minimize

    rows: list[list[float]] = []
    right: list[float] = []
    for text in texts:
        weighed = _weigh(searcher, text, merging, 6)
        if weighed is None or not weighed.candidates:
            continue
        best = max(each.score for each in weighed.candidates)
        for each, name in zip(weighed.candidates, _ids(searcher, weighed), strict=True):
            known = min(max(each.likely, 1e-3), 1 - 1e-3)
            rows.append([np.log(known / (1 - known)), best - each.score, each.about, 1.0])
            right.append(float(name in text.query.relevant))
    values, truth = np.array(rows), np.array(right)

    def loss(weights: np.ndarray[Any, np.dtype[np.float64]]) -> float:
        chance = 1 / (1 + np.exp(-(values @ weights)))
        logs = truth * np.log(chance + 1e-9) + (1 - truth) * np.log(1 - chance + 1e-9)
        return float(-logs.mean() + _RIDGE * (weights[:-1] ** 2).sum())

    likely, gap, about, intercept = minimize(loss, np.zeros(4), method="L-BFGS-B").x
    return dataclasses.replace(
        merging, likely=round(float(likely), 3), gap=round(float(gap), 3),
        about_odds=round(float(about), 3), intercept=round(float(intercept), 3),
    )  # fmt: skip


def main(arguments: list[str]) -> None:
    limit_threads()
    settings = load_settings()
    embedder = open_embedder(settings.model, cache=settings.cache)
    shipped = open_searcher(settings.data, embedder)
    merging = shipped_merging()
    if arguments == ["--fit"]:
        texts = [*read_texts(TEXTS), *(Text(query) for query in read_golden(GOLDEN))]
        chosen = [text for text in texts if text.query.tags["part"] == "fit"]
        print(json.dumps(dataclasses.asdict(fit(shipped, chosen, merging)), indent=2))
        return
    ranked = [
        "| texts | answerable | whole text: nDCG@10 | first right | in three "
        "| merged: nDCG@10 | first right | in three |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    told = [
        "| texts | something + nothing settles | plain: silent or wrong | shown for nothing "
        "| useful | merged: silent or wrong | shown for nothing | useful |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    timed_only = arguments == ["--times"]
    folders = [] if timed_only else [Path(name) for name in arguments] or [TEXTS]
    for folder in folders:
        if (folder / "corpus.jsonl").exists():
            from indexer.beir import open_corpus

            documents, queries = read_beir(folder)
            chosen = [Text(query) for query in select(queries, source=folder, sample=_SAMPLE)]
            corpus = open_corpus(documents, embedder, data=settings.data)
            results = run(tuned(settings.data, corpus, embedder), chosen, merging)
            ranked.append(quality(folder.name, results))
            continue
        results = run(shipped, read_texts(folder), merging)
        for part in ("fit", "test"):
            own = [result for result in results if result.text.query.tags["part"] == part]
            ranked.append(quality(f"{folder.name}, {part}", own))
            told.append(silence(f"{folder.name}, {part}", own))
    if folders:
        print("\n".join(ranked), "", "\n".join(told), "", sep="\n")
    print(latency(shipped, read_texts(TEXTS)))


if __name__ == "__main__":
    main(sys.argv[1:])
