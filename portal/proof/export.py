"""A proof's questions as a table, one a line."""

from __future__ import annotations

from portal.proof.types import Outcome, Part, Proof, Seen

_SEEN = ("resolved", "right", "article", "rank", "confidence")
COLUMNS = (
    "part", "question", "locale", "wanted",
    *(f"before_{name}" for name in _SEEN), *(f"after_{name}" for name in _SEEN), "change",
    "moved_by",
)  # fmt: skip


def rows(proof: Proof) -> list[list[object]]:
    """In the order of `COLUMNS`; of the questions for comparison only those that changed."""
    own = proof.worse_by_article
    return [
        [
            outcome.part.value, outcome.text, outcome.locale, " ".join(outcome.wanted),
            *_seen(outcome.before), *_seen(outcome.after),
            "worse" if outcome.worse else "better" if outcome.better else "",
            _moved_by(outcome, own) if outcome.part == Part.GOLDEN and outcome.worse else "",
        ]
        for outcome in proof.outcomes
        if outcome.part != Part.GOLDEN or outcome.worse or outcome.better
    ]  # fmt: skip


def _moved_by(outcome: Outcome, own: list[Outcome]) -> str:
    return "article" if outcome in own else "refitting"


def _seen(seen: Seen) -> list[object]:
    values = (getattr(seen, name) for name in _SEEN)
    return ["" if value is None else int(value) if isinstance(value, bool) else value
            for value in values]  # fmt: skip
