"""What a person does on the hub's pages and in the app, and what the app gets."""

from __future__ import annotations

import json
from typing import Any

from tests.browser.driver import Page


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
