"""Watches what the product's client sends in any test, and fails the test whose requests the vendor does not document.

A test that sends something else on purpose says so: `pytestmark = pytest.mark.off_contract("why")`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from reconciler.model.http import Request, Response
from reconciler.remote.client import Client
from tests.contract.checker import check_request

_once = Client._once

ADVICE = (
    "A request that the product sent is not what the vendor documents. If the documentation is wrong, add an entry "
    "with its source to tests/contract/exceptions.py."
)


@contextmanager
def watched() -> Iterator[dict[str, Request]]:
    """Collect the problems of every request that is sent inside, each with the request that has it."""
    problems: dict[str, Request] = {}

    async def once(client: Client, request: Request) -> Response:
        for problem in check_request(request.method, request.path, dict(request.query), request.body):
            problems[problem] = request
        return await _once(client, request)

    with patch.object(Client, "_once", once):
        yield problems
