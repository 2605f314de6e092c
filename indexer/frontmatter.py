"""Reads front matter and says for every mistake the line and field it stands in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import yaml
from pydantic import ValidationError

from indexer.messages import FIELDS, MENDS
from indexer.problems import Problem, problem
from indexer.schema import FrontMatter

_FENCE = "---"
Location = tuple[int | str, ...]

# Without dates, which the schema reads and can say the field of.
_RESOLVERS = {
    first: [pair for pair in pairs if pair[0] != "tag:yaml.org,2002:timestamp"]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
# What PyYAML and libyaml read differently: tabs, flow mappings, tags, anchors, aliases, block
# texts, directives, explicit keys, and sequences begun one within another.
_PARTICULAR = re.compile(
    r"[\t\ufeff{}]|(?:^|[\s\[\],:-])[!&*|>]|^%|^[\s-]*\?(?:\s|$)|(?:-\s+){9}", re.MULTILINE
)
_BEGUN = {
    "while scanning a quoted": "yaml_open",
    "while parsing a flow": "yaml_open",
    "while scanning a simple key": "yaml_key",
}
"""What mends a thing that was begun and not ended, by what YAML says it was reading."""
_DEEPEST = 1000  # brackets; libyaml would nest them until the stack is full


class _Loader(yaml.SafeLoader):
    """YAML without aliases, which a page of text never needs and which may go round in circles."""

    yaml_implicit_resolvers = _RESOLVERS

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "`*` at the start of a value", mark)
        return super().compose_node(parent, index)


class _FastLoader(yaml.CSafeLoader):
    """The same by libyaml, several times faster, for what both read alike."""

    yaml_implicit_resolvers = _RESOLVERS


@dataclass(frozen=True, slots=True)
class Parsed:
    """A file's front matter, its body, and the line each of them starts on (1-based)."""

    front: FrontMatter
    body: str
    body_line: int
    lines: dict[Location, int]

    def line(self, *location: int | str) -> int:
        """The line of a field such as `("policy", 0, "section")`, else of what encloses it."""
        for end in range(len(location), 0, -1):
            if (line := self.lines.get(location[:end])) is not None:
                return line
        return 1


def parse(text: str, path: str) -> Parsed | list[Problem]:
    """The parsed file, or every problem found in its front matter."""
    lines = text.removeprefix("\ufeff").splitlines()
    if not lines or lines[0].rstrip() != _FENCE:
        return [problem(path, 1, "", "front_missing")]
    try:
        end = next(i for i, line in enumerate(lines[1:], 1) if line.rstrip() == _FENCE)
    except StopIteration:
        return [problem(path, 1, "", "front_open")]
    source, body = "\n".join(lines[1:end]), "\n".join(lines[end + 1 :])
    if source.count("[") <= _DEEPEST and not _PARTICULAR.search(source):
        outcome = _read(_FastLoader, source, path)
        if not isinstance(outcome, list):
            return Parsed(outcome[0], body, end + 2, outcome[1])
    # Mistakes are told in the words of PyYAML, with the place it gives them.
    outcome = _read(_Loader, source, path)
    return outcome if isinstance(outcome, list) else Parsed(outcome[0], body, end + 2, outcome[1])


def _read(
    load: type[_Loader | _FastLoader], source: str, path: str
) -> tuple[FrontMatter, dict[Location, int]] | list[Problem]:
    """The fields and the line of each of them, or every problem."""
    try:
        loader = load(source)
        root = loader.get_single_node()
        data = loader.construct_document(root) if root is not None else None
    except Exception as error:  # YAML's own errors, and what its explicit tags and nesting raise
        return [_syntax_problem(error, path)]
    if not isinstance(root, yaml.MappingNode) or not isinstance(data, dict):
        return [problem(path, 2, "", "front_form")]
    where: dict[Location, int] = {}
    problems: list[Problem] = []
    _collect_lines(root, (), where, path, problems)
    try:
        front = FrontMatter.model_validate(_plain(data))
    except ValidationError as error:
        problems += [_field_problem(item, where, path) for item in error.errors()]
    return problems or (front, where)


def _collect_lines(
    node: yaml.Node, location: Location, where: dict[Location, int], path: str, out: list[Problem]
) -> None:
    where.setdefault(location, node.start_mark.line + 2)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = (*location, str(key.value))
            line = key.start_mark.line + 2
            if inner in where:
                out.append(problem(path, line, str(key.value), "field_twice"))
            where[inner] = line
            _collect_lines(value, inner, where, path, out)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            _collect_lines(value, (*location, number), where, path, out)


def _plain(value: Any) -> Any:
    """YAML's lists as tuples and explicit date-times as dates, as the schema wants them."""
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return tuple(_plain(inner) for inner in value)
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    return value


def _syntax_problem(error: Exception, path: str) -> Problem:
    mark = getattr(error, "problem_mark", None)
    message = getattr(error, "problem", None) or str(error).partition("\n")[0]
    context = getattr(error, "context", None) or ""
    mend = "front_yaml.mend" if message.startswith("mapping values") else "yaml_other"
    for begun, other in _BEGUN.items():
        if context.startswith(begun):  # YAML notices only where what was begun should have ended
            mark, mend = getattr(error, "context_mark", mark), other
    line = mark.line + 2 if mark is not None else 2
    return problem(path, line, "", "front_yaml", {"reason": message}, mends=(mend,))


def _field_problem(item: Any, where: dict[Location, int], path: str) -> Problem:
    location: Location = tuple(item["loc"])
    line = 1
    for end in range(len(location), 0, -1):
        if location[:end] in where:
            line = where[location[:end]]
            break
    name = ".".join(str(part) for part in location)
    top = str(location[0]) if location else ""
    own = (f"field.{top}",) if top in MENDS else ()
    kind = item["type"]
    if kind == "missing":
        mends = ("field_missing.mend", *own)
        return problem(path, line, name, "field_missing", {"name": location[-1]}, mends=mends)
    if kind == "extra_forbidden":
        fields = ", ".join(FrontMatter.model_fields)
        return problem(path, line, name, "field_unknown", {"fields": fields})
    is_number = kind == "string_type" and isinstance(item["input"], int | float)
    values = {"value": item["input"]}
    if is_number and top != "closes":  # quotes would make no gap of it
        return problem(path, line, name, "value.string_type", values, mends=("quote",))
    code = f"value.{kind if kind in FIELDS else 'other'}"
    return problem(path, line, name, code, _spoken_of(item), mends=own)


def _spoken_of(item: Any) -> dict[str, object]:
    """What the sentence about a wrong value speaks of."""
    found = dict(item.get("ctx") or {})
    choices = found.get("expected") or found.get("expected_schemes") or ""
    reason = found.pop("error", "") or _sentence(item["msg"])
    return {**found, "choices": str(choices).replace(" or ", ", "), "reason": reason}


def _sentence(message: str) -> str:
    return message[:1].lower() + message[1:]
