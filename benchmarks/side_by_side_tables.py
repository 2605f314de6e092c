"""The tables of the comparison, from the JSON that benchmarks/side_by_side.py writes."""

from __future__ import annotations

from typing import Any

_NONE = "–"


def tables(result: dict[str, Any]) -> str:
    """Markdown: where it was measured, a table a corpus, the quality, and how each was set up."""
    machine = result["machine"]
    parts = [
        f"{machine['cpu']}, {machine['cores']} cores, {machine['system']}, Python "
        f"{machine['python']}; one core and one thread for every engine."
    ]
    for corpus in result["corpora"]:
        parts += [
            _heading(corpus),
            _speed(corpus, result["engines"]),
        ]
    if result["sets"]:
        parts += [
            "nDCG@10 of documents by their best passage (keyword / vector / hybrid):",
            _quality(result),
        ]
    parts.append(_notes(result["engines"]))
    return "\n\n".join(parts)


def _heading(corpus: dict[str, Any]) -> str:
    vectors = "perturbed vectors of other texts" if corpus["perturbed"] else "real vectors"
    encode = corpus["encode_ms"]
    return (
        f"**{corpus['passages']:,} passages**, half of them Chinese, {vectors} of "
        f"{corpus['dimension']} numbers, {corpus['queries']:,} queries for the best 50; encoding a "
        f"query takes {_pair(encode)} ms (median / 95th percentile), which only the last column "
        "has in it:"
    )


def _speed(corpus: dict[str, Any], engines: dict[str, Any]) -> str:
    rows = [
        "| engine | index, s | disk, MB | memory to index, MB | to search, MB | keyword, ms "
        "| vector, ms | hybrid, ms | hybrid with encoding, ms |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, found in corpus["engines"].items():
        index, memory, search = found["index"], found["memory"], found["search"]
        cells = [
            engines[name]["name"],
            f"{index['seconds']:.1f}",
            f"{index['disk_mb']:.0f}",
            _memory(index),
            _memory(memory),
            *(_pair(search.get(mode)) for mode in ("keyword", "vector", "hybrid", "encoded")),
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def _quality(result: dict[str, Any]) -> str:
    sets = result["sets"]
    rows = [
        f"| engine | {' | '.join(found['name'] for found in sets)} |",
        "|---" * (len(sets) + 1) + "|",
    ]
    for name, about in result["engines"].items():
        cells = [about["name"]]
        for found in sets:
            ndcg = found["engines"][name]
            cells.append(" / ".join(_score(ndcg.get(m)) for m in ("keyword", "vector", "hybrid")))
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def _notes(engines: dict[str, Any]) -> str:
    lines = [
        "Times are median / 95th percentile, one query after the other; memory is private / "
        "resident at its most, where what is mapped from files counts as resident. Every engine "
        "gets the same passages cut by this project's tokeniser, so that Chinese is found in all, "
        "and queries cut and encoded beforehand, except the whole search, which is asked in plain "
        "text. Index time is without encoding."
    ]
    lines += [
        f"- **{about['name']}** {about['version']}: {about['note']}" for about in engines.values()
    ]
    return "\n".join([lines[0], "", *lines[1:]])


def _pair(times: dict[str, float] | None) -> str:
    return f"{_time(times['p50'])} / {_time(times['p95'])}" if times else _NONE


def _time(milliseconds: float) -> str:
    return f"{milliseconds:.2f}" if milliseconds < 10 else f"{milliseconds:.0f}"


def _memory(sizes: dict[str, float]) -> str:
    return f"{sizes['private_mb']:.0f} / {sizes['resident_mb']:.0f}"


def _score(value: float | None) -> str:
    return f"{value:.3f}" if value is not None else _NONE
