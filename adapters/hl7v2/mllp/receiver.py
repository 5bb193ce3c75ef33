"""The port of the MLLP server: who takes the messages that come, and what becomes of them.

Called by `adapters.hl7v2.mllp.connection`; `adapters.hl7v2.inbox` implements it.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import NamedTuple, Protocol


class Taken(NamedTuple):
    """What becomes of a message.

    Attributes:
        now: Answer to send at once, in the order of messages; b"" for none.
        later: Gives the answer after the work, b"" for none. It keeps the order of messages
            when there is no `now`.
    """

    now: bytes = b""
    later: Awaitable[bytes] | None = None


class Receiver(Protocol):
    """Takes messages."""

    def admits(self, address: str) -> bool:
        """Whether somebody at an address may connect."""

    async def take(self, raw: bytes, address: str) -> Taken:
        """Take a message; it is safe, or refused, when this returns. Never raises."""

    def oversize(self, beginning: bytes, size: int) -> bytes:
        """The answer to a message over the limit.

        Args:
            beginning: Its first bytes.
            size: Bytes of it that came.
        """
