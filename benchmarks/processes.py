"""What processes take of memory and processor, as Linux counts it."""

from __future__ import annotations

import os
from pathlib import Path

_MB = 1024  # of the kB that Linux gives


def memory_of(pid: int) -> list[dict[str, float]]:
    """In MB, a server first and then each of its workers: resident, shared out, its own."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
    return [_sizes(each) for each in (str(pid), *children)]


def _sizes(pid: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines()[1:]:
        name, _colon, rest = line.partition(":")
        found[name] = float(rest.split()[0]) / _MB
    return {
        "resident": found["Rss"],
        "shared out": found["Pss"],
        "own": found["Private_Clean"] + found["Private_Dirty"],
    }


def cpu_seconds(pid: int) -> float:
    """What a server and its workers have used of the processor so far, in user and kernel."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
    ticks = 0
    for each in (str(pid), *children):
        fields = Path(f"/proc/{each}/stat").read_text("utf-8").rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")
