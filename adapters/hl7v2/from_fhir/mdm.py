"""MDM^T02: a document with its content. HL7 v2.5 section 9.4.2. Called by the outbox."""

from __future__ import annotations

import base64
import binascii

from adapters.hl7v2.from_fhir import obx
from adapters.hl7v2.from_fhir.datatypes import cwe, listed
from adapters.hl7v2.from_fhir.evn import evn
from adapters.hl7v2.from_fhir.pid import pid
from adapters.hl7v2.from_fhir.pv1 import pv1
from adapters.hl7v2.from_fhir.scene import Resource, Scene
from adapters.hl7v2.from_fhir.shape import Group, Parts
from adapters.hl7v2.from_fhir.txa import txa

STRUCTURE = "MDM_T02"

_FALLBACK_CODE = ("11488-4", "Consult note", "LN")


def document(
    focus: Resource, patient: Resource, encounter: Resource | None, scene: Scene, recorded: str
) -> Parts:
    """The message's segments after MSH.

    Plain text goes as FT, which every receiver can show; anything else as ED.

    Args:
        focus: DocumentReference.
        patient: Its subject.
        encounter: Of its context, None for none.
        scene: What all of them refer to, with the Binaries of its content.
        recorded: DTM of when it is sent.
    """
    code = cwe(focus.get("type")) or _FALLBACK_CODE
    parts = []
    for number, content in enumerate(listed(focus.get("content")), 1):
        held = content.get("attachment") or {}
        kind = str(held.get("contentType") or "application/octet-stream")
        value = _value(kind, scene.content(held))
        parts.append(Group("MDM_T02_OBSERVATION", [obx.document(number, code, value)]))
    return [
        evn("T02", recorded),
        pid(patient, scene),
        pv1(encounter, scene),
        txa(focus, scene),
        *parts,
    ]


def _value(kind: str, data: str) -> obx.Value:
    if kind.partition(";")[0].strip().lower() == "text/plain":
        try:
            return obx.prose(base64.b64decode(data).decode().replace("\r\n", "\n"))
        except (binascii.Error, UnicodeDecodeError):
            pass  # Then it goes as the bytes that it is.
    return obx.attachment(kind, data)
