"""What the wheel and the source distribution contain."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests_support import ROOT


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both distributions of the files git knows, built from a copy of them."""
    source = tmp_path_factory.mktemp("source")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=False,
    )  # fmt: skip
    if listed.returncode:
        pytest.skip("not a git checkout, so what belongs to the source is unknown")
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    out = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(source)],
        check=True, capture_output=True,
    )  # fmt: skip
    return out


@pytest.fixture(scope="module")
def wheel(built: Path) -> set[str]:
    with zipfile.ZipFile(next(built.glob("*.whl"))) as archive:
        return set(archive.namelist())


def test_the_wheel_has_every_module(wheel: set[str]) -> None:
    for package in ("search", "indexer", "portal"):
        for path in (ROOT / package).rglob("*.py"):
            assert path.relative_to(ROOT).as_posix() in wheel


def test_the_wheel_has_what_the_portal_reads_at_run_time(wheel: set[str]) -> None:
    wanted = [ROOT / "portal" / "api" / "openapi.json"]
    for folder in ("templates", "portal/static", "portal/translations", "search/data"):
        wanted += [
            path for path in (ROOT / folder).rglob("*")
            if path.suffix in {".html", ".xml", ".txt", ".css", ".js", ".svg", ".mo", ".json"}
        ]  # fmt: skip
    for path in wanted:
        assert path.relative_to(ROOT).as_posix() in wheel


def test_the_wheel_has_no_tests_and_no_articles(wheel: set[str]) -> None:
    assert not [name for name in wheel if name.startswith(("tests/", "articles/", "benchmarks/"))]


def test_the_wheel_says_that_it_is_not_for_upload_and_installs_kb(built: Path) -> None:
    with zipfile.ZipFile(next(built.glob("*.whl"))) as archive:
        info = next(name for name in archive.namelist() if name.endswith("METADATA"))
        assert "Private :: Do Not Upload" in archive.read(info).decode()
        entry = next(name for name in archive.namelist() if name.endswith("entry_points.txt"))
        assert "kb = portal.cli:main" in archive.read(entry).decode()


def test_the_source_distribution_has_the_licence(built: Path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"LICENSE", "README.md", "pyproject.toml"} <= names


def test_every_dependency_is_pinned() -> None:
    import re
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    wanted = [*project["dependencies"], *(name for extra in extras for name in extra)]
    pinned = {
        re.sub(r"[-_.]+", "-", line.partition("==")[0]).lower()
        for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines()
        if "==" in line
    }
    for requirement in wanted:
        name = re.split(r"[<>=!\[; ]", requirement)[0]
        assert re.sub(r"[-_.]+", "-", name).lower() in pinned, name
