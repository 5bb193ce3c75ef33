from __future__ import annotations

import json as plain_json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hub.errors import HubError
from hub.interactions import json_patch
from hub.messages import render
from hub.model import json

CASES = Path(__file__).parents[1] / "cases" / "interactions" / "json_patch.json"


def cases() -> list[Any]:
    found = plain_json.loads(CASES.read_text(encoding="utf-8"), parse_float=Decimal)
    return [pytest.param(case, id=case["name"]) for case in found]


@pytest.mark.parametrize("case", cases())
def test_rfc_6902(case: dict[str, Any]) -> None:
    patch = json.encode(case["patch"])
    if "error" in case:
        with pytest.raises(HubError) as caught:
            json_patch.apply(json_patch.parse(patch), case["doc"])
        issue = caught.value.issues[0]
        assert issue.message == case["error"]
        assert caught.value.status == (400 if case["error"] == "patch-syntax" else 422)
        assert render(issue.message, issue.arguments)
    else:
        assert json_patch.apply(json_patch.parse(patch), case["doc"]) == case["expected"]


def test_numbers_keep_their_digits() -> None:
    document = json.decode(b'{"a":1.00,"b":[2.50]}')
    patch = json_patch.parse(
        b'[{"op":"copy","from":"/a","path":"/c"},{"op":"add","path":"/d","value":3.10}]'
    )
    patched = json_patch.apply(patch, document)
    assert json.encode(patched) == b'{"a":1.00,"b":[2.50],"c":1.00,"d":3.10}'
    assert isinstance(patched["d"], Decimal)


def test_a_patch_can_be_applied_twice() -> None:
    patch = json_patch.parse(
        b'[{"op":"add","path":"/a","value":{"b":[]}},{"op":"add","path":"/a/b/-","value":1}]'
    )
    assert json_patch.apply(patch, {}) == {"a": {"b": [1]}}
    assert json_patch.apply(patch, {}) == {"a": {"b": [1]}}


def test_copies_that_double_a_document_are_stopped() -> None:
    operations = [{"op": "add", "path": "/a", "value": [0] * 10}] + [
        {"op": "copy", "from": "/a", "path": "/a/-"} for _ in range(60)
    ]
    patch = json_patch.parse(plain_json.dumps(operations).encode())
    with pytest.raises(HubError) as caught:
        json_patch.apply(patch, {})
    assert caught.value.issues[0].message == "patch-too-big"


def test_nesting_by_moves_is_stopped() -> None:
    # Each round puts the whole of `a` below a new `a`, so that the depth grows by one.
    operations: list[dict[str, Any]] = [{"op": "add", "path": "/a", "value": {}}]
    for _ in range(120):
        operations += [
            {"op": "add", "path": "/b", "value": {}},
            {"op": "move", "from": "/a", "path": "/b/a"},
            {"op": "move", "from": "/b", "path": "/a"},
        ]
    patch = json_patch.parse(json.encode(operations))
    with pytest.raises(HubError) as caught:
        json_patch.apply(patch, {})
    assert caught.value.issues[0].message == "patch-too-big"


@pytest.mark.parametrize("text", [b"[]}", b'[],"x":1', b'[],"patch":[]', b"", b"[", b'"x"'])
def test_only_an_array_is_a_patch(text: bytes) -> None:
    with pytest.raises(HubError) as caught:
        json_patch.parse(text)
    assert caught.value.status == 400


def test_a_byte_order_mark_is_no_hindrance() -> None:
    assert json_patch.parse(b"\xef\xbb\xbf[]").operations == ()
