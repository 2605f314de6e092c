"""The one family of errors; every message says what is wrong, where, and what to do."""

from __future__ import annotations


class KnowledgeBaseError(Exception):
    """Base of every error the project raises on purpose.

    `exit_code` is what the command line ends with; `status` is what HTTP answers.
    """

    exit_code = 1
    status = 500


class IndexMissing(KnowledgeBaseError):
    """Nothing has been published yet."""

    exit_code = 3
    status = 503


class IndexDamaged(KnowledgeBaseError):
    """A published generation cannot be read or disagrees with itself."""

    exit_code = 3
    status = 503


class IndexMismatch(KnowledgeBaseError):
    """The generation was built with another model or normaliser than the one configured."""

    exit_code = 3
    status = 503


class ModelUnavailable(KnowledgeBaseError):
    """The configured embedding model cannot be loaded."""

    exit_code = 4
    status = 503


class QueryRejected(KnowledgeBaseError):
    """The request names something that does not exist or is beyond a limit."""

    exit_code = 2
    status = 400


class DatasetInvalid(KnowledgeBaseError):
    """An evaluation folder or golden file is not what it should be."""

    exit_code = 2
    status = 400
