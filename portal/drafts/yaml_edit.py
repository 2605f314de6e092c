"""Edits front matter where it has to change and nowhere else.

The text is cut at the places PyYAML names and put together again, never written anew: comments,
quotes, order and line ends stay. Every result is read again by the parser of the index and must say
the same as before but for what was asked, else the edit is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import yaml

from portal.drafts.errors import EditRefused

LONGEST = 200
"""Characters of a question, as the schema of front matter has it."""
_FENCE = "---"
_PLAIN = re.compile(r"[A-Za-z\u4e00-\u9fff][A-Za-z0-9\u4e00-\u9fff ,.?!'()/%+，。？！、；（）-]*")
_ESCAPES = {'"': '\\"', "\\": "\\\\"}


def one_line(text: str, longest: int = LONGEST) -> str:
    """A customer's words fit for a line of front matter: printable, one line, not too long."""
    printable = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(printable.split())[:longest].strip()


def scalar(text: str, *, plain: bool = True) -> str:
    """A line of text as a YAML value: as it stands where that is safe, else in double quotes."""
    if plain and _PLAIN.fullmatch(text) and _reads_as(text, text):
        return text
    return '"' + "".join(_ESCAPES.get(c, c) if c.isprintable() else _escape(c) for c in text) + '"'


def add_questions(text: str, questions: Iterable[str]) -> str:
    """The file with `questions` added at the end of its own, without those it has already.

    Raises `EditRefused` when the front matter has a mistake or cannot be extended safely.
    """
    front = _parsed(text).front
    known = {question.casefold() for question in front.questions}
    new: list[str] = []
    for question in map(one_line, questions):
        if question and question.casefold() not in known:
            known.add(question.casefold())
            new.append(question)
    if not new:
        return text
    edited = _with_questions(_Front.of(text), new)
    _must_say(text, edited, questions=(*front.questions, *new))
    return edited


def questions_in(text: str) -> tuple[str, ...]:
    """The questions of an article's front matter. Raises `EditRefused`."""
    return tuple(_parsed(text).front.questions)


def take_out_questions(text: str, questions: Sequence[str]) -> str:
    """The file without `questions`, each of which stands as `add_questions` wrote it.

    A list that is left without any goes with them. Raises `EditRefused` where one was edited or
    removed, or the front matter has a mistake.
    """
    if not questions:
        return text
    known = _parsed(text).front.questions
    part = _Front.of(text)
    node = part.fields.get("questions")
    if not isinstance(node, yaml.SequenceNode) or not set(questions) <= set(known):
        raise EditRefused("questions_moved_on")
    cuts = _in_brackets(part, node, questions) if node.flow_style else _lines(part, node, questions)
    if len(cuts) == len(node.value) and not node.flow_style:
        cuts = [_whole_field(part, cuts)]
    edited = text
    for start, end in sorted(cuts, reverse=True):
        edited = edited[: part.start + start] + edited[part.start + end :]
    _must_say(text, edited, questions=tuple(one for one in known if one not in set(questions)))
    return edited


def set_field(text: str, field: str, value: str) -> str:
    """The file with one field, which must be there, saying something else. Raises `EditRefused`."""
    _parsed(text)
    part = _Front.of(text)
    node = part.fields.get(field)
    if not isinstance(node, yaml.ScalarNode) or node.style in ("|", ">"):
        raise EditRefused("field_fixed", {"field": field})
    edited = part.cut(node.start_mark.index, node.end_mark.index, scalar(value))
    _must_say(text, edited, **{field: value})
    return edited


@dataclass(frozen=True, slots=True)
class _Front:
    """Where the front matter stands in a file, and the values of its fields."""

    text: str
    start: int
    """Of the front matter in the text, after the line of its first fence."""
    end: int
    fields: dict[str, yaml.Node]
    keys: dict[str, yaml.Node]

    @classmethod
    def of(cls, text: str) -> _Front:
        lines = text.splitlines(keepends=True)
        closing = next(n for n, line in enumerate(lines[1:], 1) if line.rstrip() == _FENCE)
        start = len(lines[0])
        end = start + sum(map(len, lines[1:closing]))
        try:
            loader = yaml.SafeLoader(text[start:end])
            root = loader.get_single_node()
        except yaml.YAMLError:
            root = None
        if not isinstance(root, yaml.MappingNode) or root.flow_style:
            raise EditRefused("front_by_hand")
        fields = {str(key.value): value for key, value in root.value}
        return cls(text, start, end, fields, {str(key.value): key for key, _ in root.value})

    def cut(self, start: int, end: int, new: str) -> str:
        """The text with a stretch of the front matter replaced."""
        return self.text[: self.start + start] + new + self.text[self.start + end :]

    def line_end(self, index: int) -> int:
        """Where the next line begins."""
        source = self.text[self.start : self.end]
        found = re.compile(r"\r\n|[\r\n\x85\u2028\u2029]").search(source, index)
        return found.end() if found else len(source)

    def newline(self) -> str:
        """How the front matter's first line ends."""
        found = re.search(r"\r\n|\r|\n", self.text[: self.end])
        return found[0] if found else "\n"


def _with_questions(part: _Front, new: Sequence[str]) -> str:
    node = part.fields.get("questions")
    if node is None:
        return _new_field(part, new)
    if not isinstance(node, yaml.SequenceNode):
        raise EditRefused("questions_form")
    if node.flow_style:
        items = ", ".join(scalar(question, plain=False) for question in new)
        if node.value:
            at = node.value[-1].end_mark.index
            return part.cut(at, at, f", {items}")
        at = node.start_mark.index + 1
        return part.cut(at, at, items)
    # After the line on which the last question ends, with whatever comment stands there.
    source = part.text[part.start : part.end]
    last = len(source[: node.value[-1].end_mark.index].rstrip())
    indent, newline = " " * node.start_mark.column, part.newline()
    at = part.line_end(last)
    return part.cut(at, at, "".join(f"{indent}- {scalar(text)}{newline}" for text in new))


def _lines(
    part: _Front, node: yaml.SequenceNode, questions: Sequence[str]
) -> list[tuple[int, int]]:
    """Where the lines of questions stand that nobody has touched."""
    source = part.text[part.start : part.end]
    found = []
    for item in node.value:
        if item.value not in questions:
            continue
        start = item.start_mark.index - item.start_mark.column
        end = part.line_end(item.end_mark.index)
        line = source[start:end].rstrip("\r\n")
        if line != f"{' ' * node.start_mark.column}- {scalar(item.value)}":
            raise EditRefused("questions_moved_on")
        found.append((start, end))
    return found


def _in_brackets(
    part: _Front, node: yaml.SequenceNode, questions: Sequence[str]
) -> list[tuple[int, int]]:
    """The same of a list in brackets, each with the comma that was written with it."""
    source = part.text[part.start : part.end]
    found: list[tuple[int, int]] = []
    for place, item in enumerate(node.value):
        if item.value not in questions:
            continue
        start, end = item.start_mark.index, item.end_mark.index
        if source[start:end] != scalar(item.value, plain=False):
            raise EditRefused("questions_moved_on")
        before = node.value[place - 1].end_mark.index if place else None
        after = node.value[place + 1].start_mark.index if place + 1 < len(node.value) else None
        if before is not None and source[before:start] == ", ":
            start = before
        elif place == len(found) and after is not None and source[end:after] == ", ":
            end = after  # all before it go too
        elif place or after is not None:
            raise EditRefused("questions_moved_on")
        found.append((start, end))
    return found


def _whole_field(part: _Front, lines: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """The lines with that of the field's name, which was written with them."""
    key = part.keys["questions"]
    source = part.text[part.start : part.end]
    begin, first = key.start_mark.index - key.start_mark.column, lines[0][0]
    name = source[begin:first].strip("\r\n ")
    if name != "questions:" or any(one[1] != two[0] for one, two in pairwise(lines)):
        raise EditRefused("questions_moved_on")
    return begin, lines[-1][1]


def _new_field(part: _Front, new: Sequence[str]) -> str:
    """The field goes before `status`, where the shipped articles have it."""
    key = part.keys.get("status") or next(iter(part.keys.values()))
    indent, newline = " " * key.start_mark.column, part.newline()
    lines = ["questions:", *(f"{indent}  - {scalar(question)}" for question in new), indent]
    at = key.start_mark.index  # after the line's indent, which the key written first takes over
    return part.cut(at, at, newline.join(lines))


def _parsed(text: str) -> Any:
    """What the index makes of a file. Raises `EditRefused`."""
    from indexer.frontmatter import Parsed, parse

    found = parse(text, "the article")
    if not isinstance(found, Parsed):
        raise EditRefused("front_broken", {"line": found[0].line}, found=found[0])
    return found


def _must_say(old: str, new: str, **changed: object) -> None:
    before, after = _parsed(old), _parsed(new)
    if (
        after.front.model_dump() != {**before.front.model_dump(), **changed}
        or after.body != before.body
    ):
        raise EditRefused("front_by_hand")


def _reads_as(written: str, text: str) -> bool:
    try:
        return bool(yaml.safe_load(f"- {written}\n") == [text])
    except yaml.YAMLError:
        return False


def _escape(char: str) -> str:
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
