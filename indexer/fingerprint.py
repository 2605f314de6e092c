"""What an index is made of, in one number: while it stays the same there is nothing to do."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.resources
from collections.abc import Iterable, Mapping
from functools import lru_cache

from indexer.folder import Folder

_PACKAGES = ("indexer", "search", "search.data")
_LIBRARIES = (
    "Markdown", "nh3", "opencc", "pydantic", "pypinyin", "PyStemmer", "PyYAML", "rjieba",
    "selectolax", "sentencex",
)  # fmt: skip


def fingerprint(folder: Folder, facts: Mapping[str, str]) -> str:
    """Changes with any file of the folder, with the code, and with any of the facts given."""
    digest = hashlib.sha256(code_version().encode())
    for name, value in sorted(facts.items()):
        digest.update(f"{name}={value!r}\n".encode())
    for of_file in folder.digests.values():
        digest.update(of_file)
    return digest.hexdigest()


@lru_cache(maxsize=1)
def code_version() -> str:
    """Changes whenever what is made of an article might: with the code and the libraries it uses.

    So that nobody has to remember to raise a number.
    """
    digest = hashlib.sha256()
    for package in _PACKAGES:
        files = [file for file in importlib.resources.files(package).iterdir() if file.is_file()]
        for file in sorted(files, key=lambda file: file.name):
            digest.update(f"{package}/{file.name}\n".encode())
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    for library in _LIBRARIES:
        digest.update(f"{library} {importlib.metadata.version(library)}\n".encode())
    return digest.hexdigest()


def version_with(words: Iterable[str]) -> str:
    """As `code_version`, and with the domain's own words, by which texts are cut."""
    return f"{code_version()} {hashlib.sha256(repr(tuple(words)).encode()).hexdigest()}"
