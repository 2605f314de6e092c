"""How well questions are grouped: adjusted mutual information with what people say they mean.

    python benchmarks/clusters.py FOLDER...

Each FOLDER is a labelled set in BEIR layout, whose questions are taken as if they were a log: the
document a question is judged to belong to is its intent, and nobody tells how many there are.
Questions without a judgement are in the log but not in the figure. Beside it stand, in the same
run, what libraries give on the same vectors.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from sklearn.cluster import HDBSCAN
from sklearn.metrics import adjusted_mutual_info_score, homogeneity_completeness_v_measure

from portal.gaps.cluster import cluster
from search.embed import open_embedder
from search.threads import limit_threads

Vectors = NDArray[np.float32]
Labels = NDArray[np.int32]


def read(folder: Path) -> tuple[list[str], list[str | None]]:
    """The questions, and for each the first document it is judged to belong to."""
    belongs: dict[str, str] = {}
    for file in sorted((folder / "qrels").glob("*.tsv")):
        for line in file.read_text(encoding="utf-8").splitlines()[1:]:
            question, document, score = line.split("\t")
            if float(score) > 0:
                belongs.setdefault(question, document)
    lines = (folder / "queries.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    return [row["text"] for row in rows], [belongs.get(row["_id"]) for row in rows]


def hdbscan(_texts: list[str], vectors: Vectors) -> Labels:
    """HDBSCAN as it comes; what it calls noise is one group."""
    return np.asarray(HDBSCAN(copy=True).fit_predict(vectors), np.int32)


def threshold(_texts: list[str], vectors: Vectors) -> Labels:
    """Average linkage on the vectors as they come, cut where it is best on the first such set."""
    tree = linkage(vectors, "average", metric="cosine")
    return np.asarray(fcluster(tree, 0.54, "distance"), np.int32)


WAYS: dict[str, Callable[[list[str], Vectors], Labels]] = {
    "this project": cluster,
    "average linkage": threshold,
    "HDBSCAN": hdbscan,
}


@click.command()
@click.argument(
    "folders", nargs=-1, required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
)  # fmt: skip
def main(folders: tuple[Path, ...]) -> None:
    """Print a Markdown table: agreement, groups and seconds of each way on each set."""
    limit_threads()
    embedder = open_embedder()
    click.echo("| questions | way | AMI | homogeneity | completeness | groups (true) | s |")
    click.echo("|---|---|---|---|---|---|---|")
    for folder in folders:
        texts, intents = read(folder)
        vectors = embedder.encode_queries(texts)
        judged = [place for place, intent in enumerate(intents) if intent is not None]
        truth = [intents[place] for place in judged]
        for name, way in WAYS.items():
            begun = time.perf_counter()
            groups = way(texts, vectors)
            seconds = time.perf_counter() - begun
            found = groups[judged]
            same, whole, _ = homogeneity_completeness_v_measure(truth, found)
            agreement = adjusted_mutual_info_score(truth, found)
            click.echo(
                f"| {folder.name} ({len(texts):,}) | {name} | {agreement:.3f} | {same:.3f} | "
                f"{whole:.3f} | {len(set(found))} ({len(set(truth))}) | {seconds:.1f} |"
            )


if __name__ == "__main__":
    main()
