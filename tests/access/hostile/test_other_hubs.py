"""What one hub gave is worth nothing at another: the same people, the same apps, another record.

Browsers send cookies to every port of a host, so a session of one hub arrives at the other too.
"""

from __future__ import annotations

import time
from pathlib import Path

from tests.access.beside import at_desk
from tests.access.hostile.conftest import REDIRECT, furnish
from tests.access.hostile.lab import PASSWORD, Lab
from tests.access.hostile.visitor import App, Visitor, forms
from tests.rest.running import running


def refused(lab: Lab, token: str) -> None:
    since = time.time()
    bearer = {"authorization": f"Bearer {token}"}
    assert lab.anybody.get("/Patient/wang", headers=bearer).status_code == 401
    assert lab.refusals(since)


def test_what_another_hub_gave_is_worth_nothing_here(lab: Lab, visitor: Visitor, tmp_path: Path):
    with running(tmp_path, auth="on") as hub:
        at_desk(tmp_path / "data", furnish)
        other = Lab(hub, tmp_path / "data")
        token = other.token("li.wei")
        # One that says it is from here: our issuer, our audience, the other's key.
        pretending = other.token("li.wei", base=lab.base)
        visitor.site = hub.url
        app = App(hub.url, "app", REDIRECT)
        refresh = app.redeem(app.code(visitor, "wang", PASSWORD)).json()["refresh_token"]
        code = app.code(visitor, "wang", PASSWORD)
    refused(lab, token)
    refused(lab, pretending)
    since = time.time()
    here = App(lab.hub.url, "app", REDIRECT, verifier=app.verifier)
    assert here.redeem(code).json()["error"] == "invalid_grant"
    assert here.refresh(refresh).json()["error"] == "invalid_grant"
    assert lab.refusals(since, subtype="token")
    assert lab.refusals(since, subtype="refresh")
    page = visitor.open(here.address())
    assert any("password" in dict(one.fields) for one in forms(page)), "a foreign session counted"
