"""What came of the gaps that were worked on in a period: for pages, spreadsheets, programs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from portal.forms.intervals import Difference
from portal.gaps.evidence import Evidence, total_saved
from portal.gaps.live import Look, look_of
from portal.gaps.tables import GAP_HISTORY, GAPS
from portal.gaps.types import State
from portal.proof.tables import PROOF_LIVE
from portal.transactions import transaction


@dataclass(frozen=True, slots=True)
class Line:
    """One gap; `look` is None until the first refresh after its article was published.

    `closed` and `reopened` say what happened to it in the period, `state` how it stands now.
    """

    gap: int
    name: str
    state: State
    article: str | None
    closed: bool
    reopened: bool
    look: Look | None


@dataclass(frozen=True, slots=True)
class Report:
    """Gaps whose article was published, or that were closed or reopened, in [`since`, `until`).

    The totals are of those that were closed in the period and still are. `questions` were
    unresolved before, `answered` of them were asked again and answered.
    """

    since: datetime
    until: datetime
    lines: tuple[Line, ...]

    @property
    def closed(self) -> list[Line]:
        return [line for line in self.lines if line.closed and line.state == State.CLOSED]

    @property
    def reopened(self) -> list[Line]:
        return [line for line in self.lines if line.reopened]

    @property
    def questions(self) -> int:
        return sum(one.counts.questions for one in self._evidence)

    @property
    def answered(self) -> int:
        return sum(one.counts.answered for one in self._evidence)

    @property
    def saved(self) -> Difference | None:
        return total_saved(self._evidence)

    @property
    def _evidence(self) -> list[Evidence]:
        return [line.look.evidence for line in self.closed if line.look]


def read_report(engine: sa.Engine, since: datetime, until: datetime) -> Report:
    """The report of a period, from what the last refresh counted. Raises `EventsUnavailable`."""
    g, h = GAPS.c, GAP_HISTORY.c
    moved = (State.PUBLISHED, State.CLOSED, State.REOPENED)
    history = sa.select(h.gap, h.action).where(
        h.at >= since, h.at < until, h.action.in_(moved)
    )  # fmt: skip
    with transaction(engine, "read what came of gaps") as connection:
        happened: dict[int, set[str]] = {}
        for gap, action in connection.execute(history):
            happened.setdefault(gap, set()).add(action)
        wanted = list(happened)
        rows = connection.execute(
            sa.select(g.number, g.name, g.state, g.article)
            .where(g.number.in_(wanted), g.merged_into.is_(None))
            .order_by(g.number)
        ).all()
        looks = {
            row.gap: look_of(row)
            for row in connection.execute(sa.select(PROOF_LIVE).where(PROOF_LIVE.c.gap.in_(wanted)))
        }
    lines = [
        Line(
            row.number, row.name or f"gap-{row.number}", State(row.state), row.article,
            State.CLOSED in happened[row.number], State.REOPENED in happened[row.number],
            looks.get(row.number),
        )
        for row in rows
    ]  # fmt: skip
    return Report(since, until, tuple(lines))


def as_dict(report: Report) -> dict[str, Any]:
    """Everything as JSON takes it; shares are fractions of one."""
    return {
        "since": report.since.isoformat(),
        "until": report.until.isoformat(),
        "closed": len(report.closed),
        "reopened": len(report.reopened),
        "questions": report.questions,
        "answered": report.answered,
        "handovers_saved": report.saved and asdict(report.saved),
        "gaps": [
            {
                "gap": line.gap, "name": line.name, "state": line.state, "article": line.article,
                "closed_in_period": line.closed, "reopened_in_period": line.reopened,
                "published_at": line.look and line.look.published_at.isoformat(),
                "evidence": line.look and asdict(line.look.evidence),
            }
            for line in report.lines
        ],
    }  # fmt: skip


COLUMNS = (
    "gap", "name", "state", "article", "published", "before", "before_unresolved", "after",
    "after_unresolved", "fall", "fall_low", "fall_high", "questions", "answered", "saved",
    "saved_low", "saved_high",
)  # fmt: skip


def rows(report: Report) -> list[list[object]]:
    """One line a gap, in the order of `COLUMNS`; what nobody has counted yet is empty."""
    return [[*_known(line), *_counted(line.look)] for line in report.lines]


def _known(line: Line) -> list[object]:
    return [f"gap-{line.gap}", line.name, line.state.value, line.article or ""]


def _counted(look: Look | None) -> list[object]:
    if look is None:
        return [""] * (len(COLUMNS) - 4)
    found, counts = look.evidence, look.evidence.counts
    return [
        look.published_at.date().isoformat(),
        counts.before,
        counts.before_unresolved,
        counts.after,
        counts.after_unresolved,
        *_bounds(found.fall),
        counts.questions,
        counts.answered,
        *_bounds(found.saved),
    ]


def _bounds(difference: Difference | None) -> list[object]:
    if difference is None:
        return [""] * 3
    return [round(value, 6) for value in asdict(difference).values()]
