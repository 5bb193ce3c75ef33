"""A hub over the SQLite store, and small records in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.rest.running import RunningHub, running

Resource = dict[str, Any]
Store = Callable[[Resource], Resource]

FHIR_JSON = {"content-type": "application/fhir+json"}


@pytest.fixture(scope="session")
def operations_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """A hub that must not meet an error of its own."""
    with running(
        tmp_path_factory.mktemp("operations"), body_limit="1MB", body_budget="8MB"
    ) as found:
        yield found
        assert found.unexpected_errors() == 0, found.tracebacks()


@pytest.fixture
def fhir(operations_hub: RunningHub) -> httpx.Client:
    """A client of the FHIR base that sends FHIR JSON."""
    operations_hub.client.headers.update(FHIR_JSON)
    return operations_hub.client


@pytest.fixture
def store(fhir: httpx.Client) -> Store:
    """Creates a resource and gives it as stored."""

    def create(resource: Resource) -> Resource:
        response = fhir.post(f"/{resource['resourceType']}", json=resource)
        assert response.status_code == 201, response.text
        made: Resource = response.json()
        return made

    return create


@pytest.fixture
def patient(store: Store) -> Resource:
    """A stored patient."""
    return store({"resourceType": "Patient", "name": [{"family": "张", "given": ["小明"]}]})
