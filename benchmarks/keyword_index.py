"""What the Whoosh index costs: the first build, an update, opening, and queries with operators.

`python benchmarks/keyword_index.py FOLDER [--whoosh]` takes a folder of articles, such as
benchmarks/corpus.py writes. `--whoosh` also lets Whoosh's own writer build the same index, which
takes minutes for 20,000 passages. Times are of the clock, with those of the processor in brackets.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import TypeVar

from indexer.articles import read_library
from indexer.build import gather
from search.advanced import parse
from search.bm25 import TermCounter, Terms, article_terms, passage_terms
from search.keyword import WhooshEngine
from search.keyword_documents import fields_of
from search.text import Tokeniser

_UPDATES = 20
_QUERIES = (
    '"return label"', '"gift card" -amazon', "refund*", "title:refund", "refund -card",
    "refund AND card", "refund OR card", "退款 AND 优惠券", "“申请退款”", "title:退款", "运费险*",
    "refund AND (card OR NOT label)", "con* pro* dis* pre* com* int* sta* tra*",
)  # fmt: skip
_T = TypeVar("_T")


def read_terms(folder: Path) -> tuple[dict[str, Terms], dict[str, Terms]]:
    """The terms of all passages and of all articles, by id; questions stand in the articles."""
    content = gather(read_library(folder)[0])
    counter = TermCounter(Tokeniser(content.words))
    passages: dict[str, Terms] = {}
    articles: dict[str, Terms] = {}
    for article, rows in zip(content.articles, content.passages_by_article(), strict=True):
        own = [content.passages[row] for row in rows]
        articles[f"{article.id}@{article.locale}"] = article_terms(counter, article, own)
        passages |= {passage.id: passage_terms(counter, passage, ()) for passage in own}
    return passages, articles


def timed(work: Callable[[], _T]) -> tuple[_T, tuple[float, float]]:
    """What the work gives, and its seconds by the clock and of the processor."""
    clock, processor = time.perf_counter(), time.process_time()
    result = work()
    return result, (time.perf_counter() - clock, time.process_time() - processor)


def shown(seconds: tuple[float, float]) -> str:
    scale, unit = (1, "s") if seconds[0] >= 1 else (1000, "ms")
    return f"{seconds[0] * scale:.3g} {unit} ({seconds[1] * scale:.3g})"


def whooshs_own(folder: Path, tables: Mapping[str, Sequence[Terms]]) -> None:
    """The same fields and terms by Whoosh's own writer, in its own format."""
    from whoosh import analysis, fields, index

    folder.mkdir()
    for table, documents in tables.items():
        text = fields.TEXT(analyzer=analysis.SpaceSeparatedTokenizer(), phrase=True)
        schema = fields.Schema(**dict.fromkeys(fields_of(table), text))
        writer = index.create_in(str(folder), schema, indexname=table).writer(limitmb=256)
        for terms in documents:
            writer.add_document(**{name: terms[name] for name in fields_of(table) if terms[name]})
        writer.commit()


def measure(folder: Path, *, whoosh: bool) -> list[tuple[str, str]]:
    """Rows of the table."""
    passages, articles = read_terms(folder)
    rows = [("passages, articles", f"{len(passages):,}, {len(articles):,}")]
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)

        def update(step: int, changed: Sequence[str]) -> WhooshEngine:
            owners = {id_.rpartition("#")[0] for id_ in passages} & set(changed)
            return WhooshEngine.update(
                scratch / str(step),
                previous=scratch / str(step - 1),
                passages={i: t for i, t in passages.items() if i.rpartition("#")[0] in owners},
                articles={id_: articles[id_] for id_ in changed},
                passage_ids=list(passages),
                article_ids=list(articles),
            )

        tables = {"passages": list(passages.values()), "articles": list(articles.values())}
        if whoosh:
            _, spent = timed(lambda: whooshs_own(scratch / "whoosh", tables))
            rows.append(("first build by Whoosh's own writer", shown(spent)))
        _, spent = timed(
            lambda: WhooshEngine.build(
                scratch / "0", **tables, passage_ids=list(passages), article_ids=list(articles)
            )
        )
        rows.append(("first build", shown(spent)))
        size = sum(path.stat().st_size for path in (scratch / "0").iterdir())
        rows.append(("size", f"{size / 1e6:.0f} MB"))
        random = Random(1)
        updates = [
            timed(lambda step=step: update(step, random.sample(sorted(articles), 1)))[1]
            for step in range(1, _UPDATES + 1)
        ]
        rows.append(("one article changed, median", shown(_middle(updates))))
        rows.append((f"the longest of {_UPDATES}", shown(max(updates))))
        half = sorted(articles)[::2]
        engine, spent = timed(lambda: update(_UPDATES + 1, half))
        rows.append((f"{len(half):,} articles changed, all segments merged", shown(spent)))
        engine = WhooshEngine(scratch / str(_UPDATES))
        rows.append(("opening", shown(timed(lambda: WhooshEngine(scratch / str(_UPDATES)))[1])))
        first = timed(lambda: engine.document_frequency("article", "refund"))[1]
        rows.append(("before the first query: checksums, reading", shown(first)))
        tokeniser = Tokeniser()
        tokeniser.terms("退款")  # the segmenter is loaded
        for text in _QUERIES:
            advanced = parse(text, tokeniser)
            assert advanced is not None
            spent = _middle([timed(lambda a=advanced: engine.matching(a))[1] for _ in range(5)])
            rows.append((f"`{text}`: {len(engine.matching(advanced)[0]):,} articles", shown(spent)))
    return rows


def _middle(times: Sequence[tuple[float, float]]) -> tuple[float, float]:
    clock, processor = zip(*times, strict=True)
    return statistics.median(clock), statistics.median(processor)


def import_cost() -> str:
    """Of Whoosh with its parser, in a fresh process that has NumPy."""
    code = (
        "import numpy, time; t = time.perf_counter(); import search.whoosh_table, "
        "search.whoosh_query; print(time.perf_counter() - t)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return f"{float(done.stdout) * 1000:.0f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--whoosh", action="store_true", help="also by Whoosh's own writer")
    options = parser.parse_args()
    print("| what | cost |\n|---|---|")
    for what, cost in measure(options.folder, whoosh=options.whoosh):
        print(f"| {what} | {cost} |")
    print(f"| importing Whoosh, for the first query with operators | {import_cost()} |")


if __name__ == "__main__":
    main()
