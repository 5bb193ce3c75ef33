"""Patches cannot grow a resource without bound."""

from __future__ import annotations

import json as plain_json

import pytest

from hub.context import Context
from hub.errors import HubError
from hub.interactions import json_patch
from hub.messages import render
from hub.storage.port import Store
from tests.interactions.conftest import door_over, patient


def patch_of(*operations: dict[str, object]) -> json_patch.JsonPatch:
    return json_patch.parse(plain_json.dumps(operations).encode())


def test_copies_of_one_long_text_are_stopped() -> None:
    copies = [{"op": "copy", "from": "/a/0", "path": "/a/-"}] * 5000
    patch = patch_of({"op": "add", "path": "/a", "value": ["x" * 1_000_000]}, *copies)
    with pytest.raises(HubError) as caught:
        json_patch.apply(patch, {})
    assert caught.value.issues[0].message == "patch-too-big"


def test_a_long_text_can_be_added_and_copied_once() -> None:
    text = "x" * 4_000_000
    patch = patch_of(
        {"op": "add", "path": "/a", "value": text},
        {"op": "copy", "from": "/a", "path": "/b"},
    )
    assert json_patch.apply(patch, {})["b"] == text


async def test_patch_after_patch_stays_below_the_body_limit(store: Store, ctx: Context) -> None:
    door = door_over(store, body_limit=64 * 1024)
    made = await door.create(ctx, "Patient", patient(name=[{"text": "x" * 20_000}]))
    assert made.stored is not None
    id = made.stored.id
    double = patch_of({"op": "copy", "from": "/name/0", "path": "/name/-"})
    for _ in range(2):
        await door.patch(ctx, "Patient", id, double)
    with pytest.raises(HubError) as caught:
        await door.patch(ctx, "Patient", id, double)
    assert caught.value.status == 413
    issue = caught.value.issues[0]
    assert issue.message == "patch-over-limit"
    assert render(issue.message, issue.arguments, "zh-CN")
    assert (await door.read(ctx, "Patient", id)).version == 3
