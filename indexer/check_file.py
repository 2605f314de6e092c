"""Checks of one article by itself: what they find depends on its file and on nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator

from indexer.frontmatter import Parsed
from indexer.markdown import Rendered
from indexer.problems import Problem

_FIRST_LEVEL = re.compile(r"#(?!#)|=+\s*$")  # `# Title`, or a line of `=` under it


def check_file(
    name: str, section: str, parsed: Parsed, rendered: Rendered, *, empty: bool
) -> Iterator[Problem]:
    """What is wrong with the article shown as `name`, in the folder `section`; `empty` of text."""
    front = parsed.front
    if front.section != section:
        yield Problem(
            name, parsed.line("section"), "section",
            f"says {front.section!r} but the file lies in {section!r}",
            "Move the file or change the field.",
        )  # fmt: skip
    anchors = {heading.anchor for heading in rendered.headings}
    for number, clause in enumerate(front.policy):
        if clause.section and clause.section not in anchors:
            yield Problem(
                name, parsed.line("policy", number, "section"), f"policy.{number}.section",
                f"no heading has the anchor {clause.section!r}",
                f"Use one of: {', '.join(sorted(anchors)) or 'none'}.",
            )  # fmt: skip
    if front.verified_on > front.review_by:
        yield Problem(
            name, parsed.line("review_by"), "review_by", "is before verified_on",
            "Set a later date.",
        )  # fmt: skip
    if front.status == "published":
        if empty:
            yield Problem(name, parsed.body_line, "", "the article is empty", "Write its text.")
        yield from _check_levels(name, parsed)


def _check_levels(name: str, parsed: Parsed) -> Iterator[Problem]:
    fenced = False
    for line, text in enumerate(parsed.body.splitlines(), parsed.body_line):
        if text.startswith(("```", "~~~")):
            fenced = not fenced
        if _FIRST_LEVEL.match(text) and not fenced:
            yield Problem(
                name, line, "", "a heading of the first level",
                "Start with ##; the title is in the front matter.",
            )  # fmt: skip
