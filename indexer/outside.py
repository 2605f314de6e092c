"""Questions the articles do not answer, by topic: what the search learns to be unsure of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from indexer.folder import OUTSIDE, Folder, file_of, read_folder
from indexer.problems import Problem, problem
from search.text import normalise

_LONGEST = 200  # characters, as of a question in the front matter


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic no article is about, with ways to ask for it."""

    name: str
    questions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outside:
    """The file of one locale; `lines` gives the line of each folded question."""

    topics: tuple[Topic, ...]
    lines: dict[str, int]


def read_outside(source: Path | Folder, locale: str, problems: list[Problem]) -> Outside:
    """Read `outside/<locale>.txt`: `# topic`, then a question a line; `#!` begins a comment.

    What is wrong with it is added to the problems; an absent file is an empty one.
    """
    folder = source if isinstance(source, Folder) else read_folder(source)
    path = file_of(OUTSIDE, locale)
    name, text = folder.shown(path), folder.text_if_any(path, problems)
    topics: dict[str, list[str]] = {}
    lines: dict[str, int] = {}
    topic = ""
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("#!"):
            continue
        if line.startswith("#"):
            topic = line.lstrip("# ").strip()
            continue
        if mistake := _mistake(line, topic, lines):
            problems.append(problem(name, number, "", *mistake))
            continue
        lines[normalise(line)] = number
        topics.setdefault(topic, []).append(line)
    return Outside(tuple(Topic(key, tuple(found)) for key, found in topics.items()), lines)


def _mistake(
    line: str, topic: str, known: dict[str, int]
) -> tuple[str, Mapping[str, object]] | None:
    """The code of what is wrong with a question, and what it speaks of."""
    if not topic:
        return "outside_topic", {}
    if len(line) > _LONGEST:
        return "outside_long", {"length": len(line), "most": _LONGEST}
    if (folded := normalise(line)) in known:
        return "outside_twice", {"question": line, "line": known[folded]}
    return None
