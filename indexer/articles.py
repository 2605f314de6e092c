"""Reads the folder of articles: every file checked, every problem reported at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml

from indexer.article_file import File, FileReader
from indexer.folder import OUTSIDE, SYNONYMS, TAXONOMY, WORDS, Folder, file_of, read_folder
from indexer.outside import Outside, read_outside
from indexer.parsed_cache import ParsedCache
from indexer.problems import ArticlesInvalid, Problem, problem
from indexer.schema import ID
from search.synonyms import Rule, parse_synonyms
from search.taxonomy import Taxonomy
from search.types import LOCALES

T = TypeVar("T")


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
    return library_of(read_folder(root))


def library_of(folder: Folder, cache: ParsedCache | None = None) -> tuple[Library, list[Problem]]:
    """The library of a folder that has been read, as `read_library` gives it."""
    problems: list[Problem] = []
    taxonomy = _read_taxonomy(folder)
    files = _read_files(folder, cache, problems)
    synonyms = {locale: _read_synonyms(folder, locale, cache, problems) for locale in LOCALES}
    outside = {locale: _read_outside(folder, locale, cache, problems) for locale in LOCALES}
    library = Library(folder.root, tuple(files), taxonomy, _read_words(folder), synonyms, outside)
    return library, problems


def _read_files(folder: Folder, cache: ParsedCache | None, problems: list[Problem]) -> list[File]:
    texts = _read_texts(folder, cache, problems)
    reader = FileReader(texts.keys())
    files: list[File] = []
    for path, text in texts.items():
        digest = folder.digests[path]
        if cache is not None and (known := cache.get(digest, File)) and known.fits(texts):
            files.append(known)
            continue
        file = reader.read(path, folder.shown(path), folder.text(path) if text is None else text)
        if not isinstance(file, File):
            problems.extend(file)
            continue
        files.append(file)
        if cache is not None:
            cache.put(digest, file)
    return files


def _read_texts(
    folder: Folder, cache: ParsedCache | None, problems: list[Problem]
) -> dict[str, str | None]:
    """The text of every file that can be read, None where the cache has what it gave."""
    texts: dict[str, str | None] = {}
    for path in folder.articles:
        if misplaced := _misplaced(path, folder.shown(path)):
            problems.append(misplaced)
        elif cache is not None and folder.digests[path] in cache:
            texts[path] = None
        else:
            try:
                texts[path] = folder.text(path)
            except (OSError, UnicodeDecodeError) as error:
                problems.append(folder.unreadable(path, error))
    return texts


def _misplaced(path: str, name: str) -> Problem | None:
    parts = path.removesuffix(".md").split("/")
    if len(parts) != 3:
        return problem(name, 1, "", "misplaced")
    if not re.fullmatch(ID, parts[2]):
        return problem(name, 1, "", "file_name", {"name": parts[2]})
    return None


def _read_taxonomy(folder: Folder) -> Taxonomy:
    name = folder.shown(TAXONOMY)

    def refuse(line: int, field: str, code: str, **values: object) -> ArticlesInvalid:
        return ArticlesInvalid([problem(name, line, field, code, values)])

    try:
        data = _load_yaml(folder.text(TAXONOMY, encoding="utf-8"))
    except OSError as error:
        raise refuse(1, "", "taxonomy_unreadable", reason=error.strerror) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        raise refuse(mark.line + 1 if mark else 1, "", "taxonomy_yaml") from error
    if not isinstance(data, dict):
        raise refuse(1, "", "taxonomy_form")
    for group in ("shop", "sections", "reasons", "platforms", "evidence"):
        if not isinstance(data.get(group), dict):
            raise refuse(1, group, "taxonomy_group", group=group)
        labels = {"shop": data["shop"]} if group == "shop" else data[group]
        for key, label in labels.items():
            missing = [
                locale for locale in LOCALES if not isinstance(label, dict) or not label.get(locale)
            ]
            if missing:
                raise refuse(1, f"{group}.{key}", "taxonomy_label", locales=", ".join(missing))
    return Taxonomy.from_dict(data)


def _load_yaml(text: str) -> Any:
    try:
        return yaml.load(text, yaml.CSafeLoader)
    except yaml.YAMLError:
        return yaml.safe_load(text)  # slowly, but its places and words are those of front matter


def _read_words(folder: Folder) -> tuple[str, ...]:
    """The domain's own words, one a line, `#` for comments; an absent file is an empty list."""
    if WORDS not in folder.files:
        return ()
    try:
        text = folder.text(WORDS)
    except (OSError, UnicodeDecodeError) as error:
        raise ArticlesInvalid([folder.unreadable(WORDS, error)]) from error
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return tuple(line for line in lines if line)


@dataclass(frozen=True, slots=True)
class _Synonyms:
    rules: tuple[Rule, ...]
    problems: tuple[Problem, ...]


def _read_synonyms(
    folder: Folder, locale: str, cache: ParsedCache | None, problems: list[Problem]
) -> tuple[Rule, ...]:
    """The rules of a locale; lines that are none are added to the problems."""
    path = file_of(SYNONYMS, locale)

    def read() -> _Synonyms:
        found: list[Problem] = []
        rules, mistakes = parse_synonyms(folder.text_if_any(path, found))
        found += [
            problem(folder.shown(path), m.line, "", f"synonyms_{m.code}", m.values)
            for m in mistakes
        ]
        return _Synonyms(tuple(rules), tuple(found))

    made = _recalled(folder, path, cache, _Synonyms, read)
    problems += made.problems
    return made.rules


@dataclass(frozen=True, slots=True)
class _Outside:
    outside: Outside
    problems: tuple[Problem, ...]


def _read_outside(
    folder: Folder, locale: str, cache: ParsedCache | None, problems: list[Problem]
) -> Outside:
    def read() -> _Outside:
        found: list[Problem] = []
        outside = read_outside(folder, locale, found)
        return _Outside(outside, tuple(found))

    made = _recalled(folder, file_of(OUTSIDE, locale), cache, _Outside, read)
    problems += made.problems
    return made.outside


def _recalled(
    folder: Folder, path: str, cache: ParsedCache | None, kind: type[T], make: Callable[[], T]
) -> T:
    """What a file gave, from the cache if it is there; an absent file is not worth it."""
    if cache is None or path not in folder.digests:
        return make()
    return cache.of(folder.digests[path], kind, make)
