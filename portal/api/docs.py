"""`GET /api/v1/docs`: the OpenAPI document as a page for people, made of nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template

from portal.api.openapi import here
from portal.api.search import read_locale
from portal.i18n import current_locale, use_locale

_METHODS = ("get", "post", "put", "patch", "delete")
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter or a property: a row of a table."""

    name: str
    kind: str
    """What it may be: `integer, 1 to 3`, or the name of a schema described below."""
    schema: str
    """The schema's name where `kind` is one, else empty."""
    required: bool
    about: str


@dataclass(frozen=True, slots=True)
class Body:
    """What is sent or answered: its media type, its schema by name or by fields, an example."""

    media: str
    fields: tuple[Field, ...]
    schema: str
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """A response by its status."""

    status: str
    about: str
    headers: tuple[str, ...]
    bodies: tuple[Body, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path."""

    id: str
    method: str
    path: str
    summary: str
    about: str
    parameters: tuple[Field, ...]
    bodies: tuple[Body, ...]
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Schema:
    """A named schema with its properties."""

    name: str
    about: str
    kind: str
    fields: tuple[Field, ...]


def add_routes(blueprint: Blueprint) -> None:
    blueprint.add_url_rule("/docs", "docs", page)


def page() -> str:
    """The page in the language of `lang`, else of the reader; the document itself is in English."""
    use_locale(read_locale("lang") or current_locale())
    found = here()
    return render_template(
        "api/docs.html",
        info=found["info"],
        operations=list(operations(found)),
        schemas=list(schemas(found)),
    )


def operations(found: Json) -> Iterator[Operation]:
    """Every operation, in the document's order."""
    for path, methods in found["paths"].items():
        for method in _METHODS:
            if (one := methods.get(method)) is None:
                continue
            yield Operation(
                id=one["operationId"],
                method=method.upper(),
                path=path,
                summary=one["summary"],
                about=one.get("description", ""),
                parameters=tuple(_parameter(each) for each in one.get("parameters", ())),
                bodies=tuple(_bodies(one.get("requestBody", {}))),
                answers=tuple(
                    _answer(status, _resolve(found, response))
                    for status, response in one["responses"].items()
                ),
            )


def schemas(found: Json) -> Iterator[Schema]:
    """Every named schema."""
    for name, schema in found["components"]["schemas"].items():
        fields = tuple(_properties(schema))
        yield Schema(name, schema.get("description", ""), "" if fields else _kind(schema), fields)


def _resolve(found: Json, node: Json) -> Json:
    if (pointer := node.get("$ref")) is None:
        return node
    target: Any = found
    for part in pointer.removeprefix("#/").split("/"):
        target = target[part]
    resolved: Json = target
    return resolved


def _parameter(one: Json) -> Field:
    return _field(one["name"], one["schema"], one.get("required", False), one.get("description"))


def _properties(schema: Json) -> Iterator[Field]:
    required = schema.get("required", ())
    for name, value in schema.get("properties", {}).items():
        yield _field(name, value, name in required, None)


def _field(name: str, schema: Json, required: bool, about: str | None) -> Field:
    return Field(
        name, _kind(schema), _schema_name(schema), required,
        about or schema.get("description", ""),
    )  # fmt: skip


def _answer(status: str, response: Json) -> Answer:
    headers = tuple(
        f"{name}: {header.get('description', '')}"
        for name, header in response.get("headers", {}).items()
    )
    return Answer(status, response["description"], headers, tuple(_bodies(response)))


def _bodies(owner: Json) -> Iterator[Body]:
    for media, content in owner.get("content", {}).items():
        schema = content.get("schema", {})
        examples = tuple(
            json.dumps(example["value"], ensure_ascii=False, indent=2)
            for example in content.get("examples", {}).values()
        )
        yield Body(media, tuple(_properties(schema)), _schema_name(schema), examples)


def _schema_name(schema: Json) -> str:
    """The named schema that is meant, also among alternatives or as what a list holds."""
    for one in (schema, schema.get("items", {}), *schema.get("oneOf", ())):
        if pointer := one.get("$ref"):
            return str(pointer).rpartition("/")[2]
    return ""


def _kind(schema: Json) -> str:
    """What a value may be, in a few words."""
    if "$ref" in schema:
        return _schema_name(schema)
    if "const" in schema:
        return json.dumps(schema["const"])
    if "oneOf" in schema:
        return " | ".join(_kind(one) for one in schema["oneOf"])
    if "enum" in schema:
        return " | ".join(json.dumps(value, ensure_ascii=False) for value in schema["enum"])
    kinds = schema.get("type", "any")
    text = " | ".join(kinds) if isinstance(kinds, list) else str(kinds)
    if "items" in schema:
        text += f" of {_kind(schema['items'])}"
    for low, high in (("minimum", "maximum"), ("minLength", "maxLength")):
        if low in schema or high in schema:
            text += f", {schema.get(low, '…')}–{schema.get(high, '…')}"
    return f"{text}, {schema['format']}" if "format" in schema else text
