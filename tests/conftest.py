"""Shared by all tests: material and system parts that a machine may lack.

A test marked `system("chromium")` or `shared` is skipped by name where the part or the
conformance material is missing, and listed at the end; with CI=true a missing system part is
a failure.
"""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of conformance material that HUB_SHARED names."""
    return Path(os.environ["HUB_SHARED"])


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "system(part): needs an executable of the system")
    # A shell starts what runs in the background deaf to Ctrl-C, and commands inherit that.
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("shared") and not os.environ.get("HUB_SHARED"):
        pytest.skip("HUB_SHARED names no conformance material")
    for marker in item.iter_markers("system"):
        part = marker.args[0]
        if shutil.which(part) is None:
            message = f"{part} is not on this machine (see tests/system_parts.py)"
            if os.environ.get("CI") == "true":
                pytest.fail(message)
            pytest.skip(message)
