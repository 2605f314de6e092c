"""The files of a keyword index, listed with sizes and checksums so that no damage goes unnoticed.

Segments never change once written. A later generation links them, so they stand on disk once.
"""

from __future__ import annotations

import json
import shutil
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from search.bm25 import FieldStatistics
from search.errors import IndexDamaged

_NAME = "contents.json"
_CHUNK = 1 << 20  # bytes


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a file must be like."""

    size: int
    crc32: int


@dataclass(frozen=True, slots=True)
class Contents:
    """What a folder holds: enough to tell damage and to answer for sizes without opening Whoosh."""

    documents: Mapping[str, int]
    """Number of living documents by table."""
    statistics: Mapping[str, FieldStatistics]
    files: Mapping[str, Stamp]

    @classmethod
    def read(cls, folder: Path) -> Contents:
        """Read the list and check that every file is there in its size; costs no more than that.

        Raises `IndexDamaged`.
        """
        path = folder / _NAME
        try:
            data = json.loads(path.read_text("utf-8"))
            contents = cls(
                {table: int(number) for table, number in data["documents"].items()},
                {name: FieldStatistics(**found) for name, found in data["statistics"].items()},
                {name: Stamp(**stamp) for name, stamp in data["files"].items()},
            )
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise _damaged(path, f"cannot be read ({error!r})") from error
        for name, stamp in contents.files.items():
            try:
                size = (folder / name).stat().st_size
            except OSError as error:
                raise _damaged(folder / name, f"cannot be read ({error})") from error
            if size != stamp.size:
                raise _damaged(folder / name, f"{size} bytes, {stamp.size} expected")
        return contents

    @classmethod
    def write(
        cls,
        folder: Path,
        *,
        documents: Mapping[str, int],
        statistics: Mapping[str, FieldStatistics],
        linked: Mapping[str, Stamp],
    ) -> None:
        """List the files of a folder; those that were linked keep the stamps they had."""
        files = {
            path.name: linked.get(path.name) or _stamp(path)
            for path in sorted(folder.iterdir())
            if path.name != _NAME
        }
        text = json.dumps(asdict(cls(documents, statistics, files)))
        (folder / _NAME).write_text(text, "utf-8")

    def verify(self, folder: Path, names: Iterable[str] | None = None) -> None:
        """Compare what stands in the files, or in some of them; raises `IndexDamaged`."""
        for name in self.files if names is None else names:
            try:
                found = _stamp(folder / name)
            except OSError as error:
                raise _damaged(folder / name, f"cannot be read ({error})") from error
            if found != self.files[name]:
                raise _damaged(folder / name, "its contents are not what was written")


def link(source: Path, target: Path) -> None:
    """The same file under another name; a copy where the file system knows no hard links."""
    try:
        target.hardlink_to(source)
    except FileExistsError:
        raise  # to copy over a link would change the generation it comes from
    except (OSError, NotImplementedError):
        shutil.copyfile(source, target)


def _stamp(path: Path) -> Stamp:
    size = checksum = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            size += len(chunk)
            checksum = zlib.crc32(chunk, checksum)
    return Stamp(size, checksum)


def _damaged(path: Path, what: str) -> IndexDamaged:
    return IndexDamaged(f"{path}: {what}; run `kb index --rebuild`")
