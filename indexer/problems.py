"""What is wrong with an article: collected, never raised one at a time, so all show at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from search.errors import KnowledgeBaseError


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One finding: where, what, and how to mend it. Errors stop a publish, warnings do not."""

    path: str
    line: int
    field: str
    message: str
    mend: str = ""
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        mend = f" {self.mend}" if self.mend else ""
        field = f"{self.field}: " if self.field else ""
        return f"{self.path}:{self.line}: {self.severity}: {field}{self.message}.{mend}"


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
