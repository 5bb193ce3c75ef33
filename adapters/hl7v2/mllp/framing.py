"""MLLP frames out of a stream of bytes, and round a message.

`<VT> message <FS> <CR>`; fragments, several frames at once and stray bytes between them are
taken as they come. No input and output here, so that server and client share it. HL7 v2
Transport Specification: Minimal Lower Layer Protocol, release 1, section 3.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

START = b"\x0b"
END = b"\x1c\x0d"
_RESTART = b"\x0bMSH"
_KEPT_OF_OVERSIZE = 20_000
_EMPTY = START + END
_NOTHING = re.compile(rb"(?:[^\x0b]*+\x0b\x1c\r)++")


def framed(message: bytes) -> bytes:
    """A message as it goes over the wire."""
    return START + message + END


@dataclass(frozen=True, slots=True)
class Frame:
    """What came between start and end.

    Attributes:
        content: The message; of one over the limit its beginning.
        size: Bytes that came.
        oversize: It was over the limit, and most of it is thrown away.
    """

    content: bytes
    size: int
    oversize: bool = False


class FrameReader:
    """Puts frames together from pieces of a stream.

    Attributes:
        stray: Bytes between frames that were thrown away.
        broken: Frames that began and never ended.
        limit: Most bytes of a message.
    """

    def __init__(self, limit: int) -> None:
        """Between frames.

        Args:
            limit: Most bytes of a message; of a longer one only the beginning is kept.
        """
        self.limit = limit
        self.stray = self.broken = 0
        self._buffer = bytearray()
        self._inside = False
        self._searched = 0
        self._thrown = 0

    @property
    def inside(self) -> bool:
        """Whether a frame has begun and not ended."""
        return self._inside

    @property
    def held(self) -> int:
        """Bytes kept in memory."""
        return len(self._buffer)

    @property
    def received(self) -> int:
        """Bytes of the unfinished frame so far."""
        return len(self._buffer) + self._thrown

    @property
    def more(self) -> bool:
        """Whether there are bytes that were not looked at yet."""
        return bool(self._buffer) and not self._inside

    def beginning(self) -> bytes:
        """The first bytes of the unfinished frame, for an answer about it."""
        return bytes(self._buffer[:_KEPT_OF_OVERSIZE])

    def feed(self, data: bytes, most: int | None = None) -> list[Frame]:
        """Frames that end within a piece of the stream; none that are empty.

        Args:
            data: The next bytes.
            most: Give so many frames; what comes after them is kept for the next call.
        """
        self._buffer += data
        frames: list[Frame] = []
        while most is None or len(frames) < most:
            if not self._inside and not self._enter():
                return frames
            end = self._buffer.find(END, self._searched)
            if end < 0:
                self._searched = max(0, len(self._buffer) - 1)
                self._shorten()
                return frames
            frame = self._leave(end)
            if frame.size:  # An empty one is how some senders see whether we are here.
                frames.append(frame)
        return frames

    def _enter(self) -> bool:
        """Throw away what is before the next start; False when there is none."""
        nothing = _NOTHING.match(self._buffer)
        if nothing is not None:  # Thousands at once must cost no more than other bytes.
            end = nothing.end()
            self.stray += end - len(_EMPTY) * self._buffer.count(_EMPTY, 0, end)
            del self._buffer[:end]
        start = self._buffer.find(START)
        if start < 0:
            self.stray += len(self._buffer)
            self._buffer.clear()
            return False
        self.stray += start
        del self._buffer[: start + 1]
        self._inside, self._searched, self._thrown = True, 0, 0
        return True

    def _leave(self, end: int) -> Frame:
        size = end + self._thrown
        oversize = size > self.limit
        content = bytes(self._buffer[: min(end, _KEPT_OF_OVERSIZE) if oversize else end])
        del self._buffer[: end + len(END)]
        self._inside = False
        # A sender that broke off and began again on the same connection: the last one counts.
        again = content.rfind(_RESTART)
        if again >= 0 and not oversize:
            self.broken += 1
            content = content[again + 1 :]
        return Frame(content, size, oversize)

    def _shorten(self) -> None:
        """Of a frame over the limit keep the beginning, and the last byte: it may begin the end."""
        if self.received <= self.limit:
            return
        keep = min(_KEPT_OF_OVERSIZE, self.limit)
        surplus = len(self._buffer) - 1 - keep
        if surplus > 0:
            del self._buffer[keep:-1]
            self._thrown += surplus
            self._searched = keep
