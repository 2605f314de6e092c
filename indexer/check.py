"""Checks across articles: known names, free addresses, links that lead somewhere."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path

from indexer.article_file import File
from indexer.articles import Library, library_of
from indexer.folder import OUTSIDE, SYNONYMS, Folder, file_of, read_folder
from indexer.parsed_cache import ParsedCache
from indexer.problems import Problem, problem
from search.taxonomy import Label
from search.text import HAN
from search.types import LOCALES

_HAN = re.compile(f"[{HAN}]")


def check_folder(root: Path, *, today: date) -> tuple[Library, list[Problem]]:
    """The folder's content and every problem in it, sorted by file and line."""
    return check(read_folder(root), today=today)


def check(
    folder: Folder, *, today: date, cache: ParsedCache | None = None
) -> tuple[Library, list[Problem]]:
    """The content of a folder that has been read and every problem in it, sorted.

    With a cache only files that have changed are parsed and rendered.
    """
    library, problems = library_of(folder, cache)
    published = {file.path: file for file in library.published}
    taxonomy = library.taxonomy
    groups: dict[str, Mapping[str, Label]] = {
        "sections": taxonomy.sections,
        "reasons": taxonomy.reasons,
        "platforms": taxonomy.platforms,
        "evidence": taxonomy.evidence,
    }
    for file in library.files:
        problems.extend(file.problems)
        if any(not groups[group].keys() >= set(keys) for group, keys in file.named.items()):
            problems.extend(_unknown_names(file, groups))
        problems.extend(_check_days(file, today))
        if file.targets and file.status == "published":
            problems.extend(_check_links(file, published))
    problems.extend(_check_addresses(library))
    problems.extend(_check_wording(library))
    problems.extend(_check_translations(library))
    problems.extend(_check_synonyms(library))
    return library, sorted(problems)


def _unknown_names(file: File, groups: Mapping[str, Mapping[str, Label]]) -> Iterator[Problem]:
    parsed = file.parsed
    front = parsed.front
    fields = (
        ("section", "sections", (front.section,)),
        ("reasons", "reasons", front.reasons),
        ("platforms", "platforms", front.platforms),
    )
    for field, group, keys in fields:
        for key in keys:
            if key not in groups[group]:
                yield _unknown(file.name, parsed.line(field), field, key, groups[group])
    for number, clause in enumerate(front.policy):
        for part, keys in (
            ("platforms", clause.platforms),
            ("reasons", clause.reasons),
            ("evidence", clause.evidence),
        ):
            for key in keys:
                if key not in groups[part]:
                    label, line = f"policy.{number}.{part}", parsed.line("policy", number, part)
                    yield _unknown(file.name, line, label, key, groups[part])


def _unknown(name: str, line: int, field: str, value: str, group: Iterable[str]) -> Problem:
    return problem(name, line, field, "taxonomy_key", {"key": value, "keys": ", ".join(group)})


def _check_days(file: File, today: date) -> Iterator[Problem]:
    article = file.article
    if file.status == "published" and article.review_by < today:
        yield problem(
            file.name, file.parsed.line("review_by"), "review_by", "review_due",
            {"day": article.review_by}, severity="warning",
        )  # fmt: skip
    for field, day in (("updated", article.updated), ("verified_on", article.verified_on)):
        if day > today:
            yield problem(file.name, file.parsed.line(field), field, "future")


def _check_links(file: File, published: Mapping[str, File]) -> Iterator[Problem]:
    for link, target in zip(file.links, file.targets, strict=True):
        _, _, anchor = link.target.partition("#")
        other = file if target is None else published.get(target)
        if other is None:
            line = _line_of(file, link.target)
            yield problem(file.name, line, "", "link_article", {"link": link.target})
        elif anchor and anchor not in _anchors(other):
            yield problem(
                file.name, _line_of(file, link.target), "", "link_heading",
                {"link": link.target, "anchors": ", ".join(_anchors(other))},
            )  # fmt: skip


def _anchors(file: File) -> list[str]:
    return [heading.anchor for heading in file.article.headings]


def _line_of(file: File, target: str) -> int:
    parsed = file.parsed
    lines = parsed.body.splitlines()
    for written in (f"]({target}", f"]: {target}", target):
        for offset, line in enumerate(lines):
            if written in line:
                return parsed.body_line + offset
    return parsed.body_line


def _check_addresses(library: Library) -> Iterator[Problem]:
    owners: dict[str, str] = {}
    identities: dict[tuple[str, str], str] = {}
    for file in library.files:
        key = (file.locale, file.article.id)
        if key in identities:
            line, other = file.parsed.line("id"), identities[key]
            yield problem(file.name, line, "id", "id_taken", {"other": other})
        identities.setdefault(key, file.name)
        if file.status != "draft":
            owners[file.site_path] = file.name
    for file in library.files:
        for number, old in enumerate(file.article.redirect_from):
            owner = owners.get(old)
            if owner is not None and owner != file.name:
                yield problem(
                    file.name, file.parsed.line("redirect_from", number), "redirect_from",
                    "address_taken", {"address": old, "other": owner},
                )  # fmt: skip
            owners.setdefault(old, file.name)


def _check_wording(library: Library) -> Iterator[Problem]:
    titles: dict[tuple[str, str], str] = {}
    questions: dict[tuple[str, str], str] = {}
    for file in library.published:
        name, locale = file.name, file.locale
        title, *asked = file.wording
        owner = titles.setdefault((locale, title), name)
        if owner != name:
            line = file.parsed.line("title")
            yield problem(name, line, "title", "title_taken", {"other": owner})
        for number, question in enumerate(asked):
            owner = questions.setdefault((locale, question), name)
            if owner != name:
                yield problem(
                    name, file.parsed.line("questions", number), "questions", "question_taken",
                    {"question": file.article.questions[number], "other": owner},
                    severity="warning",
                )  # fmt: skip
    for locale, outside in library.outside.items():
        for question, line in outside.lines.items():
            if (asker := questions.get((locale, question))) is not None:
                yield problem(
                    f"{library.root.name}/{file_of(OUTSIDE, locale)}", line, "",
                    "outside_answered", {"question": question, "other": asker},
                )  # fmt: skip


def _check_synonyms(library: Library) -> Iterator[Problem]:
    """Chinese in a list that only English questions are looked up in; Latin names are both."""
    for rule in library.synonyms.get("en", ()):
        for phrase in dict.fromkeys((*rule.phrases, *rule.targets)):
            if _HAN.search(phrase):
                name = f"{library.root.name}/{file_of(SYNONYMS, 'en')}"
                values = {"phrase": phrase, "other": file_of(SYNONYMS, "zh-Hans")}
                yield problem(name, rule.line, "", "synonym_language", values, severity="warning")


def _check_translations(library: Library) -> Iterator[Problem]:
    by_id: dict[str, dict[str, File]] = defaultdict(dict)
    for file in library.published:
        by_id[file.article.id][file.locale] = file
    for files in by_id.values():
        if len(files) < len(LOCALES):
            continue
        first, *others = (files[locale] for locale in LOCALES)
        for other in others:
            if _anchors(other) != _anchors(first):
                yield problem(
                    other.name, other.parsed.body_line, "", "anchors_differ",
                    {"other": first.name}, severity="warning",
                )  # fmt: skip
            if other.article.updated < first.article.verified_on and (
                first.article.updated > other.article.updated
            ):
                yield problem(
                    other.name, other.parsed.line("updated"), "updated", "translation_old",
                    {"other": first.name, "day": first.article.updated}, severity="warning",
                )  # fmt: skip
