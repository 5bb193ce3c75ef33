"""What may be changed, by whoever may read only a part of that; and deletes that find nothing."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from hub.access.scopes import resource_scopes
from hub.context import Context
from hub.errors import NotFound
from hub.interactions import Interactions, json_patch
from hub.principal import Principal
from hub.storage.port import AuditQuery

WEIGHT: dict[str, Any] = {
    "resourceType": "Observation",
    "status": "final",
    "category": [{"coding": [{"code": "vital-signs"}]}],
    "code": {"text": "weight"},
}


def acting(ctx: Context, scope: str) -> Context:
    """As an administrator with an app of some scopes."""
    who = Principal("x", frozenset(("admin",)), scopes=resource_scopes(scope), client="app")
    return replace(ctx, principal=who)


async def test_a_patch_shows_no_more_than_a_read(door: Interactions, ctx: Context) -> None:
    await door.update(ctx, "Observation", "w", WEIGHT | {"id": "w"})
    app = acting(ctx, "user/Observation.u user/Observation.rs?category=laboratory")
    for text in (b"[]", b'[{"op": "test", "path": "/status", "value": "final"}]'):
        with pytest.raises(NotFound):
            await door.patch(app, "Observation", "w", json_patch.parse(text))
    whole = acting(ctx, "user/Observation.u user/Observation.rs?category=vital-signs")
    assert (await door.patch(whole, "Observation", "w", json_patch.parse(b"[]"))).status == 200


async def test_a_delete_that_finds_nothing_is_in_the_audit(
    door: Interactions, ctx: Context
) -> None:
    await door.update(ctx, "Observation", "w", WEIGHT | {"id": "w"})
    app = acting(ctx, "user/Observation.ds?category=laboratory")
    before = (await door.store.audit_head(ctx.tenant.key)).row
    assert (await door.delete(app, "Observation", "w")).deleted == 0
    condition = [("code:text", "weight")]
    assert (await door.conditional_delete(app, "Observation", condition)).deleted == 0
    page = await door.store.audit_rows(ctx.tenant.key, AuditQuery(count=10))
    found = [one for row in page.rows if row.row > before for one in row.records]
    assert [(one.interaction, one.entities, one.query) for one in reversed(found)] == [
        ("delete", ("Observation/w",), ""),
        ("delete", ("Observation",), "code%3Atext=weight"),
    ]
    assert await door.read(ctx, "Observation", "w")
