"""A resource of the record while a message is worked on: what it holds, what is remembered of it.

Made by `adapters.hl7v2.identities`, changed by merging, written by `adapters.hl7v2.storing`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from adapters.hl7v2.breathing import slices
from adapters.hl7v2.converted import Mapped
from adapters.hl7v2.marks import Marks, unpack
from adapters.hl7v2.merged_elements import Content, plain
from hub.context import Context
from hub.interactions import Interactions, sight
from hub.interactions.answer import resource_of
from hub.storage.port import Stored


@dataclass(slots=True, eq=False)
class Held:
    """A resource on its way into the record.

    Attributes:
        type: Resource type.
        id: Logical id.
        stored: Newest version, a tombstone if it is deleted; None: it is new.
        content: What it holds, without id, version and time.
        marks: What is remembered of it.
        remembered: The same as it is stored, b"" for nothing.
        told: The resources of the message that went into it, and their newest elements.
    """

    type: str
    id: str
    stored: Stored | None
    content: Content
    marks: Marks = field(default_factory=Marks)
    remembered: bytes = b""
    told: list[tuple[Mapped, frozenset[str]]] = field(default_factory=list)

    @property
    def reference(self) -> str:
        """`Patient/ID`."""
        return f"{self.type}/{self.id}"

    @property
    def is_there(self) -> bool:
        """Whether it has a current version."""
        return self.stored is not None and not self.stored.deleted

    @property
    def deleted(self) -> int:
        """When it was deleted, milliseconds since the epoch; 0: it is not."""
        return self.stored.updated if self.stored is not None and self.stored.deleted else 0

    @property
    def is_found_again(self) -> bool:
        """Whether later messages may tell of it, so that marks are of use."""
        if not self.marks.stamps:
            return False
        return self.is_there or any(mapped.identities for mapped, _ in self.told)

    @property
    def version(self) -> int:
        """Number of its newest version, 0 for none."""
        return 0 if self.stored is None else self.stored.version


async def held_by_id(door: Interactions, ctx: Context, type: str, id: str) -> Held | None:
    """A resource by its id, without its marks; None when it is not there or hidden."""
    stored = await sight.read(door, ctx, type, id)
    if stored is None or stored.deleted:
        return None
    return Held(type, id, stored, plain(resource_of(stored)))


async def recall(door: Interactions, ctx: Context, held: Iterable[Held]) -> None:
    """Read the marks of resources."""
    asked = {one.reference: one for one in held if one.stored is not None}
    async for keys in slices(list(asked)):
        for key, packed in (await door.store.messages.marks(ctx.tenant.key, keys)).items():
            asked[key].marks, asked[key].remembered = unpack(asked[key].type, packed), packed
