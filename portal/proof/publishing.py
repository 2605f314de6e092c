"""Publishes a draft: the index is built, then its status changes, and both or none stay."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from portal.drafts.errors import ArticleChanged, EditRefused
from portal.drafts.files import ArticleFiles, Opened
from portal.drafts.outline import unwritten
from portal.drafts.paths import ArticlePath
from portal.drafts.yaml_edit import set_field
from search.errors import KnowledgeBaseError
from search.types import Embedder

if TYPE_CHECKING:
    from indexer.content import Progress


def publish_article(
    files: ArticleFiles,
    path: ArticlePath,
    data: Path,
    embedder: Embedder,
    *,
    seen: str,
    keep: int,
    today: date,
    progress: Progress,
) -> Mapping[str, Any]:
    """Set the article's status to published and publish the index; gives what came of it.

    `seen` is the digest of the file as its editor saw it. The index is built from the folder as it
    would be; the file itself is written when all is built, just before the pointer names the new
    generation. Whatever fails or is killed before that leaves the draft and the index as they were;
    where naming the generation fails, the draft is a draft again. Killed between the two, the file
    says published and the next `kb index` publishes it. Raises `ArticlesInvalid`,
    `ArticleChanged`, `EditRefused`, `PublishBusy`.
    """
    from indexer.build import build_and_publish
    from indexer.folder import read_folder

    opened = files.read(path)
    if opened.digest != seen:
        raise ArticleChanged("changed_since", str(path), opened.text)
    text = set_field(opened.text, "status", "published")  # and tells of what cannot be read
    if lines := unwritten(opened.text):
        numbers = ", ".join(map(str, lines))
        raise EditRefused("unwritten", {"name": path, "lines": numbers})
    folder = read_folder(files.root).replaced(str(path), text.encode())
    live: list[Opened] = []
    try:
        made = build_and_publish(
            folder, data, embedder, today=today, keep=keep, progress=progress,
            before_naming=lambda: live.append(files.save(path, text, seen=seen)),
        )  # fmt: skip
    except BaseException:
        if live:
            _take_back(files, path, opened, live[0], progress)
        raise
    return {"generation": made.name, "articles": made.articles, "encoded": made.encoded,
            "digest": live[0].digest}  # fmt: skip


def _take_back(
    files: ArticleFiles, path: ArticlePath, draft: Opened, live: Opened, progress: Progress
) -> None:
    try:
        files.save(path, draft.text, seen=live.digest)
    except KnowledgeBaseError as error:  # changed or locked meanwhile: theirs is the last word
        progress(f"still marked as published: {error}"[:60], 1, 1)
