"""Patches cannot grow a resource without bound."""

from __future__ import annotations

import json as plain_json
import time

import pytest

from hub.context import Context
from hub.errors import HubError
from hub.fhirpath import Limits
from hub.interactions import fhirpath_patch, json_patch
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


def test_what_is_moved_to_and_fro_without_end_is_stopped() -> None:
    there_and_back = [
        {"op": "move", "from": "/contact", "path": "/c"},
        {"op": "move", "from": "/c", "path": "/contact"},
    ]
    patch = patch_of(*there_and_back * 5000)
    contacts = [{"name": {"text": "x"}} for _ in range(10_000)]
    started = time.process_time()
    with pytest.raises(HubError) as caught:
        json_patch.apply(patch, {"resourceType": "Patient", "contact": contacts})
    assert time.process_time() - started < 2  # 20 s without a bound
    assert caught.value.issues[0].message == "patch-too-big"


def test_a_list_is_not_shifted_without_end() -> None:
    shifts = [{"op": "move", "from": "/a/0", "path": "/a/-"}] * 10_000
    with pytest.raises(HubError) as caught:
        json_patch.apply(patch_of(*shifts), {"a": ["x"] * 1_000_000})
    assert caught.value.issues[0].message == "patch-too-big"


def test_a_list_of_some_length_is_put_in_another_order() -> None:
    shifts = [{"op": "move", "from": "/a/0", "path": "/a/-"}] * 2000
    assert json_patch.apply(patch_of(*shifts), {"a": [*range(2000)]}) == {"a": [*range(2000)]}


def test_a_patch_of_very_many_operations_is_refused() -> None:
    with pytest.raises(HubError) as caught:
        patch_of(*[{"op": "test", "path": "/a", "value": 1}] * 10_001)
    assert caught.value.status == 400
    assert caught.value.issues[0].message == "patch-too-many"


def test_all_paths_of_a_patch_together_take_no_longer_than_one_may(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fhirpath_patch, "LIMITS", Limits(milliseconds=200))
    slow = "descendants().where(%resource.descendants().where($this = 'y').exists())"
    parts = [{"name": "type", "valueCode": "delete"}, {"name": "path", "valueString": slow}]
    operation = {"name": "operation", "part": parts}
    patch = fhirpath_patch.parse({"resourceType": "Parameters", "parameter": [operation] * 1000})
    names = [{"given": ["x"] * 8} for _ in range(8)]
    started = time.process_time()
    with pytest.raises(HubError) as caught:
        fhirpath_patch.apply(patch, {"resourceType": "Patient", "name": names})
    assert time.process_time() - started < 5  # 10 s and more, each path by itself
    assert caught.value.status == 400
    assert caught.value.issues[0].message == "fhirpath-limit-time"
