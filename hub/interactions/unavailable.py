"""What a store that cannot answer means to the caller: a status and an issue.

Called by commits, batches and the REST edge. 503 where trying again may help; 507 where somebody
must make room first; 500 where what is stored is damaged.
"""

from __future__ import annotations

from hub.errors import DamagedStorage, HubError, InsufficientStorage, Unavailable, fault
from hub.messages import Phrase
from hub.storage.port import BodyDamaged, StoreUnavailable

STOPS = frozenset((Unavailable.status, InsufficientStorage.status))
"""Statuses that say nothing of what was sent: sent again later, it may well be stored."""


def unavailable(error: StoreUnavailable) -> HubError:
    """The error to tell; it says whether a write may have been stored.

    Args:
        error: What the store raised.
    """
    reason = Phrase(error.reason)
    if error.uncertain:
        return Unavailable(fault("transient", "store-uncertain", reason=reason))
    if isinstance(error, BodyDamaged):
        return damaged(error.type, error.id)
    if error.trouble == "full":
        return InsufficientStorage(fault("no-store", "store-full"))
    if error.trouble == "damaged":
        return DamagedStorage(fault("exception", "store-damaged", severity="fatal", reason=reason))
    return Unavailable(fault("transient", "store-unavailable", reason=reason))


def damaged(type: str, id: str) -> DamagedStorage:
    """The error for a resource whose stored body cannot be read.

    Args:
        type: Its type.
        id: Its logical id.
    """
    return DamagedStorage(fault("exception", "resource-damaged", type=type, id=id))
