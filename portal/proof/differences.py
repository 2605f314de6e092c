"""What a publish takes along: everything in the folder that is not what is served."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from portal.drafts.paths import ArticlePath
from portal.proof.candidate import as_published
from search.catalogue import Catalogue
from search.generation import GENERATIONS
from search.types import LOCALES

if TYPE_CHECKING:
    from indexer.content import Content

_LISTS = ("taxonomy", "words", "outside")


class Change(StrEnum):
    """What a publish would do to a file's content as readers have it."""

    NEW = "new"
    CHANGED = "changed"
    REMOVED = "removed"
    LIST = "list"


@dataclass(frozen=True, slots=True, order=True)
class Difference:
    """One file that is not what is served; `title` is that of an article."""

    name: str
    change: Change
    title: str = ""


@dataclass(frozen=True, slots=True)
class Differences:
    """`own`: whether the article in question differs; `others` are all the rest."""

    own: bool
    others: tuple[Difference, ...]


def differences(
    articles: Path, path: ArticlePath, data: Path, catalogue: Catalogue, generation: str,
    *, today: date, cache: Path,
) -> Differences:  # fmt: skip
    """What publishing `path` would change in the `generation` that is served.

    Raises `ArticlesInvalid`, `ArticleMissing` and `EditRefused` where nothing can be published.
    """
    from indexer.content import gather
    from indexer.folder import read_folder
    from indexer.parsed_cache import ParsedCache
    from indexer.unfinished import publishable

    folder = as_published(read_folder(articles), path)
    with ParsedCache(cache) as parsed:
        library, _ = publishable(
            folder, today=today, cache=parsed,
            served=lambda address: catalogue.by_path(address) is not None,
        )  # fmt: skip
    served = _keys(data / GENERATIONS / generation)
    if not served:  # a generation of another version: nothing can be told
        return Differences(own=True, others=())
    own, others = False, []
    present = set()
    for file in library.published:
        present.add((file.locale, file.article.id))
        if file.key in served:
            continue
        if file.path == str(path):
            own = True
            continue
        known = catalogue.get(file.locale, file.article.id)
        change = Change.NEW if known is None else Change.CHANGED
        others.append(Difference(file.path, change, file.article.title))
    if len(present) < len(catalogue) + sum(one.change == Change.NEW for one in others) + own:
        others += [
            Difference(f"{one.path.removeprefix('/')}.md", Change.REMOVED, one.title)
            for one in catalogue
            if (one.locale, one.id) not in present
        ]
    content = gather(library)
    others += [Difference(name, Change.LIST) for name in _lists(content, data, generation)]
    return Differences(own, tuple(sorted(others)))


def _keys(folder: Path) -> set[str]:
    from indexer.previous import BASE

    try:
        return set(json.loads((folder / BASE / "keys.json").read_text("utf-8")))
    except (OSError, ValueError):
        return set()


def _lists(content: Content, data: Path, generation: str) -> list[str]:
    """The word lists and other files of the whole site that say something else than is served."""
    try:
        served = json.loads((data / GENERATIONS / generation / "site.json").read_text("utf-8"))
    except (OSError, ValueError):
        return []
    site: dict[str, Any] = json.loads(json.dumps(content.site()))
    files = {"taxonomy": "taxonomy.yaml", "words": "words.txt", "outside": "outside/"}
    found = [files[name] for name in _LISTS if site[name] != served.get(name)]
    before, after = served.get("synonyms", {}), site["synonyms"]
    return [
        *found,
        *(f"synonyms/{one}.txt" for one in LOCALES if before.get(one, []) != after.get(one, [])),
    ]
