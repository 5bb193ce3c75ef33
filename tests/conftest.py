"""Shared by all tests: material and system parts that a machine may lack.

A test marked `system("chromium")` or `shared` is skipped by name where the part or the
conformance material is missing, and listed at the end; with CI=true a missing system part is
a failure.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.driver import Chromium, browser


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of conformance material that HUB_SHARED names."""
    return Path(os.environ["HUB_SHARED"])


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """A real browser; a test that wants it is marked `system("chromium")`."""
    with browser(tmp_path_factory.mktemp("chromium")) as found:
        yield found


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
