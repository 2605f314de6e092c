"""This project beside other engines: one corpus, the same vectors and queries, one run.

`python benchmarks/side_by_side.py SCRATCH CORPUS… [--sets DIR…] [--json FILE]` prints Markdown
tables. A corpus is a folder that benchmarks/corpus.py wrote; the sets, in BEIR layout, show what
each engine's speed is worth. Every step of every engine runs in a process and on a core of its
own; memory is what the kernel says of that process. Needs the extra `bench`.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from peers.base import ENGINES, Material, load_engine
from peers.prepare import prepare

from search.threads import limit_threads

HERE = Path(__file__).parent
_ONE_THREAD = dict.fromkeys(
    (
        "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS",
        "RAYON_NUM_THREADS", "TOKIO_WORKER_THREADS", "LANCE_CPU_THREADS",
    ),
    "1",
)  # fmt: skip
_QUIET = {"LANCEDB_LOG": "error"}
_LOOK_EVERY = 0.02  # seconds between two looks at a process's memory
_MB = 1e6
Times = npt.NDArray[np.float64]


@dataclass(slots=True)
class Memory:
    """The most memory a process and its children have had at one time, in bytes."""

    resident: int = 0
    """With what is mapped from files, which all processes share and the kernel may drop."""
    private: int = 0
    """Without it."""

    def look(self, pid: int) -> None:
        resident = private = 0
        for process in _family(pid):
            try:
                status = Path(f"/proc/{process}/status").read_text("ascii")
            except OSError:  # it has just ended
                continue
            sizes = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
            resident += _bytes(sizes.get("VmRSS"))
            private += _bytes(sizes.get("RssAnon"))
        self.resident = max(self.resident, resident)
        self.private = max(self.private, private)


def _bytes(size: str | None) -> int:
    return int(size.split()[0]) * 1024 if size else 0


def _family(pid: int) -> Iterator[int]:
    yield pid
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [child for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return
    for child in children:
        yield from _family(int(child))


def step(engine: str, name: str, material: Material, folder: Path) -> dict[str, Any]:
    """Run one step of `peers.child` and add the memory it took."""
    with tempfile.NamedTemporaryFile(suffix=".json") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "peers.child", engine, name, material.folder, folder, out.name],
            cwd=HERE, env={**os.environ, **_ONE_THREAD, **_QUIET},
        )  # fmt: skip
        memory = Memory()
        while process.poll() is None:
            memory.look(process.pid)
            time.sleep(_LOOK_EVERY)
        if process.returncode:
            raise SystemExit(f"{engine}: the step {name!r} failed")
        found: dict[str, Any] = json.loads(Path(out.name).read_text("utf-8"))
    found["memory"] = {"resident_mb": memory.resident / _MB, "private_mb": memory.private / _MB}
    return found


def compare(
    scratch: Path,
    corpora: Sequence[Path],
    sets: Sequence[Path],
    *,
    engines: Sequence[str],
    queries: int,
    sample: int,
    real_up_to: int,
    keep: Callable[[dict[str, Any]], object],
) -> dict[str, Any]:
    """Everything the tables show, as JSON; `keep` is given what there is after every corpus."""
    store = scratch / "vectors"
    result: dict[str, Any] = {
        "machine": machine(),
        "engines": {name: _about(name) for name in engines},
        "corpora": [],
        "sets": [],
    }
    for source in corpora:
        _say(f"{source.name}: cutting and encoding")
        material = prepare(
            source, scratch / "material" / source.name,
            store=store, queries=queries, real_up_to=real_up_to,
        )  # fmt: skip
        encode = np.array(step("words", "encode", material, scratch)["milliseconds"])
        rows = {name: measure(name, material, scratch / "index", encode) for name in engines}
        result["corpora"].append(
            {
                "name": source.name,
                "passages": material.passages,
                "perturbed": material.perturbed,
                "dimension": material.vectors().shape[1],
                "queries": len(material.queries()),
                "encode_ms": _percentiles(encode),
                "engines": rows,
            }
        )
        keep(result)
    for source in sets:
        _say(f"{source.name}: cutting and encoding")
        material = prepare(source, scratch / "material" / source.name, store=store, queries=sample)
        rows = {name: _judge(name, material, scratch / "index") for name in engines}
        result["sets"].append(
            {
                "name": source.name,
                "passages": material.passages,
                "queries": len(material.queries()),
                "engines": rows,
            }
        )
        keep(result)
    return result


def measure(
    name: str, material: Material, folder: Path, encode: Times | None = None
) -> dict[str, Any]:
    """Time, size and memory of one engine on one corpus.

    `encode` has what each query takes to encode, in ms, for engines that do not do it themselves.
    """
    if name == "product" and not material.perturbed:
        _step_in_new_folder(name, "remember_texts", material, folder)
    indexed = _step_in_new_folder(name, "index", material, folder)
    if name == "product":
        step(name, "remember_queries", material, folder)
    searched = step(name, "search", material, folder)
    milliseconds = {mode: np.array(times) for mode, times in searched["milliseconds"].items()}
    found = {
        "index": {
            "seconds": indexed["seconds"],
            "disk_mb": _size(folder) / _MB,
            **indexed["memory"],
        },
        "search": {mode: _percentiles(times) for mode, times in milliseconds.items()},
        "memory": searched["memory"],
    }
    if name == "product":
        whole = step(name, "encoded", material, folder)["milliseconds"]["hybrid"]
        found["search"]["encoded"] = _percentiles(np.array(whole))
    elif "hybrid" in milliseconds and encode is not None:
        whole = milliseconds["hybrid"]
        whole = whole + encode[: len(whole)]
        found["search"]["encoded"] = _percentiles(whole)
    shutil.rmtree(folder)
    return found


def _judge(name: str, material: Material, folder: Path) -> dict[str, float]:
    """nDCG@10 of one engine on one set, by mode."""
    if name == "product":
        _step_in_new_folder(name, "remember_texts", material, folder)
        step(name, "remember_queries", material, folder)
    else:
        _step_in_new_folder(name, "index", material, folder)
    ndcg: dict[str, float] = step(name, "quality", material, folder)["ndcg"]
    shutil.rmtree(folder)
    return ndcg


def _step_in_new_folder(name: str, step_name: str, material: Material, folder: Path) -> Any:
    _say(f"{material.source.name}: {name}, {step_name}")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return step(name, step_name, material, folder)


def _percentiles(milliseconds: Times) -> dict[str, float]:
    return {f"p{p}": float(np.percentile(milliseconds, p)) for p in (50, 95)}


def _size(folder: Path) -> int:
    """Bytes on disk, without the caches of the encoder."""
    return sum(
        path.stat().st_size
        for path in folder.rglob("*")
        if path.is_file() and "cache" not in path.relative_to(folder).parts
    )


def _about(name: str) -> dict[str, object]:
    about = load_engine(name).ABOUT
    distribution = about.distribution
    version = importlib.metadata.version(distribution) if distribution else sqlite3.sqlite_version
    return {**about.as_dict(), "version": version}


def machine() -> dict[str, Any]:
    """Where the figures come from."""
    lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "cpu": models[0] if models else platform.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
    }


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("scratch", type=Path, help="folder for vectors and indexes")
    parser.add_argument("corpora", type=Path, nargs="+")
    parser.add_argument("--sets", type=Path, nargs="*", default=[])
    parser.add_argument("--engines", default=",".join(ENGINES), help="(default: %(default)s)")
    parser.add_argument("--queries", type=int, default=1000, help="(default: %(default)s)")
    parser.add_argument(
        "--sample", type=int, default=500, help="queries of each set (default: %(default)s)"
    )
    parser.add_argument(
        "--real-up-to", type=int, default=50_000, metavar="PASSAGES",
        help="larger corpora get vectors of other texts, perturbed (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    limit_threads()

    def keep(result: dict[str, Any]) -> None:
        if options.json:
            text = json.dumps(result, indent=1, ensure_ascii=False)
            options.json.write_text(text + "\n", "utf-8")

    result = compare(
        options.scratch.resolve(), [path.resolve() for path in options.corpora],
        [path.resolve() for path in options.sets], engines=options.engines.split(","),
        queries=options.queries, sample=options.sample, real_up_to=options.real_up_to, keep=keep,
    )  # fmt: skip
    from side_by_side_tables import tables

    print(tables(result))


if __name__ == "__main__":
    main()
