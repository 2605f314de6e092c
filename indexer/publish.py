"""Publishing whole: written beside the old generation, checked, then one rename of the pointer."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from search.errors import IndexDamaged, IndexMismatch, KnowledgeBaseError
from search.generation import GENERATIONS, POINTER, Manifest, current_name, open_generation
from search.types import Embedder

_STAGING = ".staging-"


class PublishBusy(KnowledgeBaseError):
    """Another process is publishing into the same folder."""

    exit_code = 5


class NothingToRollBackTo(KnowledgeBaseError):
    """There is no earlier generation, or not the one that was named."""

    exit_code = 2


@contextmanager
def publishing(data: Path) -> Iterator[None]:
    """Hold the folder for one publisher; the lock goes with the process, however it ends."""
    data.mkdir(parents=True, exist_ok=True)
    with (data / "publish.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise PublishBusy(f"{data}: another `kb index` is running; wait for it") from None
        for left in (data / GENERATIONS).glob(f"{_STAGING}*"):
            shutil.rmtree(left, ignore_errors=True)  # of runs that were killed
        yield


def staging_folder(data: Path, name: str) -> Path:
    """An empty folder to write a generation into, where no reader looks."""
    folder = data / GENERATIONS / f"{_STAGING}{name}"
    folder.mkdir(parents=True)
    return folder


def nothing() -> None:
    """What is done before a generation is named where nothing is asked for."""


def publish(
    data: Path, staged: Path, name: str, *, before_naming: Callable[[], object] = nothing
) -> None:
    """Move a staged generation into place and point at it.

    It is opened and checked first. The pointer is replaced by one rename, so readers see the old
    generation or the new one and never something between.
    """
    open_generation(staged)
    for path in sorted(staged.rglob("*")):
        _sync(path)
    final = data / GENERATIONS / name
    before_naming()
    staged.rename(final)
    _sync(final.parent)
    point_to(data, name)


def point_to(data: Path, name: str) -> None:
    """Make a generation the current one."""
    temporary = data / f".{POINTER}.new"
    with temporary.open("w", encoding="utf-8") as file:
        file.write(name + "\n")
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(data / POINTER)
    _sync(data)


def generations(data: Path) -> list[Manifest]:
    """Generations with a manifest that can be read, oldest first."""
    found = []
    for folder in _folders(data):
        with suppress(IndexDamaged, IndexMismatch):
            found.append(Manifest.read(folder))
    return found


def _is_damaged(folder: Path) -> bool:
    """Whether a generation has lost its manifest; one of another version has not."""
    try:
        Manifest.read(folder)
    except IndexDamaged:
        return True
    except IndexMismatch:
        return False
    return False


def _folders(data: Path) -> list[Path]:
    return sorted(path for path in (data / GENERATIONS).glob("[!.]*") if path.is_dir())


def roll_back(data: Path, name: str | None = None, *, embedder: Embedder | None = None) -> str:
    """Point at the generation before the current one, or at a named one; gives its name.

    With an embedder, a generation of another model is refused: nobody could search it.
    """
    with publishing(data):
        names = [manifest.name for manifest in generations(data)]
        if name is None:
            present = current_name(data)
            earlier = names[: names.index(present)] if present in names else names
            if not earlier:
                raise NothingToRollBackTo(f"{data}: there is no earlier generation")
            name = earlier[-1]
        elif name not in names:
            raise NothingToRollBackTo(
                f"{data}: no generation {name!r}; there are {', '.join(names) or 'none'}"
            )
        open_generation(data / GENERATIONS / name, embedder)
        point_to(data, name)
        return name


def prune(data: Path, *, keep: int) -> list[str]:
    """Remove all but the newest `keep` generations, and those without a manifest.

    Gives their names; the current one is never among them.

    A reader that still holds a removed one keeps its open files until it lets go.
    """
    present = current_name(data)
    names = [manifest.name for manifest in generations(data)]
    damaged = [folder.name for folder in _folders(data) if _is_damaged(folder)]
    old = names[: max(0, len(names) - keep)]
    removable = [name for name in (*damaged, *old) if name != present]
    for name in removable:
        # Renamed first, so that a kill in between leaves no half generation under its name.
        doomed = data / GENERATIONS / f"{_STAGING}remove-{name}"
        (data / GENERATIONS / name).rename(doomed)
        shutil.rmtree(doomed, ignore_errors=True)
    return removable


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
