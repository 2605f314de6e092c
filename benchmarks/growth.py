"""How this project grows with its articles: query time, publish time and memory, as a picture.

`python benchmarks/growth.py SCRATCH [--sizes 1000,4000,…] [--json FILE] [--picture FILE]` makes a
corpus of each size, publishes it and asks it the same number of queries, with vectors perturbed
from those that benchmarks/side_by_side.py has left in SCRATCH, so that no model runs. Needs the
extra `bench`. `--draw` draws the picture anew from the JSON.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import corpus
import numpy as np
from peers.prepare import prepare
from side_by_side import machine, measure

from search.threads import limit_threads

ROOT = Path(__file__).parent.parent
_SIZES = (1_000, 4_000, 20_000, 60_000, 200_000)
_INK, _PAPER, _LINES = "#010203", "#fdfcfb", "#aabbcc"
"""Stand-ins for colours that follow the reader's theme."""
_THEMES = """<style>
:root { --ink: #1f2328; --paper: #ffffff; --lines: #d1d9e0 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --paper: #0d1117; --lines: #3d444d }
}
</style>"""
_COLOURS = {"keyword": "#2f9e6e", "vector": "#3b82f6", "hybrid": "#e8710a"}


def grow(scratch: Path, sizes: Sequence[int], *, queries: int) -> dict[str, Any]:
    """Figures of each size, as JSON."""
    rows = []
    for size in sizes:
        source = scratch / "growth" / str(size)
        corpus.write(source, passages=size, seed=1, keep=True)
        material = prepare(
            source, scratch / "material" / f"growth-{size}",
            store=scratch / "vectors", queries=queries, real_up_to=0,
        )  # fmt: skip
        found = measure("product", material, scratch / "index")
        rows.append({"passages": material.passages, **found})
        shutil.rmtree(source)
    return {"machine": machine(), "queries": queries, "sizes": rows}


def draw(result: Mapping[str, Any], picture: Path) -> None:
    """Three panels over the number of passages, readable in a light and in a dark theme."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot
    from matplotlib.ticker import LogLocator

    style = {
        "svg.fonttype": "none", "svg.hashsalt": "growth", "font.size": 11,
        "font.family": "sans-serif", "text.color": _INK, "axes.labelcolor": _INK,
        "axes.edgecolor": _INK, "xtick.color": _INK, "ytick.color": _INK, "grid.color": _LINES,
        "axes.facecolor": "none", "figure.facecolor": _PAPER, "axes.spines.top": False,
        "axes.spines.right": False, "axes.grid": True, "legend.frameon": False,
        "axes.titlelocation": "left", "axes.titlesize": 11,
    }  # fmt: skip
    rows = result["sizes"]
    sizes = np.array([row["passages"] for row in rows])
    with mpl.rc_context(style):
        figure, (query, publish, memory) = pyplot.subplots(
            1, 3, figsize=(12, 3.8), layout="constrained"
        )
        for mode, colour in _COLOURS.items():
            median, high = ([row["search"][mode][name] for row in rows] for name in ("p50", "p95"))
            query.plot(sizes, median, "o-", color=colour, label=mode)
            query.plot(sizes, high, "--", color=colour, linewidth=1)
        query.set_title("query, ms: median, dashed 95th percentile")
        query.legend()
        seconds = [row["index"]["seconds"] for row in rows]
        publish.plot(sizes, seconds, "o-", color=_COLOURS["hybrid"])
        publish.set_title("first publish without encoding, s")
        for name, colour, kind in (
            ("private_mb", "vector", "a worker's own"),
            ("resident_mb", "keyword", "with mapped files"),
        ):
            megabytes = [row["memory"][name] for row in rows]
            memory.plot(sizes, megabytes, "o-", color=_COLOURS[colour], label=kind)
        memory.set_title("memory while searching, MB")
        memory.legend()
        for axes in (query, publish, memory):
            axes.set_xscale("log")
            axes.set_yscale("log")
            axes.set_xticks(sizes, [f"{size:,}" for size in sizes], rotation=30)
            axes.minorticks_off()
            axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
            axes.set_xlabel("passages")
        figure.savefig(picture, format="svg", metadata={"Date": None})
        pyplot.close(figure)
    picture.write_text(_themed(picture.read_text("utf-8")), "utf-8")


def _themed(svg: str) -> str:
    for stand_in, name in ((_INK, "ink"), (_PAPER, "paper"), (_LINES, "lines")):
        svg = svg.replace(stand_in, f"var(--{name})")
    head, defs, rest = svg.partition("<defs>")
    return head + _THEMES + defs + rest


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("scratch", type=Path)
    parser.add_argument(
        "--sizes", default=",".join(map(str, _SIZES)), help="(default: %(default)s)"
    )
    parser.add_argument("--queries", type=int, default=300, help="(default: %(default)s)")
    parser.add_argument("--json", type=Path, default=ROOT / "docs" / "growth.json")
    parser.add_argument("--picture", type=Path, default=ROOT / "docs" / "growth.svg")
    parser.add_argument("--draw", action="store_true", help="only draw what the JSON has")
    options = parser.parse_args()
    limit_threads()
    if not options.draw:
        sizes = [int(size) for size in options.sizes.split(",")]
        result = grow(options.scratch.resolve(), sizes, queries=options.queries)
        options.json.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    draw(json.loads(options.json.read_text("utf-8")), options.picture)


if __name__ == "__main__":
    main()
