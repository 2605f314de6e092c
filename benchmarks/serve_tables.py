"""The Markdown of `benchmarks/serve.py`."""

from __future__ import annotations

from typing import Any

_NAMES = {
    "empty": "empty Flask route",
    "healthz": "`/healthz`",
    "repeated": "repeated questions",
    "mixed": "half new, half repeated",
    "new": "new questions",
    "complete": "`/api/v1/complete`",
}


def tables(result: dict[str, Any]) -> str:
    """Throughput, then memory, then seconds."""
    return "\n".join([_throughput(result), "", _memory(result["memory"]), "", _notes(result)])


def _throughput(result: dict[str, Any]) -> str:
    encodings = result["encodings_per_second"]
    empty = result["loads"]["empty"]["throughput"]
    rows = [
        "| 32 clients | answers a second | of the empty route | of the encodings | median | 95 % "
        "| 99 % | errors | server's CPU an answer | client's share of a core |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
        f"| encodings, two processes | {encodings:.0f} | | 1.00 | | | | | | |",
    ]
    for name, load in result["loads"].items():
        rows.append(
            f"| {_NAMES[name]} | {load['throughput']:.0f} | {load['throughput'] / empty:.2f} "
            f"| {load['throughput'] / encodings:.2f} | {load['median']:.1f} ms "
            f"| {load['p95']:.1f} ms | {load['p99']:.1f} ms | {load['errors']} "
            f"| {load['server_ms']:.2f} ms | {load['client_share']:.2f} |"
        )
    return "\n".join(rows)


def _memory(memory: dict[str, list[dict[str, float]]]) -> str:
    rows = ["| memory, MB | process | resident | shared out | own |", "|---|---|--:|--:|--:|"]
    for when, processes in memory.items():
        for place, sizes in enumerate(processes):
            name = f"worker {place}" if place else "master"
            cells = " | ".join(f"{sizes[kind]:.0f}" for kind in ("resident", "shared out", "own"))
            rows.append(f"| {when} | {name} | {cells} |")
    return "\n".join(rows)


def _notes(result: dict[str, Any]) -> str:
    return (
        f"`kb serve` is ready after {result['start']:.1f} s, `kb search` has answered after "
        f"{result['command_line']:.1f} s."
    )
