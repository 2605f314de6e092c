"""Two runs side by side, for people and for programs."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

from search.compare import LEVEL, Compared, Comparison, Moved, PairedTest

_TEXT = 90  # characters of a question


def as_json(found: Compared, *, metric: str) -> str:
    """Every figure, and every question that moved."""
    body = {
        "metric": metric,
        "comparisons": [
            {
                **dataclasses.asdict(one),
                "test": {**dataclasses.asdict(one.test), "verdict": one.test.verdict},
            }
            for one in found.comparisons
        ],
        "only_a": found.only_a,
        "only_b": found.only_b,
    }
    return json.dumps(body, ensure_ascii=False, indent=2)


def as_text(found: Compared, *, metric: str, shown: int) -> str:
    """A table, a verdict on each line of it, and the `shown` questions that moved furthest."""
    lines = [
        f"| {metric} | A | B | B - A | 95 % interval | p | better | worse | same |",
        "|---" * 9 + "|",
        *map(_row, found.comparisons),
    ]
    for one in found.comparisons:
        lines += ["", f"{_name(one)}: {difference(one.test, metric)}"]
        for label, moved in (("better", one.gained), ("worse", one.lost)):
            lines += _moved(label, moved, shown)
    if len(found.comparisons) > 1:
        lines += [
            "",
            f"Each of the {len(found.comparisons)} verdicts by itself takes chance for a "
            f"difference once in {1 / LEVEL:.0f} times.",
        ]
    for name, keys in (("A", found.only_a), ("B", found.only_b)):
        if keys:
            lines += ["", f"Only in {name}, so not compared: {'; '.join(keys)}."]
    return "\n".join(lines)


def difference(test: PairedTest, metric: str, *, a: str = "A", b: str = "B") -> str:
    """The verdict on one comparison, in a sentence."""
    figures = (
        f"{metric} {test.mean_a:.4f} to {test.mean_b:.4f} ({test.difference:+.4f}, 95 % interval "
        f"{test.low:+.4f} to {test.high:+.4f}, p = {test.p_value:.4f})."
    )
    if test.verdict == "no difference":
        count = "1 question" if test.questions == 1 else f"{test.questions} questions"
        return f"no difference between {a} and {b} that {count} can show: {figures}"
    return f"{b} is {test.verdict} than {a}: {figures}"


def model_label(name: str) -> str:
    """The end of a model's name: `owner/name` of a hub, the last two parts of a folder's path."""
    return "/".join(Path(name).parts[-2:])


def _row(one: Comparison) -> str:
    test = one.test
    cells = [
        _name(one), f"{test.mean_a:.4f}", f"{test.mean_b:.4f}", f"{test.difference:+.4f}",
        f"{test.low:+.4f} to {test.high:+.4f}", f"{test.p_value:.4f}",
        str(test.wins), str(test.losses), str(test.ties),
    ]  # fmt: skip
    return "| " + " | ".join(cells) + " |"


def _name(one: Comparison) -> str:
    name = f"{one.dataset}, {one.mode}"
    if one.model_a == one.model_b:
        return name
    return f"{name}, {model_label(one.model_a)} (A), {model_label(one.model_b)} (B)"


def _moved(label: str, moved: Sequence[Moved], shown: int) -> list[str]:
    lines = [
        f"  {one.b - one.a:+.4f}  {one.id}  {shorten(one.text)}" for one in moved[: max(0, shown)]
    ]
    return [f"  {label}:", *lines] if lines else []


def shorten(text: str) -> str:
    """The beginning of a question, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= _TEXT else line[: _TEXT - 1].rstrip() + "…"
