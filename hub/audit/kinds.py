"""What can happen, as AuditEvent tells it: type, subtypes and action by interaction.

`type` and `subtype` are those of BALP for RESTful interactions, of DICOM for logins, security
alerts and the life of the hub's processes. Anything that is not in the table is an operation, by
its name. Used by `recorder`, `event` and `criteria`.
Spec: https://hl7.org/fhir/R4/valueset-audit-event-type.html, valueset-audit-event-sub-type.html
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

TYPES = "http://terminology.hl7.org/CodeSystem/audit-event-type"
INTERACTIONS = "http://hl7.org/fhir/restful-interaction"
DICOM = "http://dicom.nema.org/resources/ontology/DCM"
OWN = "urn:fhir-hub:operation"


class Code(NamedTuple):
    """A Coding."""

    system: str
    code: str
    display: str = ""

    def coding(self) -> dict[str, str]:
        """As JSON."""
        made = {"system": self.system, "code": self.code}
        if self.display:
            made["display"] = self.display
        return made


class Kind(NamedTuple):
    """How an interaction is told: AuditEvent.type, subtype, and the action by default."""

    type: Code
    subtypes: tuple[Code, ...]
    action: str = "E"


REST = Code(TYPES, "rest", "RESTful Operation")
AUTHENTICATION = Code(DICOM, "110114", "User Authentication")
ALERT = Code(DICOM, "110113", "Security Alert")
ACTIVITY = Code(DICOM, "110100", "Application Activity")


def _rest(action: str, *codes: str) -> Kind:
    return Kind(REST, tuple(Code(INTERACTIONS, code, code) for code in codes), action)


def _door(code: str, *also: Code, action: str = "E") -> Kind:
    return Kind(AUTHENTICATION, (*also, Code(OWN, code)), action)


def _account(code: str, action: str) -> Kind:
    return Kind(ALERT, (Code(DICOM, "110137", "User Security Attributes Changed"), Code(OWN, code)),
                action)  # fmt: skip


def _client(code: str, action: str) -> Kind:
    return Kind(ALERT, (Code(DICOM, "110136", "Security Roles Changed"), Code(OWN, code)), action)


KINDS: Mapping[str, Kind] = {
    "read": _rest("R", "read"),
    "vread": _rest("R", "vread", "read"),
    "create": _rest("C", "create"),
    "update": _rest("U", "update"),
    "patch": _rest("U", "patch", "update"),
    "delete": _rest("D", "delete"),
    "update-conditional": _rest("U", "update"),
    "patch-conditional": _rest("U", "patch", "update"),
    "delete-conditional": _rest("D", "delete"),
    "history-instance": _rest("R", "history-instance"),
    "history-type": _rest("R", "history-type"),
    "history-system": _rest("R", "history-system"),
    "search-type": _rest("E", "search-type", "search"),
    "search-system": _rest("E", "search-system", "search"),
    "search-compartment": _rest("E", "search-type", "search"),
    "batch": _rest("E", "batch"),
    "transaction": _rest("E", "transaction"),
    "capabilities": _rest("E", "capabilities"),
    "login": _door("login", Code(DICOM, "110122", "Login")),
    "logout": _door("logout", Code(DICOM, "110123", "Logout")),
    "password": _account("password", "U"),
    "authorize": _door("authorize"),
    "token": _door("token"),
    "refresh": _door("refresh"),
    "introspect": _door("introspect"),
    "userinfo": _door("userinfo"),
    "revoke": _door("revoke"),
    "launch": _door("launch"),
    "form": Kind(ALERT, (Code(OWN, "form"),)),
    "register": _client("register", "C"),
    "client-add": _client("client-add", "C"),
    "client-remove": _client("client-remove", "D"),
    "account-add": _account("account-add", "C"),
    "account-remove": _account("account-remove", "D"),
    "account-disable": _account("account-disable", "U"),
    "account-enable": _account("account-enable", "U"),
    "account-password": _account("account-password", "U"),
    "start": Kind(ACTIVITY, (Code(DICOM, "110120", "Application Start"),)),
    "stop": Kind(ACTIVITY, (Code(DICOM, "110121", "Application Stop"),)),
    "unclean": Kind(ACTIVITY, (Code(OWN, "unclean", "Ended without a stop"),)),
}
"""By `AuditRecord.interaction`."""


@lru_cache(maxsize=1024)
def kind_of(interaction: str) -> Kind:
    """How an interaction is told."""
    found = KINDS.get(interaction)
    return found if found is not None else Kind(REST, (Code(OWN, interaction or "unknown"),))


def interactions_with(code: str) -> tuple[str, ...]:
    """Interactions that a subtype's code may stand for."""
    found = [name for name, kind in KINDS.items() if any(code == one.code for one in kind.subtypes)]
    return (*found, code) if code not in KINDS else tuple(found)
