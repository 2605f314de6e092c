"""A folder of articles that tests may write, and an article no shipped one is like."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from conftest import NOW, ROOT
from portal.config import Settings
from portal.drafts.paths import ArticlePath
from portal.gaps.changes import new_gap
from portal.gaps.encoding import is_held_out, key_of
from portal.gaps.tables import GAP_QUESTIONS
from portal.gaps.types import Gap, Kind
from portal.services import Services
from portal.transactions import transaction
from search.text import normalise

TELESCOPE = ArticlePath("en", "orders", "telescope-rental")
USED = ("can I rent a telescope for a week", "telescope rental")
HELD_OUT = ("do you rent out telescopes", "how much is it to rent a telescope")


def own_articles(folder: Path) -> Path:
    """A copy of the shipped articles."""
    shutil.copytree(ROOT / "articles", folder / "articles")
    return folder / "articles"


def own_settings(folder: Path, published: Path, **others: Any) -> Settings:
    """Settings with articles and a log of the test's own."""
    return Settings(
        articles=own_articles(folder), data=published, secret_key="x" * 40,
        database_url=f"sqlite:///{folder / 'events.db'}",
        rate_limit="100000 per minute", write_rate_limit="100000 per minute", **others,
    )  # fmt: skip


def own_data(folder: Path, published: Path) -> Path:
    """A copy of the published index, with its caches."""
    shutil.copytree(published, folder / "data")
    return folder / "data"


def telescope(*, status: str = "draft", gap: int = 1, body: str = "") -> str:
    """An article's file."""
    questions = "".join(f"  - {question}\n" for question in USED)
    return (
        "---\nid: telescope-rental\ntitle: Renting a telescope\n"
        "summary: You can rent a telescope for a week for 40 euros and send it back with a label.\n"
        f"section: orders\nquestions:\n{questions}status: {status}\nowner: Orders team\n"
        "updated: 2026-11-20\nverified_on: 2026-11-20\nreview_by: 2027-05-20\n"
        f"closes: gap-{gap}\n---\n\n"
        "You can rent a telescope for a week for 40 euros.\n\n## Booking {#booking}\n\n"
        "Choose the telescope and the week of the rental on its page, and pay at checkout.\n\n"
        f"{body}"
    )


def few_golden(folder: Path) -> Path:
    """A folder of golden questions, the last of which editors may not see."""
    golden = folder / "golden"
    golden.mkdir()
    rows = [
        {"text": "how long does a refund take", "articles": ["refund-timing"], "part": "fit"},
        {"text": "can I rent something from you", "articles": [], "part": "fit"},
        {"text": "when is my money back", "articles": ["refund-timing"], "part": "test"},
    ]
    lines = [json.dumps({"id": f"g{n}", "locale": "en", **row}) for n, row in enumerate(rows)]
    (golden / "en.jsonl").write_text("\n".join(lines), "utf-8")
    return golden


def write(articles: Path, path: ArticlePath, text: str) -> None:
    """Put a file there, as an editor's own tools would."""
    (articles / str(path)).write_text(text, "utf-8")


def gap_of(services: Services, questions: dict[str, bool], **given: object) -> Gap:
    """A gap with these questions; true: held out, for which a blank is added until it is so."""
    with transaction(services.engine, "make a gap", writes=True) as connection:
        number = new_gap(
            connection, name=str(given.get("name", next(iter(questions)))), locale="en", at=NOW,
            kind=Kind(str(given.get("kind", "no_article"))),
        )  # fmt: skip
        for text, held_out in questions.items():
            while is_held_out(key_of(normalise(text))) != held_out:
                text += "?"
                if len(text) > 490:
                    raise AssertionError("no ending makes it so")
            key = key_of(normalise(text))
            connection.execute(
                sa.insert(GAP_QUESTIONS).values(
                    key=key, gap=number, text=text, normalised=normalise(text), locale="en",
                    visitors=3, searches=3, reasons=1, last_seen=NOW, pinned_by="",
                )
            )  # fmt: skip
    return services.gaps.get(number)
