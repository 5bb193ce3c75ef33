"""What goes over the writer's socket: a greeting, then frames, both ways.

A client greets with `MAGIC` (whose last characters are the protocol's version) and its number;
a server hangs up on anything else. A frame is a header and a body of MessagePack. Frames are
collected and sent together: at most once in a round of the event loop, so that a group of
commits crosses in a few pieces. Used by `writer_socket` (the owner) and `remote_writer`.
"""

from __future__ import annotations

import asyncio
import os
import socket as sockets
import struct
from pathlib import Path

SOCKET = "writer.sock"
LARGEST_FRAME = 1 << 29
MAGIC = b"fhir-hub-write-4"

GREETING = struct.Struct(">16sQ")
"""Magic and client number."""

REQUEST = struct.Struct(">IQBBH")
"""Length of the body, number, operation, whether it was sent before, slot (of a commit)."""

ANSWER = struct.Struct(">IQB")
"""Length of the body, number of the request, whether it succeeded."""

OPERATIONS = (
    "commit",
    "reindex",
    "expunge",
    "put_parameter",
    "delivered",
    "sweep",
    "register_blob",
    "change_ledger",
    "expire_ledger",
    "append_audit",
    "receive",
    "settle",
    "reopen",
    "depart",
    "attempted",
)
"""A request names its operation by the place in this list."""

COMMIT = 0

Header = tuple[int, ...]
Body = bytes | bytearray


class Splitter:
    """Cuts what arrives into frames."""

    def __init__(self, header: struct.Struct) -> None:
        """Nothing has arrived yet.

        Args:
            header: Its first field is the length of the body that follows.
        """
        self._header = header
        self._rest = bytearray()
        self._wanted = header.size

    def feed(self, data: bytes) -> list[tuple[Header, Body]]:
        """The frames that are whole now: the fields after the length, and the body.

        Raises:
            ValueError: A frame is too large.
        """
        source: Body = data
        if self._rest:
            self._rest += data
            if len(self._rest) < self._wanted:
                return []
            source, self._rest = self._rest, bytearray()
        frames: list[tuple[Header, Body]] = []
        start, size = 0, self._header.size
        self._wanted = size
        while len(source) - start >= size:
            length, *fields = self._header.unpack_from(source, start)
            if length > LARGEST_FRAME:
                raise ValueError("frame too large")
            end = start + size + length
            if end > len(source):
                self._wanted = size + length
                break
            frames.append((tuple(fields), source[start + size : end]))
            start = end
        if start < len(source):
            self._rest += source[start:]
        return frames


class Outgoing:
    """Collects frames and writes them together in the loop's next round."""

    def __init__(self, transport: asyncio.Transport) -> None:
        """Nothing to send yet.

        Args:
            transport: Where to.
        """
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._frames: list[bytes] = []

    def add(self, frame: bytes) -> None:
        """Send a frame soon."""
        if not self._frames:
            self._loop.call_soon(self.flush)
        self._frames.append(frame)

    def flush(self) -> None:
        """Send what there is now."""
        if self._frames:
            frames, self._frames = self._frames, []
            if not self._transport.is_closing():
                self._transport.write(b"".join(frames))


class Reachable:
    """A socket's address that is short enough: long paths go through an open folder."""

    def __init__(self, path: Path) -> None:
        """Prepare; it is an address within a `with` block.

        Args:
            path: The socket.
        """
        self._path = path
        self._folder: int | None = None

    def __enter__(self) -> str:
        """The address."""
        if len(os.fsencode(self._path)) < 100:
            return str(self._path)
        self._folder = os.open(self._path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        return f"/proc/self/fd/{self._folder}/{self._path.name}"

    def __exit__(self, *exception: object) -> None:
        """Close the folder."""
        if self._folder is not None:
            os.close(self._folder)


def check_peer(transport: asyncio.BaseTransport) -> None:
    """See who is at the other end of a Unix socket.

    Raises:
        PermissionError: The peer is neither this user nor root.
    """
    credentials = transport.get_extra_info("socket").getsockopt(
        sockets.SOL_SOCKET, sockets.SO_PEERCRED, struct.calcsize("3i")
    )
    _, user, _ = struct.unpack("3i", credentials)
    if user not in (os.getuid(), 0):
        raise PermissionError("the peer is another user")
