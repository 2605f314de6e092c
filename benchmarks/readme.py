"""Writes the README's parts that come from code: settings, schema, transcript, figures.

`python benchmarks/readme.py` rewrites them in place; tests check that settings and schema agree.
The quality table is only replaced when evaluation folders are given as arguments, and the
comparison with other engines is what `make bench` has left in docs/side-by-side.json; other
figures are what the benchmarks have printed into docs/benchmarks.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from indexer.schema import schema_table
from portal.config import settings_table

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
PRINTED = ROOT / "docs" / "benchmarks"
"""What benchmarks have printed, one file a part."""
SIDE_BY_SIDE = ROOT / "docs" / "side-by-side.json"
_COMMANDS = (
    ["kb", "search", "how long until my refund arrives", "--limit", "2"],
    ["kb", "search", "退款多久到账", "--limit", "1"],
    ["kb", "search", "can I bring my dog to your warehouse", "--limit", "1"],
)


def replace(text: str, part: str, content: str) -> str:
    """The text with what stands between two markers replaced."""
    pattern = re.compile(rf"(<!-- {part} -->\n).*?(<!-- /{part} -->)", re.DOTALL)
    if not pattern.search(text):
        raise SystemExit(f"README.md has no part {part!r}")
    return pattern.sub(lambda match: f"{match[1]}{content}\n{match[2]}", text)


def transcript() -> str:
    """What the command line really prints for a few questions."""
    lines = ["```console"]
    for command in _COMMANDS:
        done = subprocess.run(
            [Path(sys.executable).parent / command[0], *command[1:]],
            capture_output=True, text=True, check=True, cwd=ROOT,
        )  # fmt: skip
        shown = " ".join(f'"{word}"' if " " in word or "退" in word else word for word in command)
        lines += [f"$ {shown}", done.stdout.rstrip(), ""]
    return "\n".join([*lines[:-1], "```"])


def main(folders: list[str]) -> None:
    text = README.read_text("utf-8")
    text = replace(text, "settings", settings_table())
    text = replace(text, "schema", schema_table())
    text = replace(text, "transcript", transcript())
    if folders:
        from quality import table

        text = replace(text, "quality", table([Path(folder) for folder in folders]))
    if SIDE_BY_SIDE.exists() and "<!-- side-by-side -->" in text:
        from side_by_side_tables import tables

        text = replace(text, "side-by-side", tables(json.loads(SIDE_BY_SIDE.read_text("utf-8"))))
    for printed in sorted(PRINTED.glob("*.md")):
        text = replace(text, printed.stem, printed.read_text("utf-8").strip())
    README.write_text(text, "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
