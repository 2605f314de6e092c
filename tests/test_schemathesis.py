"""The running API does what its OpenAPI document says, also of what nobody should send."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, settings
from schemathesis.schemas import BaseSchema

from portal.app import create_app
from portal.config import OFF
from portal.services import Services

pytestmark = pytest.mark.slow


@pytest.fixture
def unlimited(services: Services) -> Iterator[Flask]:
    """The app without rate limits, which are tested by themselves."""
    own = services.settings.model_copy(update={"rate_limit": OFF, "write_rate_limit": OFF})
    yield create_app(own, dataclasses.replace(services, settings=own))


@pytest.fixture
def described(unlimited: Flask) -> BaseSchema:
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", unlimited)


schema = schemathesis.pytest.from_fixture("described")


@schema.parametrize()
@settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
def test_every_operation_answers_as_described(case: schemathesis.Case) -> None:
    case.call_and_validate()
