"""What is wrong with an article: collected, never raised one at a time, so all show at once."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from indexer.messages import say
from search.errors import KnowledgeBaseError

Severity = Literal["error", "warning"]
_NONE: Mapping[str, object] = {}


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One finding: where, what, and how to mend it. Errors stop a publish, warnings do not.

    `message` and `mend` are in English. By `code`, those of the sentences of `mend`, and the
    `values` they speak of, others say the same in another language: `indexer.messages`.
    """

    path: str
    line: int
    field: str
    message: str
    mend: str = ""
    severity: Severity = "error"
    code: str = dataclasses.field(default="", compare=False)
    mends: tuple[str, ...] = dataclasses.field(default=(), compare=False)
    values: Mapping[str, str] = dataclasses.field(default_factory=dict, compare=False)

    def __str__(self) -> str:
        mend = f" {self.mend}" if self.mend else ""
        field = f"{self.field}: " if self.field else ""
        return f"{self.path}:{self.line}: {self.severity}: {field}{self.message}.{mend}"


def problem(
    path: str,
    line: int,
    field: str,
    code: str,
    values: Mapping[str, object] = _NONE,
    *,
    mends: tuple[str, ...] | None = None,
    severity: Severity = "error",
) -> Problem:
    """A problem by its code, with its own mend unless those of others are named."""
    said = {name: str(value) for name, value in values.items()}
    mends = (f"{code}.mend",) if mends is None else mends
    mend = " ".join(say(one, said) for one in mends)
    return Problem(path, line, field, say(code, said), mend, severity, code, mends, said)


class ArticlesInvalid(KnowledgeBaseError):
    """Some articles cannot be published; `problems` has every finding."""

    exit_code = 2

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        errors = sum(problem.severity == "error" for problem in self.problems)
        noun = "error" if errors == 1 else "errors"
        super().__init__(
            "\n".join(map(str, self.problems))
            + f"\n{errors} {noun}; nothing was published, the last index stays as it was."
        )
