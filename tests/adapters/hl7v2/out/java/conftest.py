"""HAPI HL7v2, compiled once."""

from __future__ import annotations

import os

import pytest

from tests.adapters.hl7v2.out.java.hapi import Hapi
from tests.system_parts import HAPI


@pytest.fixture(scope="session")
def hapi(tmp_path_factory: pytest.TempPathFactory) -> Hapi:
    """A test that wants it is marked `system("javac")`."""
    if not any(HAPI.glob("hapi-base-*.jar")):
        message = "HAPI HL7v2 is not fetched (see tests/system_parts.py)"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return Hapi(HAPI, tmp_path_factory.mktemp("classes"))
