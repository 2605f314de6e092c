"""What the files of the last run gave, so that only changed ones are parsed and rendered again."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import msgspec

from indexer.blob_cache import BlobCache
from indexer.fingerprint import version_of

MODULES = (
    "indexer.article_file", "indexer.articles", "indexer.check_file", "indexer.dropped",
    "indexer.folder", "indexer.frontmatter", "indexer.markdown", "indexer.messages",
    "indexer.outside", "indexer.passages", "indexer.problems", "indexer.schema",
    "search.errors", "search.synonyms", "search.text", "search.types",
)  # fmt: skip
"""What the files kept in a cache were made by."""

T = TypeVar("T")


class ParsedCache:
    """What was made of files, on disk by the digest of a file's name and content.

    Whatever is neither asked for nor put in between opening and closing is dropped.
    """

    def __init__(self, path: Path) -> None:
        self._blobs = BlobCache(path, version=version_of(MODULES))
        self._known = self._blobs.load()
        self._used: set[bytes] = set()
        self._new: dict[bytes, bytes] = {}
        self._decoders: dict[type[Any], msgspec.msgpack.Decoder[Any]] = {}

    def __enter__(self) -> ParsedCache:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Write what is new, unless it ends in an error."""
        try:
            if kind is None:
                self._blobs.update(self._new, self._known.keys() - self._used)
        finally:
            self._blobs.close()

    def __contains__(self, digest: bytes) -> bool:
        return digest in self._known

    def get(self, digest: bytes, kind: type[T]) -> T | None:
        """What was put in for a digest, a dataclass of this kind."""
        self._used.add(digest)
        if (blob := self._known.get(digest)) is None:
            return None
        if (decoder := self._decoders.get(kind)) is None:
            decoder = self._decoders[kind] = msgspec.msgpack.Decoder(kind)
        try:
            found: T = decoder.decode(blob)
        except msgspec.DecodeError:
            return None
        return found

    def put(self, digest: bytes, value: object) -> None:
        """Keep what a file gave; what names a file whose name is no text is not kept."""
        self._used.add(digest)
        with suppress(UnicodeEncodeError):
            self._new[digest] = msgspec.msgpack.encode(value)

    def of(self, digest: bytes, kind: type[T], make: Callable[[], T]) -> T:
        """What was put in for a digest, made if need be."""
        if (found := self.get(digest, kind)) is None:
            found = make()
            self.put(digest, found)
        return found
