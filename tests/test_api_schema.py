"""The REST interface against its own schema: schemathesis invents requests for every operation; none makes a server error, and
every answer is as the schema says. Fixed seed, so that a failure is one tomorrow too."""

from typing import Any

import pytest
import schemathesis
from django.test import Client
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from orders.models import Order
from wechat.models import Account, ApiKey
from wechat.models.access import SCOPES
from wechat.simulator.server import SimulatorServer
from wxhub.wsgi import application

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = 15  # of each operation
effort = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def schema(account: Account, order: Order, simulator: SimulatorServer) -> Any:
    """As the site itself gives it."""
    return schemathesis.openapi.from_wsgi("/api/schema/", application)


def operations(schema: Any) -> list[Any]:
    return [result.ok() for result in schema.get_all_operations()]


@pytest.mark.parametrize("scopes", [sorted(SCOPES), []], ids=["with a key", "with a key that may do nothing"])
def test_every_operation_keeps_to_the_schema(scopes: list[str], schema: Any) -> None:
    _row, key = ApiKey.make("schemathesis", scopes)
    found = operations(schema)
    assert len(found) >= 6
    for operation in found:

        @seed(7)
        @effort
        @given(case=operation.as_strategy())
        def holds(case: Any) -> None:
            case.call_and_validate(headers={"Authorization": f"Api-Key {key}"}, checks=CHECKS)

        holds()


def test_without_a_key_every_operation_is_refused(schema: Any, client: Client) -> None:
    for operation in operations(schema):
        path = operation.path.replace("{orderid}", "77")
        ask = getattr(client, operation.method)
        assert ask(path, {}, content_type="application/json").status_code in (200, 403), operation.label
        if not path.startswith("/api/schema"):
            assert ask(path, {}, content_type="application/json").status_code == 403, operation.label
