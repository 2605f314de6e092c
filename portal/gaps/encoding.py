"""How the gap report is written into its tables and read from them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from datetime import date, datetime
from typing import Any

from portal.gaps.types import (
    Entry,
    Evidence,
    Figures,
    Gap,
    GapQuestion,
    Kind,
    Reason,
    State,
)

_REASONS = tuple(Reason)
_KEY_BYTES = 8


def key_of(normalised: str) -> str:
    """16 hexadecimal digits that name a question in addresses, forms and the history."""
    return hashlib.blake2b(normalised.encode(), digest_size=_KEY_BYTES).hexdigest()


def is_held_out(key: str) -> bool:
    """Whether a question is kept from drafts, for proof: half of all, by chance and for ever."""
    return int(key[-2:], 16) % 2 == 1


def bits_of(reasons: Iterable[Reason]) -> int:
    """Reasons as one number, for a column."""
    return sum(1 << _REASONS.index(reason) for reason in set(reasons))


def reasons_of(bits: int) -> tuple[Reason, ...]:
    """The reasons in a number, in the order they are defined in."""
    return tuple(reason for place, reason in enumerate(_REASONS) if bits >> place & 1)


def figures_to(figures: Figures) -> dict[str, Any]:
    """For a JSON column."""
    data = asdict(figures)
    for name in ("first_seen", "last_seen"):
        data[name] = data[name].isoformat() if data[name] else None
    return data


def figures_from(data: Mapping[str, Any]) -> Figures:
    """What `figures_to` wrote."""
    figures = Figures(**data)
    return replace(
        figures,
        reasons={Reason(name): count for name, count in figures.reasons.items()},
        weeks=tuple(figures.weeks),
        first_seen=_moment(data["first_seen"]),
        last_seen=_moment(data["last_seen"]),
    )


def evidence_from(data: Iterable[Mapping[str, Any]]) -> tuple[Evidence, ...]:
    """What `asdict` made of evidence, as JSON gives it back."""
    found = []
    for one in data:
        fields: dict[str, Any] = dict(one)
        for name in ("words", "synonym", "questions"):
            fields[name] = tuple(fields.get(name, ()))
        found.append(Evidence(**fields))
    return tuple(found)


def gap_from(row: Any, *, questions: int = 0, figures: Figures | None = None) -> Gap:
    """A gap from its row; `figures` instead of those stored."""
    return Gap(
        number=row.number,
        name=row.name or f"gap-{row.number}",
        locale=row.locale,
        state=State(row.state),
        kind=Kind(row.kind),
        version=row.version,
        figures=figures if figures is not None else figures_from(row.figures),
        typical=tuple(row.typical),
        questions=questions,
        kind_by=row.kind_by,
        evidence=evidence_from(row.evidence),
        owner=row.owner,
        due=date.fromisoformat(row.due) if row.due else None,
        article=row.article,
        ignored_because=row.ignored_because,
        merged_into=row.merged_into,
        made_at=row.made_at,
        state_at=row.state_at,
    )


def question_from(row: Any) -> GapQuestion:
    """A question from its row."""
    return GapQuestion(
        row.key, row.text, row.normalised, row.locale, row.visitors, row.searches, row.last_seen,
        reasons_of(row.reasons), is_held_out(row.key), row.pinned_by,
    )  # fmt: skip


def entry_from(row: Any) -> Entry:
    """A line of the history from its row."""
    return Entry(row.id, row.at, row.gap, row.by, row.action, row.detail)


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
