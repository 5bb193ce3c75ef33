"""POST /auth/launch: an EHR is about to open an app, and says with which patient.

For the hub's own pages (their token names a person, who must be the one that logs in), and for
services that the administrator registered with the scope `launch`. Whoever asks must be able to
see the patient and the encounter; the launch token lives five minutes and counts once.
Spec: SMART App Launch 2.2, EHR launch.
"""

from __future__ import annotations

from typing import Any

import msgspec

from hub.access.clients import Client
from hub.access.tokens import TokenRefused
from hub.auth.exchange import Call, Reply, json_reply, with_parameters
from hub.auth.parts import Parts
from hub.auth.pending import Launch
from hub.context import Context
from hub.errors import HubError, Unavailable
from hub.interactions.answer import resource_of
from hub.model.identity import valid_id

LONGEST = 200
MOST_CONTEXT = 20


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be opened.

    Attributes:
        client: Client id of the app.
        patient: Logical id.
        encounter: Logical id.
        intent: What the app is to show, as agreed with it.
        need_patient_banner: The app shows whose record it is.
        fhirContext: More resources in focus, each with a `reference`.
    """

    client: str
    patient: str = ""
    encounter: str = ""
    intent: str = ""
    need_patient_banner: bool = True
    fhirContext: list[dict[str, str]] = msgspec.field(default_factory=list)  # noqa: N815


async def launch(parts: Parts, call: Call) -> Reply:
    """Make a launch token; answers it with the address to open."""
    try:
        principal = await parts.verifier.verify(call.bearer, call.now)
        claims = await parts.verifier.claims(call.bearer, call.now)
    except TokenRefused:
        return _refused(401, "invalid_token", ("www-authenticate", 'Bearer realm="fhir"'))
    asking = await parts.desk.clients.get(principal.client, call.now)
    person = claims.sub if claims.sub != principal.client else ""
    if asking is None or not _may_launch(asking, person):
        parts.record(
            "launch", ok=False, account=person, client=principal.client, address=call.address
        )
        return _refused(403, "insufficient_scope")
    try:
        order = msgspec.json.decode(call.body, type=Order)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _refused(400, "invalid_request")
    app = await parts.desk.clients.get(order.client, call.now)
    if app is None or not app.launch_url:
        return _refused(404, "unknown_client")
    if not _is_sound(order):
        return _refused(400, "invalid_request")
    if not await _is_visible(parts, parts.context_of(call, principal), order):
        return _refused(404, "unknown_context")
    more: dict[str, Any] = {"need_patient_banner": order.need_patient_banner}
    if order.intent:
        more["intent"] = order.intent
    if order.fhirContext:
        more["fhirContext"] = order.fhirContext
    made = Launch(
        client=app.id,
        account=person,
        patient=order.patient,
        encounter=order.encounter,
        more=more,
    )
    token = await parts.pending.launch(made, call.now)
    parts.record(
        "launch",
        ok=True,
        account=person,
        client=app.id,
        patient=order.patient,
        address=call.address,
    )
    opened = {"iss": parts.settings.base, "launch": token}
    return json_reply({"launch": token, "url": with_parameters(app.launch_url, opened)}, 201)


def _may_launch(client: Client, person: str) -> bool:
    if client.first_party:
        return True
    return not person and "launch" in client.scope.split(" ")


def _is_sound(order: Order) -> bool:
    """Whether its texts can go into a token's answer."""
    ids = [id for id in (order.patient, order.encounter) if id]
    return (
        all(map(valid_id, ids))
        and not (order.encounter and not order.patient)
        and len(order.intent) <= LONGEST
        and len(order.fhirContext) <= MOST_CONTEXT
        and all(
            "reference" in one
            and all(len(text) <= LONGEST for pair in one.items() for text in pair)
            for one in order.fhirContext
        )
    )


async def _is_visible(parts: Parts, context: Context, order: Order) -> bool:
    """Whether whoever asks can see what the app is to see.

    Raises:
        Unavailable: The record cannot be read now.
    """
    try:
        if order.patient:
            await parts.door.read(context, "Patient", order.patient)
        if order.encounter:
            found = resource_of(await parts.door.read(context, "Encounter", order.encounter))
            subject = found.get("subject", {}).get("reference", "")
            return bool(subject == f"Patient/{order.patient}")
    except Unavailable:
        raise
    except HubError:
        return False
    return True


def _refused(status: int, error: str, *headers: tuple[str, str]) -> Reply:
    return json_reply({"error": error}, status, *headers)
