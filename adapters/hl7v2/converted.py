"""What one message says, in FHIR, before the record is looked at.

Made by `adapters.hl7v2.to_fhir` from a message and its site alone; `adapters.hl7v2.storing` finds
the resources by their identifiers, merges, and stores them in one transaction. Shown by
`fhir-hub v2 test`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

How = Literal["merge", "find", "new"]
"""`merge`: found by its identifiers or created; each top-level element is as old as its message's
event, and the newest wins. `find`: found or created, never changed. `new`: found by its
identifiers it is left alone (a resend under another control id), else created."""


class Source(NamedTuple):
    """Where an element came from.

    Attributes:
        element: Path below the resource, `name[0].family`; without trace only its beginning,
            `name`; "" for all of a resource that a field made.
        segment: Name and ordinal of the segment among those of its name, `OBX[3]`.
        field: Field, component, subcomponent, from 1: `5.1`; a repetition as `3[2].4`.
    """

    element: str
    segment: str
    field: str


@dataclass(slots=True)
class Mapped:
    """One resource that a message tells of.

    Attributes:
        key: Its name within the message, `Patient`, `Observation[3]`; unique.
        full_url: `urn:uuid:...` by which the others refer to it.
        resource: Without `id`; references point to full URLs of the same conversion.
        how: What is done when it is there already.
        identities: (system, value) of the identifiers it is found by, the best first; none: it
            is always created.
        deleted: Top-level elements that the message empties (`""`).
        initial: Top-level elements that hold only while no message has told of them (an A08 does
            not say whether the visit goes on): older than any event, and never over what is there.
        sources: Where its elements came from.
        event: When what it tells happened, milliseconds since the epoch: decides who is newer.
    """

    key: str
    full_url: str
    resource: dict[str, Any]
    how: How = "merge"
    identities: tuple[tuple[str, str], ...] = ()
    deleted: frozenset[str] = frozenset()
    initial: frozenset[str] = frozenset()
    sources: list[Source] = field(default_factory=list)
    event: int = 0

    @property
    def type(self) -> str:
        """Resource type."""
        return str(self.resource["resourceType"])


class Joined(NamedTuple):
    """A40: one patient record goes on under another (full URLs of `Mapped` in this message)."""

    surviving: str
    replaced: str


class Remark(NamedTuple):
    """Something that a person should see though the message was taken.

    Attributes:
        id: Stable message id (`hub/messages/hl7v2.py`).
        place: `OBX[3]-5.1`, "" for the whole message.
        arguments: For the words; never a patient's data.
    """

    id: str
    place: str = ""
    arguments: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class Converted:
    """A message in FHIR.

    Attributes:
        kind: `ADT^A01`.
        control_id: MSH-10.
        event: EVN-2, else MSH-7, else when it arrived; milliseconds since the epoch.
        resources: In the order of the message.
        joined: Merges of patients.
        answers: For an answer to a message of ours (RRI): control ids and referral identifiers
            that it may be matched by, the best first.
        remarks: What was left out, translated badly, unknown.
    """

    kind: str
    control_id: str
    event: int
    resources: list[Mapped] = field(default_factory=list)
    joined: list[Joined] = field(default_factory=list)
    answers: tuple[str, ...] = ()
    remarks: list[Remark] = field(default_factory=list)
