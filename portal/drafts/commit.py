"""Commits an article that a page has written, where the folder is in a git work tree.

`git` itself is called, with fixed arguments and never through a shell: it respects the work tree's
own settings, and leaves alone whatever else is staged.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from search.errors import KnowledgeBaseError

_SECONDS = 20
_UNFIT = re.compile(r"[\x00-\x1f\x7f<>]+")


class CommitFailed(KnowledgeBaseError):
    """The file is saved, but git did not take it; `reason` is in git's words."""

    exit_code = 5
    status = 409

    def __init__(self, reason: str) -> None:
        super().__init__(f"saved, but git did not commit it: {reason}")
        self.reason = reason


def commit(root: Path, name: str, *, author: str, message: str) -> str | None:
    """Commit one file below `root`; gives the commit's short name.

    None where the folder is in no work tree, git is not installed, or nothing has changed, as
    where a file is gone that git never knew. The author is the signed-in editor, whose name may be
    anything. Raises `CommitFailed`.
    """
    if shutil.which("git") is None or _git(root, "rev-parse", "--is-inside-work-tree")[0] != 0:
        return None
    if not (root / name).exists() and not _git(root, "ls-files", "--", name)[1]:
        return None
    who = " ".join(_UNFIT.sub(" ", author).split()) or "editor"
    _must(root, "add", "--", name)
    if _git(root, "diff", "--cached", "--quiet", "--", name)[0] == 0:
        return None
    _must(
        root, "-c", f"user.name={who}", "-c", "user.email=editor@localhost",
        "-c", "commit.gpgSign=false", "commit", "--quiet", "--only",
        f"--author={who} <editor@localhost>", f"--message={_line(message)}", "--", name,
    )  # fmt: skip
    return _must(root, "rev-parse", "--short", "HEAD").strip()


def _line(message: str) -> str:
    return " ".join(_UNFIT.sub(" ", message).split())


def _must(root: Path, *arguments: str) -> str:
    code, said = _git(root, *arguments)
    if code:
        raise CommitFailed(said.strip()[:300] or str(code))
    return said


def _git(root: Path, *arguments: str) -> tuple[int, str]:
    """Exit code, and what was said on either channel."""
    try:
        done = subprocess.run(  # noqa: S603
            ["git", "--literal-pathspecs", *arguments],  # noqa: S607
            cwd=root, capture_output=True, text=True, errors="replace", timeout=_SECONDS,
            stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return 1, str(error)
    return done.returncode, done.stdout if done.returncode == 0 else done.stderr or done.stdout
