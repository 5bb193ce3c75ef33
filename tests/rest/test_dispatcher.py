"""The dispatcher where sockets show too little: errors of ours, streams that break, overload."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from hub.app import Hub, build_service, open_door
from hub.interactions.answer import BundleAnswer, Entry, Response
from hub.rest.body import Intake
from hub.rest.dispatcher import Dispatcher, RequestIds
from hub.rest.exchange import Answer, Message, Request
from hub.rest.handlers.bundle import answered
from hub.rest.metrics import Metrics
from hub.rest.origin import Edge
from hub.rest.routes import ROUTES, Interaction
from hub.settings import Settings
from hub.storage.port import DeadlineExceeded, StoreUnavailable, VersionConflict

SETTINGS = Settings(store="memory", in_flight=3)
Ask = Callable[..., Awaitable[list[Message]]]


@pytest.fixture
async def metrics() -> Metrics:
    """The numbers of the dispatcher under test."""
    return Metrics()


@pytest.fixture
async def ask(metrics: Metrics) -> AsyncIterator[Ask]:
    """Sends a GET of /fhir/metadata to a dispatcher and gives the ASGI messages."""
    async with open_door(SETTINGS) as door:
        dispatcher = Dispatcher(
            build_service(door, SETTINGS), Edge(SETTINGS), metrics, None, RequestIds()
        )

        async def get(
            path: str = "/fhir/metadata", method: str = "GET", recorder: bool = False
        ) -> list[Message]:
            dispatcher._recorder = recorder or None  # type: ignore[assignment]
            sent: list[Message] = []

            async def receive() -> Message:
                await asyncio.sleep(3600)
                raise AssertionError

            async def send(message: Message) -> None:
                sent.append(message)

            scope = {
                "type": "http",
                "method": method,
                "raw_path": path.encode(),
                "query_string": b"",
                "headers": [(b"host", b"localhost")],
            }
            await dispatcher(scope, receive, send)
            return sent

        yield get


def _handle(
    monkeypatch: pytest.MonkeyPatch, handler: Callable[[Request], Awaitable[Answer]]
) -> None:
    """Let another handler answer /metadata."""
    route = next(route for route in ROUTES if route.template == "/metadata")
    monkeypatch.setitem(route.methods, "GET", Interaction("capabilities", handler))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (StoreUnavailable("disk full"), 503, "store-unavailable"),
        (StoreUnavailable("gone", uncertain=True), 503, "store-uncertain"),
        (DeadlineExceeded(), 403, "search-too-costly"),
        (VersionConflict(0, "Patient", "1", 2), 409, "commit-refused"),
        (RecursionError(), 500, "error-unexpected"),
        (KeyError("张三"), 500, "error-unexpected"),
    ],
)
async def test_an_error_becomes_an_outcome(
    ask: Ask,
    metrics: Metrics,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    status: int,
    message: str,
) -> None:
    async def fail(request: Request) -> Answer:
        raise error

    _handle(monkeypatch, fail)
    with caplog.at_level(logging.ERROR):
        start, body = await ask()
    assert start["status"] == status
    outcome = json.loads(body["body"])
    assert outcome["issue"][0]["details"]["coding"][0]["code"] == message
    assert "张三" not in body["body"].decode()
    assert metrics.unexpected == (status == 500)
    assert bool(caplog.records) == (status == 500)
    assert metrics.in_flight == 0
    if status == 503:
        assert (b"retry-after", b"1") in start["headers"]


async def test_failed_entries_of_a_bundle_are_counted(
    ask: Ask, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def answer(request: Request) -> Answer:
        response = Response("500 Internal Server Error", unforeseen=True)
        entries = (Entry(response=response), Entry(response=Response("200 OK")), Entry())
        return await answered(request, BundleAnswer("batch-response", entries))

    _handle(monkeypatch, answer)
    start, _ = await ask()
    assert start["status"] == 200
    assert metrics.unexpected == 1


async def _pieces(fail_at: int) -> AsyncGenerator[bytes, None]:
    for number in range(3):
        if number == fail_at:
            raise OSError
        yield b"%d" % number


async def test_a_stream_that_cannot_begin_is_told_in_words(
    ask: Ask, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stream(request: Request) -> Answer:
        return Answer(200, ((b"content-length", b"3"),), _pieces(0))

    _handle(monkeypatch, stream)
    start, _ = await ask()
    assert start["status"] == 500
    assert metrics.unexpected == 1


@pytest.mark.parametrize("how", ["HEAD", "gone", "refused", "broken off"])
async def test_a_stream_that_is_not_sent_to_its_end_is_closed(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    is_open = False

    async def pieces() -> AsyncGenerator[bytes, None]:
        nonlocal is_open
        is_open = True
        try:
            yield b"1"
            await asyncio.sleep(0)
            yield b"2"
            if how == "broken off":
                raise asyncio.CancelledError
            while True:  # Until the client is gone.
                await asyncio.sleep(0)
                yield b"3"
        finally:
            is_open = False

    async def stream(request: Request) -> Answer:
        return Answer(200, (), pieces())

    def refuse(self: Dispatcher, recorder: object, *rest: Any) -> Answer:
        return Answer(503)

    async def leave(self: Intake) -> None:
        await asyncio.sleep(0)

    _handle(monkeypatch, stream)
    if how == "gone":
        monkeypatch.setattr(Intake, "gone", leave)
    if how == "refused":
        monkeypatch.setattr(Dispatcher, "_noted", refuse)
    gc.disable()
    try:
        with suppress(asyncio.CancelledError):
            await ask(method="HEAD" if how == "HEAD" else "GET", recorder=how == "refused")
        assert not is_open
    finally:
        gc.enable()


async def test_a_stream_that_breaks_ends_early(
    ask: Ask, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stream(request: Request) -> Answer:
        return Answer(200, ((b"content-length", b"3"),), _pieces(1))

    _handle(monkeypatch, stream)
    _, *pieces = await ask()
    assert [piece["body"] for piece in pieces] == [b"0"]
    assert pieces[-1]["more_body"]
    assert metrics.unexpected == 1


async def test_head_of_a_stream_has_no_body(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    async def stream(request: Request) -> Answer:
        return Answer(200, ((b"content-length", b"3"),), _pieces(9))

    _handle(monkeypatch, stream)
    monkeypatch.setitem(
        next(route for route in ROUTES if route.template == "/metadata").methods,  # type: ignore[arg-type]
        "HEAD",
        Interaction("capabilities", stream),
    )
    start, body = await ask(method="HEAD")
    assert (b"content-length", b"3") in start["headers"]
    assert body["body"] == b""


async def test_too_many_requests_are_put_off(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = asyncio.Event()

    async def wait(request: Request) -> Answer:
        await go_on.wait()
        return Answer(204)

    _handle(monkeypatch, wait)
    waiting = [asyncio.create_task(ask()) for _ in range(3)]
    await asyncio.sleep(0.05)
    start, _ = await ask()
    assert start["status"] == 503
    go_on.set()
    assert [(await one)[0]["status"] for one in waiting] == [204] * 3


async def test_every_route_names_its_methods() -> None:
    for route in ROUTES:
        assert route.allow.endswith(b"OPTIONS")
        assert ("HEAD" in route.methods) == ("GET" in route.methods)


async def test_a_hub_that_cannot_open_its_store_does_not_start(tmp_path: Any) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    hub = Hub(replace(Settings(), data=blocked / "data"))
    events: list[Message] = []

    async def receive() -> Message:
        return {"type": "lifespan.startup"}

    async def send(message: Message) -> None:
        events.append(message)

    await hub({"type": "lifespan"}, receive, send)
    assert isinstance(hub.failure, OSError)
    assert [event["type"] for event in events] == ["lifespan.startup.failed"]
