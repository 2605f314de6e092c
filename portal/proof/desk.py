"""Where pages and commands have articles edited, proved and published: files, index and runs."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import structlog

from portal.config import Settings
from portal.drafts import find
from portal.drafts.commit import CommitFailed, commit
from portal.drafts.errors import ArticleMissing, EditRefused
from portal.drafts.examine import Examined, examine
from portal.drafts.files import ArticleFiles, Opened, digest_of
from portal.drafts.paths import ArticlePath
from portal.drafts.yaml_edit import set_field
from portal.event_types import Clock
from portal.gaps.store import GapStore
from portal.gaps.types import Gap, GapChanged, State, same_article
from portal.proof.candidate import sweep
from portal.proof.deeds import Deeds
from portal.proof.differences import Differences, differences
from portal.proof.jobs import Ended, Found, Jobs, Progress
from portal.proof.noted import move_on_gaps
from portal.proof.prove import Place, Question, prove
from portal.proof.publishing import publish_article
from portal.proof.store import RunStore
from portal.proof.types import NothingToProve, Proof, Run, RunKind
from search.catalogue import Catalogue
from search.errors import KnowledgeBaseError
from search.types import LOCALES, Embedder

_log = structlog.get_logger(__name__)
_CLOSING = (State.PUBLISHED, State.CLOSED)
_TRIES = 3


class ProofDesk:
    """Composed once per process."""

    def __init__(
        self,
        settings: Settings,
        engine: sa.Engine,
        clock: Clock,
        gaps: GapStore,
        embedder: Callable[[], Embedder],
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._gaps = gaps
        self._embedder = embedder
        self.files = ArticleFiles(settings.articles, lock=settings.data / "articles.lock")
        self.deeds = Deeds(engine, clock)
        self.runs = RunStore(engine, clock)
        self.jobs = Jobs(self.runs)

    @property
    def root(self) -> Path:
        """The folder of articles."""
        return self._settings.articles

    @property
    def commits(self) -> bool:
        """Whether what is saved is committed too."""
        return self._settings.git_commit

    @property
    def today(self) -> date:
        """The day in UTC, as the log has it."""
        return self._clock().date()

    def examine(self, path: ArticlePath, text: str) -> Examined:
        """Check and render a text as it would lie at `path`. Raises `ArticlesInvalid`."""
        cache = self._settings.cache / "drafts.sqlite"
        return examine(self.root, path, text, today=self.today, cache=cache)

    def article_of(self, gap: Gap) -> ArticlePath | None:
        """The file of the article meant to close a gap: the one recorded, else one that says so."""
        if gap.article:
            try:
                return find.by_id(self.root, gap.article)
            except ArticleMissing:
                pass  # renamed or removed since
        into = self._gaps.merged()
        now = into.get(gap.number, gap.number)
        names = {f"gap-{number}" for number in (now, *into) if into.get(number, number) == now}
        written = (one.path for one in find.listed(self.root) if one.closes in names)
        return next(written, None)

    def commit(self, name: str, *, by: str, why: str) -> str | None:
        """Commit one file if that is wanted; gives the commit. Raises `CommitFailed`."""
        return (
            commit(self.root, name, author=by, message=f"{name}: {why}") if self.commits else None
        )

    def digest(self, text: str) -> str:
        """By what a proof is told to be of this text: the status aside, the synonyms with it.

        Publishing changes the status, and a synonym may be all that is done about a gap.
        """
        with contextlib.suppress(EditRefused):  # a broken text is like no other
            text = set_field(text, "status", "published")
        shared = (self.files.read_shared(f"synonyms/{locale}.txt").digest for locale in LOCALES)
        return digest_of("\n".join([text, *shared]).encode("utf-8", errors="replace"))

    def differences(self, path: ArticlePath, catalogue: Catalogue, generation: str) -> Differences:
        """What publishing the article would change in what is served.

        Raises `ArticlesInvalid`, `ArticleMissing` and `EditRefused`.
        """
        return differences(
            self.root, path, self._settings.data, catalogue, generation,
            today=self.today, cache=self._settings.cache / "drafts.sqlite",
        )  # fmt: skip

    def start_proof(
        self, gap: Gap, path: ArticlePath, *, by: str, ended: Ended | None = None
    ) -> Run:
        """Begin a proof in the background; `ended` is told what became of it.

        Raises `RunsBusy`, `NothingToProve`, `ArticleMissing`.
        """
        run, work = self._proof(gap, path, by=by)
        self.jobs.start(run, work, ended)
        return run

    def prove_now(self, gap: Gap, path: ArticlePath, *, by: str, watch: Progress) -> Run:
        """The same while the caller waits."""
        run, work = self._proof(gap, path, by=by)
        self.jobs.do(run, work, watch)
        return self.runs.get(run.id)

    def start_publish(
        self, path: ArticlePath, *, seen: str, by: str, gap: int | None, ended: Ended | None = None
    ) -> Run:
        """Begin to publish a draft whose file had the digest `seen`; `ended` as for a proof.

        Raises `RunsBusy`.
        """
        run = self.runs.begin(RunKind.PUBLISH, path, gap=gap, by=by, digest=seen)

        def work(progress: Progress) -> Found:
            result = publish_article(
                self.files, path, self._settings.data, self._embedder(), seen=seen,
                keep=self._settings.keep_generations, today=self.today, progress=progress,
            )  # fmt: skip
            said = dict(result)
            with contextlib.suppress(KnowledgeBaseError):  # it is published, whatever is there now
                said["proved"] = self.digest(self.files.read(path).text)
            try:
                said["commit"] = self.commit(str(path), by=by, why="published")
            except CommitFailed as error:
                said["not_committed"] = error.reason
            if gap is not None:
                said |= self._published(gap, path, by)
            try:
                # The index is that of the whole folder: what others were drafted into is in it.
                move_on_gaps(self._gaps, self.root, by=by)
            except KnowledgeBaseError as error:
                _log.warning("gaps_not_moved_on", detail=str(error))
                said["gap_left"] = True
            return said, ()

        self.jobs.start(run, work, ended)
        return run

    def proof_of(self, gap: int) -> tuple[Run | None, Proof | None]:
        """The last proof of a gap: its run, and what it found once it is done."""
        run = self.runs.latest(gap, RunKind.PROOF)
        return run, self.runs.proof(run) if run else None

    def _proof(self, gap: Gap, path: ArticlePath, *, by: str) -> tuple[Run, Callable[..., Found]]:
        opened: Opened = self.files.read(path)
        questions = [
            Question(one.text, one.locale, one.held_out) for one in self._gaps.questions(gap.number)
        ]
        if not questions:
            raise NothingToProve("The gap has no question to ask.")
        run = self.runs.begin(
            RunKind.PROOF, path, gap=gap.number, by=by, digest=self.digest(opened.text)
        )  # fmt: skip
        settings = self._settings

        def work(progress: Progress) -> Found:
            sweep(settings.data)
            found = prove(
                questions, path, Place(settings.articles, settings.data, settings.golden),
                self._embedder(), today=self.today, progress=progress,
            )  # fmt: skip
            return found.facts(), found.outcomes

        return run, work

    def _published(self, number: int, path: ArticlePath, by: str) -> Mapping[str, Any]:
        """Move the gap on; a failure is told and undoes nothing, the article is published."""
        article = next(
            (f"{path.locale}:{one.id}" for one in find.listed(self.root) if one.path == path), None
        )
        for _ in range(_TRIES):
            try:
                gap = self._gaps.get(number)
                if article and gap.state in _CLOSING and same_article(gap.article, article):
                    return {}  # its translation
                self._gaps.set_state(
                    number, State.PUBLISHED, by=by, version=gap.version, article=article
                )
            except GapChanged:
                continue  # somebody wrote a note meanwhile, which changes nothing about this
            except KnowledgeBaseError as error:
                _log.warning("gap_not_moved_on", gap=number, detail=str(error))
                return {"gap_left": True}
            return {}
        _log.warning("gap_not_moved_on", gap=number, detail="it keeps changing")
        return {"gap_left": True}
