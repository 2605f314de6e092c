"""`kb prove`: what publishing an article would change, and what live traffic says of it since."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from portal.cli_settings import with_settings
from portal.config import Settings

if TYPE_CHECKING:
    from portal.forms.intervals import Share
    from portal.gaps.live import Look
    from portal.proof.types import Outcome, Proof

_GAP = re.compile(r"(?:gap-)?([1-9][0-9]{0,8})")


@click.command()
@click.argument("gap", metavar="GAP")
@click.option("--json", "as_json", is_flag=True, help="Print every question and figure as JSON.")
@with_settings
def prove(settings: Settings, gap: str, as_json: bool) -> None:
    """Ask the questions of GAP, such as gap-17, before its article is published.

    They are asked of an index with the article published, built aside, and of the published one:
    those that the draft was written for, those held out, and golden questions (KB_GOLDEN) or those
    that other articles list, to see which get worse. The proof is kept for the gap's page. Exit
    code 2 when the article cannot be published as it is.
    """
    from portal.database import migrate, open_engine
    from portal.gaps.live import last_look
    from portal.gaps.store import GapStore
    from portal.progress import Bars
    from portal.proof.desk import ProofDesk
    from portal.proof.types import NothingToProve, RunState
    from portal.transactions import transaction
    from search.embed import open_embedder
    from search.errors import KnowledgeBaseError, QueryRejected
    from search.threads import limit_threads

    number = _GAP.fullmatch(gap)
    if number is None:
        raise QueryRejected(f"GAP: {gap!r} is no gap; write it as gap-17")
    limit_threads()
    engine = open_engine(settings.events_url)
    migrate(engine)
    gaps = GapStore(engine, lambda: datetime.now(UTC))
    desk = ProofDesk(
        settings, engine, lambda: datetime.now(UTC), gaps,
        lambda: open_embedder(settings.model, cache=settings.cache),
    )  # fmt: skip
    found = gaps.get(int(number[1]))
    path = desk.article_of(found)
    if path is None:
        raise NothingToProve(
            f"gap-{found.number} has no article; write one with `closes: gap-{found.number}`"
        )
    with Bars() as bars:
        run = desk.prove_now(found, path, by="kb prove", watch=bars.update)
    proof = desk.runs.proof(run)
    if run.state != RunState.DONE or proof is None:
        error = KnowledgeBaseError(run.error)
        error.exit_code = 2
        raise error
    with transaction(engine, "read what was seen of a gap") as connection:
        look = last_look(connection, found.number)
    if as_json:
        live = None if look is None else {
            "verdict": look.verdict, "published_at": look.published_at.isoformat(),
            **asdict(look.evidence),
        }  # fmt: skip
        data = {"gap": found.number, "article": str(path), **proof.as_dict(), "live": live}
        click.echo(json.dumps(data, ensure_ascii=False, indent=2))
    else:
        click.echo("\n".join([f"gap-{found.number}  {_plain(found.name)}  {path}",
                              *_lines(proof, look)]))  # fmt: skip


def _winner(outcome: Outcome) -> str:
    return f"{_plain(outcome.text)}  (now first: {outcome.after.article or 'nothing'})"


def _lines(proof: Proof, look: Look | None) -> list[str]:
    from portal.proof.types import Part

    lines = [
        "",
        "                        questions  now            with the article  by this article"
        "  by another",
    ]
    names = {
        Part.USED: "in the article",
        Part.UNUSED: "neither in it nor held",
        Part.HELD_OUT: "held out",
    }
    for part, tally in proof.tallies.items():
        shares = (tally.before, tally.after, tally.by_article, tally.by_other)
        now, then, by_article, by_other = map(_share, shares)
        lines.append(
            f"{names[part]:22s}  {tally.questions:9d}  {now:13s}  {then:16s}  {by_article:15s}"
            f"  {by_other}"
        )
    if proof.circular:
        lines += ["", "Every question asked stands word for word in the article: "
                  "that it finds them proves nothing."]  # fmt: skip
    compared = len(proof.part(Part.GOLDEN))
    kind = "golden questions" if proof.source == "golden" else "questions of other articles"
    own, refitted = proof.worse_by_article, proof.worse_by_refitting
    lines += ["", f"{compared} {kind}: {len(own)} worse by this article, "
              f"{len(refitted)} by refitting, {len(proof.better)} better"]  # fmt: skip
    lines += [f"  worse: {_winner(one)}" for one in own]
    lines += [
        f"  worse: {_winner(one)}  moved by refitting, not by this article" for one in refitted
    ]
    if proof.others:
        lines.append(f"{proof.others} other articles differ from the published index too.")
    if look is not None:
        counts = look.evidence.counts
        lines += [
            "",
            f"live, {look.verdict}: {counts.before_unresolved} of {counts.before} visitors without "
            f"an answer before, {counts.after_unresolved} of {counts.after} since",
        ]
    return lines


def _share(share: Share | None) -> str:
    return (
        "-" if share is None else f"{share.count} ({100 * share.low:.0f}-{100 * share.high:.0f} %)"
    )


def _plain(text: str) -> str:
    """A customer's words without what a terminal would obey."""
    return "".join(char if char.isprintable() else " " for char in text)
