"""The shape of an operation: how REST and bundles call what `hub.operations` defines.

The table of operations is an argument of whoever dispatches, so that interactions know no
single operation. Spec: https://hl7.org/fhir/R4/operations.html
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from hub.context import Context
from hub.errors import Forbidden, fault
from hub.interactions import sight
from hub.interactions.answer import BundleAnswer
from hub.storage.port import Stored

if TYPE_CHECKING:
    from hub.interactions.door import Interactions

Level = Literal["system", "type", "instance"]

ADMIN = "admin"
"""What an operation needs that only those without any limit may call."""

OPEN = ""
"""What an operation needs that tells nothing of the record, or asks the door for all it tells."""


@dataclass(frozen=True, slots=True)
class OperationRequest:
    """One call of an operation.

    Attributes:
        type: Resource type, "" at system level.
        id: Logical id, "" above instance level.
        method: GET or POST.
        parameters: Query parameters in order, without `_format` and `_pretty`.
        resource: The body: a Parameters resource, or the bare resource that is the operation's
            only complex parameter; None without a body.
        strict: `Prefer: handling=strict`.
        languages: Accept-Language as it was sent, "" without.
    """

    type: str
    id: str
    method: str
    parameters: tuple[tuple[str, str], ...] = ()
    resource: dict[str, Any] | None = None
    strict: bool = False
    languages: str = ""


@dataclass(frozen=True, slots=True)
class OperationAnswer:
    """What an operation gives back: a resource, a stored version, or a Bundle."""

    body: dict[str, Any] | Stored | BundleAnswer
    status: int = 200


Run = Callable[["Interactions", Context, OperationRequest], Awaitable[OperationAnswer]]


@dataclass(frozen=True, slots=True)
class OnType:
    """What is different about an operation on one resource type: its definition, its levels."""

    definition: str
    levels: frozenset[Level]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation.

    Attributes:
        name: Without the `$`.
        definition: Canonical of its OperationDefinition; of one of the hub's own what follows
            the base.
        levels: Where it may be called.
        types: Resource types it applies to at type and instance level; empty: all.
        affects_state: Only by POST.
        stores: Tells of a call of any other whether it changes the record; None: none does.
        run: Does it; called by `perform` only.
        on_types: Resource types on which it has another definition or other levels.
        document: The OperationDefinition as JSON when it is the hub's own; b"" when it is R4's.
        needs: What whoever calls it must be allowed with the type: one of `cruds`, as in SMART
            scopes; `OPEN`, or `ADMIN`, which holds for those that do not say.
    """

    name: str
    definition: str
    levels: frozenset[Level]
    run: Run
    types: frozenset[str] = frozenset()
    affects_state: bool = False
    on_types: tuple[tuple[str, OnType], ...] = ()
    document: bytes = b""
    needs: str = ADMIN
    stores: Callable[[OperationRequest], bool] | None = None

    def changes(self, request: OperationRequest) -> bool:
        """Whether a call may change the record.

        Raises:
            BadRequest: A parameter that says so cannot be used.
        """
        return self.affects_state or (self.stores is not None and self.stores(request))

    async def perform(
        self, door: Interactions, ctx: Context, request: OperationRequest
    ) -> OperationAnswer:
        """Do it, if whoever asks may.

        Raises:
            Forbidden: It may not.
        """
        if self.needs == ADMIN:
            if not sight.is_unlimited(ctx):
                raise Forbidden(fault("forbidden", "access-operation", name=self.name))
        elif self.needs != OPEN:
            sight.require(ctx, self.needs, *([request.type] if request.type else []))
        return await self.run(door, ctx, request)

    def canonical(self, definition: str, base: str) -> str:
        """One of its definitions as a whole canonical.

        Args:
            definition: Its own, or that on a type.
            base: FHIR base URL.
        """
        return f"{base}/{definition}" if self.document else definition

    def on(self, type: str) -> OnType | None:
        """Its definition and levels on a resource type ("" is the system), None: not there."""
        if not type:
            return OnType(self.definition, self.levels)
        if self.types and type not in self.types:
            return None
        return dict(self.on_types).get(type) or OnType(self.definition, self.levels)

    def allowed(self, type: str, id: str) -> bool:
        """Whether it can be called at a place.

        Args:
            type: Resource type, "" for the system.
            id: Logical id, "" above instance level.
        """
        here = self.on(type)
        return here is not None and level_of(type, id) in here.levels


def level_of(type: str, id: str) -> Level:
    """The level of a place."""
    return "instance" if id else "type" if type else "system"


Operations = Mapping[str, Operation]
