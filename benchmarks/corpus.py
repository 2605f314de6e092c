"""Writes a folder of articles of any size for the benchmarks, and queries to ask of it.

`python benchmarks/corpus.py FOLDER [--passages 20000] [--seed 1] [--report] [--keep]`

The articles are made up: sentences of a Markov chain over the shipped ones with a long tail of
rarer words (benchmarks/corpus_language.py), half of them English and half Chinese, an opening and
three sections each, one passage of about 80 words a section. A smaller corpus of the same seed is
the beginning of a larger one. `kb check` accepts the folder; `queries.jsonl` in it has what
customers might type: texts of 4 to 12 words, single words and long complaints.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

from corpus_language import Chinese, English, Speaker
from corpus_queries import Asker, Made
from corpus_report import report

from indexer.articles import Library, read_library
from search.text import normalise

ARTICLES = Path(__file__).parent.parent / "articles"

PASSAGES_PER_ARTICLE = 4
SENTENCES_PER_PASSAGE = 5
QUESTIONS_PER_ARTICLE = 3
QUERIES = 1000
_LONGEST = 200  # characters of a title, summary or question: indexer/schema.py


class Author:
    """Writes the articles of one language, in order."""

    def __init__(self, speaker: Speaker, library: Library) -> None:
        self.speaker = speaker
        self.sections = sorted(library.taxonomy.sections)
        self._locale = speaker.language.locale
        self._reasons = sorted(library.taxonomy.reasons)
        self._platforms = sorted(library.taxonomy.platforms)
        # Titles of two articles must differ, and what is asked must not be among the unanswerable.
        self._taken = set(library.outside[self._locale].lines)

    def write(self, seed: str, name: str) -> Made:
        """The article `name`: text of its language, labels as every translation of it has them."""
        speaker = self.speaker
        labels = Random(seed)
        random = Random(f"{seed}/{self._locale}")
        topic = speaker.topic(random)
        title = self._once(lambda: speaker.heading(random, topic))
        questions = tuple(
            self._once(lambda: speaker.question(random, topic))
            for _ in range(QUESTIONS_PER_ARTICLE)
        )
        headings = [speaker.heading(random, topic) for _ in range(PASSAGES_PER_ARTICLE - 1)]
        passages = [
            [speaker.statement(random, topic) for _ in range(SENTENCES_PER_PASSAGE)]
            for _ in range(PASSAGES_PER_ARTICLE)
        ]
        section = labels.choice(self.sections)
        front = [
            "---",
            f"id: {name}",
            f"title: {_quoted(title)}",
            f"summary: {_quoted(passages[0][0][:_LONGEST])}",
            f"section: {section}",
            f"tags: [{', '.join(map(_quoted, dict.fromkeys(topic.own[:3])))}]",
            f"reasons: [{labels.choice(self._reasons)}]",
            f"platforms: [{labels.choice(self._platforms)}]",
            "questions:",
            *(f"  - {_quoted(question)}" for question in questions),
            "status: published",
            "owner: Benchmark",
            "updated: 2026-01-05",
            "verified_on: 2026-01-05",
            "review_by: 2099-01-05",
            "---",
        ]
        between = "" if self._locale.startswith("zh") else " "
        body = [between.join(passages[0]), ""]
        for number, (heading, sentences) in enumerate(zip(headings, passages[1:], strict=True), 1):
            body += [f"## {heading} {{#part-{number}}}", between.join(sentences), ""]
        return Made(
            path=f"{self._locale}/{section}/{name}.md",
            text="\n".join([*front, *body]),
            topic=topic,
            sentences=tuple(sentence for passage in passages for sentence in passage),
            questions=questions,
        )

    def _once(self, say: Callable[[], str]) -> str:
        """A text of allowed length that is no other article's title or question."""
        while True:
            text = say()
            folded = normalise(text)
            if len(text) <= _LONGEST and folded not in self._taken:
                self._taken.add(folded)
                return text


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # a JSON string is a YAML string


def write(folder: Path, *, passages: int, seed: int, keep: bool = False) -> None:
    """Write the corpus into a new or empty folder.

    With `keep` a folder that has one already is left as it is, and one that was not finished is
    begun anew. Raises `SystemExit` for a folder with anything else in it.
    """
    if keep and (folder / "queries.jsonl").exists():
        return
    if keep and (folder / "taxonomy.yaml").exists():
        shutil.rmtree(folder)
    library, problems = read_library(ARTICLES)
    if problems:
        raise SystemExit("The shipped articles have problems: see `kb check`.")
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise SystemExit(f"{folder} is not empty.")
    for name in ("taxonomy.yaml", "words.txt"):
        shutil.copy(ARTICLES / name, folder / name)
    for name in ("synonyms", "outside"):
        shutil.copytree(ARTICLES / name, folder / name)
    pairs = max(1, round(passages / PASSAGES_PER_ARTICLE / 2))
    queries: list[dict[str, str]] = []
    for language in (English(), Chinese(library.words)):
        author = Author(Speaker(language, library), library)
        asker = Asker(author.speaker, Random(f"{seed}/{language.locale}/queries"))
        asked = Counter(asker.random.randrange(pairs) for _ in range(QUERIES // 2))
        for section in author.sections:
            (folder / language.locale / section).mkdir(parents=True)
        for number in range(pairs):
            made = author.write(f"{seed}-{number}", f"made-{number:06}")
            (folder / made.path).write_text(made.text, "utf-8")
            queries += [
                {"text": asker.ask(made), "locale": language.locale} for _ in range(asked[number])
            ]
    Random(seed).shuffle(queries)
    lines = (json.dumps(query, ensure_ascii=False) + "\n" for query in queries)
    (folder / "queries.jsonl").write_text("".join(lines), "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--passages", type=int, default=20_000, help="(default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="(default: %(default)s)")
    parser.add_argument("--report", action="store_true", help="print the distribution of words")
    parser.add_argument("--keep", action="store_true", help="keep a corpus that is there already")
    options = parser.parse_args()
    write(options.folder, passages=options.passages, seed=options.seed, keep=options.keep)
    if options.report:
        print(report(options.folder))


if __name__ == "__main__":
    main()
