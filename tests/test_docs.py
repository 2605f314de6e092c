"""The README says what the code does."""

from __future__ import annotations

import re

from click import Group
from flask import Flask

from indexer.schema import schema_table
from portal.cli import cli
from tests_support import README, ROOT

TEXT = README.read_text("utf-8")


def test_the_schema_of_front_matter_is_the_one_in_the_code() -> None:
    assert schema_table() in TEXT


def test_every_command_the_readme_names_exists() -> None:
    for name, sub in re.findall(r"`kb ([a-z]+)(?: ([a-z]+))?", TEXT):
        command = cli.commands.get(name)
        assert command is not None, name
        if isinstance(command, Group) and sub:
            assert sub in command.commands


def test_every_route_the_readme_names_exists(app: Flask) -> None:
    rules = {rule.rule for rule in app.url_map.iter_rules()}
    for route in re.findall(r"`(?:GET |POST )?(/[a-z][\w./]*)`", TEXT):
        assert route in rules, route


def test_every_variable_the_readme_names_is_a_setting() -> None:
    from portal.config import Settings

    known = {str(f.validation_alias or f"KB_{n.upper()}") for n, f in Settings.model_fields.items()}
    for name in set(re.findall(r"\bKB_[A-Z_]+\b", TEXT)):
        assert name in known, name


def test_every_folder_the_readme_lists_exists() -> None:
    layout = TEXT.partition("## Layout")[2]
    names = re.findall(r"^([a-z]+)/ ", layout, re.MULTILINE)
    assert len(names) >= 7
    for name in names:
        assert (ROOT / name).is_dir()


def test_the_parts_that_scripts_write_are_filled() -> None:
    for part in ("transcript", "quality", "schema", "settings"):
        content = re.search(rf"<!-- {part} -->\n(.*?)<!-- /{part} -->", TEXT, re.DOTALL)
        assert content is not None
        assert content[1].strip(), part


def test_every_public_function_has_a_docstring() -> None:
    import ast

    for package in ("search", "indexer", "portal"):
        for path in (ROOT / package).rglob("*.py"):
            if "migrations" in path.parts:
                continue
            tree = ast.parse(path.read_text("utf-8"))
            assert ast.get_docstring(tree) or path.name == "__init__.py", path
            for node in tree.body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    assert ast.get_docstring(node), f"{path}: {node.name}"
