"""One front door for all tests here; each test has its own visitors."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.auth.site import Site, Visitor, serving


@pytest.fixture(scope="session")
def _site() -> Iterator[Site]:
    with serving(registration=True) as site:
        yield site


@pytest.fixture
def site(_site: Site) -> Iterator[Site]:
    """The hub, its clock right and its events forgotten."""
    _site.run(_site.forget())
    _site.events.clear()
    yield _site
    _site.shift = 0
    _site.close_browsers()


@pytest.fixture
def visitor(site: Site) -> Visitor:
    """Somebody with an empty browser."""
    return site.visitor()
