"""The folder of articles at one moment: every file read once, before anything is made of it."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from indexer.problems import Problem, problem
from search.types import LOCALES

TAXONOMY = "taxonomy.yaml"
WORDS = "words.txt"
SYNONYMS = "synonyms"
OUTSIDE = "outside"
_CHUNK = 1 << 16  # bytes


@dataclass(frozen=True, slots=True)
class Folder:
    """What was read, so that all that is said of the files is said of the same bytes.

    Paths are relative to `root`, with slashes.
    """

    root: Path
    articles: tuple[str, ...]
    """Paths of the articles, in the order of languages, folders and names."""
    files: Mapping[str, bytes | OSError]
    """The content of every file there is, or why it cannot be read."""
    digests: Mapping[str, bytes]
    """32 bytes that change with a file's content and with the name it is shown under."""
    shown_as: str
    """What stands before a path in messages: the folder's own name and a slash."""

    def shown(self, path: str) -> str:
        """A path as messages name it."""
        return self.shown_as + path

    def text(self, path: str, encoding: str = "utf-8-sig") -> str:
        """A file as text with plain line feeds. Raises `OSError` and `UnicodeDecodeError`."""
        content = self.files[path]
        if isinstance(content, OSError):
            raise content
        return io.TextIOWrapper(io.BytesIO(content), encoding=encoding).read()

    def text_if_any(self, path: str, problems: list[Problem]) -> str:
        """A file that may be absent, which is as an empty one.

        What cannot be read is added to the problems and is empty too.
        """
        if path not in self.files:
            return ""
        try:
            return self.text(path)
        except (OSError, UnicodeDecodeError) as error:
            problems.append(self.unreadable(path, error))
            return ""

    def replaced(self, path: str, content: bytes) -> Folder:
        """The same folder with one article's file, there or not, holding something else."""
        articles = self.articles
        if path not in articles:
            rank = {locale: place for place, locale in enumerate(LOCALES)}
            found = ((rank[one.split("/")[0]], one.split("/"), one) for one in (*articles, path))
            articles = tuple(one for *_, one in sorted(found))
        return replace(
            self,
            articles=articles,
            files={**self.files, path: content},
            digests={**self.digests, path: _digest(self.shown(path), content)},
        )

    def without(self, paths: Collection[str]) -> Folder:
        """The same folder as if some articles' files were not there."""
        return replace(
            self,
            articles=tuple(path for path in self.articles if path not in paths),
            files={path: one for path, one in self.files.items() if path not in paths},
            digests={path: one for path, one in self.digests.items() if path not in paths},
        )

    def unreadable(self, path: str, error: Exception) -> Problem:
        """What `text` raised, told."""
        return problem(self.shown(path), 1, "", "unreadable", {"reason": error})


def read_folder(root: Path) -> Folder:
    """Read every file that has a part in an index."""
    base = str(root)
    articles = tuple(path for locale in LOCALES for path in _articles_of(root, locale))
    files = {path: _read(f"{base}/{path}") for path in (*articles, TAXONOMY)}
    for path in _optional():
        content = _read(f"{base}/{path}")
        if not isinstance(content, FileNotFoundError | NotADirectoryError):
            files[path] = content
    shown_as = f"{root.name}/" if root.name else ""
    digests = {path: _digest(shown_as + path, content) for path, content in files.items()}
    return Folder(root, articles, files, digests, shown_as)


def file_of(folder: str, locale: str) -> str:
    """The path of the synonyms of a language, or of what its articles do not answer."""
    return f"{folder}/{locale}.txt"


def _articles_of(root: Path, locale: str) -> Iterable[str]:
    paths = [
        f"{at}/{name}"
        for at, folders, files in os.walk(root / locale)
        for name in (*folders, *files)  # a folder of such a name is told of, not passed over
        if name.endswith(".md")
    ]
    start = len(str(root / locale)) - len(locale)
    return sorted((path[start:] for path in paths), key=lambda path: path.split("/"))


def _optional() -> Iterator[str]:
    yield WORDS
    for folder in (SYNONYMS, OUTSIDE):
        yield from (file_of(folder, locale) for locale in LOCALES)


def _read(path: str) -> bytes | OSError:
    """As `Path.read_bytes`, at a fifth of its time."""
    parts: list[bytes] = []
    try:
        handle = os.open(path, os.O_RDONLY)
        try:
            while part := os.read(handle, _CHUNK):
                parts.append(part)
        finally:
            os.close(handle)
    except OSError as error:
        error.filename = path
        return error
    return b"".join(parts)


def _digest(name: str, content: bytes | OSError) -> bytes:
    if isinstance(content, OSError):
        content = repr(content).encode(errors="surrogateescape")
    encoded = os.fsencode(name)
    return hashlib.sha256(b"%d\n%b%b" % (len(encoded), encoded, content)).digest()
