"""Hubs that run for the tests of the REST edge."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.rest.running import RunningHub, running

LIMIT = 256 * 1024


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """A hub over the memory store, with small limits."""
    with running(
        tmp_path_factory.mktemp("hub"),
        store="memory",
        body_limit=str(LIMIT),
        body_budget=str(8 * LIMIT),
        header_limit="16KB",
        header_timeout="1",
        body_timeout="1",
        binary_limit="8MB",
        cors="https://app.example",
    ) as found:
        yield found
        assert found.unexpected_errors() == 0, found.tracebacks()


@pytest.fixture(scope="session")
def open_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """A hub without authentication."""
    with running(tmp_path_factory.mktemp("open"), store="memory", auth="off") as found:
        yield found
        assert found.unexpected_errors() == 0, found.tracebacks()


@pytest.fixture
def fhir(hub: RunningHub) -> httpx.Client:
    """A client of the FHIR base."""
    return hub.client


@pytest.fixture
def patient(fhir: httpx.Client) -> dict[str, Any]:
    """A stored patient."""
    made: dict[str, Any] = fhir.post(
        "/Patient",
        json={"resourceType": "Patient", "name": [{"family": "张", "given": ["小明"]}]},
        headers={"content-type": "application/fhir+json"},
    ).json()
    return made
