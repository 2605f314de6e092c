"""Publishes a draft: its status changes, then the index is built, and both or none stay."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from portal.drafts.errors import ArticleChanged, EditRefused
from portal.drafts.files import ArticleFiles
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

    `seen` is the digest of the file as its editor saw it. When the index cannot be built, the draft
    is a draft again and the last generation goes on serving. Raises `ArticlesInvalid`,
    `ArticleChanged`, `EditRefused`, `PublishBusy`.
    """
    from indexer.build import build_and_publish

    opened = files.read(path)
    if opened.digest != seen:
        raise ArticleChanged(f"{path}: was changed since you saw it; look at it again", opened.text)
    if lines := unwritten(opened.text):
        raise EditRefused(
            f"{path}: something is still to be written at line {', '.join(map(str, lines))}"
        )
    live = files.save(path, set_field(opened.text, "status", "published"), seen=seen)
    try:
        made = build_and_publish(
            files.root, data, embedder, today=today, keep=keep, progress=progress
        )
    except BaseException:
        try:
            files.save(path, opened.text, seen=live.digest)
        except KnowledgeBaseError as error:  # changed or locked meanwhile: theirs is the last word
            progress(f"still marked as published: {error}"[:60], 1, 1)
        raise
    return {"generation": made.name, "articles": made.articles, "encoded": made.encoded,
            "digest": live.digest}  # fmt: skip
