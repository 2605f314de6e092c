"""What the last publish came to, kept so that the next can tell at once if nothing has changed."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from indexer.fingerprint import fingerprint
from indexer.folder import Folder
from indexer.problems import Problem

_FILE = Path("cache") / "published.json"


@dataclass(frozen=True, slots=True)
class Published:
    """The outcome of a publish; `changed` is false when the index already was up to date."""

    name: str
    changed: bool
    articles: int
    passages: int
    units: int
    encoded: int
    warnings: tuple[Problem, ...]
    pruned: tuple[str, ...] = ()


def unchanged(folder: Folder, data: Path, *, model: str, today: date) -> Published | None:
    """What the last publish came to, if to publish the folder again would change nothing.

    Cheap, and without what a publish needs, so it can be asked before anything else is loaded.
    """
    return recall(data, made_of(folder, model=model, today=today))


def made_of(folder: Folder, *, model: str, today: date) -> str:
    """The fingerprint of all that an index and its warnings are made of; reviews fall due."""
    return fingerprint(folder, {"today": str(today), "model": model})


def remember(
    data: Path, published: Published, *, fingerprint: str, pointer: Path, generation: Path
) -> None:
    """Keep the outcome of a run over what has this fingerprint, replacing that of the last.

    `pointer` is the file that names the generation now, `generation` its folder; both below `data`.
    """
    record = {
        "fingerprint": fingerprint,
        "published": dataclasses.asdict(published),
        "pointer": pointer.relative_to(data).as_posix(),
        "generation": generation.relative_to(data).as_posix(),
        "files": _files(generation),
    }
    path = data / _FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps(record, ensure_ascii=False), "utf-8")
    temporary.replace(path)


def recall(data: Path, fingerprint: str) -> Published | None:
    """What was remembered, as a run that changed nothing, if it still holds.

    It does if the fingerprint is the same, the pointer still names that generation and no file of
    it has been touched since; else None.
    """
    with suppress(OSError, ValueError, KeyError, TypeError):
        record = json.loads((data / _FILE).read_text("utf-8"))
        published = _published(record["published"])
        if (
            record["fingerprint"] == fingerprint
            and (data / record["pointer"]).read_text("utf-8").strip() == published.name
            and record["files"] == _files(data / record["generation"])
        ):
            return published
    return None


def _published(record: Mapping[str, Any]) -> Published:
    warnings = tuple(
        Problem(**{**warning, "mends": tuple(warning["mends"])}) for warning in record["warnings"]
    )
    unchanged = {"changed": False, "encoded": 0, "warnings": warnings, "pruned": ()}
    return Published(**{**record, **unchanged})


def _files(folder: Path) -> dict[str, list[int]]:
    """Size in bytes and time of change in ns of every file; one that is damaged has others."""
    found = {}
    for path in sorted(folder.rglob("*")):
        status = path.stat()
        if not path.is_dir():
            found[path.relative_to(folder).as_posix()] = [status.st_size, status.st_mtime_ns]
    return found
