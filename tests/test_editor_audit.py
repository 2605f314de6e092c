"""Nothing is changed through the pages for editors without a line in the audit trail."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

import portal.editor
from editor_session import sign_in
from portal.accounts.trail import COMMAND_LINE
from portal.editor import oidc
from portal.editor.audit_words import action_names, detail_names, reason_names
from portal.services import Services

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
    names = {"audit", "audit_of_run"}
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
            if node.func.id == "audit_of_run":
                found |= {str(ast.literal_eval(argument)) for argument in node.args[:2]}
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


def keys_recorded() -> set[str]:
    """The keys of what is recorded besides: of `audit`, of what is done to gaps, of commands."""
    found = {"run"}  # of `audit_of_run`
    tables: list[ast.AST] = []
    for path, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "audit":
                tables += node.args[2:]
            if path.stem != "gap":
                continue
            if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
                tables += node.value.elts[1:2]
            if isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == "detail":
                tables += [node.value] if node.value else []
    for table in tables:
        if isinstance(table, ast.Dict):
            found |= {str(key.value) for key in table.keys if isinstance(key, ast.Constant)}
    commands = ast.parse((_FOLDER.parent / "cli_users.py").read_text("utf-8"))
    for node in ast.walk(commands):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "_note":
            found |= {one.arg for one in node.keywords if one.arg}
    return found


def test_every_detail_has_a_name(app: Flask) -> None:
    with app.test_request_context("/zh-Hans/"):
        chinese = detail_names()
    with app.test_request_context("/en/"):
        english = detail_names()
    assert keys_recorded() == set(english)
    assert all(chinese[key] != english[key] for key in english)


def test_every_reason_of_the_provider_has_words(app: Flask) -> None:
    places = {"_NotLetIn": 0, "_shut_out": 1}
    said = {
        str(node.args[place].value)
        for _path, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and (place := places.get(getattr(node.func, "id", ""))) is not None
        and isinstance(node.args[place], ast.Constant)
    }
    with app.test_request_context("/en/"):
        assert said | oidc._CODES | {"other"} == set(reason_names())


def test_details_are_told_in_chinese_and_exports_keep_the_keys(
    client: FlaskClient, services: Services
) -> None:
    user = sign_in(client, services, "admin")
    entries: list[tuple[str, dict[str, object]]] = [
        ("user.role", {"from": "reader", "to": "admin", "way": "oidc"}),
        ("gap.kind", {"kind": "outdated"}),
        ("gap.kind", {"kind": ""}),
        ("gap.assigned", {"owner": "", "due": "2026-12-31"}),
        ("gap.moved", {"to": 17, "questions": 2}),
        ("gap.synonym_added", {"said": "<i>x", "meant": "y", "locale": "en"}),
        ("sign_in.failed", {"way": "oidc", "why": "access_denied"}),
        ("later.version", {"unheard_of": "stays"}),
    ]
    for action, detail in entries:
        services.accounts.trail.record(action, "", detail, user_id=user.id, user_name=user.name)
    services.accounts.trail.record("user.added", "x", {}, user_id=None, user_name=COMMAND_LINE)
    page = client.get("/editor/audit?lang=zh-Hans").text
    text = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    for said in (
        "原为 只读 改为 管理员 方式 通过登录服务", "类型 文章过期", "类型 重新建议",
        "负责人 无人负责 期限 2026年12月31日", "移入缺口 17 问题数 2",
        "词 &lt;i&gt;x 也搜 y 语言 English", "原因 拒绝访问", "unheard_of stays", "kb（命令行）",
    ):  # fmt: skip
        assert said in text, said
    assert client.get("/editor/audit?user=kb+(command+line)").text.count("<time") == 1
    assert {"from": "reader", "to": "admin", "way": "oidc"} in [
        row["detail"] for row in client.get("/editor/audit.json").get_json()
    ]


@pytest.mark.parametrize("word", ["sign_in.failed", "gap.split", "draft.published"])
def test_the_scan_finds_what_is_recorded(word: str) -> None:
    assert word in recorded()
