"""Unpacks the bundled model's weights once, so that processes map one file and share its pages."""

from __future__ import annotations

import os
import shutil
import time
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

from search.array_file import write_arrays
from search.errors import IndexDamaged
from search.use_weights import map_weights, to_arrays, unpack_weights, weights_file

_UNFINISHED = ".unfinished-"
_ABANDONED = 3600  # seconds


def prepare_weights(cache: Path, *, thorough: bool = False) -> Path:
    """Write the weights below the folder of caches unless they are there whole; gives the file.

    `thorough` reads every byte of what is there, which takes about 70 ms. A new file is written
    beside its place and renamed, so several processes may do this at once and none ever sees half
    of it. Those of other versions are removed; who has mapped them keeps them.
    """
    path = weights_file(cache)
    with suppress(IndexDamaged):
        map_weights(path, thorough=thorough)
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = to_arrays(unpack_weights())
    for left in path.parent.glob(f"{_UNFINISHED}*"):  # of a process that was killed
        if time.time() - left.stat().st_mtime > _ABANDONED:
            left.unlink(missing_ok=True)
    with NamedTemporaryFile(dir=path.parent, prefix=_UNFINISHED, delete=False) as made:
        temporary = Path(made.name)
    try:
        write_arrays(temporary, arrays)
        _sync(temporary)
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    for folder in cache.glob("model-*"):
        if folder != path.parent:
            shutil.rmtree(folder, ignore_errors=True)
    return path


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
