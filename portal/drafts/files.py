"""Reads and writes article files whole, and never over a change that nobody has seen."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import secrets
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from portal.drafts.errors import ArticleChanged, ArticleMissing, ArticlesReadOnly, EditRefused
from portal.drafts.paths import ArticlePath

_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)
_NEW_FILE = 0o644


@dataclass(frozen=True, slots=True)
class Opened:
    """A file as it was read: `text` with its line ends and byte order mark as they stand."""

    name: str
    """As messages name it, relative to the folder of articles."""
    text: str
    digest: str


def digest_of(content: bytes) -> str:
    """64 hexadecimal digits by which a file that has changed is told."""
    return hashlib.sha256(content).hexdigest()


class ArticleFiles:
    """The folder of articles as pages may change it.

    Writers of all processes take turns by a lock at `lock`; each compares what lies there with what
    its editor has seen, writes beside it and renames, so that readers see the old file or the new.
    """

    def __init__(self, root: Path, *, lock: Path) -> None:
        self.root = root
        self._lock = lock

    def read(self, path: ArticlePath) -> Opened:
        """An article. Raises `ArticleMissing` and, for a file that is no text, `EditRefused`."""
        return self._read(path.inside(self.root), str(path))

    def exists(self, path: ArticlePath) -> bool:
        """Whether something lies there. Raises `ArticleMissing` where nothing may."""
        return path.inside(self.root).exists()

    def read_shared(self, name: str) -> Opened:
        """A word list such as `synonyms/en.txt`; one that is not there is empty."""
        file = self._shared(name)
        if not file.exists():
            return Opened(name, "", "")
        return self._read(file, name)

    def save(self, path: ArticlePath, text: str, *, seen: str | None) -> Opened:
        """Write an article; `seen` is the digest of what its editor opened, None for a new one.

        Raises `ArticleChanged`, `ArticlesReadOnly`.
        """
        return self._write(path.inside(self.root), str(path), text, seen)

    def save_shared(self, name: str, text: str, *, seen: str) -> Opened:
        """The same of a word list; the `seen` of one that was not there is empty."""
        return self._write(self._shared(name), name, text, seen or None)

    def remove(self, path: ArticlePath, *, seen: str) -> None:
        """Delete an article whose digest was `seen`. Raises `ArticleChanged`, `ArticlesReadOnly`,
        `ArticleMissing`."""
        name = str(path)
        file = path.inside(self.root)
        with self._writing(name):
            present = self._read(file, name)
            if present.digest != seen:
                raise ArticleChanged("changed_since", name, present.text)
            file.unlink()
            _flush(file.parent)

    def _shared(self, name: str) -> Path:
        base = self.root.resolve()
        file = (base / name).resolve()
        if not file.is_relative_to(base):
            raise ArticleMissing("link_out", {"name": name})
        return file

    def _read(self, file: Path, name: str) -> Opened:
        try:
            content = file.read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise ArticleMissing("missing", {"name": name}) from None
        except OSError as error:
            raise EditRefused("unreadable", {"name": name, "reason": error.strerror}) from None
        try:
            return Opened(name, content.decode("utf-8"), digest_of(content))
        except UnicodeDecodeError:
            raise EditRefused("not_utf8", {"name": name}) from None

    def _write(self, file: Path, name: str, text: str, seen: str | None) -> Opened:
        content = text.encode("utf-8", errors="replace")
        with self._writing(name):
            present = file.read_bytes() if file.exists() else None
            if (None if present is None else digest_of(present)) != seen:
                now = None if present is None else present.decode("utf-8", errors="replace")
                raise ArticleChanged("changed", name, now)
            if present != content:
                _replace(file, content)
        return Opened(name, content.decode("utf-8"), digest_of(content))

    @contextlib.contextmanager
    def _writing(self, name: str) -> Iterator[None]:
        """Our turn; raises `ArticlesReadOnly` or `EditRefused` for what the system refuses."""
        try:
            with self._turn():
                yield
        except OSError as error:
            values = {"name": name, "reason": error.strerror or str(error)}
            if error.errno in _FORBIDDEN:
                raise ArticlesReadOnly("read_only", values) from None
            raise EditRefused("unwritable", values) from None

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        self._lock.parent.mkdir(parents=True, exist_ok=True)
        with self._lock.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _replace(file: Path, content: bytes) -> None:
    """Write beside the file and rename: killed at any moment, the old one is whole."""
    file.parent.mkdir(parents=True, exist_ok=True)
    for left in file.parent.glob(f".{file.name}.*.new"):
        left.unlink(missing_ok=True)  # of a process that was killed; it is our turn
    temporary = file.with_name(f".{file.name}.{secrets.token_hex(8)}.new")
    mode = stat.S_IMODE(file.stat().st_mode) if file.exists() else _NEW_FILE
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(handle, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        temporary.chmod(mode)
        temporary.replace(file)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _flush(file.parent)


def _flush(folder: Path) -> None:
    """What was renamed or removed in a folder outlives a crash."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
