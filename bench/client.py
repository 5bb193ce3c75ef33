"""A lean HTTP/1.1 load client: a few keep-alive connections, one request at a time on each.

It decodes nothing but the status and Content-Length, so that on two cores the hub and not the
client is what is measured.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Request:
    """Raw bytes of one request and the statuses that count as success."""

    raw: bytes
    expect: tuple[int, ...] = (200, 201)
    weight: int = 1


def request(method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    """The bytes of a request.

    Args:
        method: HTTP method.
        path: Path and query, percent-encoded.
        body: JSON body, may be empty.
        **headers: More headers; underscores stand for hyphens.
    """
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Accept: application/fhir+json"]
    if body:
        lines += ["Content-Type: application/fhir+json", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@dataclass(slots=True)
class Run:
    """What a run measured: latencies in seconds, weights done, bytes received."""

    latencies: list[float] = field(default_factory=list)
    weight: int = 0
    received: int = 0
    seconds: float = 0.0


async def _connection(
    port: int, make: Callable[[], Request], until: Callable[[], bool], run: Run, letting_in: bytes
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 22)
    try:
        while not until():
            wanted = make()
            started = time.perf_counter()
            line_end = wanted.raw.index(b"\r\n") + 2
            writer.writelines((wanted.raw[:line_end], letting_in, wanted.raw[line_end:]))
            head = await reader.readuntil(b"\r\n\r\n")
            length = 0
            for line in head.split(b"\r\n"):
                if line[:15].lower() == b"content-length:":
                    length = int(line[15:])
            body = await reader.readexactly(length) if length else b""
            run.latencies.append(time.perf_counter() - started)
            status = int(head[9:12])
            if status not in wanted.expect:
                raise RuntimeError(f"{status} for {wanted.raw[:120]!r}: {body[:600]!r}")
            run.weight += wanted.weight
            run.received += len(head) + length
    finally:
        writer.close()


def drive(
    port: int,
    make: Callable[[], Request],
    *,
    connections: int,
    seconds: float = 0.0,
    requests: int = 0,
    token: str = "",
) -> Run:
    """Send requests for a time or a number.

    Args:
        port: The hub's port.
        make: Makes the next request.
        connections: Connections, each with one request under way.
        seconds: How long; 0 to go by number.
        requests: How many; 0 to go by time.
        token: Sent with each; "" for none.
    """
    letting_in = f"Authorization: Bearer {token}\r\n".encode() if token else b""
    run = Run()
    issued = 0
    deadline = time.perf_counter() + seconds

    def until() -> bool:
        nonlocal issued
        if requests:
            issued += 1
            return issued > requests
        return time.perf_counter() >= deadline

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(connections):
                group.create_task(_connection(port, make, until, run, letting_in))

    started = time.perf_counter()
    asyncio.run(main())
    run.seconds = time.perf_counter() - started
    return run
