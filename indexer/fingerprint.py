"""What an index is made of, in one number: while it stays the same there is nothing to do."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.resources
from collections.abc import Iterable, Mapping
from functools import lru_cache

from indexer.folder import Folder

_PACKAGES = ("indexer", "search", "search.data")
LIBRARIES = (
    "Markdown", "nh3", "OpenCC", "pydantic", "pydantic_core", "pypinyin", "PyStemmer", "PyYAML",
    "RapidFuzz", "rjieba", "selectolax", "sentencex",
)  # fmt: skip
"""Those whose versions decide what is made of a text."""


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
    """Changes with any file of the code that builds and searches an index.

    So that nobody has to remember to raise a number.
    """
    files = [
        (package, file.name)
        for package in _PACKAGES
        for file in importlib.resources.files(package).iterdir()
        if file.is_file()
    ]
    return _version(sorted(files), ())


def version_of(modules: Iterable[str], facts: Iterable[str] = ()) -> str:
    """Changes with the source of these modules, the libraries they use, and the facts."""
    parts = (module.rpartition(".") for module in modules)
    return _version([(package, f"{name}.py") for package, _, name in parts], facts)


def _version(files: Iterable[tuple[str, str]], facts: Iterable[str]) -> str:
    digest = hashlib.sha256(repr((_libraries(), tuple(facts))).encode())
    for package, name in files:
        content = importlib.resources.files(package).joinpath(name).read_bytes()
        digest.update(f"{package} {name} {hashlib.sha256(content).hexdigest()}\n".encode())
    return digest.hexdigest()


@lru_cache(maxsize=1)
def _libraries() -> tuple[tuple[str, str], ...]:
    return tuple((name, importlib.metadata.version(name)) for name in LIBRARIES)
