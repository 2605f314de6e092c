"""Several arrays in one file, mapped with one system call and shared by all processes.

The layout is that of safetensors: the length of a JSON header, the header with the type, shape
and place of every array, then their bytes. That library itself copies what it reads.
"""

from __future__ import annotations

import json
import mmap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from search.errors import IndexDamaged

Arrays = Mapping[str, npt.NDArray[Any]]
_MAGIC = b"kbarrays"
_START = 16  # bytes of the magic and of the header's length
_ALIGNED = 64


def write_arrays(path: Path, arrays: Arrays) -> None:
    """Write arrays of plain numbers."""
    places, end = {}, 0
    for name, array in arrays.items():
        places[name] = (array.dtype.str, array.shape, end)
        end += -(-array.nbytes // _ALIGNED) * _ALIGNED
    header = json.dumps({"size": end, "arrays": places}).encode()
    header += b" " * (-(_START + len(header)) % _ALIGNED)
    with path.open("wb") as file:
        file.write(_MAGIC + len(header).to_bytes(8, "little") + header)
        for array in arrays.values():
            if array.size:  # a view of nothing cannot be cast
                file.write(np.ascontiguousarray(array).data.cast("B"))
            file.write(bytes(-array.nbytes % _ALIGNED))


def map_arrays(path: Path) -> Arrays:
    """Map what `write_arrays` wrote. Raises `IndexDamaged`."""
    try:
        with path.open("rb") as file:
            start = file.read(_START)
            if start[:8] != _MAGIC:
                raise ValueError("no file of arrays")
            header = file.read(int.from_bytes(start[8:], "little"))
            described = json.loads(header)
            begin = _START + len(header)
            size = begin + described["size"]
            if path.stat().st_size != size:
                raise ValueError(f"{path.stat().st_size} bytes, {size} expected")
            content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return {
            name: np.ndarray(shape, dtype, content, begin + offset)
            for name, (dtype, shape, offset) in described["arrays"].items()
        }
    except (OSError, ValueError, TypeError, KeyError, OverflowError, MemoryError) as error:
        raise IndexDamaged(f"{path}: cannot be read ({error}); run `kb index --rebuild`") from error
