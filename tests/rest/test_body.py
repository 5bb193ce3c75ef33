"""Bodies are taken in within limits of size and time."""

from __future__ import annotations

import asyncio
import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import HubError
from hub.rest.body import Budget, ClientGone, Intake
from hub.rest.exchange import Message, Receive
from hub.settings import Settings

SETTINGS = Settings(body_timeout=0.2, body_rate=1024 * 1024)


def _receive(*pieces: bytes, end: str = "http.request") -> Receive:
    messages: list[Message] = [
        {"type": "http.request", "body": piece, "more_body": True} for piece in pieces
    ]
    messages.append({"type": end, "body": b"", "more_body": False})
    stream = iter(messages)

    async def receive() -> Message:
        return next(stream)

    return receive


def _intake(*pieces: bytes, limit: int = 1000, end: str = "http.request", **headers: str) -> Intake:
    sent = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    return Intake(_receive(*pieces, end=end), sent, SETTINGS, Budget(limit))


async def test_a_body_is_joined_from_its_pieces() -> None:
    assert await _intake(b"ab", b"", b"cd").read(100) == b"abcd"


async def test_a_declared_length_over_the_limit_is_refused_unread() -> None:
    intake = _intake(b"x", content_length="101")
    with pytest.raises(HubError) as refused:
        await intake.read(100)
    assert refused.value.status == 413
    assert not intake.complete


async def test_a_body_that_grows_over_the_limit_is_refused() -> None:
    with pytest.raises(HubError) as refused:
        await _intake(b"x" * 60, b"x" * 60).read(100)
    assert refused.value.status == 413


async def test_a_client_that_goes_away_is_no_error_of_ours() -> None:
    with pytest.raises(ClientGone):
        await _intake(b"ab", end="http.disconnect").read(100)


async def test_a_body_that_does_not_come_is_given_up() -> None:
    async def never() -> Message:
        await asyncio.sleep(60)
        raise AssertionError

    with pytest.raises(HubError) as refused:
        await Intake(never, {}, SETTINGS, Budget(100)).read(100)
    assert refused.value.status == 408


async def test_a_dripping_body_is_given_up_although_it_moves() -> None:
    async def drip() -> Message:
        await asyncio.sleep(0.05)
        return {"type": "http.request", "body": b"x", "more_body": True}

    with pytest.raises(HubError) as refused:
        await Intake(drip, {}, SETTINGS, Budget(100)).read(100)
    assert refused.value.status == 408


async def test_bodies_together_stay_within_the_budget() -> None:
    budget = Budget(100)
    first = Intake(_receive(b"x" * 80), {}, SETTINGS, budget)
    await first.read(100)
    with pytest.raises(HubError) as refused:
        await Intake(_receive(b"x" * 80), {}, SETTINGS, budget).read(100)
    assert refused.value.status == 503
    first.release()
    assert await Intake(_receive(b"x" * 80), {}, SETTINGS, budget).read(100) == b"x" * 80


async def test_gzip_is_unpacked() -> None:
    data = b"abc" * 100
    packed = gzip.compress(data)
    assert await _intake(packed[:7], packed[7:], content_encoding="gzip").read(300) == data


async def test_a_gzip_bomb_is_stopped_at_the_limit() -> None:
    bomb = gzip.compress(b"\0" * 50_000_000, 9)
    intake = _intake(bomb, limit=10_000_000, content_encoding="gzip")
    with pytest.raises(HubError) as refused:
        await intake.read(1_000_000)
    assert refused.value.status == 413


@pytest.mark.parametrize(
    "packed",
    [
        b"no gzip",
        gzip.compress(b"abc")[:-1],
        gzip.compress(b"abc") + b"x",
        gzip.compress(b"abc") * 2,
        zlib.compress(b"abc"),
        b"",
        b"\x1f\x8b",
    ],
)
async def test_broken_gzip_is_refused(packed: bytes) -> None:
    with pytest.raises(HubError) as refused:
        await _intake(packed, content_encoding="gzip").read(100)
    assert refused.value.status == 400


async def test_other_encodings_are_unsupported() -> None:
    with pytest.raises(HubError) as refused:
        await _intake(b"x", content_encoding="br").read(100)
    assert refused.value.status == 415


@given(st.binary(max_size=2000), st.integers(1, 50))
def test_what_was_packed_comes_out_whole(data: bytes, size: int) -> None:
    packed = gzip.compress(data)
    pieces = [packed[at : at + size] for at in range(0, len(packed), size)]
    read = _intake(*pieces, limit=5000, content_encoding="gzip").read(5000)
    assert asyncio.run(read) == data


async def test_the_rest_of_a_body_is_thrown_away_within_bounds() -> None:
    intake = _intake(b"x" * 50, b"x" * 50, b"x" * 50)
    await intake.discard(1.0, 60)
    assert not intake.complete
    await intake.discard(1.0, 1000)
    assert intake.complete
