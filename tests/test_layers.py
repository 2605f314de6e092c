"""Import direction: search <- indexer <- portal, and only one place reads the environment."""

from __future__ import annotations

import ast
import importlib.metadata
import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("search", "indexer", "portal")


def _imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.add(node.module or "")
    return found


def _files(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def _tops(path: Path) -> set[str]:
    return {name.partition(".")[0] for name in _imports(path)}


@pytest.mark.parametrize("path", _files("search"), ids=str)
def test_search_knows_neither_indexer_nor_portal_nor_flask(path: Path) -> None:
    assert not _tops(path) & {"indexer", "portal", "flask", "sqlalchemy", "os"}


@pytest.mark.parametrize("path", _files("indexer"), ids=str)
def test_indexer_does_not_know_the_portal(path: Path) -> None:
    assert not _tops(path) & {"portal", "flask", "sqlalchemy"}


@pytest.mark.parametrize("path", _files("portal"), ids=str)
def test_only_the_command_line_imports_the_indexer(path: Path) -> None:
    if path.parent.name in ("drafts", "proof"):
        # What edits files and builds beside the pages, which only does so when asked to.
        tree = ast.parse(path.read_text("utf-8"))
        loaded = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
        assert not any("indexer" in ast.unparse(node) for node in loaded)
    elif not path.name.startswith("cli"):
        assert "indexer" not in _tops(path)


def test_only_config_reads_the_environment() -> None:
    for package in PACKAGES:
        for path in _files(package):
            text = path.read_text("utf-8")
            reads = "environ[" in text or "environ.get" in text or "getenv" in text
            # server.py sets two variables that libraries read; it reads none.
            assert not reads or path.name in ("config.py", "server.py"), path


def test_the_package_names_are_ours() -> None:
    files = importlib.metadata.files("kb-portal") or []
    assert files, "kb-portal is not installed; run `make setup`"
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        assert spec is not None
        assert spec.origin is not None
        assert Path(spec.origin).parent.parent == ROOT


def test_nothing_heavy_is_imported_by_the_portal() -> None:
    import subprocess
    import sys

    code = (
        "import sys, portal.app, portal.cli; "
        "heavy = {'torch', 'sentence_transformers', 'sklearn', 'scipy', 'transformers'}; "
        "sys.exit(','.join(sorted(heavy & set(sys.modules))) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
