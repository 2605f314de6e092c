"""Builds a generation: gather everything, then write it, then publish it."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path

from indexer.collector import uncollected
from indexer.content import Content, Progress, gather, silent
from indexer.folder import Folder, read_folder
from indexer.parsed_cache import ParsedCache
from indexer.publish import nothing, prune, publish, publishing, staging_folder
from indexer.published import Published, made_of, recall, remember
from indexer.unfinished import publishable, served_in
from indexer.write import write_generation
from search.errors import IndexDamaged, KnowledgeBaseError
from search.generation import (
    FORMAT,
    GENERATIONS,
    POINTER,
    Manifest,
    current_name,
    open_generation,
)
from search.text import NORMALISER_VERSION
from search.types import Embedder


def build_and_publish(
    articles: Path | Folder,
    data: Path,
    embedder: Embedder,
    *,
    today: date,
    keep: int = 3,
    rebuild: bool = False,
    workers: int = 1,
    progress: Progress = silent,
    before_naming: Callable[[], object] = nothing,
) -> Published:
    """Check, build and publish the folder `articles` into `data`, encoding in up to `workers`
    processes. A folder that has been read is not read again.

    `before_naming` is called once when all is built, just before the pointer names it, also where
    there is nothing new; what it raises stops the publish. Drafts with mistakes are left out and in
    the warnings. Raises `ArticlesInvalid` with every problem, and leaves what was published as it
    was.
    """
    with publishing(data), uncollected():
        folder = articles if isinstance(articles, Folder) else read_folder(articles)
        sources = made_of(folder, model=embedder.model_id, today=today)
        if not rebuild and (last := recall(data, sources)) is not None:
            before_naming()
            return last
        progress("reading articles", 0, 1)
        with ParsedCache(data / "cache" / "articles.sqlite") as cache:
            library, problems = publishable(
                folder, today=today, cache=cache, served=served_in(data)
            )
        content = gather(library)
        progress("reading articles", 1, 1)
        digest = content_hash(content, embedder)
        if not rebuild and (present := up_to_date(data, digest)) is not None:
            before_naming()
            published = Published(
                present.name, False, present.articles, present.passages, present.units, 0,
                tuple(problems),
            )  # fmt: skip
        else:
            name = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}-{digest[:8]}"
            staged = staging_folder(data, name)
            previous = None if rebuild else _present(data)

            def write(previous: Path | None) -> tuple[int, int]:
                return write_generation(
                    staged, content, embedder, name=name, digest=digest, previous=previous,
                    cache=data / "cache" / "vectors.sqlite", workers=workers, progress=progress,
                )  # fmt: skip

            try:
                encoded, units = write(previous)
            except IndexDamaged:
                if previous is None:
                    raise
                shutil.rmtree(staged)  # nothing sound can be built on what is there
                staged.mkdir()
                encoded, units = write(None)
            progress("publishing", 0, 1)
            publish(data, staged, name, before_naming=before_naming)
            pruned = prune(data, keep=keep)
            progress("publishing", 1, 1)
            published = Published(
                name, True, len(content.articles), len(content.passages), units, encoded,
                tuple(problems), tuple(pruned),
            )  # fmt: skip
        remember(
            data, published, fingerprint=sources, pointer=data / POINTER,
            generation=data / GENERATIONS / published.name,
        )  # fmt: skip
    return published


def _present(data: Path) -> Path | None:
    """The folder of the published generation, if there is one."""
    with suppress(IndexDamaged):
        if name := current_name(data):
            return data / GENERATIONS / name
    return None


def content_hash(content: Content, embedder: Embedder) -> str:
    """Changes whenever anything that would be written changes; the content has been gathered."""
    parts = [
        {"format": FORMAT, "normaliser": NORMALISER_VERSION, "model": embedder.model_id},
        content.site(),
        content.keys,
    ]
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()


def up_to_date(data: Path, digest: str) -> Manifest | None:
    """The manifest of the published generation if it is the one of this digest."""
    try:
        name = current_name(data)
        if name is None or Manifest.read(data / GENERATIONS / name).content_hash != digest:
            return None
        return open_generation(data / GENERATIONS / name).manifest
    except KnowledgeBaseError:
        return None  # damaged or of another version: build anew
