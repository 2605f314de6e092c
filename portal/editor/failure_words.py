"""What the checks find, and why something was refused or failed, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext

from portal.drafts.errors import REFUSALS
from portal.drafts.facts import facts_of, sentence
from search.errors import KnowledgeBaseError

N_ = str  # marks what the catalogue of translations has to have
FAILURES: Mapping[str, str] = {
    "ArticlesInvalid": N_("This has to be mended first:"),
    "DatasetInvalid": N_("The golden questions cannot be read."),
    "EncodingFailed": N_("The sentences could not be encoded."),
    "EventsUnavailable": N_("The portal’s database cannot be reached. Try again shortly."),
    "IndexDamaged": N_("The published index cannot be read and has to be made anew."),
    "IndexMismatch": N_("The published index was made with another model and has to be made anew."),
    "IndexMissing": N_("Nothing has been published yet."),
    "KnowledgeBaseError": N_("It did not work, for this reason:"),
    "ModelUnavailable": N_("The model that reads questions cannot be loaded."),
    "NothingToProve": N_("The gap has no question to ask."),
    "PublishBusy": N_("Somebody else is publishing. Wait until that is done."),
    "interrupted": N_("The process that did this was stopped before it was done. Start it again."),
    "unexpected": N_("Something went wrong here. The error has been logged."),
}
"""Errors that have no code, by their name; their own words name files and follow in English."""
_COMPLETE = frozenset({"ArticlesInvalid", "NothingToProve", "interrupted", "unexpected"})
"""Those after which nothing is left to be said."""


@dataclass(frozen=True, slots=True)
class Found:
    """A problem of the checks: where, whether it is an error, and what is wrong and mends it."""

    path: str
    line: int
    field: str
    error: bool
    words: str


@dataclass(frozen=True, slots=True)
class Failure:
    """Why something failed; `detail` is what only English has words for."""

    said: str
    problems: tuple[Found, ...] = ()
    detail: str = ""

    def __str__(self) -> str:
        """All of it on one line."""
        return _together(self.said, *(one.words for one in self.problems), self.detail)


def failure(error: KnowledgeBaseError) -> Failure:
    """An error in the reader's language."""
    return failure_of(facts_of(error), str(error))


def failure_of(facts: Mapping[str, Any], english: str) -> Failure:
    """The same of facts that were kept; those of an error nobody has words for stay English."""
    code, values = facts.get("code", ""), facts.get("values", {})
    problems = tuple(
        Found(
            one["path"], one["line"], one["field"], one["severity"] == "error", problem_words(one)
        )
        for one in facts.get("problems", ())
    )
    if code in REFUSALS:
        return Failure(_said(REFUSALS[code], values), problems)
    detail = "" if code in _COMPLETE else english
    return Failure(gettext(FAILURES.get(code, FAILURES["KnowledgeBaseError"])), problems, detail)


def problem_words(facts: Mapping[str, Any]) -> str:
    """What is wrong by the facts of a problem, and what mends it, in one or two sentences."""
    message = sentence(facts["code"])
    if not message:
        return f"{facts['message']}. {facts['mend']}".strip()
    values = facts["values"]
    said = gettext("%(message)s.", message=_said(message, values))
    return _together(said, *(_said(sentence(code), values) for code in facts["mends"]))


def _together(*sentences: str) -> str:
    """On one line; a Chinese full stop brings its own space."""
    return " ".join(filter(None, sentences)).replace("。 ", "。")


def _said(text: str, values: Mapping[str, str]) -> str:
    return str(gettext(text)).format_map(values)
