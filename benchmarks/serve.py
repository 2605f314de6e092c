"""Throughput over HTTP of the real `kb serve`: `KB_DATA=DIR python benchmarks/serve.py`.

Beside it, in the same run and under the same gunicorn settings, an empty Flask route, and how many
questions two processes encode a second with nothing around. The client runs on the same cores.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import itertools
import json
import multiprocessing
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

from encodings_per_second import encodings_per_second
from load import ask_all
from processes import cpu_seconds, memory_of
from serve_tables import tables

ROOT = Path(__file__).parent.parent
KB = Path(sys.executable).with_name("kb")
REPEATED = 100
"""Questions that are asked again and again."""
_PATIENCE = 120  # seconds until a server must be ready


def golden_questions() -> list[str]:
    """The labelled questions of both languages, alternating."""
    files = (ROOT / "tests" / "golden" / f"{locale}.jsonl" for locale in ("en", "zh-Hans"))
    read = [[json.loads(line)["text"] for line in file.open(encoding="utf-8")] for file in files]
    return [text for pair in zip(*read, strict=False) for text in pair]


def new_questions(count: int, seed: int = 1) -> list[str]:
    """Questions nobody has asked: the first half of one and the second half of another."""
    draw = random.Random(seed)
    known = golden_questions()
    by_language = (known[0::2], known[1::2])
    made: dict[str, None] = {}
    while len(made) < count:
        one, other = draw.sample(by_language[len(made) % 2], 2)
        made[_half(one, first=True) + _half(other, first=False)] = None
    return list(made)


def _half(text: str, *, first: bool) -> str:
    middle = len(text) // 2
    if text.isascii():
        middle = text.find(" ", middle) if " " in text[middle:] else len(text)
    return text[:middle] if first else text[middle:]


@contextlib.contextmanager
def served(command: Sequence[str | Path], port: int, ready: str) -> Iterator[tuple[int, float]]:
    """A server for as long as the block lasts: its process and the seconds until it was ready."""
    environment = {**os.environ, "KB_RATE_LIMIT": "off", "KB_WRITE_RATE_LIMIT": "off",
                   "KB_LOOKUP_RATE_LIMIT": "off"}  # fmt: skip
    with tempfile.TemporaryFile() as log, tempfile.TemporaryDirectory() as folder:
        environment["KB_DATABASE_URL"] = f"sqlite:///{folder}/events.db"
        started = time.perf_counter()
        process = subprocess.Popen(
            [str(part) for part in command], stdout=log, stderr=log, env=environment, cwd=ROOT
        )
        try:
            while not _answers(f"http://127.0.0.1:{port}{ready}"):
                if process.poll() is not None or time.perf_counter() - started > _PATIENCE:
                    log.seek(0)
                    raise SystemExit(f"{command[0]} did not start:\n{log.read().decode()}")
                time.sleep(0.01)
            yield process.pid, time.perf_counter() - started
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _load(pid: int, port: int, paths: Iterable[str], seconds: float) -> dict[str, float]:
    """What `ask_all` found, and what each answer took of the server's processor, in ms."""
    before = cpu_seconds(pid)
    load = ask_all(port, paths, seconds=seconds)
    used = cpu_seconds(pid) - before
    return dataclasses.asdict(load) | {"server_ms": 1000 * used / max(load.asked, 1)}


def measure_empty(seconds: float) -> dict[str, float]:
    """The empty route under the portal's server settings."""
    port = _free_port()
    command = [sys.executable, ROOT / "benchmarks" / "bare_app.py", str(port)]
    with served(command, port, "/") as (pid, _seconds):
        return _load(pid, port, itertools.repeat("/", 10_000 * (1 + int(seconds))), seconds)


def measure_portal(seconds: float) -> dict[str, Any]:
    """The real server: what it answers a second, how soon it starts, what memory it takes."""
    port = _free_port()
    most = 4000 * (1 + int(seconds))
    new = [_search(text) for text in new_questions(most)]
    again = [_search(text) for text in golden_questions()[:REPEATED]]
    halves = (new[len(new) // 2 :], itertools.cycle(again))
    typed = [text[:length] for text in golden_questions() for length in range(2, 14, 3)]
    loads = {
        "healthz": itertools.repeat("/healthz", most),
        "repeated": itertools.islice(itertools.cycle(again), most),
        "mixed": itertools.chain.from_iterable(zip(*halves, strict=False)),
        "new": iter(new[: len(new) // 2]),
        "complete": (
            f"/api/v1/complete?q={quote_plus(text)}"
            for text in itertools.islice(itertools.cycle(typed), most)
        ),
    }
    with served([KB, "serve", "--port", str(port)], port, "/readyz") as (pid, seconds_to_ready):
        idle = memory_of(pid)
        ask_all(port, again * 8, seconds=10 * seconds)  # into the cache of each worker
        found = {name: _load(pid, port, paths, seconds) for name, paths in loads.items()}
        return {
            "loads": found,
            "start": seconds_to_ready,
            "memory": {"at the start": idle, "after the load": memory_of(pid)},
        }


def _search(text: str) -> str:
    return f"/api/v1/search?q={quote_plus(text)}"


def command_line_seconds() -> float:
    """The best of three runs of `kb search`, a process each."""
    times = []
    for _ in range(3):
        started = time.perf_counter()
        subprocess.run([KB, "search", golden_questions()[0]], check=True, capture_output=True)
        times.append(time.perf_counter() - started)
    return min(times)


def main() -> None:
    """Measure, print Markdown, and with `--json` write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each load")
    parser.add_argument("--json", type=Path, metavar="FILE")
    given = parser.parse_args()
    encodings = encodings_per_second(new_questions(200, seed=2), processes=2, seconds=given.seconds)
    result: dict[str, Any] = {"encodings_per_second": encodings}
    result |= measure_portal(given.seconds)
    result["loads"] = {"empty": measure_empty(given.seconds), **result["loads"]}
    result["command_line"] = command_line_seconds()
    print(tables(result))
    if given.json:
        given.json.write_text(json.dumps(result, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    multiprocessing.set_start_method("spawn")
    main()
