"""Binary: content inline and as a blob."""

from __future__ import annotations

import base64
import hashlib

import pytest

from hub.context import Context
from hub.errors import HubError, TooLarge, Unprocessable
from hub.interactions import Interactions, binary
from hub.interactions.answer import resource_of
from hub.interactions.json_patch import parse
from hub.storage.port import Store
from tests.interactions.conftest import door_over

BIG = bytes(range(256)) * 1024


def made(content: bytes, **more: object) -> dict[str, object]:
    data = base64.b64encode(content).decode()
    return {"resourceType": "Binary", "contentType": "image/png", "data": data} | more


@pytest.mark.parametrize("content", [b"", b"small", BIG])
async def test_content_comes_back(door: Interactions, ctx: Context, content: bytes) -> None:
    resource = made(content)
    if not content:
        del resource["data"]
    changed = await door.create(ctx, "Binary", resource)
    assert changed.stored is not None
    stored = await door.read(ctx, "Binary", changed.stored.id)
    assert len(stored.tail) < 1000
    held = binary.content_of(stored)
    assert (held.content_type, held.size) == ("image/png", len(content))
    assert b"".join([piece async for piece in held.pieces(door, ctx)]) == content
    assert b"".join([piece async for piece in held.pieces(door, ctx, 1, 3)]) == content[1:3]
    whole = await binary.whole(door, ctx, stored)
    assert base64.b64decode(str(whole.get("data", ""))) == content
    assert "_data" not in whole


async def test_raw_content_is_streamed_into_a_blob(door: Interactions, ctx: Context) -> None:
    writer = await door.store.new_blob(1)
    for start in range(0, len(BIG), 1000):
        await writer.write(BIG[start : start + 1000])
    blob = await writer.finish()
    assert blob.sha256 == hashlib.sha256(BIG).hexdigest()
    changed = await door.create_binary(ctx, "application/pdf", blob)
    assert changed.status == 201
    assert changed.stored is not None
    id = changed.stored.id
    changed = await door.update_binary(ctx, id, "text/plain", b"few", if_match='W/"1"')
    assert changed.status == 200
    first = binary.content_of(await door.vread(ctx, "Binary", id, "1"))
    second = binary.content_of(await door.read(ctx, "Binary", id))
    assert (first.content_type, first.size) == ("application/pdf", len(BIG))
    assert (second.content_type, second.inline) == ("text/plain", b"few")
    with pytest.raises(HubError):
        await door.update_binary(ctx, id, "text/plain", b"few", if_match='W/"1"')


async def test_a_security_context_must_exist(door: Interactions, ctx: Context) -> None:
    with pytest.raises(Unprocessable):
        await door.create_binary(ctx, "text/plain", b"x", "Patient/nobody")
    await door.update(ctx, "Patient", "a", {"resourceType": "Patient", "id": "a"})
    changed = await door.create_binary(ctx, "text/plain", b"x", "Patient/a")
    assert changed.stored is not None
    assert resource_of(changed.stored)["securityContext"] == {"reference": "Patient/a"}


async def test_a_content_type_that_is_none_is_refused(door: Interactions, ctx: Context) -> None:
    with pytest.raises(Unprocessable):
        await door.create_binary(ctx, "no such type", b"x")


async def test_a_client_cannot_point_at_a_blob(door: Interactions, ctx: Context) -> None:
    mark = {"extension": [{"url": binary.MARK, "valueString": f"{'0' * 64} 5"}]}
    for more in ({"_data": mark}, {"_data": mark, "data": "YQ=="}):
        resource = {"resourceType": "Binary", "contentType": "text/plain", **more}
        with pytest.raises(Unprocessable) as caught:
            await door.create(ctx, "Binary", resource)
        assert caught.value.issues[0].message == "blob-mark"
    with pytest.raises(HubError):
        await door.bundle(
            ctx,
            {
                "resourceType": "Bundle",
                "type": "transaction",
                "entry": [
                    {
                        "resource": {
                            "resourceType": "Binary",
                            "contentType": "text/plain",
                            "_data": mark,
                        },
                        "request": {"method": "POST", "url": "Binary"},
                    }
                ],
            },
        )


async def test_a_blob_that_is_not_there_is_refused(door: Interactions, ctx: Context) -> None:
    from hub.storage.port import Blob

    with pytest.raises(HubError) as caught:
        await door.create_binary(ctx, "text/plain", Blob("0" * 64, 100))
    assert caught.value.issues[0].message == "blob-missing"


async def test_a_patch_keeps_big_content(door: Interactions, ctx: Context) -> None:
    changed = await door.create(ctx, "Binary", made(BIG))
    assert changed.stored is not None
    patch = parse(b'[{"op":"replace","path":"/contentType","value":"image/jpeg"}]')
    changed = await door.patch(ctx, "Binary", changed.stored.id, patch)
    assert changed.stored is not None
    held = binary.content_of(changed.stored)
    assert (held.content_type, held.size) == ("image/jpeg", len(BIG))
    assert b"".join([piece async for piece in held.pieces(door, ctx)]) == BIG


async def test_what_is_over_the_body_limit_is_read_raw_only(store: Store, ctx: Context) -> None:
    door = door_over(store, body_limit=100_000)
    changed = await door.create(ctx, "Binary", made(BIG))
    assert changed.stored is not None
    with pytest.raises(TooLarge):
        await binary.whole(door, ctx, changed.stored)


async def test_a_big_binary_in_a_transaction(door: Interactions, ctx: Context) -> None:
    entry = {"resource": made(BIG), "request": {"method": "POST", "url": "Binary"}}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    await door.bundle(ctx, bundle)
    answer = await door.search(ctx, "Binary", ())
    (found,) = answer.entries
    assert found.stored is not None
    assert binary.content_of(found.stored).blob is not None
