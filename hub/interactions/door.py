"""`Interactions`: the one door to the record.

REST, operations, adapters, media, workflows and the command line all enter through it. Each
method calls the one function of its interaction's file.
Spec: https://hl7.org/fhir/R4/http.html
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import InitVar, dataclass, field
from types import MappingProxyType
from typing import Any

from hub.context import Context
from hub.errors import BadRequest, fault
from hub.interactions import (
    batch,
    binary,
    capabilities,
    create,
    delete,
    history,
    patch,
    read,
    search,
    transaction,
    update,
    vread,
    write,
)
from hub.interactions.accompanying import NOTHING, Accompanying
from hub.interactions.answer import BundleAnswer, Changed, Prefer, Preference
from hub.interactions.commit import Change, Made
from hub.interactions.operation import Operation, Operations
from hub.interactions.patch import Patch
from hub.interactions.ports import Announcer, Validator
from hub.interactions.registry import RegistryHolder
from hub.interactions.terminology import Terminology
from hub.search.cursor import CursorCodec
from hub.settings import Settings
from hub.storage.port import Blob, Matches, Store, Stored

Parameters = Sequence[tuple[str, str]]

_NO_OPERATIONS: Mapping[str, Operation] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Interactions:
    """The interactions of one record.

    Attributes:
        store: Where resources are kept.
        validator: Checks what is written.
        registry: The search parameters in force.
        settings: Limits and switches.
        cursors: Encrypts the cursors of pages; by default with a secret of this process only.
        operations: The table that bundles use when they are given none.
        announce: Tells other systems of what changes; None: nobody wants to know.
        content: The terminology that the validator asks too.
        terminology: What codes mean, by R4's content and the record's.
    """

    store: Store
    validator: Validator
    registry: RegistryHolder
    settings: Settings
    cursors: CursorCodec = field(default_factory=lambda: CursorCodec(secrets.token_bytes(32)))
    operations: Operations = field(default_factory=lambda: _NO_OPERATIONS)
    announce: Announcer | None = None
    content: InitVar[Terminology | None] = None
    terminology: Terminology = field(init=False)

    def __post_init__(self, content: Terminology | None) -> None:
        """Put terminology over the store, unless it is there already."""
        object.__setattr__(self, "terminology", content or Terminology(self.store))

    async def read(self, ctx: Context, type: str, id: str) -> Stored:
        """The current version; NotFound, Gone."""
        return await read.read(self, ctx, type, id)

    async def vread(self, ctx: Context, type: str, id: str, version: str) -> Stored:
        """One version; NotFound, Gone."""
        return await vread.vread(self, ctx, type, id, version)

    async def create(
        self,
        ctx: Context,
        type: str,
        resource: dict[str, Any],
        *,
        if_none_exist: str | None = None,
    ) -> Changed:
        """Create under a new id; with a condition, only when nothing meets it."""
        return await create.create(self, ctx, type, resource, if_none_exist)

    async def update(
        self,
        ctx: Context,
        type: str,
        id: str,
        resource: dict[str, Any],
        *,
        if_match: str | None = None,
        if_none_match: str | None = None,
    ) -> Changed:
        """Replace a resource, or create it under the client's id."""
        return await update.update(self, ctx, type, id, resource, if_match, if_none_match)

    async def conditional_update(
        self,
        ctx: Context,
        type: str,
        search: Parameters,
        resource: dict[str, Any],
        *,
        if_match: str | None = None,
        if_none_match: str | None = None,
    ) -> Changed:
        """Replace the one resource that a search finds, or create it."""
        return await update.conditional_update(
            self, ctx, type, search, resource, if_match, if_none_match
        )

    async def patch(
        self, ctx: Context, type: str, id: str, changes: Patch, *, if_match: str | None = None
    ) -> Changed:
        """Change parts of a resource."""
        return await patch.patch(self, ctx, type, id, changes, if_match)

    async def conditional_patch(
        self,
        ctx: Context,
        type: str,
        search: Parameters,
        changes: Patch,
        *,
        if_match: str | None = None,
    ) -> Changed:
        """Change parts of the one resource that a search finds."""
        return await patch.conditional_patch(self, ctx, type, search, changes, if_match)

    async def delete(
        self, ctx: Context, type: str, id: str, *, if_match: str | None = None
    ) -> Changed:
        """Delete a resource."""
        return await delete.delete(self, ctx, type, id, if_match)

    async def conditional_delete(self, ctx: Context, type: str, search: Parameters) -> Changed:
        """Delete what a search finds."""
        return await delete.conditional_delete(self, ctx, type, search)

    async def history(
        self,
        ctx: Context,
        type: str,
        id: str,
        parameters: Parameters = (),
        *,
        strict: bool = False,
    ) -> BundleAnswer:
        """Versions, newest first: of an instance, a type (id ""), the system (type "")."""
        return await history.history(self, ctx, type, id, parameters, strict)

    async def search(
        self,
        ctx: Context,
        type: str,
        parameters: Parameters,
        *,
        compartment: tuple[str, str] | None = None,
        strict: bool = False,
    ) -> BundleAnswer:
        """A page of matches with what they include."""
        return await search.search(self, ctx, type, parameters, compartment, strict)

    async def bundle(
        self,
        ctx: Context,
        bundle: dict[str, Any],
        *,
        prefer: Prefer | None = None,
        operations: Operations | None = None,
        accompanying: Accompanying = NOTHING,
        keep_equal: bool = False,
    ) -> BundleAnswer:
        """Run a batch or a transaction, by Bundle.type.

        Args:
            ctx: Who asks.
            bundle: The Bundle; its resources are changed in place.
            prefer: What comes back for each entry; the least when None.
            operations: Operations that entries may call; the door's own when None.
            accompanying: For transactions: what goes with the commit; a repeat under the same
                idempotency key is answered with the first result.
            keep_equal: For transactions: an update with the content that is stored already
                makes no new version (`Response.written` is False).

        Raises:
            BadRequest: It is neither.
            AlreadySettled, HubError: As `transaction`.
        """
        preference = Preference() if prefer is None else prefer
        table = self.operations if operations is None else operations
        if bundle.get("resourceType") != "Bundle":
            raise BadRequest(fault("invariant", "type-mismatch", "resourceType", type="Bundle"))
        match bundle.get("type"):
            case "batch":
                return await batch.batch(self, ctx, bundle, preference, table)
            case "transaction":
                return await transaction.transaction(
                    self, ctx, bundle, preference, table, accompanying, keep_equal
                )
        raise BadRequest(fault("value", "bundle-type", "Bundle.type"))

    async def write(
        self,
        ctx: Context,
        changes: Sequence[Change],
        matches: Sequence[Matches] = (),
        *,
        accompanying: Accompanying = NOTHING,
    ) -> list[Made]:
        """Commit changes that the caller has worked out, as one transaction."""
        return await write.write(self, ctx, changes, matches, accompanying)

    async def capabilities(self, ctx: Context, mode: str = "full") -> dict[str, Any]:
        """The CapabilityStatement, or for `terminology` the TerminologyCapabilities."""
        return await capabilities.capabilities(self, ctx, mode)

    async def create_binary(
        self, ctx: Context, content_type: str, content: Blob | bytes, security_context: str = ""
    ) -> Changed:
        """Create a Binary from raw content."""
        return await binary.create_binary(self, ctx, content_type, content, security_context)

    async def update_binary(
        self,
        ctx: Context,
        id: str,
        content_type: str,
        content: Blob | bytes,
        security_context: str = "",
        *,
        if_match: str | None = None,
        if_none_match: str | None = None,
    ) -> Changed:
        """Replace a Binary by raw content."""
        return await binary.update_binary(
            self, ctx, id, content_type, content, security_context, if_match, if_none_match
        )
