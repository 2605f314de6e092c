"""What is only begun stops no publish: drafts with mistakes are left out, and told of."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

from indexer.articles import Library
from indexer.check import check
from indexer.folder import Folder
from indexer.messages import say
from indexer.parsed_cache import ParsedCache
from indexer.problems import ArticlesInvalid, Problem
from search.errors import KnowledgeBaseError
from search.generation import GENERATIONS, current_name, open_generation

_STATUS = re.compile(r"^status[ \t]*:[ \t]*[\"']?([^\"'#\n]*?)[\"']?[ \t]*(?:#.*)?$", re.MULTILINE)
_LEFT_OUT = "left_out"
Served = Callable[[str], bool]
"""Whether an address such as `/en/refunds/refund-timing` is that of a published article."""


def publishable(
    folder: Folder, *, today: date, cache: ParsedCache, served: Served
) -> tuple[Library, list[Problem]]:
    """What of a folder can be published, and its warnings, sorted.

    An error that goes away without the drafts is a warning here, though `check` calls it an error:
    a page may save a draft that is half written. A file that says nowhere what it is counts as a
    draft too, but not where an article is `served`, which would vanish without a word. Raises
    `ArticlesInvalid` with every problem where an error stays.
    """
    library, problems = check(folder, today=today, cache=cache)
    if not _errors(problems):
        return library, problems
    drafts = {file.path for file in library.files if file.status == "draft"}
    read = {file.path for file in library.files}
    broken = (path for path in folder.articles if path not in read)
    drafts.update(path for path in broken if _is_begun(folder, path, served))
    if not drafts:
        raise ArticlesInvalid(problems)
    kept, others = check(folder.without(drafts), today=today, cache=cache)
    if _errors(others):
        raise ArticlesInvalid(problems)
    known = set(others)
    told = [_warning(problem) for problem in problems if problem not in known]
    return kept, sorted([*others, *told])


def served_in(data: Path) -> Served:
    """The addresses of the published generation, looked up when they are first asked for.

    Before the first publish, and where the generation cannot be opened, every address is one: then
    nothing tells an article from what is only begun.
    """
    opened: list[Served] = []

    def served(address: str) -> bool:
        if not opened:
            opened.append(_addresses(data))
        return opened[0](address)

    return served


def _addresses(data: Path) -> Served:
    try:
        if name := current_name(data):
            catalogue = open_generation(data / GENERATIONS / name).catalogue
            return lambda address: catalogue.by_path(address) is not None
    except KnowledgeBaseError:
        pass  # damaged or of another version; it is about to be replaced
    return lambda _address: True


def _errors(problems: list[Problem]) -> bool:
    return any(problem.severity == "error" for problem in problems)


def _is_begun(folder: Folder, path: str, served: Served) -> bool:
    """Whether a file whose front matter is broken is that of a draft."""
    try:
        said = set(_STATUS.findall(_front(folder.text(path))))
    except (OSError, UnicodeDecodeError):
        said = set()
    if said == {"draft"}:
        return True
    if said & {"published", "archived"} or path.count("/") != 2:
        return False
    return not served("/" + path.removesuffix(".md"))


def _front(text: str) -> str:
    """The front matter, up to the first empty line where it has no end; "" without a beginning."""
    first, _, rest = text.partition("\n")
    if first.rstrip() != "---":
        return ""
    if end := re.search(r"^---[ \t]*$", rest, re.MULTILINE):
        return rest[: end.start()]
    return rest.partition("\n\n")[0]


def _warning(problem: Problem) -> Problem:
    mend = f"{problem.mend} {say(_LEFT_OUT, {})}".strip()
    return replace(problem, severity="warning", mend=mend, mends=(*problem.mends, _LEFT_OUT))
