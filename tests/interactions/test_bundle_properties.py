"""A property that R4's Bundle does not have is refused: it may be a misspelt one."""

from __future__ import annotations

from typing import Any

import pytest

from hub.context import Context
from hub.errors import HubError
from hub.interactions import Interactions
from tests.interactions.conftest import patient

WRITE = {"request": {"method": "POST", "url": "Patient"}, "resource": patient()}


def bundle(type: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": type} | more


@pytest.mark.parametrize("type", ["batch", "transaction"])
async def test_entries_instead_of_entry_is_no_empty_bundle(
    type: str, door: Interactions, ctx: Context
) -> None:
    with pytest.raises(HubError) as caught:
        await door.bundle(ctx, bundle(type, entries=[WRITE]))
    assert caught.value.status == 400
    assert caught.value.issues[0].arguments == {"type": "Bundle", "name": "entries"}


@pytest.mark.parametrize(
    "entry",
    [
        WRITE | {"fullURL": "urn:uuid:7f1c1a3e-6b1f-4a5e-9d5e-0d3c0f1f0c11"},
        WRITE | {"request": WRITE["request"] | {"ifNoneExists": "identifier=1"}},
    ],
)
async def test_an_entry_says_which_property_is_not_known(
    entry: dict[str, Any], door: Interactions, ctx: Context
) -> None:
    with pytest.raises(HubError) as caught:
        await door.bundle(ctx, bundle("transaction", entry=[entry]))
    assert caught.value.issues[0].message == "validation-unknown"
    assert caught.value.issues[0].location.startswith("Bundle.entry[0]")
    answer = await door.bundle(ctx, bundle("batch", entry=[entry, WRITE]))
    statuses = [one.response.status for one in answer.entries if one.response]
    assert statuses == ["400 Bad Request", "201 Created"]


async def test_what_else_a_bundle_may_have_is_passed_over(door: Interactions, ctx: Context) -> None:
    more = {"id": "b1", "meta": {}, "timestamp": "2026-03-01T00:00:00Z", "_type": {"id": "t"}}
    entry = WRITE | {"id": "e", "link": [], "search": {}, "extension": []}
    answer = await door.bundle(ctx, bundle("transaction", entry=[entry], **more))
    assert len(answer.entries) == 1
