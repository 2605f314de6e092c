"""What is wrong, as facts that a page says in its reader's language, and that JSON takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from search.errors import KnowledgeBaseError

_MOST_PROBLEMS = 50


def facts_of(error: KnowledgeBaseError) -> Mapping[str, Any]:
    """`code` says what is wrong, else the error's name; `values` what it speaks of.

    `problems` are what the checks found, as `indexer.problems.Problem` has them.
    """
    problems = getattr(error, "problems", ())
    return {
        "code": getattr(error, "code", "") or type(error).__name__,
        "values": dict(getattr(error, "values", {})),
        "problems": [asdict(problem) for problem in problems[:_MOST_PROBLEMS]],
    }


def sentence(code: str) -> str:
    """What the checks say by a code, in English; empty for a code they no longer have."""
    from indexer.messages import TEXTS

    return TEXTS.get(code, "")
