"""What may go wrong with a file that is edited from a page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from search.errors import KnowledgeBaseError

if TYPE_CHECKING:
    from indexer.problems import Problem

N_ = str  # marks what the catalogue of translations has to have
REFUSALS: Mapping[str, str] = {
    "address": N_("There can be no article at this address."),
    "link_out": N_("{name}: a link leads out of the folder of articles."),
    "missing": N_("{name}: there is no such article."),
    "no_proof": N_("No proof of this gap has been made."),
    "unreadable": N_("{name}: cannot be read ({reason})."),
    "not_utf8": N_("{name}: is not UTF-8; save it as UTF-8 first."),
    "unwritable": N_("{name}: cannot be written ({reason}); nothing was changed."),
    "read_only": N_(
        "{name}: the folder of articles cannot be written here ({reason}); edit the file where it "
        "is kept, or let the portal's user write the folder."
    ),
    "changed": N_("{name}: was changed by somebody else."),
    "changed_since": N_("{name}: was changed since you saw it; look at it again."),
    "unwritten": N_("{name}: something is still to be written at line {lines}."),
    "field_fixed": N_("`{field}` cannot be changed from here; change it in the text."),
    "front_by_hand": N_("The front matter is written in a way that is only edited by hand."),
    "front_broken": N_("The front matter has a mistake in line {line}; mend it first."),
    "questions_form": N_("`questions` is not a list; write it as a list first."),
    "synonyms_broken": N_("The file of synonyms has a mistake in line {line}; mend it first."),
    "synonyms_by_hand": N_("The file is written in a way that is only edited by hand."),
    "synonym_taken": N_("{phrase!r} already stands in line {line}; change that line."),
    "synonym_form": N_("Write one word or phrase on each side, without commas, # or =>."),
    "synonym_same": N_("Both sides say the same."),
    "synonym_moved_on": N_(
        "“{said}” does not stand in the file any more as it was added. Change the file by hand."
    ),
    "questions_moved_on": N_(
        "The questions do not stand in the file any more as they were added. Change the file by "
        "hand."
    ),
}
"""Why a file is not edited, in English, by its code; places are those of `str.format`.

What a place named `reason` holds are the system's own words.
"""
_NOTHING: Mapping[str, object] = {}


class DraftError(KnowledgeBaseError):
    """Base of these: `code` is one of `REFUSALS`, `values` what it speaks of.

    `problems` has the mistake that is in the way, where one is.
    """

    exit_code = 2

    def __init__(
        self, code: str, values: Mapping[str, object] = _NOTHING, *, found: Problem | None = None
    ) -> None:
        self.code = code
        self.values = {name: str(value) for name, value in values.items()}
        self.problems = () if found is None else (found,)
        said = REFUSALS[code].format_map(self.values)
        super().__init__(said if found is None else f"{said} {found.message}. {found.mend}".strip())


class ArticleMissing(DraftError):
    """No article can lie at this address, or none does."""

    status = 404


class EditRefused(DraftError):
    """The file cannot be changed in the way that was asked; the message says what to do."""

    status = 422


class ArticleChanged(DraftError):
    """The file is no longer the one that was opened; `present` is its text now, None if gone."""

    status = 409

    def __init__(self, code: str, name: str, present: str | None) -> None:
        super().__init__(code, {"name": name})
        self.present = present


class ArticlesReadOnly(DraftError):
    """The folder of articles cannot be written by this process."""

    status = 409
