"""Tells gaps that their article was published by other means than the page: by `kb index`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
import structlog

from portal.config import Settings
from portal.database import migrate, open_engine
from portal.drafts.find import listed
from portal.event_types import Clock, EventsUnavailable
from portal.gaps.store import GapStore
from portal.gaps.types import GapChanged, GapUnknown, State

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

    A gap that is open again although its article was published stays open until that changes: the
    article alone is no news. Raises `EventsUnavailable`.
    """
    gaps = GapStore(engine, clock)
    moved = []
    for file in listed(articles):
        number = file.closes.removeprefix("gap-")
        if file.status != "published" or not number.isdecimal():
            continue
        article = f"{file.path.locale}:{file.id}"
        try:
            gap = gaps.get(int(number))
            news = gap.state == State.DRAFTED or gap.article != article
            if gap.state in _UNPUBLISHED and news and gap.merged_into is None:
                gaps.set_state(
                    gap.number, State.PUBLISHED, by="", version=gap.version, article=article
                )
                moved.append(gap.number)
        except (GapUnknown, GapChanged):
            continue  # a number nobody knows, or an editor at it right now
    return moved
