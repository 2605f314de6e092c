"""Nothing is changed through the pages for editors without a line in the audit trail."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

import portal.editor
from portal.editor.audit_words import action_names

_FOLDER = Path(portal.editor.__file__).parent
_CHANGES_NOTHING = {
    "draft_check",  # examines what stands in the field, without writing it
    "draft_preview",
}


def modules() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(_FOLDER.glob("*.py")):
        yield path, ast.parse(path.read_text("utf-8"))


def calls(node: ast.AST) -> set[str]:
    """Names that are called or passed on within a function."""
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}


def audited() -> set[tuple[str, str]]:
    """Module and name of every function that records a deed, itself or by another of them."""
    functions = {
        (f"portal.editor.{path.stem}", node.name): calls(node)
        for path, tree in modules()
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
    }
    names = {"audit"}
    while True:
        more = {name for (_, name), used in functions.items() if used & names} | names
        if more == names:
            return {key for key, used in functions.items() if used & names}
        names = more


def test_whatever_is_posted_is_recorded(app: Flask) -> None:
    known = audited()
    forgotten = []
    for rule in app.url_map.iter_rules():
        name = rule.endpoint.removeprefix("editor.")
        if "POST" in (rule.methods or ()) and rule.endpoint.startswith("editor."):
            view = inspect.unwrap(app.view_functions[rule.endpoint])
            function = view.__qualname__.partition(".")[0]
            if (view.__module__, function) not in known and name not in _CHANGES_NOTHING:
                forgotten.append(name)
    assert forgotten == []


def recorded() -> set[str]:
    """The actions that the pages record, as far as they are written out."""
    found = set()
    for path, tree in modules():
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                continue
            if node.func.id == "audit" and isinstance(node.args[0], ast.Constant):
                found.add(str(node.args[0].value))
        if path.stem == "gap":
            found |= {
                f"gap.{node.value.elts[0].value}"
                for node in ast.walk(tree)
                if isinstance(node, ast.Return)
                and isinstance(node.value, ast.Tuple)
                and len(node.value.elts) == 3
                and isinstance(node.value.elts[0], ast.Constant)
            }
    return found


def test_every_action_has_a_name(app: Flask) -> None:
    with app.test_request_context("/zh-Hans/"):
        names = action_names()
        chinese = dict(names)
    with app.test_request_context("/en/"):
        assert recorded() == set(names)
        english = action_names()
    assert all(chinese[key] != english[key] for key in names)


@pytest.mark.parametrize("word", ["sign_in.failed", "gap.split", "draft.published"])
def test_the_scan_finds_what_is_recorded(word: str) -> None:
    assert word in recorded()
