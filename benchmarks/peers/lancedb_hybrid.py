"""LanceDB: vectors and its own full-text index in one table, fused by rank."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import lancedb
import numpy as np
import pyarrow as pa
from lancedb.rerankers import RRFReranker

from peers.base import About, Material, Query

_EXACT_UP_TO = 100_000  # rows; LanceDB's documentation calls a vector index needless below
_BATCH = 4096
_SCORES = {"keyword": ["_score"], "vector": ["_distance"], "hybrid": []}

ABOUT = About(
    name="LanceDB",
    distribution="lancedb",
    modes=("keyword", "vector", "hybrid"),
    note="Full-text index with a whitespace tokeniser over terms cut by ours, vectors exact up to "
    "100,000 rows as its documentation advises and IVF_HNSW_SQ above, hybrid by its default "
    "`RRFReranker`.",
)


class LanceDb:
    def __init__(self, folder: Path) -> None:
        self._table = lancedb.connect(str(folder)).open_table("passages")
        self._reranker = RRFReranker()

    def search(self, mode: str, query: Query, limit: int) -> Sequence[int]:
        text = " ".join(query.terms)
        if mode == "keyword":
            search = self._table.search(text, query_type="fts")
        elif mode == "vector":
            search = self._table.search(query.vector, query_type="vector").distance_type("dot")
        else:
            search = self._table.search(query_type="hybrid").vector(query.vector).text(text)
            search = search.distance_type("dot").rerank(self._reranker)
        # Without naming a score of its own LanceDB warns at every query.
        columns = ["row", *_SCORES[mode]]
        rows: Sequence[int] = search.select(columns).limit(limit).to_arrow()["row"].to_pylist()
        return rows


def build(material: Material, folder: Path) -> None:
    vectors = material.vectors()
    schema = pa.schema(
        [("row", pa.int32()), ("text", pa.string()),
         ("vector", pa.list_(pa.float32(), vectors.shape[1]))]
    )  # fmt: skip
    table = lancedb.connect(str(folder)).create_table(
        "passages", data=_batches(material, schema), schema=schema
    )
    table.create_fts_index(
        "text", base_tokenizer="whitespace", lower_case=False, stem=False,
        remove_stop_words=False, ascii_folding=False,
    )  # fmt: skip
    if len(vectors) > _EXACT_UP_TO:
        table.create_index("vector", index_type="IVF_HNSW_SQ", metric="dot")
    table.optimize()


def _batches(material: Material, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    vectors, terms = material.vectors(), material.terms()
    for start in range(0, len(vectors), _BATCH):
        part = np.array(vectors[start : start + _BATCH])
        texts = [" ".join(found) for found in islice(terms, len(part))]
        yield pa.record_batch(
            [
                pa.array(np.arange(start, start + len(part), dtype=np.int32)),
                pa.array(texts),
                pa.FixedSizeListArray.from_arrays(pa.array(part.reshape(-1)), part.shape[1]),
            ],
            schema=schema,
        )


def open_index(material: Material, folder: Path) -> LanceDb:
    del material
    return LanceDb(folder)
