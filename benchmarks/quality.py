"""Prints the quality table of the README: nDCG@10 by engine, for folders in BEIR layout.

`python benchmarks/quality.py DIR…`; a folder of golden questions is asked of the published index.
"""

from __future__ import annotations

import sys
from pathlib import Path

from portal.cli_quality import measure
from portal.config import load_settings


def table(folders: list[Path]) -> str:
    """One row a folder, all figures from this run."""
    settings = load_settings()
    rows = [
        "| questions | keyword | vector | hybrid | first place right | AUROC | caught at 5 % |",
        "|---|---|---|---|---|---|---|",
    ]
    for folder in folders:
        modes = {summary.mode: summary for summary in measure(settings, folder)}
        hybrid = modes["hybrid"]
        ndcg = [f"{modes[m].metrics['nDCG@10']:.3f}" for m in ("keyword", "vector", "hybrid")]
        refusal = ["", ""]
        if hybrid.auroc is not None and hybrid.caught_at_5 is not None:
            refusal = [f"{hybrid.auroc:.3f}", f"{hybrid.caught_at_5:.1%}"]
        cells = [folder.name, *ndcg, f"{hybrid.metrics['P@1']:.1%}", *refusal]
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows)


if __name__ == "__main__":
    print(table([Path(folder) for folder in sys.argv[1:]]))
