"""batch and transaction (https://hl7.org/fhir/R4/http.html#transaction)."""

from __future__ import annotations

from msgspec.structs import replace

from hub.interactions.answer import BundleAnswer
from hub.rest import incoming, rendering
from hub.rest.exchange import Answer, Request
from hub.rest.handlers.strictness import refuse_unknown
from hub.rest.headers import preference


async def bundle(request: Request) -> Answer:
    """Run a Bundle posted to the base."""
    refuse_unknown(request)
    resource = await incoming.resource(request)
    done = await request.service.door.bundle(
        request.context, resource, prefer=preference(request.headers.get(b"prefer"))
    )
    return await answered(request, done)


async def answered(request: Request, done: BundleAnswer) -> Answer:
    """The answer, with how many of its entries are to be counted as mistakes of ours."""
    unforeseen = sum(one.response is not None and one.response.unforeseen for one in done.entries)
    return replace(await rendering.bundle(request, done), unforeseen=unforeseen)
