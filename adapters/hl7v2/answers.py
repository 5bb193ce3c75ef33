"""What another system answers to a message of ours: read, and noted beside the message.

AA and CA, AE and CE, AR and CR: HL7 v2.9 chapter 2, sections 2.9.2 and 2.9.3 (processing rules),
2.14.5 (ERR, older: 2.14.5 of v2.3), 2.14.9 (MSA). Called by `adapters.hl7v2.sending` for what
comes back on the connection, and by `adapters.hl7v2.work` for what comes on its own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

from adapters.hl7v2.following import Follow
from adapters.hl7v2.reasons import Reason, write_reasons
from hub.storage.message_log import DepartureRow, DepartureState, MessageLog

Verdict = Literal["kept", "done", "again", "refused"]
"""`kept`: the other side has it safely; `done`: it has worked on it; `again`: send it again;
`refused`: a person decides."""

ANSWERED_LATER = frozenset(("REF^I12",))
"""Kinds whose real answer (RRI^I12) is a message of its own."""

_LINES = re.compile(rb"[\r\n]+")
_LATER = frozenset(("206", "207"))
"""Table 0357: the record is locked, an internal error. The others are in the message itself."""

_UNREADABLE = "hl7v2-out-answer"
_KNOWN = frozenset(("AA", "AE", "AR", "CA", "CE", "CR"))


class Answer(NamedTuple):
    """An acknowledgement.

    Attributes:
        code: MSA-1.
        control_id: MSA-2: the message that it answers.
        errors: Error codes of its ERR segments (table 0357).
        kind: MSH-9, `ACK^A01`, `RRI^I12`.
    """

    code: str
    control_id: str
    errors: tuple[str, ...]
    kind: str


def read_answer(raw: bytes) -> Answer | None:
    """What an answer says; None when it is none.

    Only what is ASCII in every charset is looked at, so its charset does not matter.

    Args:
        raw: Without framing.
    """
    lines = [line for line in _LINES.split(raw) if line]
    if not lines or not lines[0].startswith(b"MSH") or len(lines[0]) < 5:
        return None
    field, component = lines[0][3:4], lines[0][4:5]
    rows = [line.split(field) for line in lines]
    said = next((row for row in rows if row[0] == b"MSA"), None)
    if said is None or len(said) < 3:
        return None
    code = said[1].decode("ascii", "replace").strip()
    if code not in _KNOWN:
        return None
    errors = [_error(row, component) for row in rows if row[0] == b"ERR"]
    header = rows[0]
    kind = header[8].replace(component, b"^") if len(header) > 8 else b""
    return Answer(
        code,
        said[2].decode("ascii", "replace").strip(),
        tuple(one for one in errors if one),
        kind.decode("ascii", "replace"),
    )


def _error(row: Sequence[bytes], component: bytes) -> str:
    """ERR-3.1, or before v2.5 the fourth component of ERR-1."""
    if len(row) > 3 and row[3]:
        found = row[3].split(component)[0]
    else:
        parts = row[1].split(component) if len(row) > 1 else []
        found = parts[3].split(b"&")[0] if len(parts) > 3 else b""
    text = found.decode("ascii", "replace")
    return text if text.isalnum() and len(text) <= 10 else ""


def verdict(answer: Answer, kind: str, times: int, most: int) -> Verdict:
    """What an answer means for a message.

    An error that is in the message itself would be the same next time; one that is not is worth
    another try; one without a reason is, some times.

    Args:
        answer: To it.
        kind: Of the message.
        times: How often it was answered so before.
        most: How often one is sent that fails without a reason.
    """
    match answer.code:
        case "AA":
            later = kind in ANSWERED_LATER and not answer.kind.startswith("RRI")
            return "kept" if later else "done"
        case "CA":
            return "kept"
        case "AE" | "CE":
            if answer.errors and _LATER.issuperset(answer.errors):
                return "again"
            return "again" if not answer.errors and times + 1 < most else "refused"
        case _:
            return "refused"


def reason_for(answer: Answer, times: int) -> str:
    """Why a message was not taken, as `DepartureRow.reason`.

    Args:
        answer: AE, AR, CE or CR.
        times: How often it was answered so, this time included.
    """
    arguments, words = {"code": answer.code}, "hl7v2-out-refused-unsaid"
    if answer.errors:
        arguments["errors"], words = ", ".join(answer.errors), "hl7v2-out-refused"
    return write_reasons([Reason(words, "", arguments, times)])


def unreadable() -> str:
    """The reason when what came back is no acknowledgement."""
    return write_reasons([Reason(_UNREADABLE)])


STATES: dict[Verdict, DepartureState] = {
    "kept": "accepted",
    "done": "done",
    "again": "queued",
    "refused": "refused",
}


async def note_answer(
    messages: MessageLog,
    tenant: int,
    answer: Answer,
    raw: bytes,
    follow: Follow,
    destination: str = "",
) -> DepartureRow | None:
    """Note an acknowledgement that came on its own, later or on another connection.

    Args:
        messages: The log.
        tenant: Tenant key.
        answer: What it says.
        raw: Its bytes.
        follow: Told before it is noted.
        destination: Who answers; "" for the one that it was sent to.

    Returns:
        The message that it answers; None when there is none that went there.
    """
    found = await messages.departure(tenant, answer.control_id)
    if found is None or found.departure.control_id != answer.control_id:
        return None
    if destination not in ("", found.departure.destination):
        return None
    if found.state == "done":
        return found
    # It has the message, so sending it again would not make it better: an error is for a person.
    meaning = verdict(answer, found.departure.kind, 0, 0)
    state: DepartureState = "refused" if meaning == "again" else STATES[meaning]
    reason = reason_for(answer, 1) if state == "refused" else ""
    await follow(found, state, reason)
    await messages.attempted(tenant, found.row, state, answer=raw, reason=reason)
    return found
