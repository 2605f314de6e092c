"""The gap report on the terminal and for programs that read `kb gaps --json`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from portal.gaps.export import gap_dict, plain
from portal.gaps.types import Gap
from search.text import normalise

_HEAD = "  gap   score  visitors  trend  kind            state      owner       question"


def as_lines(gaps: Sequence[Gap]) -> Iterator[str]:
    """One line for each gap under a heading; nothing that would move a terminal's cursor."""
    if gaps:
        yield _HEAD
    for gap in gaps:
        trend = "" if gap.trend is None else f"{round(100 * gap.trend):+d}%"
        mark = "!" if gap.spike else " "
        line = (
            f"{gap.number:5d} {gap.score:7.1f} {gap.visitors:9d}{mark}{trend:>6}  "
            f"{gap.kind:14}  {gap.state:9}  {gap.owner[:10]:10}  {gap.name}"
        )
        yield plain(line)


def as_rows(
    gaps: Sequence[Gap],
    shown: Mapping[int, tuple[float, str | None]],
    *,
    simulated: bool = False,
) -> list[dict[str, Any]]:
    """Everything of each gap, and what was printed before there were gaps: `query` and
    `normalised` are its most typical question, `confidence` the mean of its searches (0 to 1),
    `top_article` what stood first most often, `last_seen` a moment or null. `simulated` is that
    of the whole log, in each row, as a list has no place of its own for it."""
    rows = []
    for gap in gaps:
        query = gap.typical[0] if gap.typical else gap.name
        confidence, article = shown.get(gap.number, (0.0, None))
        rows.append(
            gap_dict(gap)
            | {
                "query": query,
                "normalised": normalise(query),
                "confidence": round(confidence, 4),
                "top_article": article.partition(":")[2] if article else None,
                "simulated": simulated,
            }
        )
    return rows
