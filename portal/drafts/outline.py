"""What a draft is begun with: headings that fit the kind of gap, and what to write under each.

What is to be written stands in HTML comments that begin with `TODO`, which no reader ever sees. An
article is not published while one is left.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_TODO = re.compile(r"<!--\s*TODO\b")
_SUMMARY = {
    "en": "To be written: the answer in one or two sentences.",
    "zh-Hans": "待填写：用一两句话给出答案。",
}


@dataclass(frozen=True, slots=True)
class Part:
    """A heading with its anchor, and what to write below it; the opening has no heading."""

    anchor: str
    title: Mapping[str, str]
    todo: Mapping[str, str]


def _part(anchor: str, en: str, zh: str, todo_en: str, todo_zh: str) -> Part:
    return Part(anchor, {"en": en, "zh-Hans": zh}, {"en": todo_en, "zh-Hans": todo_zh})


_OPENING = _part(
    "", "", "",
    "Answer the question in the first sentence, then say for whom it holds.",
    "第一句话直接回答问题，再说明适用于哪些情况。",
)  # fmt: skip
_STEPS = _part(
    "steps", "What to do", "怎么办理",
    "Number the steps: where to click, what to have ready, what happens next.",
    "按顺序写步骤：在哪里点、需要准备什么、之后会怎样。",
)  # fmt: skip
_TIMING = _part(
    "timing", "How long it takes", "多久能办好",
    "Give days, and from which day they are counted.",
    "写明需要几天，从哪一天开始算。",
)  # fmt: skip
_EXCEPTIONS = _part(
    "exceptions", "When it is different", "例外情况",
    "Name the goods, platforms or countries with other rules, or remove this heading.",
    "写明规则不同的商品、平台或地区；没有就删掉这个标题。",
)  # fmt: skip
_CHANGED = _part(
    "changed", "What has changed", "有哪些变化",
    "Say what holds now and since when, and what no longer holds.",
    "写明现在的规定、从什么时候开始，以及哪些说法已不适用。",
)  # fmt: skip
_MISSING = _part(
    "details", "If that did not help", "如果仍未解决",
    "Answer what readers of the other article voted or wrote that it lacks, and link to it.",
    "补上读者反馈原有文章没讲清楚的地方，并链接到原文章。",
)  # fmt: skip
_ELSEWHERE = _part(
    "where-instead", "Who can help", "可以找谁",
    "Name who does help with this and how to reach them; promise nothing we do not do.",
    "写明这件事该找谁、怎样联系；不要承诺我们不提供的服务。",
)  # fmt: skip

_BY_KIND = {
    "no_article": (_OPENING, _STEPS, _TIMING, _EXCEPTIONS),
    "not_found": (_OPENING, _STEPS, _EXCEPTIONS),
    "not_helpful": (_OPENING, _STEPS, _MISSING, _EXCEPTIONS),
    "other_language": (_OPENING, _STEPS, _TIMING, _EXCEPTIONS),
    "outdated": (_OPENING, _CHANGED, _STEPS, _TIMING),
    "out_of_scope": (_OPENING, _ELSEWHERE),
}


def outline(kind: str, locale: str) -> str:
    """The body of a draft for a kind of gap, in its language."""
    return body_of(_BY_KIND.get(kind, _BY_KIND["no_article"]), locale)


def body_of(parts: tuple[Part, ...], locale: str) -> str:
    """Headings with their anchors and what to write below each."""
    blocks = []
    for part in parts:
        if part.anchor:
            blocks.append(f"## {part.title[locale]} {{#{part.anchor}}}")
        blocks.append(f"<!-- TODO {part.todo[locale]} -->")
    return "\n\n".join(blocks) + "\n"


def summary(locale: str) -> str:
    """What stands in the summary until somebody writes it."""
    return _SUMMARY[locale]


def unwritten(text: str) -> list[int]:
    """The lines, from 1, at which something is still to be written."""
    marks = tuple(_SUMMARY.values())
    return [
        number
        for number, line in enumerate(re.split(r"\r\n|\r|\n", text), 1)
        if _TODO.search(line) or any(mark in line for mark in marks)
    ]
