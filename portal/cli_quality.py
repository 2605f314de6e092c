"""`kb eval`: how good retrieval is, on anyone's labelled questions."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

from portal.config import Settings
from portal.progress import Bars
from portal.show_compare import model_label
from search.embed import open_embedder
from search.errors import ModelUnavailable
from search.evaluate import Document, LabelledQuery, read_beir, read_golden, select
from search.failures import examine, worst
from search.library import open_searcher, tuned
from search.measure import Outcome, run
from search.report import Cost, ModelRun, Report
from search.results import result_row, writing_results
from search.searcher import MODES, Searcher
from search.threads import limit_threads
from search.types import Embedder

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Request:
    """What to measure; no model means the configured one."""

    folder: Path
    models: tuple[str, ...] = ()
    modes: tuple[str, ...] = MODES
    part: str | None = None
    locale: str | None = None
    sample: int | None = None
    worst: int = 0
    output: Path | None = None

    @property
    def dataset(self) -> str:
        return self.folder.name or self.folder.resolve().name

    @property
    def lead(self) -> str:
        """The mode that failures are shown of and models compared in."""
        return "hybrid" if "hybrid" in self.modes else self.modes[0]


@dataclass(frozen=True, slots=True)
class _Data:
    """The questions, and the corpus unless they are about our articles."""

    queries: list[LabelledQuery]
    documents: list[Document] | None


def measure(settings: Settings, request: Request) -> Report:
    """Every model and mode on a BEIR folder, or on golden questions about our articles.

    Golden questions are asked of the published index as it is. With another model, or several,
    each model gets an index of the articles as they now stand, so that only the model differs.
    """
    limit_threads()
    data = _read(request)
    names = tuple(dict.fromkeys(request.models)) or (settings.model,)
    embedders = [_open_model(name, settings) for name in names]
    with contextlib.ExitStack() as stack:
        write = stack.enter_context(writing_results(request.output)) if request.output else None
        bars = stack.enter_context(Bars())
        runs = []
        for name, embedder in zip(names, embedders, strict=True):
            update = _labelled(bars, name) if len(names) > 1 else bars.update
            published = data.documents is None and names == (settings.model,)
            searcher = _open_searcher(settings, data, embedder, published, update)
            outcomes = _ask(searcher, data.queries, request.modes, update)
            failed = worst(outcomes[request.lead], request.worst)
            runs.append(
                ModelRun(
                    name,
                    embedder.model_id,
                    name == settings.model,
                    outcomes,
                    _cost(searcher, embedder, update) if request.models else None,
                    tuple(examine(searcher, outcome, mode=request.lead) for outcome in failed),
                )
            )
            if write:
                for mode in request.modes:
                    for outcome in outcomes[mode]:
                        write(result_row(request.dataset, name, mode, outcome))
    return Report(request.dataset, request.lead, tuple(runs))


def _read(request: Request) -> _Data:
    documents: list[Document] | None = None
    if (request.folder / "corpus.jsonl").exists():
        documents, queries = read_beir(request.folder)
    else:
        queries = read_golden(request.folder)
    chosen = select(
        queries, source=request.folder, part=request.part, locale=request.locale,
        sample=request.sample,
    )  # fmt: skip
    return _Data(chosen, documents)


def _open_model(name: str, settings: Settings) -> Embedder:
    try:
        return open_embedder(name, cache=settings.cache)
    except ModelUnavailable as error:
        if name == settings.model:
            raise
        reason = str(error).removeprefix(f"KB_MODEL={name}: ")
        raise ModelUnavailable(f"--model {name}: {reason}") from error


def _labelled(bars: Bars, name: str) -> Progress:
    """Progress whose stages carry the model they belong to."""
    short = model_label(name)

    def update(stage: str, done: int, total: int) -> None:
        bars.update(f"{short}: {stage}", done, total)

    return update


def _open_searcher(
    settings: Settings, data: _Data, embedder: Embedder, published: bool, progress: Progress
) -> Searcher:
    if published:
        return open_searcher(settings.data, embedder)
    if data.documents is not None:
        from indexer.beir import open_corpus

        generation = open_corpus(data.documents, embedder, data=settings.data, progress=progress)
    else:
        from indexer.measured import open_articles

        generation = open_articles(
            settings.articles, embedder, data=settings.data, today=date.today(), progress=progress
        )
    return tuned(settings.data, generation, embedder)


def _ask(
    searcher: Searcher, queries: list[LabelledQuery], modes: tuple[str, ...], progress: Progress
) -> dict[str, list[Outcome]]:
    outcomes = {}
    for mode in modes:
        # What is loaded on first use is no part of what a question takes.
        searcher.search(queries[0].text, locale=queries[0].locale, mode=mode)
        outcomes[mode] = run(searcher, queries, mode=mode, progress=partial(progress, mode))
    return outcomes


def _cost(searcher: Searcher, embedder: Embedder, progress: Progress) -> Cost:
    from indexer.measured import measure_cost

    return measure_cost(searcher.generation, embedder, progress=progress)
