"""What a request needs, composed once per process and handed to the blueprints."""

from __future__ import annotations

import contextlib
import gc
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol, cast

import sqlalchemy as sa
import structlog
from flask import Flask, current_app

from portal.accounts.desk import Accounts, open_accounts
from portal.config import Settings
from portal.database import migrate, open_engine
from portal.events import EventsUnavailable, SafeEventStore, SqlEventStore
from portal.forms.limits import FormLimits
from portal.forms.registry import Forms, open_forms
from portal.forms.safe_log import FormEventsLost, SafeFormLog
from portal.forms.store import SqlFormLog
from portal.gaps.refresher import GapRefresher
from portal.gaps.store import GapStore
from portal.metrics import Metrics
from portal.popular import PopularQuestions
from portal.proof.desk import ProofDesk
from portal.redact import redact
from portal.requests.desk import RequestDesk, open_desk
from portal.safe_events import SearchesLost
from portal.visitors import VisitorKeys
from search.catalogue import Catalogue
from search.completion import Completer
from search.embed import UniversalSentenceEncoder, open_embedder
from search.errors import KnowledgeBaseError, ModelUnavailable
from search.library import PublishedLibrary
from search.reading import Reader
from search.suggest import Suggestions
from search.threads import limit_threads
from search.types import Embedder, Filters, Response

_log = structlog.get_logger(__name__)

_KEY = "kb_services"
_SAMPLED = 400  # articles
_EXPECTED = 2000  # texts


class SearchLibrary(Protocol):
    """The published generation as the portal sees it; swaps to a new one by itself."""

    @property
    def catalogue(self) -> Catalogue:
        """Articles of the current generation. Raises `IndexMissing` before the first publish."""
        ...

    @property
    def generation(self) -> str:
        """Name of the current generation."""
        ...

    @property
    def problem(self) -> str | None:
        """Why a newer generation is refused, or None."""
        ...

    @property
    def reader(self) -> Reader:
        """Reads what was meant, with the words of the current generation."""
        ...

    @property
    def completer(self) -> Completer:
        """Completes what is typed, from the current generation."""
        ...

    def is_gone(self, path: str) -> bool:
        """Whether an article that once stood at this path has been archived."""
        ...

    def search(
        self,
        query: str,
        *,
        locale: str | None,
        filters: Filters = ...,
        limit: int = 10,
        mode: str = "hybrid",
        explain: bool = False,
        exact: bool = False,
    ) -> Response: ...

    def suggest(
        self,
        text: str,
        *,
        locale: str | None = ...,
        reason: str | None = ...,
        platform: str | None = ...,
        limit: int = ...,
        threshold: float = ...,
    ) -> Suggestions:
        """Articles for a form's text, from which personal data has been removed."""
        ...

    def forget(self) -> None:
        """Empty the caches of this process."""
        ...


@dataclass(frozen=True, slots=True)
class Services:
    """Everything with state; tests put fakes here."""

    settings: Settings
    library: SearchLibrary
    events: SafeEventStore
    visitors: VisitorKeys
    metrics: Metrics
    clock: Callable[[], datetime]
    engine: sa.Engine
    popular: PopularQuestions
    forms: Forms
    form_limits: FormLimits
    form_log: SafeFormLog
    requests: RequestDesk
    accounts: Accounts
    gaps: GapStore
    gap_refresher: GapRefresher
    proof: ProofDesk


def install(app: Flask, services: Services) -> None:
    """Attach the services to a Flask app."""
    app.extensions[_KEY] = services


def services() -> Services:
    """The services of the app that handles the present request."""
    return services_of(current_app)


def services_of(app: Flask) -> Services:
    """The services of an app."""
    return cast(Services, app.extensions[_KEY])


def open_services(
    settings: Settings,
    *,
    clock: Callable[[], datetime] | None = None,
    embedder: Embedder | None = None,
) -> Services:
    """The real services. An index or a log that cannot be opened does not stop the portal."""
    clock = clock or (lambda: datetime.now(UTC))
    limit_threads()
    metrics = Metrics()
    engine = open_engine(settings.events_url)
    embedder = embedder or open_embedder(settings.model, cache=settings.cache)
    library = PublishedLibrary(
        settings.data, embedder, results=settings.cache_results, vectors=settings.cache_vectors,
        meters={name: metrics.cache(name) for name in ("results", "vectors")},
    )  # fmt: skip
    _warm_up(library, embedder)
    try:
        migrate(engine)
    except EventsUnavailable as error:
        _log.error("event_log_unavailable", detail=str(error))

    def on_failure(operation: str, error: Exception) -> None:
        lost = error.count if isinstance(error, SearchesLost | FormEventsLost) else 1
        metrics.event_failures.labels(operation).inc(lost)
        _log.error("event_not_stored", operation=operation, detail=str(error))

    events = SafeEventStore(SqlEventStore(engine, clock), on_failure, behind=True)
    popular = PopularQuestions(
        engine, clock, lambda questions: library.completer.compile_past(questions), on_failure
    )
    visitors = VisitorKeys(engine, clock)
    gaps = GapStore(engine, clock)
    return Services(
        settings, library, events, visitors, metrics, clock, engine, popular,
        forms=open_forms(settings), form_limits=FormLimits(settings),
        form_log=SafeFormLog(SqlFormLog(engine, clock), on_failure),
        requests=open_desk(settings, engine, lambda: library.catalogue, clock),
        accounts=open_accounts(settings, engine, clock),
        gaps=gaps,
        gap_refresher=GapRefresher(engine, library, embedder, clock, cache=settings.cache),
        proof=ProofDesk(settings, engine, clock, gaps, lambda: embedder),
    )  # fmt: skip


def _warm_up(library: PublishedLibrary, embedder: Embedder) -> None:
    """Load index, model and rules now, so that no visitor waits and workers share the pages."""
    redact("sizes 36 37 38 39 40")
    try:
        expected = _expected(library.searcher.generation.catalogue)
        prepare = threading.Thread(target=_prepare, args=(embedder, expected))
        prepare.start()  # computes in NumPy, while the searches load what is Python's
        try:
            library.searcher.search("ready?", locale="en", limit=1)
            library.searcher.search("好了吗", locale="zh-Hans", limit=1)
            platforms = library.catalogue.taxonomy.platforms
            library.suggest("Ready? 好了吗？", platform=next(iter(platforms), None))
        finally:
            prepare.join()  # no thread may be left at a fork
    except KnowledgeBaseError as error:
        _log.error("index_unavailable", detail=str(error))


def _prepare(embedder: Embedder, expected: list[str]) -> None:
    with contextlib.suppress(ModelUnavailable):  # the searches say so, and do without
        if isinstance(embedder, UniversalSentenceEncoder):
            embedder.prepare(expected)


def _expected(catalogue: Catalogue) -> list[str]:
    """A sample of the titles and of the questions that articles list: what may well be asked."""
    articles = map(catalogue.at, range(0, len(catalogue), max(1, len(catalogue) // _SAMPLED)))
    texts = [text for article in articles for text in (article.title, *article.questions)]
    return texts[:: -(-len(texts) // _EXPECTED)] if texts else []


def close_before_fork(app: Flask) -> None:
    """No database connection may be open when workers are forked; each opens its own.

    The caches are empty then, so that what each holds is counted once.
    """
    here = services_of(app)
    here.library.forget()
    here.engine.dispose()
    # The collector would write into every page that the workers share.
    gc.collect()
    gc.freeze()
