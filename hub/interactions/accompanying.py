"""What a commit carries beside its changes: given to the door, stored in the same transaction.

Adapters and operations give it; `hub.interactions.commit` puts it into the commit.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from hub.model.identity import new_id
from hub.storage.message_log import Settled
from hub.storage.port import OutboxRow


@dataclass(frozen=True, slots=True)
class Accompanying:
    """What is stored together with the changes, or not at all.

    It is stored as well when nothing is changed, as when all content is there already.

    Attributes:
        idempotency_key: See `Commit.idempotency_key`.
        message: The message that the changes come from, and how the work on it ends.
        outbox: What is to be delivered because of them.
    """

    idempotency_key: str = ""
    message: Settled | None = None
    outbox: tuple[OutboxRow, ...] = ()

    @property
    def matters(self) -> bool:
        """Whether there is anything to store, changes or not."""
        return self.message is not None or bool(self.outbox)


NOTHING = Accompanying()


def fresh_id(idempotency_key: str, number: int = 0) -> str:
    """A logical id for a new resource; a repeat gets that of its first run.

    Args:
        idempotency_key: Of the commit, "" without.
        number: Which of its resources.
    """
    if not idempotency_key:
        return new_id()
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{idempotency_key}#{number}"))
