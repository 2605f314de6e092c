"""The cache of values by key: kept, of one version, and never worth more than the time it saves."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path

import pytest

from indexer.blob_cache import BlobCache
from search.errors import KnowledgeBaseError

_VALUES = {b"%d" % number: b"value %d " % number * 500 for number in range(60)}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A cache of version 1 with some values."""
    path = tmp_path / "cache" / "blobs.sqlite"
    with BlobCache(path, version="1") as cache:
        cache.update(_VALUES)
    return path


def _load(path: Path, version: str = "1") -> dict[bytes, bytes]:
    with BlobCache(path, version=version) as cache:
        return cache.load()


def test_values_are_kept_until_they_are_stale(path: Path) -> None:
    assert _load(path) == _VALUES
    with BlobCache(path, version="1") as cache:
        cache.update({b"1": b"other", b"new": b""}, [b"2"])
    known = _load(path)
    assert (known[b"1"], known[b"new"]) == (b"other", b"")
    assert known.keys() == (_VALUES.keys() | {b"new"}) - {b"2"}


def test_another_version_starts_empty_and_leaves_nothing(path: Path) -> None:
    assert _load(path, "2") == {}
    assert _load(path, "1") == {}


@pytest.mark.parametrize(
    "damage", ["garbage", "empty", "truncated", "scribbled", "other tables", "another log"]
)
def test_a_damaged_file_gives_no_wrong_value_and_can_be_used_again(path: Path, damage: str) -> None:
    content, noise = path.read_bytes(), random.Random(1).randbytes
    assert len(content) > 65536 * 4
    if damage == "other tables":
        path.unlink()
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE blobs (something TEXT)")
            connection.execute("CREATE TABLE about (something TEXT)")
        connection.close()
    elif damage == "another log":
        path.with_name(path.name + "-wal").write_bytes(noise(9000))
    else:
        path.write_bytes({
            "garbage": noise(5000),
            "empty": b"",
            "truncated": content[: len(content) // 2],
            "scribbled": content[:65536] + noise(len(content) - 65536),
        }[damage])  # fmt: skip
    with BlobCache(path, version="1") as cache:
        assert cache.load().items() <= _VALUES.items()
        cache.update(_VALUES)
        assert cache.load() == _VALUES
    assert _load(path) == _VALUES


def test_a_value_that_was_altered_is_forgotten(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE blobs SET value = CAST('xxxxyy' AS BLOB) WHERE key = x'31'")
    connection.close()
    assert _load(path) == {key: value for key, value in _VALUES.items() if key != b"1"}


def test_a_file_that_another_program_holds_is_told(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    holder = sqlite3.connect(path)
    holder.execute("PRAGMA locking_mode=EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda where, **_: connect(where, timeout=0))
    with pytest.raises(KnowledgeBaseError, match=r"blobs\.sqlite: cannot be used \(.*locked"):
        BlobCache(path, version="1")
    holder.close()
    assert _load(path) == _VALUES
