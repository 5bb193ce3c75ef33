"""Jobs in the background: ended with their block, told when they fail."""

from __future__ import annotations

import asyncio

import pytest

from hub.background import running


async def test_a_job_that_fails_is_told_at_once_and_the_rest_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    async with running(fail()):
        for _ in range(3):
            await asyncio.sleep(0)
        assert "a job in the background ended" in caplog.text


async def test_a_job_ends_with_its_block(caplog: pytest.LogCaptureFixture) -> None:
    ended = False

    async def wait() -> None:
        nonlocal ended
        try:
            await asyncio.Event().wait()
        finally:
            ended = True

    async with running(wait()):
        await asyncio.sleep(0)
    assert ended
    assert not caplog.text
