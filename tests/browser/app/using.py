"""What a person does on the hub's pages and in the app, and what the app gets."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.browser.app.serving import App, LibraryMissing, serving
from tests.browser.driver import Page


@contextmanager
def app_or_skip() -> Iterator[App]:
    """The app until the block ends; without its library the test is skipped, in CI it fails."""
    try:
        with serving() as app:
            yield app
    except LibraryMissing as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))


def log_in(page: Page, name: str, password: str) -> None:
    """Fill the login page."""
    page.type("input[name=username]", name)
    page.type("input[name=password]", password)
    page.press("Enter", leaves=True)


def allow(page: Page) -> None:
    """Agree on the consent page, and wait for the app to show what it got."""
    page.click("button[name=answer][value=allow]", leaves=True)
    page.wait_for("body[data-state]")
    assert page.run("document.body.dataset.state") == "ready", page.text()


def asked(page: Page, url: str) -> Any:
    """What the app gets: a resource, or `{refused: status}`."""
    return page.run(f"asked({json.dumps(url)})")


def token(page: Page) -> dict[str, Any]:
    """The token's answer as the library keeps it."""
    found: dict[str, Any] = page.run("client.state.tokenResponse")
    return found
