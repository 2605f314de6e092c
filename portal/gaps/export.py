"""Gaps for programs and for spreadsheets."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from portal.gaps.types import Gap, GapQuestion, Reason

CSV_HEADER = (
    "number", "name", "locale", "state", "kind", "kind_by", "owner", "due", "score", "visitors",
    "before", "trend", "spike", "searches", "severity", "recency", "saved", "questions",
    *(reason.value for reason in Reason), "first_seen", "last_seen", "typical_1", "typical_2",
    "typical_3", "article",
)  # fmt: skip
_DIGITS = 4


def gap_dict(gap: Gap) -> dict[str, Any]:
    """Everything of a gap as JSON takes it; moments are ISO 8601 in UTC, trends fractions."""
    figures = gap.figures
    return {
        "number": gap.number,
        "name": gap.name,
        "locale": gap.locale,
        "state": gap.state.value,
        "kind": gap.kind.value,
        "kind_by": gap.kind_by,
        "evidence": [
            {name: value for name, value in asdict(one).items() if value} for one in gap.evidence
        ],
        "owner": gap.owner,
        "due": gap.due.isoformat() if gap.due else None,
        "score": round(figures.score, _DIGITS),
        "visitors": figures.visitors,
        "before": figures.before,
        "trend": None if figures.trend is None else round(figures.trend, _DIGITS),
        "spike": figures.spike,
        "searches": figures.searches,
        "severity": figures.severity,
        "recency": round(figures.recency, _DIGITS),
        "saved": figures.saved,
        "reasons": {reason.value: count for reason, count in figures.reasons.items()},
        "locales": dict(figures.locales),
        "platforms": dict(figures.platforms),
        "weeks": list(figures.weeks),
        "first_seen": figures.first_seen.isoformat() if figures.first_seen else None,
        "last_seen": figures.last_seen.isoformat() if figures.last_seen else None,
        "questions": gap.questions,
        "typical": list(gap.typical),
        "article": gap.article,
        "ignored_because": gap.ignored_because,
        "version": gap.version,
    }


def question_dict(question: GapQuestion) -> dict[str, Any]:
    """One question as JSON takes it."""
    return {
        "key": question.key,
        "query": question.text,
        "normalised": question.normalised,
        "locale": question.locale,
        "visitors": question.visitors,
        "searches": question.searches,
        "last_seen": question.last_seen.isoformat(),
        "reasons": [reason.value for reason in question.reasons],
        "held_out": question.held_out,
        "pinned_by": question.pinned_by,
    }


def csv_line(gap: Gap) -> list[object]:
    """The cells of `CSV_HEADER`, without characters that would move a terminal's cursor."""
    data, typical = gap_dict(gap), [*gap.typical, "", "", ""]
    line: list[object] = []
    for name in CSV_HEADER:
        if name in set(Reason):
            line.append(gap.reasons.get(Reason(name), 0))
        elif name.startswith("typical_"):
            line.append(plain(typical[int(name[-1]) - 1]))
        else:
            value = data[name]
            line.append(_cell(value))
    return line


def plain(text: str) -> str:
    """The text with a space for whatever cannot be seen, such as what begins an escape sequence."""
    return "".join(character if character.isprintable() else " " for character in text)


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return int(value)
    return plain(value) if isinstance(value, str) else "" if value is None else value
