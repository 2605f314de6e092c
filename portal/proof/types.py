"""What a proof says: of every question what came of it before and after, and the sums."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from portal.drafts.paths import ArticlePath
from portal.forms.intervals import Share, wilson
from search.errors import KnowledgeBaseError

_NOTICED = (1, 3)  # places


class Part(StrEnum):
    """Where a question of a proof comes from."""

    USED = "used"
    """The gap's, and it stands word for word in the article."""
    UNUSED = "unused"
    """The gap's, and not in the article though it might be, such as one in the other language."""
    HELD_OUT = "held_out"
    """The gap's, kept from whoever wrote the draft."""
    GOLDEN = "golden"
    """A golden question, or without any a question that another article lists."""


class RunKind(StrEnum):
    """What a run does."""

    PROOF = "proof"
    PUBLISH = "publish"


class RunState(StrEnum):
    """How far a run is."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class RunUnknown(KnowledgeBaseError):
    """No run has this id."""

    exit_code = 2
    status = 404


class RunsBusy(KnowledgeBaseError):
    """Another run works on the index; `run` is its id."""

    exit_code = 5
    status = 409

    def __init__(self, message: str, run: str) -> None:
        super().__init__(message)
        self.run = run


class NothingToProve(KnowledgeBaseError):
    """The gap has no question or no article yet."""

    exit_code = 2
    status = 422


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to be asked of both indexes; `wanted` are ids of articles, the best first."""

    part: Part
    text: str
    locale: str
    wanted: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """What one index makes of a question.

    `article` (`locale:id`) is what it answers by, else what stands first; `rank` the place from 1
    of the first wanted article, None below ten, `drafted` likewise that of the article which the
    proof is about. `resolved` says that there is an answer, above the
    calibrated threshold; `right` that it comes from a wanted article.
    """

    resolved: bool
    right: bool
    article: str | None
    title: str
    rank: int | None
    confidence: float
    drafted: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """One question, asked of the published index and of the candidate."""

    part: Part
    text: str
    locale: str
    wanted: tuple[str, ...]
    before: Seen
    after: Seen

    @property
    def worse(self) -> bool:
        """Whether a reader would notice: the right answer is lost, or the wanted article is no
        longer first, or no longer among the first three; or what nothing answers is answered now.
        """
        if not self.wanted:
            return self.after.resolved and not self.before.resolved
        fell = any(_place(self.before) <= n < _place(self.after) for n in _NOTICED)
        return fell or (self.before.right and not self.after.right)

    @property
    def better(self) -> bool:
        """The reverse."""
        return (
            Outcome(
                self.part, self.text, self.locale, self.wanted, before=self.after, after=self.before
            ).worse
            and not self.worse
        )

    def is_by(self, article: str) -> bool:
        """Whether an article (its id) has to do with the change: a reader saw it first before or
        sees it first now, it is wanted, or it has come to stand above what is wanted."""
        first = {one.partition(":")[2] for one in (self.before.article, self.after.article) if one}
        if article in first or article in self.wanted:
            return True
        drafted = self.after.drafted
        return drafted is not None and drafted < _place(self.after)


@dataclass(frozen=True, slots=True)
class Tally:
    """Questions of one part: all, answered before, answered after, and whose answers these are.

    `by_article` and `by_other` tell apart what is answered after, the two before likewise.
    """

    questions: int
    before: Share | None
    after: Share | None
    by_article: Share | None
    by_other: Share | None
    before_by_article: Share | None
    before_by_other: Share | None

    @classmethod
    def of(cls, outcomes: Iterable[Outcome]) -> Tally:
        """Add outcomes up; shares carry Wilson intervals."""
        found = list(outcomes)
        return cls(
            len(found),
            wilson(sum(one.before.resolved for one in found), len(found)),
            wilson(sum(one.after.resolved for one in found), len(found)),
            wilson(sum(one.after.right for one in found), len(found)),
            wilson(sum(one.after.resolved and not one.after.right for one in found), len(found)),
            wilson(sum(one.before.right for one in found), len(found)),
            wilson(sum(one.before.resolved and not one.before.right for one in found), len(found)),
        )


@dataclass(frozen=True, slots=True)
class Proof:
    """Everything a proof found.

    `others` counts articles that differ between the indexes besides the one in question: while it
    is not 0, what changed may be their doing. `source` says which questions were asked for
    comparison: `golden` or `listed`.
    """

    outcomes: tuple[Outcome, ...]
    others: int
    source: str
    seconds: float
    generation: str

    def part(self, part: Part) -> list[Outcome]:
        """The outcomes of one part, in the order they were asked."""
        return [outcome for outcome in self.outcomes if outcome.part == part]

    @property
    def tallies(self) -> dict[Part, Tally]:
        """The gap's questions, each part apart; the unused where there are any."""
        parts = {part: self.part(part) for part in (Part.USED, Part.UNUSED, Part.HELD_OUT)}
        return {
            part: Tally.of(found) for part, found in parts.items() if found or part != Part.UNUSED
        }

    @property
    def circular(self) -> bool:
        """Whether every question of the gap stands word for word in the article: it finds what it
        says itself, whatever it answers."""
        asked = [outcome.part for outcome in self.outcomes if outcome.part != Part.GOLDEN]
        return bool(asked) and set(asked) == {Part.USED}

    @property
    def worse(self) -> list[Outcome]:
        return [outcome for outcome in self.part(Part.GOLDEN) if outcome.worse]

    @property
    def better(self) -> list[Outcome]:
        return [outcome for outcome in self.part(Part.GOLDEN) if outcome.better]

    @property
    def article(self) -> str:
        """The id of the article in question; empty where nothing was asked of it."""
        asked = (one for one in self.outcomes if one.part != Part.GOLDEN)
        return next((one.wanted[0] for one in asked if one.wanted), "")

    @property
    def worse_by_article(self) -> list[Outcome]:
        """What got worse by the article itself; where that is not known, everything."""
        name = self.article
        return [outcome for outcome in self.worse if not name or outcome.is_by(name)]

    @property
    def worse_by_refitting(self) -> list[Outcome]:
        """What got worse though the article stands nowhere in it: a new index fits its ranking
        and its confidence anew, which moves what was close."""
        own = self.worse_by_article
        return [outcome for outcome in self.worse if outcome not in own]

    def facts(self) -> dict[str, Any]:
        """What is kept besides the outcomes."""
        return {
            "others": self.others, "source": self.source, "seconds": round(self.seconds, 2),
            "generation": self.generation,
        }  # fmt: skip

    def as_dict(self) -> dict[str, Any]:
        """Everything as JSON takes it; shares are fractions of one."""
        return {
            **self.facts(),
            "circular": self.circular,
            "gap": {
                part: {
                    "questions": tally.questions,
                    **{name: share and asdict(share) for name, share in (
                        ("before", tally.before), ("after", tally.after),
                        ("by_article", tally.by_article), ("by_other", tally.by_other),
                        ("before_by_article", tally.before_by_article),
                        ("before_by_other", tally.before_by_other),
                    )},
                }
                for part, tally in self.tallies.items()
            },
            "compared": len(self.part(Part.GOLDEN)),
            "worse_by_article": len(self.worse_by_article),
            "worse_by_refitting": len(self.worse_by_refitting),
            "worse": [
                outcome_dict(outcome) | {"moved_by": moved_by}
                for moved_by, found in (
                    ("article", self.worse_by_article), ("refitting", self.worse_by_refitting),
                )
                for outcome in found
            ],
            "better": [outcome_dict(outcome) for outcome in self.better],
            "questions": [
                outcome_dict(outcome) for outcome in self.outcomes if outcome.part != Part.GOLDEN
            ],
        }  # fmt: skip


def outcome_dict(outcome: Outcome) -> dict[str, Any]:
    """An outcome as JSON takes it."""
    return asdict(outcome)


def outcome_of(row: Mapping[str, Any]) -> Outcome:
    """The reverse of `outcome_dict`."""
    return Outcome(
        Part(row["part"]), row["text"], row["locale"], tuple(row["wanted"]),
        Seen(**row["before"]), Seen(**row["after"]),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Run:
    """Work on the articles that goes on beside the pages, or went on once.

    `digest` is that of the article's file as it was, of a proof `ProofDesk.digest`; `stage`, `done`
    and `total` say how far it is.
    `error` says in English why it failed; the facts of it are the `failure` of its `result`.
    """

    id: str
    kind: RunKind
    gap: int | None
    article: ArticlePath
    by: str
    state: RunState
    stage: str
    done: int
    total: int
    started_at: datetime
    finished_at: datetime | None
    error: str
    digest: str
    result: Mapping[str, Any] | None

    @property
    def running(self) -> bool:
        return self.state == RunState.RUNNING

    def tells_of(self, digest: str) -> bool:
        """Whether a publish says anything of a file that is as `digest` has it now."""
        if self.state == RunState.DONE:
            return (self.result or {}).get("digest") == digest
        return self.running or self.digest == digest


def _place(seen: Seen) -> float:
    return float("inf") if seen.rank is None else seen.rank
