"""`kb calibrate`: ranking and confidence refitted on labelled questions, never to the worse."""

from __future__ import annotations

import dataclasses
import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from portal.config import Settings
from portal.progress import Bars
from search.calibrate import Fit, fit
from search.confidence import BARE, Calibration
from search.embed import open_embedder
from search.evaluate import LabelledQuery, read_beir, read_golden
from search.fit_ranking import collect, fit_ranking, mean_ndcg
from search.library import CALIBRATION, RANKING, open_searcher, tuned
from search.measure import Outcome, run
from search.searcher import Searcher
from search.threads import limit_threads
from search.types import Embedder

_MOST_QUERIES = 400  # of each BEIR set; more would only let the largest take longer
Progress = Callable[[str, int, int], None]


def calibrate(settings: Settings, folders: Sequence[Path], output: Path) -> Iterator[str]:
    """Refit what the folders have questions for and write it; gives a line on each outcome."""
    limit_threads()
    embedder = open_embedder(settings.model, cache=settings.cache)
    golden = [folder for folder in folders if not (folder / "corpus.jsonl").exists()]
    sets = [folder for folder in folders if folder not in golden]
    calibrations: dict[str, Calibration] = {}
    output.mkdir(parents=True, exist_ok=True)
    if golden:
        searcher = open_searcher(settings.data, embedder)
        queries = [_with_part(query) for folder in golden for query in read_golden(folder)]
        with Bars() as bars:
            searcher, line = _rank(searcher, queries, output, bars.update)
            found = dict(_by_language(searcher, queries, bars.update))
        yield line
        for name, fitted in found.items():
            yield _said(name, fitted)
            if fitted is not None and fitted.better:
                calibrations[name] = fitted.calibration
    if sets:
        with Bars() as bars:
            bare = _bare(settings, sets, embedder, bars.update)
        yield _said(BARE, bare)
        if bare is not None and bare.better:
            calibrations[BARE] = bare.calibration
    if calibrations:
        path = output / CALIBRATION
        present = json.loads(path.read_text("utf-8")) if path.exists() else {}
        _write(path, {**present, **{name: c.to_dict() for name, c in calibrations.items()}})
        yield f"Written to {path}."


def _rank(
    searcher: Searcher, queries: Sequence[LabelledQuery], output: Path, progress: Progress
) -> tuple[Searcher, str]:
    """A searcher with the better of the present ranking and one fitted anew, which is written."""
    examples = collect(searcher, queries, progress=partial(progress, "gathering evidence"))
    train = [example for example in examples if example.query.tags["part"] != "test"]
    test = [example for example in examples if example.query.tags["part"] == "test"]
    if not any(example.relevant.any() for example in train) or not test:
        return searcher, "ranking: too few questions; the present weights stay."
    found = fit_ranking(train, searcher.ranking)
    now, before = mean_ndcg(test, found), mean_ndcg(test, searcher.ranking)
    line = (
        f"ranking: fitted on {len(train)} questions; on {len(test)} held out nDCG@10 {now:.4f} "
        f"({before:.4f} at present); "
    )
    if now <= before:
        return searcher, line + "no better, so the present weights stay."
    path = output / RANKING
    _write(path, found.to_dict())
    better = Searcher(
        searcher.generation, searcher.embedder, ranking=found, calibrations=searcher.calibrations
    )
    return better, line + f"written to {path}."


def _by_language(
    searcher: Searcher, queries: Sequence[LabelledQuery], progress: Progress
) -> Iterator[tuple[str, Fit | None]]:
    outcomes = run(searcher, queries, progress=partial(progress, "asking"))
    for locale in dict.fromkeys(query.locale for query in queries if query.locale):
        own = [outcome for outcome in outcomes if outcome.query.locale == locale]
        train, test = _parts(own)
        yield locale, fit([train], test, searcher.calibrations[locale])


def _bare(
    settings: Settings, folders: Sequence[Path], embedder: Embedder, progress: Progress
) -> Fit | None:
    """The confidence for articles without questions, from sets of any subject."""
    from indexer.beir import open_corpus

    trains: list[list[Outcome]] = []
    tests: list[Outcome] = []
    present: Calibration | None = None
    for folder in folders:
        documents, queries = read_beir(folder)
        asked = [_with_part(query) for query in queries if query.answerable]
        asked = asked[:: -(-len(asked) // _MOST_QUERIES)]
        generation = open_corpus(documents, embedder, data=settings.data, progress=progress)
        searcher = tuned(settings.data, generation, embedder)
        present = searcher.calibrations[BARE]
        outcomes = [
            *run(searcher, asked, progress=partial(progress, folder.name)),
            *run(
                searcher, asked, hide_relevant=True,
                progress=partial(progress, f"{folder.name}, answers hidden"),
            ),
        ]  # fmt: skip
        train, test = _parts(outcomes)
        trains.append(train)
        tests += test
    return fit(trains, tests, present, bare=True) if present else None


def _with_part(query: LabelledQuery) -> LabelledQuery:
    """A question with its part; where none is given, a third is held out by its id."""
    if query.tags.get("part"):
        return query
    part = "test" if zlib.crc32(query.id.encode()) % 3 == 0 else "fit"
    return dataclasses.replace(query, tags={**query.tags, "part": part})


def _parts(outcomes: Sequence[Outcome]) -> tuple[list[Outcome], list[Outcome]]:
    held_out = [outcome for outcome in outcomes if outcome.query.tags["part"] == "test"]
    return [outcome for outcome in outcomes if outcome.query.tags["part"] != "test"], held_out


def _said(name: str, found: Fit | None) -> str:
    if found is None:
        return f"confidence, {name}: too few questions; the present calibration stays."
    verdict = "fitted anew." if found.better else "no better, so the present one stays."
    return (
        f"confidence, {name}: fitted on {found.questions} outcomes; on {found.held_out} held out "
        f"AUROC {found.auroc:.3f}, {found.caught_at_5:.0%} caught at 5 % false alarms, log loss "
        f"{found.log_loss:.3f} bits ({found.present_log_loss:.3f} at present); {verdict}"
    )


def _write(path: Path, data: Any) -> None:
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps(data, indent=2) + "\n", "utf-8")
    temporary.replace(path)
