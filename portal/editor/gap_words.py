"""What the pages about gaps say of them, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from flask_babel import format_date, format_decimal, ngettext
from flask_babel import gettext as _

from portal.gaps.types import Entry, Gap, GapRefused, Kind, Reason, State
from portal.proof.deeds import DRAFT_DELETED, QUESTIONS, SYNONYM, TAKEN_BACK, texts_of

N_ = str  # marks what the catalogue of translations has to have
REFUSALS: Mapping[str, str] = {
    "note_empty": N_("Write something into the note."),
    "ignore_empty": N_("Say why it is ignored."),
    "none_chosen": N_("Choose at least one question."),
    "all_chosen": N_("Leave at least one question, or the gap would be empty."),
    "merge_self": N_("This is the gap itself. Give the number of another one."),
    "merged_before": N_("One of the two gaps is a part of another one already."),
    "unmerge_none": N_("This merge cannot be taken back."),
    "move_self": N_("The questions are in this gap already. Give the number of another one."),
    "move_merged": N_("Gap %(gap)s is a part of gap %(into)s. Move them there."),
    "no_number": N_("The database gave the new gap no number. Try again."),
    "no_version": N_("The form is not complete. Reload the page."),
}
"""Why a gap cannot be changed so, by the code of a `GapRefused`."""
_IN_FILES = {*TAKEN_BACK, *TAKEN_BACK.values(), DRAFT_DELETED}
_NAMED = 3  # questions, of many


def refusal(error: GapRefused) -> str:
    """Why a gap cannot be changed so, in the reader's language."""
    if error.code not in REFUSALS:
        return str(error)
    return str(_(REFUSALS[error.code], **error.values))


def reason_names() -> dict[Reason, str]:
    """Why questions were unresolved, as `editor/_figure_words.html` calls it too."""
    return {
        Reason.NOTHING: _("Nothing found"),
        Reason.LOW_CONFIDENCE: _("Low confidence"),
        Reason.NO_CLICK: _("No click"),
        Reason.NOT_HELPFUL: _("Voted not helpful"),
        Reason.HANDED_OVER: _("Handed over"),
        Reason.SENT_ANYWAY: _("Form sent anyway"),
    }


def kind_names() -> dict[Kind, str]:
    """What is wrong."""
    return {
        Kind.NO_ARTICLE: _("No article"),
        Kind.NOT_FOUND: _("Article not found"),
        Kind.NOT_HELPFUL: _("Article does not help"),
        Kind.OTHER_LANGUAGE: _("Only in the other language"),
        Kind.OUTDATED: _("Article outdated"),
        Kind.OUT_OF_SCOPE: _("Out of scope"),
    }


def state_names() -> dict[State, str]:
    """Where a gap stands."""
    return {
        State.OPEN: _("Open"),
        State.REOPENED: _("Reopened"),
        State.DRAFTED: _("Drafted"),
        State.PUBLISHED: _("Published, being watched"),
        State.CLOSED: _("Closed"),
        State.IGNORED: _("Ignored"),
    }


def source_names() -> dict[str, str]:
    """Where it showed that a question had found no answer."""
    return {"search": _("Search"), "handover": _("Hand-over"), "form": _("Form")}


def entry_text(entry: Entry, texts: Mapping[str, str]) -> str:
    """What happened; `texts` are questions by key, as far as they are still known."""
    detail = entry.detail
    kinds = kind_names()
    if entry.action in set(State):
        return _state_text(State(entry.action), detail)
    other = {"gap": str(detail.get("gap", detail.get("into", detail.get("to", "")))),
             "questions": str(detail.get("questions", 0))}  # fmt: skip
    if entry.action in ("moved", "received"):
        other["gap"] = str(detail.get("to", detail.get("from", "")))
    kind = str(detail.get("kind", ""))
    if entry.action in _IN_FILES:
        return _done_in_files(entry)
    said = {
        "assigned": _assigned(detail),
        "due": _("due %(day)s", day=day_text(str(detail.get("due", "")))) if detail.get("due")
        else _("no day any more"),
        "note": str(detail.get("text", "")),
        "kind": _("kind corrected: %(kind)s", kind=kinds[Kind(kind)]) if kind in set(Kind)
        else _("kind left to be proposed again"),
        "merged": _("merged into gap %(gap)s (%(questions)s questions)", **other),
        "took": _("took %(questions)s questions of gap %(gap)s", **other),
        "unmerged": _("taken out of gap %(gap)s again (%(questions)s questions)", **other),
        "gave_back": _("gave %(questions)s questions back to gap %(gap)s", **other),
        "split": _("%(questions)s questions split off as gap %(gap)s", **other),
        "split_from": _("split off from gap %(gap)s (%(questions)s questions)", **other),
        "moved": _("%(questions)s questions moved to gap %(gap)s", **other),
        "received": _("%(questions)s questions received from gap %(gap)s", **other),
    }  # fmt: skip
    text = said.get(entry.action, entry.action)
    keys = detail.get("keys", ())
    known = [texts[key] for key in keys if key in texts] if isinstance(keys, list) else []
    return _listed(text, known[:3])


def _done_in_files(entry: Entry) -> str:
    """What was put into a file or taken out of it."""
    detail, texts = entry.detail, texts_of(entry.detail)
    values = {name: str(detail.get(name, "")) for name in ("said", "meant", "file")}
    if entry.action == SYNONYM:
        return str(_("“%(said)s” is also searched as “%(meant)s”", **values))
    if entry.action == TAKEN_BACK[SYNONYM]:
        return str(_("taken back: “%(said)s” is also searched as “%(meant)s”", **values))
    if entry.action == DRAFT_DELETED:
        return str(_("draft deleted: %(file)s", **values))
    of = str(detail.get("of", ""))
    if entry.action == QUESTIONS:
        words = ngettext(
            "%(num)s question added to %(article)s", "%(num)s questions added to %(article)s",
            len(texts), article=of,
        )  # fmt: skip
    else:
        words = ngettext(
            "%(num)s question taken out of %(article)s again",
            "%(num)s questions taken out of %(article)s again", len(texts), article=of,
        )  # fmt: skip
    return _listed(words, texts[:_NAMED])


def _listed(words: str, texts: Sequence[str]) -> str:
    """Words with texts behind them, joined as the reader's language does."""
    return f"{words}{_(': ')}{_('; ').join(texts)}" if texts else str(words)


def day_text(text: str) -> str:
    """An ISO day as the reader's language writes it; what is no day stays as it is."""
    try:
        return str(format_date(date.fromisoformat(text), "medium"))
    except ValueError:
        return text


def due_text(due: date, today: date) -> str:
    """By when it is to be done, and whether that day has gone by."""
    day = format_date(due, "medium")
    if due < today:
        return str(_("overdue since %(day)s", day=day))
    return str(_("due %(day)s", day=day))


def number(value: float) -> str:
    """A count as the reader's language writes it."""
    return str(format_decimal(value))


def score(gap: Gap) -> str:
    """To a tenth."""
    return str(format_decimal(round(gap.score, 1), "0.0"))


def trend(gap: Gap) -> str:
    """Change of visitors against the period before, with its sign; empty without a before."""
    if gap.trend is None:
        return ""
    percent = round(100 * gap.trend)
    sign = "−" if percent < 0 else "+" if percent > 0 else "±"
    return f"{sign}{format_decimal(abs(percent))}%"


def changes_text(changes: Sequence[Entry], texts: Mapping[str, str]) -> list[str]:
    """What somebody else did meanwhile, one line each."""
    return [f"{entry.by or _('The portal')}: {entry_text(entry, texts)}" for entry in changes]


def _state_text(state: State, detail: Mapping[str, object]) -> str:
    because = str(detail.get("because", ""))
    if state is State.IGNORED and because:
        return str(_("ignored: %(because)s", because=because))
    article = str(detail.get("article", ""))
    return f"{state_names()[state]} ({article})" if article else state_names()[state]


def _assigned(detail: Mapping[str, object]) -> str:
    owner, due = str(detail.get("owner", "")), str(detail.get("due", ""))
    if not owner:
        return str(_("assigned to nobody"))
    if not due:
        return str(_("assigned to %(owner)s", owner=owner))
    return str(_("assigned to %(owner)s, due %(day)s", owner=owner, day=day_text(due)))
