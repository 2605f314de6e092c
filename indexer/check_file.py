"""Checks of one article by itself: what they find depends on its file and on nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from indexer.dropped import written_at
from indexer.frontmatter import Parsed
from indexer.markdown import Rendered
from indexer.problems import Problem, problem

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
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
        yield from _check_written(name, parsed, rendered)
    if front.status != "archived":
        yield from _check_dropped(name, parsed, rendered)


def line_of(parsed: Parsed, target: str) -> int:
    """The line on which a link or an image leads to `target`."""
    lines = parsed.body.splitlines()
    for written in (f"]({target}", f"]: {target}", target, target.partition(":")[2]):
        for offset, line in enumerate(lines):
            if written and written in line:
                return parsed.body_line + offset
    return parsed.body_line


def _check_written(name: str, parsed: Parsed, rendered: Rendered) -> Iterator[Problem]:
    """Links that lead nowhere whatever else the folder holds."""
    for link in rendered.elsewhere:
        if not _SCHEME.match(link) and not link.startswith("/"):
            yield problem(name, line_of(parsed, link), "", "link_html", {"link": link})
        elif _is_malformed(link):
            yield problem(name, line_of(parsed, link), "", "link_malformed", {"link": link})


def _check_dropped(name: str, parsed: Parsed, rendered: Rendered) -> Iterator[Problem]:
    """What readers do not see although it was written."""
    for link in rendered.elsewhere:
        scheme = _SCHEME.match(link)
        if scheme and scheme[1].lower() not in ("http", "https"):
            yield problem(
                name, line_of(parsed, link), "", "link_scheme", {"link": link}, severity="warning"
            )
    images = [one.source for one in rendered.dropped if one.tag == "img"]
    for image in dict.fromkeys(images):
        yield problem(
            name, line_of(parsed, image), "", "image_dropped", {"image": image}, severity="warning"
        )
    others = [one for one in rendered.dropped if one.tag != "img"]
    for offset, shown in written_at(parsed.body, others).items():
        yield problem(
            name, parsed.body_line + offset, "", "html_dropped", {"html": ", ".join(shown)},
            severity="warning",
        )  # fmt: skip


def _is_malformed(link: str) -> bool:
    """Whether no browser could follow an address of the web."""
    if link.startswith("/") and not link.startswith("//"):
        return False
    scheme = _SCHEME.match(link)
    if scheme and scheme[1].lower() not in ("http", "https"):
        return False
    try:
        parts = urlsplit(link)
        return not scheme or not parts.hostname or (parts.port or 1) < 1 or " " in link.strip()
    except ValueError:
        return True


def _check_levels(name: str, parsed: Parsed) -> Iterator[Problem]:
    fenced = False
    for line, text in enumerate(parsed.body.splitlines(), parsed.body_line):
        if text.startswith(("```", "~~~")):
            fenced = not fenced
        if _FIRST_LEVEL.match(text) and not fenced:
            yield problem(name, line, "", "first_level")
