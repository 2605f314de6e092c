"""Tells gaps that their article was published by other means than the page: by `kb index`."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
import structlog

from portal.config import Settings
from portal.database import migrate, open_engine
from portal.drafts.find import listed
from portal.event_types import Clock, EventsUnavailable
from portal.gaps.store import GapFilter, GapStore
from portal.gaps.types import GapChanged, GapUnknown, State, same_article

_UNPUBLISHED = (State.OPEN, State.DRAFTED, State.REOPENED)
_log = structlog.get_logger(__name__)


def note_published(settings: Settings) -> list[int]:
    """Move gaps on whose article, by its front matter, is in the index just built; their numbers.

    Nothing is done where there is no database yet, and a failure is logged: the index is published
    whatever becomes of this.
    """
    address = sa.make_url(settings.events_url)
    is_file = address.get_backend_name() == "sqlite"
    if is_file and not (address.database and Path(address.database).exists()):
        return []
    engine = open_engine(settings.events_url)
    try:
        migrate(engine)
        return move_on(engine, settings.articles, lambda: datetime.now(UTC))
    except EventsUnavailable as error:
        _log.warning("gaps_not_moved_on", detail=str(error))
        return []
    finally:
        engine.dispose()


def move_on(engine: sa.Engine, articles: Path, clock: Clock) -> list[int]:
    """The same for a folder whose articles are published as they lie there.

    Raises `EventsUnavailable`.
    """
    return move_on_gaps(GapStore(engine, clock), articles)


def move_on_gaps(gaps: GapStore, articles: Path, *, by: str = "") -> list[int]:
    """Move on every drafted gap whose article is published in the folder, and every gap that the
    front matter of a published one says it closes; their numbers.

    A gap that is open again although its article was published stays open until that changes: the
    article alone is no news. One that was merged stands for the gap it is a part of. Raises
    `EventsUnavailable`.
    """
    into = gaps.merged()
    drafted: dict[str, set[int]] = defaultdict(set)
    for gap in gaps.list(GapFilter(states=(State.DRAFTED,), least=0)):
        drafted[gap.article or ""].add(gap.number)
    moved = []
    for file in listed(articles):
        if file.status != "published":
            continue
        article = f"{file.path.locale}:{file.id}"
        numbers = set(drafted[article])
        closes = file.closes.removeprefix("gap-")
        if closes.isdecimal():
            numbers.add(into.get(int(closes), int(closes)))
        for number in sorted(numbers):
            with contextlib.suppress(GapUnknown, GapChanged):  # or an editor is at it right now
                gap = gaps.get(number)
                news = gap.state == State.DRAFTED or not same_article(gap.article, article)
                if gap.state in _UNPUBLISHED and news:
                    gaps.set_state(
                        number, State.PUBLISHED, by=by, version=gap.version, article=article
                    )
                    moved.append(number)
    return moved
