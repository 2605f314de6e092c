"""What the sanitiser takes out of an article, and the lines on which its author wrote it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser

_UNTOLD = {"class", "rel"}  # their loss changes no word and no link
_CODE = re.compile(
    r"^ {0,3}(?P<fence>`{3,}|~{3,}).*?(?:^ {0,3}(?P=fence)|\Z)"
    r"|(?P<ticks>`+)(?:(?!\n\n).)+?(?P=ticks)"
    r"|<!--.*?-->",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Dropped:
    """An element, or with `attribute` one of its attributes; `source` is that of an image."""

    tag: str
    attribute: str = ""
    source: str = ""

    @property
    def shown(self) -> str:
        return f"<{self.tag} {self.attribute}>" if self.attribute else f"<{self.tag}>"


def dropped_of(
    tree: LexborHTMLParser, tags: Collection[str], attributes: Mapping[str, Collection[str]]
) -> Iterator[Dropped]:
    """What is in HTML beyond these tags and attributes, in order; links are looked at elsewhere."""
    for node in tree.css("body *"):
        tag = node.tag or ""
        if tag == "img":
            yield Dropped(tag, source=node.attributes.get("src") or "")
        elif tag not in tags:
            yield Dropped(tag)
        else:
            known = {*attributes.get(tag, ()), *_UNTOLD}
            yield from (Dropped(tag, name) for name in node.attributes if name not in known)


def written_at(body: str, dropped: Sequence[Dropped]) -> dict[int, list[str]]:
    """What was dropped by the line of the body, from 0, on which it stands.

    What stands nowhere is Markdown's own, such as the alignment of a column, and is left out.
    """
    text = _CODE.sub(lambda code: "\n" * code[0].count("\n"), body)
    found: dict[int, list[str]] = {}
    for one, times in Counter(dropped).items():
        begin = rf"<{re.escape(one.tag)}(?![\w-])"
        if one.attribute:
            name = re.escape(one.attribute)
            begin += rf"[^<>]*?[\s\"'/]{name}(?![\w-])|\{{:?[^{{}}\n]*?(?<![\w-]){name}\s*="
        for match in list(re.finditer(begin, text, re.IGNORECASE))[:times]:
            found.setdefault(text.count("\n", 0, match.start()), []).append(one.shown)
    return {line: list(dict.fromkeys(shown)) for line, shown in sorted(found.items())}
