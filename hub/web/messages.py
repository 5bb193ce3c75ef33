"""HL7 v2 messages for administrators: what `/console/messages` and `/console/destinations` tell.

A message shows a patient's data to whoever sees it whole, so only administrators may, and who
looked is in the audit. Paths below `/console/`:

    GET  messages                         the newest, by direction, state, peer, kind, before
    GET  messages/in/12                   one, with what it says
    POST messages/in/12/replay            work on it again
    POST messages/out/7/resend            send it again
    GET  destinations
    POST destinations/NAME/pause, .../resume

Called by `hub.web.pages`; the desk is handed in by `hub.console`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol
from urllib.parse import parse_qs

from hub.context import Context
from hub.storage.message_log import MessageQuery

Direction = Literal["in", "out"]

PARTS = frozenset(("messages", "destinations"))
_COUNT = 50
_DIRECTIONS: Mapping[str, Direction] = {"in": "in", "out": "out"}


class Shown(Protocol):
    """A message as it is shown."""

    @property
    def told(self) -> dict[str, Any]:
        """What is told of it in lists."""

    @property
    def text(self) -> str:
        """With a segment a line."""

    @property
    def answer(self) -> str:
        """Likewise; "" while there is none."""


class MessageDesk(Protocol):
    """Looks after messages; `adapters.hl7v2.message_desk`."""

    async def messages(
        self, ctx: Context, direction: Direction, query: MessageQuery
    ) -> list[dict[str, Any]]:
        """Messages, the newest first."""

    async def counts(self, ctx: Context) -> list[dict[str, Any]]:
        """The numbers of each site and destination."""

    async def show(self, ctx: Context, direction: Direction, row: int) -> Shown | None:
        """One message."""

    async def replay(self, ctx: Context, rows: Sequence[int]) -> list[int]:
        """Work on messages again; gives the rows that wait for it."""

    async def resend(self, ctx: Context, rows: Sequence[int]) -> list[int]:
        """Send messages again; gives the rows that wait for it."""

    async def destinations(self, ctx: Context) -> list[dict[str, Any]]:
        """Where messages go out to."""

    async def steer(self, ctx: Context, name: str, *, pause: bool) -> bool:
        """Pause or resume a destination; False when there is none of that name."""


async def answer(
    desk: MessageDesk, ctx: Context, method: str, path: str, query: str
) -> dict[str, Any] | None:
    """What is told at a path; None when there is nothing.

    Args:
        desk: Looks after messages.
        ctx: Who asks, in which language.
        method: GET or POST; HEAD as GET.
        path: Below `/console/`.
        query: After the question mark.
    """
    match method, path.split("/"):
        case "GET" | "HEAD", ["messages"]:
            return await _messages(desk, ctx, parse_qs(query, max_num_fields=20))
        case "GET" | "HEAD", ["messages", direction, row] if _is(direction, row):
            shown = await desk.show(ctx, _DIRECTIONS[direction], int(row))
            if shown is None:
                return None
            return {**shown.told, "text": shown.text, "answer": shown.answer}
        case "POST", ["messages", "in", row, "replay"] if _is("in", row):
            return {"rows": await desk.replay(ctx, [int(row)])}
        case "POST", ["messages", "out", row, "resend"] if _is("out", row):
            return {"rows": await desk.resend(ctx, [int(row)])}
        case "GET" | "HEAD", ["destinations"]:
            return {"destinations": await desk.destinations(ctx)}
        case "POST", ["destinations", name, "pause" | "resume" as word]:
            if await desk.steer(ctx, name, pause=word == "pause"):
                return {"destinations": await desk.destinations(ctx)}
    return None


async def _messages(
    desk: MessageDesk, ctx: Context, given: Mapping[str, list[str]]
) -> dict[str, Any]:
    direction = _DIRECTIONS.get(_one(given, "direction"), "in")
    before = _one(given, "before")
    query = MessageQuery(
        int(before) if _is(direction, before) else None,
        _COUNT,
        _one(given, "state"),
        _one(given, "peer"),
        _one(given, "kind"),
        _one(given, "id"),
    )
    found = await desk.messages(ctx, direction, query)
    counts = await desk.counts(ctx)
    return {"messages": found, "counts": counts, "more": len(found) == _COUNT}


def _one(given: Mapping[str, list[str]], name: str) -> str:
    return given[name][-1] if name in given else ""


def _is(direction: str, row: str) -> bool:
    """Whether that names a message; rows have at most 18 digits."""
    return direction in _DIRECTIONS and row.isascii() and row.isdecimal() and len(row) <= 18
