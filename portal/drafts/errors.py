"""What may go wrong with a file that is edited from a page."""

from __future__ import annotations

from search.errors import KnowledgeBaseError


class ArticleMissing(KnowledgeBaseError):
    """No article can lie at this address, or none does."""

    exit_code = 2
    status = 404


class EditRefused(KnowledgeBaseError):
    """The file cannot be changed in the way that was asked; the message says what to do."""

    exit_code = 2
    status = 422


class ArticleChanged(KnowledgeBaseError):
    """The file is no longer the one that was opened; `present` is its text now, None if gone."""

    exit_code = 2
    status = 409

    def __init__(self, message: str, present: str | None) -> None:
        super().__init__(message)
        self.present = present


class ArticlesReadOnly(KnowledgeBaseError):
    """The folder of articles cannot be written by this process."""

    exit_code = 2
    status = 409
