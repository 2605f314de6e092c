"""The log of forms in a database: what they showed, what happened to them, what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from portal.database import migrate, open_engine
from portal.event_types import Clock
from portal.figures.late import forget, recount
from portal.forms.figures import Figures, Selection, figures_of
from portal.forms.sessions import Facts, facts_of, merge
from portal.forms.tally import count_unfollowed, tally
from portal.forms.types import FormEvent, SuggestionEvent, Trail
from portal.storable import clean, clean_word
from portal.tables import FORM_EVENTS, FORM_SESSIONS, SUGGESTION_ITEMS, SUGGESTIONS
from portal.transactions import empty_journal, purge, transaction

TEXT_LIMIT = 2000
"""Characters that are kept of what was typed into a form."""

_FACTS = tuple(field.name for field in fields(Facts))
_Event = SuggestionEvent | FormEvent
_Key = tuple[str, str]  # form and session


class SqlFormLog:
    """A `FormLog` over SQLAlchemy; needs the tables `portal.database.migrate` makes.

    Everything may raise `EventsUnavailable`.
    """

    def __init__(self, engine: sa.Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def record_suggestion(self, event: SuggestionEvent) -> None:
        self.record([event])

    def record_event(self, event: FormEvent) -> None:
        self.record([event])

    def record(self, events: Sequence[_Event]) -> None:
        """All in one transaction, or none; those whose ids are known already are left out."""
        suggestions = {e.id: e for e in events if isinstance(e, SuggestionEvent)}
        happened = {e.id: e for e in reversed(events) if isinstance(e, FormEvent)}
        # Clean before the transaction, which keeps other writers waiting.
        rows = {event.id: _suggestion_row(event) for event in suggestions.values()}
        with transaction(self._engine, "write form events", writes=True) as connection:
            _drop_known(connection, SUGGESTIONS, rows)
            _drop_known(connection, FORM_EVENTS, happened)
            new: list[_Event] = [suggestions[key] for key in rows]
            new += happened.values()
            _insert(connection, SUGGESTIONS, rows.values())
            items = [row for key in rows for row in _item_rows(suggestions[key])]
            _insert(connection, SUGGESTION_ITEMS, items)
            _insert(connection, FORM_EVENTS, map(asdict, happened.values()))
            sent = _gather(connection, new)
            recount(connection, [*sent, *(event.at for event in new)], self._clock())

    def trail(self, form: str, session: str) -> Trail:
        # Most of what is found while somebody types is outdated before it can be shown.
        seen = sa.select(FORM_EVENTS.c.suggestion_id).where(
            FORM_EVENTS.c.form == form,
            FORM_EVENTS.c.session == session,
            FORM_EVENTS.c.kind != "submitted",
        )
        shown = (
            sa.select(SUGGESTION_ITEMS.c.article_id)
            .join(SUGGESTIONS)
            .where(SUGGESTIONS.c.form == form, SUGGESTIONS.c.session == session)
            .where(SUGGESTIONS.c.held_out.is_(False), SUGGESTIONS.c.id.in_(seen))
            .order_by(SUGGESTIONS.c.at, SUGGESTIONS.c.id, SUGGESTION_ITEMS.c.position)
        )
        named = (
            sa.select(FORM_EVENTS.c.article, FORM_EVENTS.c.kind)
            .where(FORM_EVENTS.c.form == form, FORM_EVENTS.c.session == session)
            .where(FORM_EVENTS.c.article.is_not(None))
            .order_by(FORM_EVENTS.c.at, FORM_EVENTS.c.id)
        )
        with transaction(self._engine, "read a form's session") as connection:
            articles = connection.scalars(shown).all()
            events = connection.execute(named).all()
        opened = dict.fromkeys(article for article, kind in events if kind == "opened")
        # What was opened or judged was shown, whatever was lost on the way.
        seen_articles = dict.fromkeys([*articles, *(article for article, _ in events)])
        return Trail(tuple(seen_articles), tuple(opened))

    def figures(self, selection: Selection) -> Figures:
        now = self._clock()
        with transaction(self._engine, "read figures of forms") as connection:
            tallies = tally(connection, selection, now)
            return figures_of(selection, tallies, count_unfollowed(connection, selection), now)

    def purge(self, before: datetime) -> int:
        removed = purge(self._engine, SUGGESTIONS, "at", before)
        removed += purge(self._engine, FORM_EVENTS, "at", before)
        purge(self._engine, FORM_SESSIONS, "started_at", before)
        forget(self._engine, before)
        empty_journal(self._engine)
        return removed


def open_form_log(url: str) -> SqlFormLog:
    """The plain log, its tables made, for commands that must hear of every failure."""
    engine = open_engine(url)
    migrate(engine)
    return SqlFormLog(engine, lambda: datetime.now(UTC))


def _drop_known(connection: sa.Connection, table: sa.Table, rows: dict[str, Any]) -> None:
    for known in connection.scalars(sa.select(table.c.id).where(table.c.id.in_(rows))).all():
        del rows[known]


def _insert(connection: sa.Connection, table: sa.Table, rows: Iterable[dict[str, Any]]) -> None:
    if given := list(rows):
        connection.execute(sa.insert(table), given)


def _gather(connection: sa.Connection, events: Sequence[_Event]) -> list[datetime]:
    """Add what events say to the rows of their sessions; gives when these were sent, if they were.

    That is before and after: an event that comes late may move the moment.
    """
    told: dict[_Key, Facts] = {}
    for event in events:
        if event.session:
            key, facts = (event.form, event.session), facts_of(event)
            told[key] = merge(told[key], facts) if key in told else facts
    sent: list[datetime | None] = []
    if not told:
        return []
    place = sa.tuple_(FORM_SESSIONS.c.form, FORM_SESSIONS.c.session)
    # SQLite has one writer at a time; other databases must be told to wait for the row.
    wanted = sa.select(FORM_SESSIONS).where(place.in_(list(told))).with_for_update()
    for row in connection.execute(wanted).mappings().all():
        key = (row["form"], row["session"])
        facts = merge(told.pop(key), Facts(**{name: row[name] for name in _FACTS}))
        changed = {name: value for name, value in _facts(facts).items() if value != row[name]}
        sent += (row["submitted_at"], facts.submitted_at)
        if changed:
            here = sa.and_(FORM_SESSIONS.c.form == key[0], FORM_SESSIONS.c.session == key[1])
            connection.execute(sa.update(FORM_SESSIONS).where(here).values(changed))
    new = [{"form": form, "session": session, **_facts(facts)}
           for (form, session), facts in told.items()]  # fmt: skip
    _insert(connection, FORM_SESSIONS, new)
    return [moment for moment in (*sent, *(f.submitted_at for f in told.values())) if moment]


def _facts(facts: Facts) -> dict[str, Any]:
    return {**asdict(facts), "assumed_at": facts.assumed_at}


def _suggestion_row(event: SuggestionEvent) -> dict[str, Any]:
    return {
        "id": event.id,
        "at": event.at,
        "form": event.form,
        "session": event.session,
        "visitor": event.visitor,
        "locale": event.locale,
        "text": clean(event.text, TEXT_LIMIT),
        "reason": clean_word(event.reason),
        "platform": clean_word(event.platform),
        "confidence": event.confidence,
        "resolved": event.resolved,
        "held_out": event.held_out,
        "generation": event.generation,
        "duration_ms": event.duration_ms,
        "bot": event.bot,
    }


def _item_rows(event: SuggestionEvent) -> list[dict[str, Any]]:
    return [
        {"suggestion_id": event.id, "position": position, **item._asdict()}
        for position, item in enumerate(event.items, start=1)
    ]
