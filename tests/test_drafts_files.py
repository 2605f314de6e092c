"""The folder of articles as pages may change it: whole files, seen changes, no way out."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from conftest import ROOT
from portal.drafts.commit import CommitFailed, commit
from portal.drafts.errors import ArticleChanged, ArticleMissing, ArticlesReadOnly, EditRefused
from portal.drafts.files import ArticleFiles
from portal.drafts.find import by_id, listed
from portal.drafts.paths import ArticlePath

PATH = ArticlePath("en", "refunds", "refund-timing")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "articles" / "en" / "refunds").mkdir(parents=True)
    return tmp_path / "articles"


@pytest.fixture
def files(root: Path, tmp_path: Path) -> ArticleFiles:
    return ArticleFiles(root, lock=tmp_path / "articles.lock")


def test_a_file_is_saved_whole_with_the_rights_it_had(files: ArticleFiles, root: Path) -> None:
    made = files.save(PATH, "one\r\n", seen=None)
    file = root / str(PATH)
    file.chmod(0o640)
    files.save(PATH, "\ufefftwo 退款\r\n", seen=made.digest)
    assert file.read_bytes() == "\ufefftwo 退款\r\n".encode()
    assert file.stat().st_mode & 0o777 == 0o640
    assert [one.name for one in file.parent.iterdir()] == ["refund-timing.md"]


def test_a_change_nobody_has_seen_is_not_overwritten(files: ArticleFiles, root: Path) -> None:
    seen = files.save(PATH, "one", seen=None).digest
    (root / str(PATH)).write_text("theirs, by git", "utf-8")
    with pytest.raises(ArticleChanged) as refused:
        files.save(PATH, "mine", seen=seen)
    assert refused.value.present == "theirs, by git"
    assert (root / str(PATH)).read_text("utf-8") == "theirs, by git"
    with pytest.raises(ArticleChanged):
        files.save(PATH, "mine", seen=None)  # a new file over one that is there
    (root / str(PATH)).unlink()
    with pytest.raises(ArticleChanged) as gone:
        files.save(PATH, "mine", seen=seen)
    assert gone.value.present is None


def test_of_many_editors_who_saw_the_same_one_wins(files: ArticleFiles, root: Path) -> None:
    seen = files.save(PATH, "start", seen=None).digest
    won: list[int] = []
    lost: list[str | None] = []
    start = threading.Barrier(8)

    def edit(number: int) -> None:
        start.wait()
        try:
            files.save(PATH, f"editor {number}", seen=seen)
            won.append(number)
        except ArticleChanged as error:
            lost.append(error.present)

    threads = [threading.Thread(target=edit, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert lost == [f"editor {won[0]}"] * 7
    assert (root / str(PATH)).read_text("utf-8") == f"editor {won[0]}"


@pytest.mark.parametrize("moment", ["write", "fsync", "replace"])
def test_killed_in_the_middle_of_a_save_the_old_file_is_whole(
    files: ArticleFiles, root: Path, tmp_path: Path, moment: str
) -> None:
    seen = files.save(PATH, "old and whole", seen=None).digest
    code = f"""
import os, pathlib, signal, sys
from portal.drafts.files import ArticleFiles
from portal.drafts.paths import ArticlePath
def die(*_, **__): os.kill(os.getpid(), signal.SIGKILL)
if {moment!r} == "replace":
    pathlib.Path.replace = die
elif {moment!r} == "fsync":
    os.fsync = die
else:
    real = os.fdopen
    class Half:
        def __init__(self, file): self.file = file
        def __enter__(self): self.file.__enter__(); return self
        def __exit__(self, *_): return None
        def write(self, content): self.file.write(content[:3]); self.file.flush(); die()
    os.fdopen = lambda *a, **k: Half(real(*a, **k))
files = ArticleFiles(pathlib.Path({str(root)!r}), lock=pathlib.Path({str(tmp_path / "l")!r}))
files.save(ArticlePath("en", "refunds", "refund-timing"), "new text", seen={seen!r})
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL
    folder = root / "en" / "refunds"
    assert (folder / "refund-timing.md").read_text("utf-8") == "old and whole"
    assert list(folder.glob("*.md")) == [folder / "refund-timing.md"]  # what is left is no article
    files.save(PATH, "next", seen=seen)
    assert [one.name for one in folder.iterdir()] == ["refund-timing.md"]


@pytest.mark.parametrize(
    "parts",
    [
        ("..", "refunds", "x"), ("en", "..", "x"), ("en", "refunds", ".."), ("en", "", "x"),
        ("en", "refunds", "../../../etc/passwd"), ("en", "refunds", "a/b"), ("EN", "refunds", "x"),
        ("en", "refunds", "x\0"), ("en", "refunds", "x.md"), ("en", "refunds", "X"),
        ("en", "refunds", "a" * 81), ("en", "refunds", "x\n"), ("en", ".git", "x"), ("", "", ""),
    ],
)  # fmt: skip
def test_no_address_leads_out_of_the_folder(parts: tuple[str, str, str]) -> None:
    with pytest.raises(ArticleMissing):
        ArticlePath(*parts)


def test_no_link_leads_out_of_the_folder(files: ArticleFiles, root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "secret.md"
    outside.write_text("secret", "utf-8")
    (root / "en" / "refunds" / "link.md").symlink_to(outside)
    (root / "en" / "linked").symlink_to(tmp_path)
    (root / "synonyms").symlink_to(tmp_path)
    for path in (ArticlePath("en", "refunds", "link"), ArticlePath("en", "linked", "secret")):
        with pytest.raises(ArticleMissing):
            files.read(path)
        with pytest.raises(ArticleMissing):
            files.save(path, "mine", seen=None)
    with pytest.raises(ArticleMissing):
        files.save_shared("synonyms/en.txt", "a => b", seen="")
    assert outside.read_text("utf-8") == "secret"
    assert [one.path.slug for one in listed(root)] == []


def test_a_link_within_the_folder_is_followed_and_stays(files: ArticleFiles, root: Path) -> None:
    made = files.save(PATH, "one", seen=None)
    (root / "en" / "refunds" / "other.md").symlink_to("refund-timing.md")
    files.save(ArticlePath("en", "refunds", "other"), "two", seen=made.digest)
    assert (root / "en" / "refunds" / "other.md").is_symlink()
    assert files.read(PATH).text == "two"


def test_a_file_that_is_no_text_is_told_and_left(files: ArticleFiles, root: Path) -> None:
    (root / str(PATH)).write_bytes(b"\xff\xfe")
    with pytest.raises(EditRefused, match="UTF-8"):
        files.read(PATH)
    with pytest.raises(ArticleMissing):
        files.read(ArticlePath("en", "refunds", "nothing"))


def test_a_folder_that_cannot_be_written_says_so(
    files: ArticleFiles, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = files.save(PATH, "one", seen=None).digest

    def refuse(*_: object) -> int:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(ArticlesReadOnly, match="Read-only file system"):
        files.save(PATH, "two", seen=seen)
    assert (root / str(PATH)).read_text("utf-8") == "one"


def test_articles_are_found_by_id_and_by_the_gap_they_close(root: Path) -> None:
    folder = root / "en" / "refunds"
    text = (
        "---\r\nid: 'other-id' # x\r\ntitle: T\r\nstatus: draft\r\ncloses: gap-17\r\n---\r\nid: no"
    )
    (folder / "some-slug.md").write_bytes(text.encode())
    (folder / "plain.md").write_text("closes: gap-17 is not front matter's end\n---\n", "utf-8")
    assert str(by_id(root, "en:other-id")) == "en/refunds/some-slug.md"
    assert [one.path.slug for one in listed(root) if one.closes == "gap-17"] == ["some-slug"]
    with pytest.raises(ArticleMissing):
        by_id(root, "zh-Hans:other-id")


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("I don't want it", "I don't want it"),
        ('"Which #1 is \\"best\\"?"', 'Which #1 is "best"?'),
        ("'It''s here' # soon", "It's here"),
        ("Order#5 # a remark", "Order#5"),
        ("two\n  lines", "two lines"),
        (">-\n  folded\n  text", "folded text"),
        ("What: about this", "What: about this"),
        ("[a, b]", "[a, b]"),
        ("", ""),
    ],
)
def test_titles_are_listed_as_yaml_reads_them(root: Path, written: str, title: str) -> None:
    text = f"---\nid: some-slug\ntitle: {written}\nstatus: draft\n---\ntitle: no\n"
    (root / "en" / "refunds" / "some-slug.md").write_text(text, "utf-8")
    (one,) = [one for one in listed(root) if one.path.slug == "some-slug"]
    assert (one.id, one.title, one.status, one.closes) == ("some-slug", title, "draft", "")


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout


def test_a_saved_file_is_committed_alone_under_any_name(root: Path) -> None:
    git(root, "init", "-q")
    (root / str(PATH)).write_text("one", "utf-8")
    (root / "other.txt").write_text("staged by somebody else", "utf-8")
    git(root, "add", "other.txt")
    hostile = "--exec=touch pwned <a@b>\n$(touch pwned); `touch pwned`"
    made = commit(root, str(PATH), author=hostile, message="-m x\nline <two>")
    assert made
    assert git(root, "show", "--name-only", "--format=%an|%ae|%s", "HEAD").split("\n")[:3] == [
        "--exec=touch pwned a@b $(touch pwned); `touch pwned`|editor@localhost|-m x line two",
        "", str(PATH),
    ]  # fmt: skip
    assert "other.txt" in git(root, "diff", "--cached", "--name-only")
    assert not list(root.rglob("pwned"))
    assert commit(root, str(PATH), author="Ann", message="nothing new") is None


def test_git_refusing_is_told_and_without_git_nothing_is_done(root: Path, tmp_path: Path) -> None:
    (root / str(PATH)).write_text("one", "utf-8")
    bare = tmp_path / "plain"
    bare.mkdir()
    assert commit(bare, str(PATH), author="Ann", message="x") is None
    git(root, "init", "-q")
    (root / ".gitignore").write_text("*.md", "utf-8")
    with pytest.raises(CommitFailed, match="ignored"):
        commit(root, str(PATH), author="Ann", message="x")
