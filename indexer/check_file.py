"""Checks of one article by itself: what they find depends on its file and on nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator

from indexer.frontmatter import Parsed
from indexer.markdown import Rendered
from indexer.problems import Problem, problem

_FIRST_LEVEL = re.compile(r"#(?!#)|=+\s*$")  # `# Title`, or a line of `=` under it


def check_file(
    name: str, section: str, parsed: Parsed, rendered: Rendered, *, empty: bool
) -> Iterator[Problem]:
    """What is wrong with the article shown as `name`, in the folder `section`; `empty` of text."""
    front = parsed.front
    if front.section != section:
        yield problem(
            name, parsed.line("section"), "section", "section_folder",
            {"section": front.section, "folder": section},
        )  # fmt: skip
    anchors = {heading.anchor for heading in rendered.headings}
    for number, clause in enumerate(front.policy):
        if clause.section and clause.section not in anchors:
            yield problem(
                name, parsed.line("policy", number, "section"), f"policy.{number}.section",
                "clause_anchor",
                {"anchor": clause.section, "anchors": ", ".join(sorted(anchors)) or "–"},
            )  # fmt: skip
    if front.verified_on > front.review_by:
        yield problem(name, parsed.line("review_by"), "review_by", "review_early")
    if front.status == "published":
        if empty:
            yield problem(name, parsed.body_line, "", "empty")
        yield from _check_levels(name, parsed)


def _check_levels(name: str, parsed: Parsed) -> Iterator[Problem]:
    fenced = False
    for line, text in enumerate(parsed.body.splitlines(), parsed.body_line):
        if text.startswith(("```", "~~~")):
            fenced = not fenced
        if _FIRST_LEVEL.match(text) and not fenced:
            yield problem(name, line, "", "first_level")
