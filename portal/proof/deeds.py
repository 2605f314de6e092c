"""What editors did about a gap in files, so that it can be taken back, and the gap's state with it.

Each deed is an entry of the gap's history that says what was put where. Taking one back is an entry
of its own that names it. The gap's state is never stored twice: where it goes back to is read from
the history, among what still stands.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from portal.drafts.added import Added
from portal.drafts.errors import EditRefused
from portal.drafts.files import ArticleFiles, Opened
from portal.drafts.paths import ArticlePath
from portal.drafts.synonym_edit import take_out_synonym
from portal.drafts.yaml_edit import take_out_questions
from portal.event_types import Clock
from portal.gaps import changes
from portal.gaps.encoding import entry_from
from portal.gaps.tables import GAP_HISTORY
from portal.gaps.types import Entry, State
from portal.transactions import transaction

SYNONYM, QUESTIONS = "synonym_added", "questions_added"
TAKEN_BACK: Mapping[str, str] = {SYNONYM: "synonym_undone", QUESTIONS: "questions_undone"}
DRAFT_DELETED = "draft_deleted"
"""Actions in the history of a gap."""
_BY_ARTICLE = (State.DRAFTED, State.PUBLISHED)
"""States that a gap has for the sake of its article."""


@dataclass(frozen=True, slots=True)
class Deed:
    """Something added to a file for a gap; `of` is the article it is for (`locale:id`) or empty.

    `digest` is that of the file as it was then written, `added` what was put in.
    """

    entry: Entry
    file: str
    of: str
    digest: str
    added: Added

    @property
    def id(self) -> int:
        return self.entry.id

    @property
    def action(self) -> str:
        """`SYNONYM` or `QUESTIONS`."""
        return self.entry.action

    @property
    def said(self) -> str:
        return str(self.entry.detail.get("said", ""))

    @property
    def meant(self) -> str:
        return str(self.entry.detail.get("meant", ""))

    @property
    def texts(self) -> tuple[str, ...]:
        """The questions that were added."""
        return texts_of(self.entry.detail)


@dataclass(frozen=True, slots=True)
class _Standing:
    """Where a gap stood after an entry of its history."""

    state: State
    article: str
    at: datetime | None
    because: str = ""


def texts_of(detail: Mapping[str, object]) -> tuple[str, ...]:
    """The questions that an entry of the history names."""
    texts = detail.get("texts", ())
    return tuple(map(str, texts)) if isinstance(texts, list) else ()


def synonym_detail(
    before: Opened, after: Opened, said: str, meant: str, of: str
) -> dict[str, object]:
    """What the history keeps of a synonym that was added for the article `of`."""
    return {**_place(before, after, of), "said": said, "meant": meant}


def questions_detail(
    before: Opened, after: Opened, texts: Sequence[str], of: str
) -> dict[str, object]:
    """The same of questions added to the article `of`."""
    return {**_place(before, after, of), "questions": len(texts), "texts": list(texts)}


def standing(history: Iterable[Entry]) -> list[Deed]:
    """What was done and not taken back, the latest first, of a history in any order."""
    entries = sorted(history, key=lambda entry: entry.id, reverse=True)
    undone = {e.detail.get("entry") for e in entries if e.action in TAKEN_BACK.values()}
    return [
        _deed(entry) for entry in entries if entry.action in TAKEN_BACK and entry.id not in undone
    ]


def take_back(files: ArticleFiles, deed: Deed) -> Opened:
    """Write the file without what the deed put in, and otherwise as it is now.

    A file nobody has changed since is again what it was, byte for byte. Raises `EditRefused` where
    it was changed at that place, `ArticleMissing`, `ArticleChanged` and `ArticlesReadOnly`.
    """
    if deed.action == SYNONYM:
        opened = files.read_shared(deed.file)
        return files.save_shared(deed.file, _without(deed, opened), seen=opened.digest)
    path = ArticlePath.parse(deed.file)
    opened = files.read(path)
    return files.save(path, _without(deed, opened), seen=opened.digest)


class Deeds:
    """Writes deeds into the histories of gaps. Everything may raise `EventsUnavailable`."""

    def __init__(self, engine: sa.Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def note(self, gap: int, action: str, detail: Mapping[str, object], *, by: str) -> None:
        """Note what was done. Raises `GapUnknown`."""
        with transaction(self._engine, "note what was done about a gap", writes=True) as connection:
            row = changes.lock(connection, gap, None)
            changes.change(connection, row, at=self._clock(), by=by, action=action, detail=detail)

    def note_back(
        self, gap: int, action: str, detail: Mapping[str, object], *, of: str, by: str,
        closing: Collection[str],
    ) -> State:  # fmt: skip
        """Note what was taken back of the article `of`; gives the state the gap is in now.

        Where nothing else was done about that article the gap goes back to where it stood before,
        or to the article something else was done about. `closing` are the articles whose files say
        that they close the gap. Raises `GapUnknown`.
        """
        with transaction(self._engine, "take back what was done", writes=True) as connection:
            row = changes.lock(connection, gap, None)
            changes.change(connection, row, at=self._clock(), by=by, action=action, detail=detail)
            if row.state not in _BY_ARTICLE or not of or row.article != of:
                return State(row.state)
            entries = sa.select(GAP_HISTORY).where(GAP_HISTORY.c.gap == gap)
            history = [entry_from(one) for one in connection.execute(entries)]
            kept = {deed.of for deed in standing(history)} | set(closing)
            if of in kept:
                return State(row.state)
            back = _before(history, kept)
            # It is where it was, since when it was.
            values = {"state": back.state, "state_at": back.at or row.made_at,
                      "article": back.article or None, "ignored_because": back.because}  # fmt: skip
            said = {"from": row.state, "article": back.article, "because": back.because}
            changes.change(
                connection, changes.lock(connection, gap, None), at=self._clock(), by=by,
                action=back.state, detail=said, values=values,
            )  # fmt: skip
            return back.state


def _before(history: Sequence[Entry], kept: Collection[str]) -> _Standing:
    """The latest standing that no article gave, or one of those that something is kept for."""
    article, seen = "", [_Standing(State.OPEN, "", None)]
    for entry in sorted(history, key=lambda one: one.id):
        state = entry.detail.get("state") if entry.action == "took" else entry.action
        if "article" in entry.detail and (entry.action == "took" or state in set(State)):
            article = str(entry.detail["article"] or "")
        if state in set(State):
            because = str(entry.detail.get("because", ""))
            seen.append(_Standing(State(str(state)), article, entry.at, because))
    return next(
        one for one in reversed(seen) if one.state not in _BY_ARTICLE or one.article in kept
    )


def _place(before: Opened, after: Opened, of: str) -> dict[str, object]:
    added = Added.between(before.text, after.text)
    return {"file": after.name, "of": of, "digest": after.digest, "at": added.at,
            "added": added.text}  # fmt: skip


def _deed(entry: Entry) -> Deed:
    detail = entry.detail
    at = detail.get("at")
    added = Added(at if isinstance(at, int) else 0, str(detail.get("added", "")))
    file, of, digest = (str(detail.get(name, "")) for name in ("file", "of", "digest"))
    return Deed(entry, file, of, digest, added)


def _without(deed: Deed, now: Opened) -> str:
    if now.digest == deed.digest:
        try:
            return deed.added.cut_from(now.text)
        except ValueError:  # the history was written by something else
            raise EditRefused("synonym_moved_on", {"said": deed.said}) from None
    if deed.action == SYNONYM:
        return take_out_synonym(now.text, deed.said, deed.meant)
    return take_out_questions(now.text, deed.texts)
