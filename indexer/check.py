"""Checks across articles: known names, free addresses, links that lead somewhere."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from urllib.parse import unquote

from indexer.article_file import File
from indexer.articles import Library, library_of
from indexer.check_file import line_of
from indexer.folder import OUTSIDE, SYNONYMS, Folder, file_of, read_folder
from indexer.parsed_cache import ParsedCache
from indexer.problems import Problem, problem
from search.taxonomy import Label
from search.text import HAN
from search.types import LOCALES

_HAN = re.compile(f"[{HAN}]")
PAGES = {
    "", "feed.atom", "language", "opensearch.xml", "requests/new", "requests/new/expired",
    "requests/new/solved", "requests/new/stopped", "search", "still-stuck", "still-stuck/sent",
}  # fmt: skip
"""What the portal has under a locale beside sections and articles."""


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
    addresses = {
        address: file
        for file in library.published
        for address in (*file.article.redirect_from, file.site_path)
    }
    sections = {file.site_path.rpartition("/")[0] for file in library.published}
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
        if file.addresses and file.status == "published":
            problems.extend(_check_pages(file, addresses, sections))
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
            line = line_of(file.parsed, link.target)
            yield problem(file.name, line, "", "link_article", {"link": link.target})
        elif anchor and anchor not in _anchors(other):
            yield problem(
                file.name, line_of(file.parsed, link.target), "", "link_heading",
                {"link": link.target, "anchors": ", ".join(_anchors(other))},
            )  # fmt: skip


def _anchors(file: File) -> list[str]:
    return [heading.anchor for heading in file.article.headings]


def _check_pages(
    file: File, articles: Mapping[str, File], sections: Container[str]
) -> Iterator[Problem]:
    """Links by address to pages of this portal; what else the site has is not known here."""
    for link in file.addresses:
        path, _, anchor = link.partition("#")
        path = unquote(path.partition("?")[0])
        locale, _, rest = path[1:].partition("/")
        if locale not in LOCALES or rest in PAGES or path.removesuffix("/") in sections:
            continue
        line = line_of(file.parsed, link)
        if (other := articles.get(path)) is None:
            code = "link_article" if rest.count("/") == 1 else "link_page"
            yield problem(file.name, line, "", code, {"link": link})
        elif anchor and not {anchor, unquote(anchor)} & {*_anchors(other)}:
            yield problem(
                file.name, line, "", "link_heading",
                {"link": link, "anchors": ", ".join(_anchors(other))},
            )  # fmt: skip


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
