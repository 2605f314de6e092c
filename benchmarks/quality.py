"""Prints the quality table of the README: nDCG@10 by engine, AUROC and refusals.

`python benchmarks/quality.py DIR…` measures folders in BEIR layout or of golden questions; a file
that `kb eval DIR --json` wrote is taken as it is, so that long runs need not be repeated.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from portal import show_quality
from portal.cli_quality import Request, measure
from portal.config import load_settings


def table(paths: list[Path]) -> str:
    """One row a data set."""
    rows = [
        "| questions | keyword | vector | hybrid | first place right | AUROC | caught at 5 % |",
        "|---|---|---|---|---|---|---|",
    ]
    for path in paths:
        body = _read(path)
        modes: dict[str, Any] = body["modes"]
        hybrid = modes["hybrid"]
        ndcg = [
            f"{modes[name]['metrics']['nDCG@10']:.3f}" for name in ("keyword", "vector", "hybrid")
        ]
        refusal = ["", ""]
        if hybrid["auroc"] is not None:
            refusal = [f"{hybrid['auroc']:.3f}", f"{hybrid['caught_at_5']:.1%}"]
        cells = [body["dataset"], *ndcg, f"{hybrid['metrics']['P@1']:.1%}", *refusal]
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows)


def _read(path: Path) -> dict[str, Any]:
    if path.suffix == ".json":
        text = path.read_text("utf-8")
    else:
        text = show_quality.as_json(measure(load_settings(), Request(path)))
    body: dict[str, Any] = json.loads(text)
    return body


if __name__ == "__main__":
    print(table([Path(name) for name in sys.argv[1:]]))
