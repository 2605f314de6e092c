"""What `kb check` says of a text before it is saved, and how readers would see it.

The very functions of the index are asked, over the folder as it lies there with this one file
replaced: names, addresses, links and translations are those of all other files.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any

from portal.drafts.errors import EditRefused
from portal.drafts.outline import unwritten
from portal.drafts.paths import ArticlePath
from portal.drafts.yaml_edit import set_field
from search.types import Article

if TYPE_CHECKING:
    from indexer.folder import Folder
    from indexer.parsed_cache import ParsedCache
    from indexer.problems import Problem


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem as a page shows it; `later` stops only a publish."""

    problem: Problem
    elsewhere: str = ""
    """The other file it stands in, where it is not this one."""
    later: bool = False

    @property
    def error(self) -> bool:
        return self.problem.severity == "error"

    @property
    def facts(self) -> Mapping[str, Any]:
        """The problem as `portal.drafts.facts` has one."""
        return asdict(self.problem)


@dataclass(frozen=True, slots=True)
class Examined:
    """What a text would be: its problems, and its article unless the front matter is broken."""

    findings: tuple[Finding, ...]
    article: Article | None
    status: str

    @property
    def publishable(self) -> bool:
        """Whether nothing stands against publishing it."""
        return self.article is not None and not any(finding.error for finding in self.findings)


def examine(root: Path, path: ArticlePath, text: str, *, today: date, cache: Path) -> Examined:
    """Check and render the text of an article as it would lie at `path`.

    What other files would say that they do not say now is in the findings too, and of a draft what
    would stop its publishing. `cache` is a file of what was parsed before. Raises
    `ArticlesInvalid` where the folder itself cannot be read.
    """
    from indexer.check import check
    from indexer.folder import read_folder
    from indexer.parsed_cache import ParsedCache

    _begin_with_what_the_index_parsed(cache)
    folder = read_folder(root)
    with ParsedCache(cache) as parsed:
        _, known = check(folder, today=today, cache=parsed)
        library, problems = check(_replaced(folder, path, text), today=today, cache=parsed)
        name = folder.shown(str(path))
        found = _findings(problems, known, name)
        file = next((file for file in library.files if file.path == str(path)), None)
        status = file.status if file else ""
        if file and status == "draft":
            later = _if_published(folder, path, text, today, parsed)
            seen = {(one.problem.line, one.problem.message) for one in found}
            found += [
                replace(one, later=True)
                for one in _findings(later, known, name)
                if (one.problem.line, one.problem.message) not in seen
            ]
    return Examined(tuple(found), file.article if file else None, status)


def _begin_with_what_the_index_parsed(cache: Path) -> None:
    """Whoever opens the first draft does not wait until every article has been parsed again."""
    parsed = cache.with_name("articles.sqlite")
    if cache.exists() or not parsed.exists():
        return
    name = ""
    try:
        with NamedTemporaryFile(dir=cache.parent, suffix=".sqlite", delete=False) as file:
            name = file.name
        with closing(sqlite3.connect(parsed)) as of, closing(sqlite3.connect(name)) as to:
            of.backup(to)
        Path(name).replace(cache)
    except (OSError, sqlite3.Error):  # then it is parsed again
        if name:
            Path(name).unlink(missing_ok=True)


def _replaced(folder: Folder, path: ArticlePath, text: str) -> Folder:
    return folder.replaced(str(path), text.encode("utf-8", errors="replace"))


def _if_published(
    folder: Folder, path: ArticlePath, text: str, today: date, cache: ParsedCache
) -> list[Problem]:
    """What `kb check` would say of the draft once it is published, and what is still unwritten."""
    from indexer.check import check
    from indexer.problems import problem

    name = folder.shown(str(path))
    todo = [problem(name, line, "", "unwritten") for line in unwritten(text)]
    try:
        live = set_field(text, "status", "published")
    except EditRefused:
        return [*todo, problem(name, 1, "status", "status_fixed")]
    _, problems = check(_replaced(folder, path, live), today=today, cache=cache)
    return [*todo, *problems]


def _findings(problems: list[Problem], known: list[Problem], name: str) -> list[Finding]:
    """Those of this file, and those of others that would be new."""
    before = set(known)
    return [
        Finding(problem, "" if problem.path == name else problem.path)
        for problem in problems
        if problem.path == name or problem not in before
    ]
