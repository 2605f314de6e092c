"""Reads the folder of articles: every file checked, every problem reported at once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from indexer.frontmatter import Parsed, parse
from indexer.markdown import Rendered, relative_target, render
from indexer.outside import Outside, read_outside
from indexer.problems import ArticlesInvalid, Problem, shown
from indexer.schema import ID
from search.synonyms import Rule, parse_synonyms
from search.taxonomy import Taxonomy
from search.types import LOCALES, Article, PolicyClause, Source

_TAXONOMY_FILE = "taxonomy.yaml"
_WORDS_FILE = "words.txt"
_SYNONYMS_FOLDER = "synonyms"


@dataclass(frozen=True, slots=True)
class File:
    """One article file, parsed and rendered. `path` is relative to the folder of articles."""

    path: str
    locale: str
    section: str
    slug: str
    parsed: Parsed
    rendered: Rendered

    @property
    def status(self) -> str:
        return self.parsed.front.status

    @property
    def site_path(self) -> str:
        return f"/{self.locale}/{self.section}/{self.slug}"

    def article(self) -> Article:
        """What is published of it."""
        front = self.parsed.front
        return Article(
            id=front.id,
            locale=self.locale,
            section=self.section,
            slug=self.slug,
            title=front.title,
            summary=front.summary,
            html=self.rendered.html,
            headings=self.rendered.headings,
            updated=front.updated,
            verified_on=front.verified_on,
            review_by=front.review_by,
            owner=front.owner,
            tags=front.tags,
            reasons=front.reasons,
            platforms=front.platforms,
            questions=front.questions,
            policy=tuple(
                PolicyClause(
                    **{
                        **clause.model_dump(),
                        "platforms": clause.platforms or front.platforms,
                        "reasons": clause.reasons or front.reasons,
                    }
                )
                for clause in front.policy
            ),
            sources=tuple(
                Source(source.title, str(source.url), source.verified_on)
                for source in front.sources
            ),
            redirect_from=front.redirect_from,
        )


@dataclass(frozen=True, slots=True)
class Library:
    """Everything the folder holds: articles of any status, the taxonomy and the word list."""

    root: Path
    files: tuple[File, ...]
    taxonomy: Taxonomy
    words: tuple[str, ...]
    synonyms: Mapping[str, tuple[Rule, ...]]
    """The rules of each locale."""
    outside: Mapping[str, Outside]
    """What each locale's articles do not answer."""

    @property
    def published(self) -> list[File]:
        return [file for file in self.files if file.status == "published"]

    @property
    def archived(self) -> list[File]:
        return [file for file in self.files if file.status == "archived"]


def read_library(root: Path) -> tuple[Library, list[Problem]]:
    """Read every file under `root`; broken files are left out and stand in the problems.

    Raises `ArticlesInvalid` only when the folder or its taxonomy cannot be read at all.
    """
    taxonomy = _read_taxonomy(root)
    problems: list[Problem] = []
    texts: dict[str, str] = {}
    for path in _article_paths(root):
        relative = path.relative_to(root).as_posix()
        if problem := _misplaced(relative, shown(path, root)):
            problems.append(problem)
            continue
        try:
            texts[relative] = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            problems.append(
                Problem(shown(path, root), 1, "", f"cannot be read ({error})", "Save it as UTF-8.")
            )
    files: list[File] = []
    for relative, text in texts.items():
        outcome = _read_file(relative, text, shown(root / relative, root), texts.keys())
        if isinstance(outcome, File):
            files.append(outcome)
        else:
            problems.extend(outcome)
    synonyms = {locale: _read_synonyms(root, locale, problems) for locale in LOCALES}
    outside = {locale: read_outside(root, locale, problems) for locale in LOCALES}
    library = Library(root, tuple(files), taxonomy, _read_words(root), synonyms, outside)
    return library, problems


def _article_paths(root: Path) -> Iterator[Path]:
    for locale in LOCALES:
        yield from sorted((root / locale).rglob("*.md"))


def _misplaced(relative: str, name: str) -> Problem | None:
    parts = relative.removesuffix(".md").split("/")
    if len(parts) != 3:
        return Problem(name, 1, "", "the file is not in a section's folder",
                       "Move it to <locale>/<section>/<slug>.md.")  # fmt: skip
    if not re.fullmatch(ID, parts[2]):
        return Problem(name, 1, "", f"the file name {parts[2]!r} cannot be an address",
                       "Use lower-case letters, digits and hyphens.")  # fmt: skip
    return None


def _read_file(relative: str, text: str, name: str, known: Any) -> File | list[Problem]:
    parsed = parse(text, name)
    if not isinstance(parsed, Parsed):
        return parsed
    locale, section, slug = relative.removesuffix(".md").split("/")

    def resolve(target: str) -> str | None:
        path = relative_target(relative, target)
        return "/" + path.removesuffix(".md") if path in known else None

    return File(relative, locale, section, slug, parsed, render(parsed.body, resolve=resolve))


def _read_taxonomy(root: Path) -> Taxonomy:
    path = root / _TAXONOMY_FILE
    name = f"{root.name}/{_TAXONOMY_FILE}"

    def refuse(line: int, field: str, message: str, mend: str) -> ArticlesInvalid:
        return ArticlesInvalid([Problem(name, line, field, message, mend)])

    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise refuse(
            1,
            "",
            f"cannot be read ({error.strerror})",
            "Point KB_ARTICLES at a folder of articles.",
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        raise refuse(
            mark.line + 1 if mark else 1, "", "the YAML cannot be read", "Mend its indentation."
        ) from error
    if not isinstance(data, dict):
        raise refuse(1, "", "is not a list of groups", "See the shipped taxonomy.yaml.")
    for group in ("shop", "sections", "reasons", "platforms", "evidence"):
        if not isinstance(data.get(group), dict):
            raise refuse(1, group, "the group is missing", f"Add `{group}:` with its keys.")
        labels = {"shop": data["shop"]} if group == "shop" else data[group]
        for key, label in labels.items():
            missing = [
                locale for locale in LOCALES if not isinstance(label, dict) or not label.get(locale)
            ]
            if missing:
                raise refuse(
                    1, f"{group}.{key}", f"has no label in {', '.join(missing)}", "Add one."
                )
    return Taxonomy.from_dict(data)


def _read_words(root: Path) -> tuple[str, ...]:
    """The domain's own words, one a line, `#` for comments; an absent file is an empty list."""
    path = root / _WORDS_FILE
    if not path.exists():
        return ()
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        name = f"{root.name}/{_WORDS_FILE}"
        raise ArticlesInvalid(
            [Problem(name, 1, "", f"cannot be read ({error})", "Save it as UTF-8.")]
        ) from error
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return tuple(line for line in lines if line)


def _read_synonyms(root: Path, locale: str, problems: list[Problem]) -> tuple[Rule, ...]:
    """The rules of a locale; lines that are none are added to the problems."""
    path = root / _SYNONYMS_FOLDER / f"{locale}.txt"
    if not path.exists():
        return ()
    name = shown(path, root)
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        problems.append(Problem(name, 1, "", f"cannot be read ({error})", "Save it as UTF-8."))
        return ()
    rules, mistakes = parse_synonyms(text)
    problems += [Problem(name, m.line, "", m.message, m.mend) for m in mistakes]
    return tuple(rules)
