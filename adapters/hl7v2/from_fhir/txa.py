"""TXA: a DocumentReference. HL7 v2.5 section 9.6.1. Called by `mdm`."""

from __future__ import annotations

from adapters.hl7v2.from_fhir.datatypes import cwe, dtm, ei, ei_of, first, listed, xcn_of
from adapters.hl7v2.from_fhir.scene import Resource, Scene
from adapters.hl7v2.from_fhir.shape import Segment, segment

_PRESENTATIONS = {"application": "AP", "audio": "AU", "image": "IM", "text": "FT", "video": "AP"}


def txa(document: Resource, scene: Scene) -> Segment:
    """The segment.

    Args:
        document: The DocumentReference.
        scene: Holds its people and the documents that it relates to.
    """
    content = first(document.get("content")) or {}
    kind = str((content.get("attachment") or {}).get("contentType") or "")
    context = document.get("context") or {}
    own = ei(document.get("masterIdentifier") or {}, scene) or ei_of(document, scene)
    related = [one.get("target") for one in listed(document.get("relatesTo"))]
    parents = scene.all_of(related, "DocumentReference")
    type_ = cwe(document.get("type"))
    return segment(
        "TXA",
        {
            1: "1",
            2: type_,
            3: _PRESENTATIONS.get(kind.partition("/")[0], ""),
            4: dtm((context.get("period") or {}).get("start"), scene.zone),
            6: dtm(document.get("date"), scene.zone),
            9: [xcn_of(one, scene) for one in listed(document.get("author"))],
            10: [xcn_of(document.get("authenticator"), scene)],
            12: own,
            13: ei_of(parents[0], scene) if parents else "",
            17: scene.code("document-completion", document.get("docStatus"), "AU"),
            19: scene.code("document-availability", document.get("status"), "AV"),
        },
    )
