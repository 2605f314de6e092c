"""Checks across articles: known names, free addresses, links that lead somewhere."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

from indexer.articles import File, Library, read_library
from indexer.markdown import relative_target
from indexer.passages import split_sections
from indexer.problems import Problem, shown
from search.text import normalise
from search.types import LOCALES

_FIRST_LEVEL = re.compile(r"#(?!#)|=+\s*$")  # `# Title`, or a line of `=` under it


def check_folder(root: Path, *, today: date) -> tuple[Library, list[Problem]]:
    """The folder's content and every problem in it, sorted by file and line."""
    library, problems = read_library(root)
    for file in library.files:
        problems.extend(_check_file(file, library, today))
    problems.extend(_check_addresses(library))
    problems.extend(_check_wording(library))
    problems.extend(_check_translations(library))
    return library, sorted(problems)


def _name(library: Library, file: File) -> str:
    return shown(library.root / file.path, library.root)


def _check_file(file: File, library: Library, today: date) -> Iterator[Problem]:
    front, parsed, name = file.parsed.front, file.parsed, _name(library, file)
    taxonomy = library.taxonomy
    if front.section != file.section:
        yield Problem(
            name, parsed.line("section"), "section",
            f"says {front.section!r} but the file lies in {file.section!r}",
            "Move the file or change the field.",
        )  # fmt: skip
    known = {
        "section": ((front.section,), taxonomy.sections),
        "reasons": (front.reasons, taxonomy.reasons),
        "platforms": (front.platforms, taxonomy.platforms),
    }
    for field, (values, group) in known.items():
        for value in values:
            if value not in group:
                yield _unknown(name, parsed.line(field), field, value, group)
    anchors = {heading.anchor for heading in file.rendered.headings}
    for number, clause in enumerate(front.policy):
        place: tuple[str, int] = ("policy", number)
        for part, values, group in (
            ("platforms", clause.platforms, taxonomy.platforms),
            ("reasons", clause.reasons, taxonomy.reasons),
            ("evidence", clause.evidence, taxonomy.evidence),
        ):
            for value in values:
                if value not in group:
                    label = f"policy.{number}.{part}"
                    yield _unknown(name, parsed.line(*place, part), label, value, group)
        if clause.section and clause.section not in anchors:
            yield Problem(
                name, parsed.line(*place, "section"), f"policy.{number}.section",
                f"no heading has the anchor {clause.section!r}",
                f"Use one of: {', '.join(sorted(anchors)) or 'none'}.",
            )  # fmt: skip
    if front.status == "published":
        yield from _check_body(file, library, name)
        if front.review_by < today:
            yield Problem(
                name, parsed.line("review_by"), "review_by", f"was due on {front.review_by}",
                "Verify the article and set verified_on and review_by.", "warning",
            )  # fmt: skip
    if front.verified_on > front.review_by:
        yield Problem(
            name, parsed.line("review_by"), "review_by", "is before verified_on",
            "Set a later date.",
        )  # fmt: skip
    for date_field, day in (("updated", front.updated), ("verified_on", front.verified_on)):
        if day > today:
            yield Problem(
                name,
                parsed.line(date_field),
                date_field,
                "lies in the future",
                "Set a day that has been.",
            )


def _unknown(name: str, line: int, field: str, value: str, group: Iterable[str]) -> Problem:
    return Problem(
        name, line, field, f"{value!r} is not in taxonomy.yaml",
        f"Add it there or use one of: {', '.join(group)}.",
    )  # fmt: skip


def _check_body(file: File, library: Library, name: str) -> Iterator[Problem]:
    body = file.parsed.body
    if not split_sections(file.rendered.html, title="", locale=file.locale):
        yield Problem(name, file.parsed.body_line, "", "the article is empty", "Write its text.")
    fenced = False
    for offset, line in enumerate(body.splitlines()):
        if line.startswith(("```", "~~~")):
            fenced = not fenced
        if _FIRST_LEVEL.match(line) and not fenced:
            yield Problem(
                name, file.parsed.body_line + offset, "", "a heading of the first level",
                "Start with ##; the title is in the front matter.",
            )  # fmt: skip
    published = {other.path: other for other in library.published}
    for link in file.rendered.links:
        target, _, anchor = link.target.partition("#")
        at = _line_of(file, link.target)
        here = link.target.startswith("#")
        other = file if here else published.get(relative_target(file.path, target))
        if other is None:
            yield Problem(
                name, at, "", f"the link {link.target!r} leads to no published article",
                "Mend the path or publish that article.",
            )  # fmt: skip
        elif anchor and anchor not in {heading.anchor for heading in other.rendered.headings}:
            yield Problem(
                name, at, "", f"the link {link.target!r} leads to no heading of that article",
                f"Use one of: {', '.join(h.anchor for h in other.rendered.headings)}.",
            )  # fmt: skip


def _line_of(file: File, target: str) -> int:
    lines = file.parsed.body.splitlines()
    for written in (f"]({target}", f"]: {target}", target):
        for offset, line in enumerate(lines):
            if written in line:
                return file.parsed.body_line + offset
    return file.parsed.body_line


def _check_addresses(library: Library) -> Iterator[Problem]:
    owners: dict[str, str] = {}
    identities: dict[tuple[str, str], str] = {}
    for file in library.files:
        name = _name(library, file)
        key = (file.locale, file.parsed.front.id)
        if key in identities:
            yield Problem(
                name, file.parsed.line("id"), "id", f"is also the id of {identities[key]}",
                "Give each article of a language an id of its own.",
            )  # fmt: skip
        identities.setdefault(key, name)
        if file.status != "draft":
            owners[file.site_path] = name
    for file in library.files:
        for number, old in enumerate(file.parsed.front.redirect_from):
            name = _name(library, file)
            owner = owners.get(old)
            if owner is not None and owner != name:
                yield Problem(
                    name, file.parsed.line("redirect_from", number), "redirect_from",
                    f"{old} belongs to {owner}", "Remove it from one of the two.",
                )  # fmt: skip
            owners.setdefault(old, name)


def _check_wording(library: Library) -> Iterator[Problem]:
    titles: dict[tuple[str, str], str] = {}
    questions: dict[tuple[str, str], str] = {}
    for file in library.published:
        name = _name(library, file)
        title = (file.locale, normalise(file.parsed.front.title))
        if title in titles:
            yield Problem(
                name, file.parsed.line("title"), "title", f"is also the title of {titles[title]}",
                "Say what is different about this article.",
            )  # fmt: skip
        titles.setdefault(title, name)
        for number, question in enumerate(file.parsed.front.questions):
            key = (file.locale, normalise(question))
            if key in questions and questions[key] != name:
                yield Problem(
                    name, file.parsed.line("questions", number), "questions",
                    f"{question!r} is also asked in {questions[key]}",
                    "Keep it in the article that answers it best.", "warning",
                )  # fmt: skip
            questions.setdefault(key, name)
    for locale, outside in library.outside.items():
        for question, line in outside.lines.items():
            if (owner := questions.get((locale, question))) is not None:
                yield Problem(
                    f"{library.root.name}/outside/{locale}.txt", line, "",
                    f"{question!r} is asked in {owner}, so it is answered",
                    "Remove it here or there.",
                )  # fmt: skip


def _check_translations(library: Library) -> Iterator[Problem]:
    by_id: dict[str, dict[str, File]] = defaultdict(dict)
    for file in library.published:
        by_id[file.parsed.front.id][file.locale] = file
    for files in by_id.values():
        if len(files) < len(LOCALES):
            continue
        first, *others = (files[locale] for locale in LOCALES)
        reference = [heading.anchor for heading in first.rendered.headings]
        for other in others:
            if [heading.anchor for heading in other.rendered.headings] != reference:
                yield Problem(
                    _name(library, other), other.parsed.body_line, "",
                    f"its headings' anchors differ from {_name(library, first)}",
                    "Use the same {#anchors} in the same order, so that links survive a change "
                    "of language.", "warning",
                )  # fmt: skip
            if other.parsed.front.updated < first.parsed.front.verified_on and (
                first.parsed.front.updated > other.parsed.front.updated
            ):
                yield Problem(
                    _name(library, other), other.parsed.line("updated"), "updated",
                    f"is older than {_name(library, first)} ({first.parsed.front.updated})",
                    "See what changed there and bring this translation up to date.", "warning",
                )  # fmt: skip
