"""Times completion at 100,000 entries made from the shipped articles: `benchmarks/complete.py`.

Times differ between machines; the ratio to an empty lookup (`?`, which no text starts with) does
so less. Served means the whole request inside the process, without a network.
"""

from __future__ import annotations

import dataclasses
import multiprocessing
import random
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from flask import Flask
from werkzeug.test import create_environ

from indexer.articles import Library
from indexer.check import check_folder
from indexer.completion import write_completions
from portal.app import create_app
from portal.config import Settings
from portal.database import open_engine
from portal.events import SafeEventStore, SqlEventStore
from portal.forms.limits import FormLimits
from portal.forms.registry import open_forms
from portal.forms.safe_log import SafeFormLog
from portal.forms.store import SqlFormLog
from portal.logs import configure_logging
from portal.metrics import Metrics
from portal.popular import PopularQuestions
from portal.requests.desk import open_desk
from portal.services import Services
from portal.visitors import VisitorKeys
from search.catalogue import Catalogue, article_to_dict
from search.completion import Completer
from search.records import RecordFile, write_records
from search.text import Tokeniser
from search.types import Article

ROOT = Path(__file__).parent.parent
ARTICLES = 2000
QUESTIONS = 49  # and a title: 100,000 entries
_KINDS = ("keystrokes", "words inside", "slips", "Chinese", "pinyin", "initials")
_EACH = 400  # lookups of a kind
Prepare = Callable[[str, str], Callable[[], object]]
Times = npt.NDArray[np.float64]


def make_articles(library: Library, seed: int = 1) -> list[Article]:
    """Articles whose texts are shuffled from shipped ones, with every tenth word a new one."""
    draw = random.Random(seed)
    shipped = [file.article() for file in library.published]
    tokeniser = Tokeniser(library.words)
    makers = {"en": _english(shipped, draw), "zh-Hans": _chinese(shipped, tokeniser, draw)}
    made = []
    for number in range(ARTICLES):
        locale = ("en", "zh-Hans")[number % 2]
        texts = [next(makers[locale]) for _ in range(QUESTIONS + 1)]
        sample = next(article for article in shipped if article.locale == locale)
        made.append(
            dataclasses.replace(
                sample, id=f"a{number}", slug=f"a{number}", title=texts[0], html="",
                questions=tuple(texts[1:]), redirect_from=(),
            )
        )  # fmt: skip
    return made


def _english(shipped: Sequence[Article], draw: random.Random) -> Iterator[str]:
    texts = [t.split() for a in shipped if a.locale == "en" for t in (a.title, *a.questions)]
    first, words = [text[0] for text in texts], [word for text in texts for word in text]
    letters = "abcdefghijklmnopqrstuvwxyz"
    new = ["".join(draw.choices(letters, k=draw.randint(4, 10))) for _ in range(6000)]
    while True:
        rest = [
            draw.choice(new if draw.random() < 0.1 else words) for _ in range(draw.randint(2, 8))
        ]
        yield " ".join([draw.choice(first), *rest])[:100]


def _chinese(
    shipped: Sequence[Article], tokeniser: Tokeniser, draw: random.Random
) -> Iterator[str]:
    texts = [t for a in shipped if a.locale != "en" for t in (a.title, *a.questions)]
    words = [token.text for text in texts for token in tokeniser.tokens(text)]
    while True:
        yield "".join(draw.choice(words) for _ in range(draw.randint(3, 9)))[:50]


def write(folder: str) -> None:
    """Compile the table in a process of its own, whose memory then is not measured."""
    library, _problems = check_folder(ROOT / "articles", today=date.today())
    articles = make_articles(library)
    write_records(Path(folder) / "articles.jsonl", map(article_to_dict, articles))
    began = time.perf_counter()
    write_completions(Path(folder) / "completion", articles, Tokeniser(library.words))
    print(f"compiled in {time.perf_counter() - began:.1f} s")


def lookups(catalogue: Catalogue, seed: int = 2) -> dict[str, list[tuple[str, str]]]:
    """What readers may type, by kind: (text, language)."""
    draw = random.Random(seed)
    english = [q for a in catalogue if a.locale == "en" for q in (a.title, *a.questions)]
    chinese = [q for a in catalogue if a.locale != "en" for q in (a.title, *a.questions)]

    long_words = sorted({word for text in english for word in re.findall("[a-z]{5,}", text)})

    def beginning() -> str:
        text = draw.choice(english)
        return text[: draw.randint(1, 20)]

    def inside() -> str:
        words = draw.choice(english).split()
        chosen = draw.sample(words, min(len(words), draw.randint(1, 3)))
        return " ".join([*chosen[:-1], chosen[-1][: draw.randint(1, 5)]])

    def slip() -> str:
        text = draw.choice(long_words)
        at = draw.randrange(len(text) - 1)
        swapped = text[:at] + text[at + 1] + text[at] + text[at + 2 :]
        return draw.choice([swapped, text[:at] + text[at + 1 :], text[:at] + "x" + text[at + 1 :]])

    def characters() -> str:
        text = draw.choice(chinese)
        at = draw.randrange(len(text))
        return text[at : at + draw.randint(1, 6)]

    def letters(length: int, alphabet: Sequence[str]) -> str:
        return "".join(draw.choices(alphabet, k=length))

    syllables = ["tui", "kuan", "dao", "zhang", "yun", "fei", "shang", "jia", "fa", "huo", "wu"]
    makers: dict[str, Callable[[], tuple[str, str]]] = {
        "keystrokes": lambda: (beginning(), "en"),
        "words inside": lambda: (inside(), "en"),
        "slips": lambda: (slip(), "en"),
        "Chinese": lambda: (characters(), "zh-Hans"),
        "pinyin": lambda: (letters(draw.randint(1, 3), syllables), "zh-Hans"),
        "initials": lambda: (letters(draw.randint(2, 4), "tkdzyfsjhwb"), "zh-Hans"),
    }
    return {kind: [makers[kind]() for _ in range(_EACH)] for kind in _KINDS}


def timed(prepare: Prepare, asked: Sequence[tuple[str, str]]) -> Times:
    """(n, 2) milliseconds of each lookup, once it has been prepared: by the clock, and computing.

    On a busy machine the clock also counts waiting for the processor.
    """
    taken = []
    for text, locale in asked:
        act = prepare(text, locale)
        began, computed = time.perf_counter(), time.thread_time()
        act()
        taken.append((time.perf_counter() - began, time.thread_time() - computed))
    return np.array(taken) * 1000


def anonymous_megabytes() -> float:
    """Memory of this process that no other shares, from Linux's own account."""
    status = Path("/proc/self/status").read_text("ascii")
    found = re.search(r"RssAnon:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else float("nan")


def served(completer: Completer, folder: Path) -> Flask:
    """The real app around this completer; nothing else of a library is asked."""
    settings = Settings(data=folder, secret_key="x" * 40, rate_limit="1000000 per minute")

    def clock() -> datetime:
        return datetime.now(UTC)

    engine, metrics = open_engine("sqlite://"), Metrics()
    popular = PopularQuestions(engine, clock, completer.compile_past, lambda *_: None)
    events = SafeEventStore(SqlEventStore(engine, clock), lambda *_: None)
    library = cast(Any, SimpleNamespace(completer=completer))
    return create_app(
        settings,
        Services(
            settings,
            library,
            events,
            VisitorKeys(engine, clock),
            metrics,
            clock,
            engine,
            popular,
            forms=open_forms(settings),
            form_limits=FormLimits(settings),
            form_log=SafeFormLog(SqlFormLog(engine, clock), lambda *_: None),
            requests=open_desk(settings, engine, lambda: library.catalogue, clock),
        ),
    )


def print_table(title: str, prepare: Prepare, asked: dict[str, list[tuple[str, str]]]) -> None:
    """Measure and print one table; what is loaded on first use is loaded before."""
    nothing = [("?", "en")] * _EACH
    for lookups_of_kind in (nothing, *asked.values()):
        timed(prepare, lookups_of_kind[: _EACH // 4])
    taken = {"empty": timed(prepare, nothing)}
    taken |= {kind: timed(prepare, own) for kind, own in asked.items()}
    taken["all kinds"] = np.concatenate([taken[kind] for kind in asked])
    empty = float(np.median(taken["empty"][:, 0]))
    print(f"\n| {title}, ms | p50 | p95 | p99 | computing p50 | p95 | p50 / empty |")
    print("|---|---|---|---|---|---|---|")
    for kind, times in taken.items():
        p50, p95, p99 = np.percentile(times[:, 0], [50, 95, 99])
        own50, own95 = np.percentile(times[:, 1], [50, 95])
        print(f"| {kind} | {p50:.2f} | {p95:.2f} | {p99:.2f} | {own50:.2f} | {own95:.2f} "
              f"| {p50 / empty:.1f} |")  # fmt: skip


def main() -> None:
    configure_logging(level="error")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        writer = multiprocessing.get_context("spawn").Process(target=write, args=(name,))
        writer.start()
        writer.join()
        if writer.exitcode:
            sys.exit("the table could not be compiled")
        files = [path for path in (folder / "completion").rglob("*") if path.is_file()]
        print(f"{sum(path.stat().st_size for path in files) / 1e6:.1f} MB on disk")
        taxonomy = cast(Any, None)  # nothing asks for a section
        catalogue = Catalogue(RecordFile(folder / "articles.jsonl"), taxonomy)
        tokeniser = Tokeniser()
        list(tokeniser.tokens("退款"))
        asked = lookups(catalogue)
        before = anonymous_megabytes()
        completer = Completer(folder / "completion", catalogue, tokeniser, generation="benchmark")
        began = time.perf_counter()
        completer.complete("a", locale="en", limit=1)
        opened = (time.perf_counter() - began) * 1000
        print(f"opened with the first lookup in {opened:.1f} ms")

        def look_up(text: str, locale: str) -> Callable[[], object]:
            return lambda: completer.complete(text, locale=locale)

        def request(text: str, locale: str) -> Callable[[], object]:
            environ = create_environ("/api/v1/complete", query_string={"q": text, "locale": locale})
            return lambda: b"".join(app.wsgi_app(environ, lambda *_: lambda _: None))

        print_table("lookup", look_up, asked)
        print(f"\n{anonymous_megabytes() - before:.1f} MB of memory of its own")
        app = served(completer, folder)
        print_table("served", request, asked)


if __name__ == "__main__":
    main()
