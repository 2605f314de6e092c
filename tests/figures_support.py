"""Events of a few days, written into a log in any order, for tests of the figures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import sqlalchemy as sa

from portal.database import migrate, open_engine
from portal.events import Handover, SearchEvent, ShownResult, SqlEventStore, View, Vote
from portal.figures import read
from portal.forms.store import SqlFormLog
from portal.forms.types import FormEvent, SuggestionEvent

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TODAY = NOW.date()
_numbers = count()

Event = SearchEvent | View | Vote | Handover | SuggestionEvent | FormEvent


def at(days: float = 0, seconds: float = 0) -> datetime:
    """So long before `NOW`, and some seconds after that."""
    return NOW - timedelta(days=days) + timedelta(seconds=seconds)


def own_key(name: str, moment: datetime) -> str:
    """A visitor's key, which is another one every day, as `portal.visitors` makes them."""
    return f"{moment:%d}{name}"


def search(text: str = "where is my refund", days: float = 0, seconds: float = 0,
           visitor: str = "v", **fields: Any) -> SearchEvent:  # fmt: skip
    moment = at(days, seconds)
    number = next(_numbers)
    results = fields.pop("results", ("refund-timing",))
    given: dict[str, Any] = {
        "id": f"s{number:08d}", "at": moment, "visitor": own_key(visitor, moment),
        "locale": "en", "query": text, "channel": "page", "mode": "hybrid", "confidence": 0.7,
        "resolved": True, "answer_article": None, "section": None, "platform": None,
        "generation": "g", "duration_ms": 3.0, "bot": False,
        "results": tuple(ShownResult(name, "en", "", 0.5) for name in results),
        **fields,
    }  # fmt: skip
    return SearchEvent(**given)


def view(of: SearchEvent | None = None, seconds: float = 5, article: str = "refund-timing",
         **fields: Any) -> View:  # fmt: skip
    moment = (of.at if of else NOW) + timedelta(seconds=seconds)
    given: dict[str, Any] = {
        "id": f"w{next(_numbers):08d}", "at": moment,
        "visitor": of.visitor if of else own_key("v", moment),
        "article_id": article, "locale": "en", "search_id": of.id if of else None,
        **fields,
    }  # fmt: skip
    return View(**given)


def vote(of: SearchEvent, helpful: bool, seconds: float = 60, **fields: Any) -> Vote:
    given: dict[str, Any] = {
        "id": f"x{next(_numbers):08d}", "at": of.at + timedelta(seconds=seconds),
        "visitor": of.visitor, "article_id": "refund-timing", "locale": "en",
        "helpful": helpful, "reason": None if helpful else "wrong", "search_id": of.id, **fields,
    }  # fmt: skip
    return Vote(**given)


def handover(of: SearchEvent, seconds: float = 90, **fields: Any) -> Handover:
    number = next(_numbers)
    given: dict[str, Any] = {
        "id": f"h{number:08d}", "reference": f"HO-{number}",
        "at": of.at + timedelta(seconds=seconds), "visitor": of.visitor, "locale": "en",
        "query": of.query, "articles": ("refund-timing",), "message": "", "delivered": True,
        **fields,
    }  # fmt: skip
    return Handover(**given)


def form(text: str, days: float, *, sent: bool, visitor: str = "v") -> list[Event]:
    """A form that was shown articles, and sent or not."""
    moment, number = at(days), next(_numbers)
    session, key = f"session-{number}", own_key(visitor, moment)
    suggestion = SuggestionEvent(
        f"g{number:08d}", moment, session, key, "request", "en", text, None, None, 0.6, True,
        False, "g", 5.0, False,
    )  # fmt: skip
    kinds = ("shown", "submitted") if sent else ("shown",)
    events = [
        FormEvent(f"f{number:08d}{kind}", moment + timedelta(seconds=9 * place), session,
                  "request", key, "en", kind, suggestion.id)  # type: ignore[arg-type]
        for place, kind in enumerate(kinds, start=1)
    ]  # fmt: skip
    return [suggestion, *events]


class Log:
    """A database in memory with its stores; every event is written as the portal does."""

    def __init__(self, now: datetime = NOW) -> None:
        self.engine = open_engine("sqlite://")
        migrate(self.engine)
        self.events = SqlEventStore(self.engine, lambda: now)
        self.forms = SqlFormLog(self.engine, lambda: now)

    def write(self, *events: Event) -> None:
        for event in events:
            if isinstance(event, SearchEvent):
                self.events.record_search(event)
            elif isinstance(event, View):
                self.events.record_view(event)
            elif isinstance(event, Vote):
                self.events.record_vote(event)
            elif isinstance(event, Handover):
                self.events.record_handover(event)
            else:
                self.forms.record([event])

    def clear(self) -> None:
        """Empty every table but that of the migrations, and forget what was counted of them."""
        read._COUNTED.clear()  # no log loses everything and has as many rows a moment later
        with self.engine.begin() as connection:
            tables = sa.inspect(connection).get_table_names()
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            for table in tables:
                if table != "alembic_version":
                    connection.execute(sa.delete(sa.table(table)))
