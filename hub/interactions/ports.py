"""What the interactions need from others, as Protocols that live with their consumer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol

from hub.context import Context
from hub.errors import Issue
from hub.storage.port import OutboxRow

if TYPE_CHECKING:
    from hub.interactions.commit import Change


class Validator(Protocol):
    """Checks a resource against R4; `hub.validation` implements it."""

    def validate(
        self,
        resource: dict[str, Any],
        *,
        mode: Literal["create", "update", "delete"] | None = None,
        warnings: bool = False,
    ) -> Sequence[Issue]:
        """All issues of a resource; quickly an empty sequence when there is none.

        Issues of severity error and fatal refuse a write; the others are passed on. `mode` and
        `warnings` are for $validate: what is going to be done, and whether warnings of
        invariants are wanted as well.
        """


class Announcer(Protocol):
    """Tells others of what changes; `adapters.hl7v2.announcing` implements it."""

    @property
    def destinations(self) -> Sequence[str]:
        """Names of those that messages may be sent to on request."""

    async def __call__(self, ctx: Context, changes: Sequence[Change]) -> Sequence[OutboxRow]:
        """What is to be sent because of some changes; stored in the commit that makes them.

        Asked each time before the commit is tried. Nothing may be changed here.

        Args:
            ctx: Who makes them; `ctx.principal.client` is where a message came from.
            changes: Type, id, method and new content (None: deleted) of each.
        """

    def asked(
        self, ctx: Context, destination: str, kind: str, type: str, id: str, focus: str
    ) -> tuple[OutboxRow, str]:
        """What is to be delivered because somebody asks for a message, and the message's id.

        Args:
            ctx: Who asks.
            destination: One of `destinations`.
            kind: `REF^I12`, a referral, or `MDM^T02`, a document.
            type: Resource type of what is sent.
            id: Its logical id.
            focus: `Task/ID` of what follows it, or the resource itself.
        """
