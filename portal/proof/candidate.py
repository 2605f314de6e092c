"""An index with one article published that is a draft still: built aside, asked, thrown away."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from portal.drafts.errors import ArticleMissing
from portal.drafts.paths import ArticlePath
from portal.drafts.yaml_edit import set_field
from search.generation import GENERATIONS, Generation, open_generation
from search.library import tuned
from search.searcher import Searcher
from search.types import Embedder

if TYPE_CHECKING:
    from indexer.article_file import File
    from indexer.content import Content, Progress
    from indexer.folder import Folder

_FOLDER = "candidates"
_NAME = "candidate"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A searcher over the articles with the draft published.

    `article` is the id of the one in question, `others` how many more differ from what is served.
    """

    searcher: Searcher
    generation: Generation
    article: str
    others: int


@contextlib.contextmanager
def candidate(
    articles: Path,
    path: ArticlePath,
    data: Path,
    embedder: Embedder,
    *,
    present: Generation,
    today: date,
    progress: Progress,
) -> Iterator[Candidate]:
    """The index of the folder `articles` as it would be with `path` published.

    Built on `present`, the published generation, and with its caches, so that only what differs is
    encoded; nothing of it is left afterwards. Other drafts with mistakes are left out, as they are
    when the index is built. Raises `ArticlesInvalid` with every problem, and `ArticleMissing`.
    """
    from indexer.content import gather
    from indexer.folder import read_folder
    from indexer.parsed_cache import ParsedCache
    from indexer.unfinished import publishable
    from indexer.write import write_generation

    progress("reading articles", 0, 1)
    folder = as_published(read_folder(articles), path)
    with ParsedCache(data / "cache" / "candidates.sqlite") as cache:
        library, _ = publishable(
            folder, today=today, cache=cache,
            served=lambda address: present.catalogue.by_path(address) is not None,
        )  # fmt: skip
    content = gather(library)
    file = next(file for file in library.published if file.path == str(path))
    progress("reading articles", 1, 1)
    (data / _FOLDER).mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(dir=data / _FOLDER))
    try:
        write_generation(
            aside, content, embedder, name=_NAME, digest=_NAME,
            previous=data / GENERATIONS / present.name,
            cache=data / "cache" / "vectors.sqlite", progress=progress,
        )  # fmt: skip
        generation = open_generation(aside, embedder)
        others = _others(data, content, file, present)
        yield Candidate(tuned(data, generation, embedder), generation, file.article.id, others)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def sweep(data: Path) -> None:
    """Remove what processes that were killed have left; nobody may be building a candidate."""
    shutil.rmtree(data / _FOLDER, ignore_errors=True)


def as_published(folder: Folder, path: ArticlePath) -> Folder:
    """The folder with that article's status set to published.

    Raises `ArticleMissing` and `EditRefused`.
    """
    content = folder.files.get(str(path))
    if not isinstance(content, bytes):
        raise ArticleMissing("missing", {"name": path})
    text = set_field(content.decode("utf-8", errors="replace"), "status", "published")
    return folder.replaced(str(path), text.encode())


def _others(data: Path, content: Content, file: File, present: Generation) -> int:
    """Articles besides this one that are not in the published generation as they are here."""
    from indexer.previous import BASE

    try:
        path = data / GENERATIONS / present.name / BASE / "keys.json"
        served = set(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError):
        return 0
    new = {key for key in content.keys if key not in served} - {file.key}
    gone = served - set(content.keys)
    was_served = present.catalogue.get(file.locale, file.article.id) is not None
    own = was_served and file.key not in served
    return max(len(new), len(gone) - own)
