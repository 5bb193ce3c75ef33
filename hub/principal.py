"""Who asks: a principal, and the scopes an app was given, as plain data.

Made where a token is verified (`hub.access.tokens`) or by the command line (`LOCAL`); travels in
`hub.context.Context`; `hub.access.policy` decides by it, audit and Provenance name it.
Spec: SMART App Launch 2.2, scopes and launch context.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["patient", "user", "system"]


@dataclass(frozen=True, slots=True)
class Scope:
    """One SMART resource scope, of version 1 or 2.

    Attributes:
        level: `patient` is confined to the launch context's patient, `user` to what the account
            may, `system` to what the client may.
        type: Resource type, or `*`.
        permissions: Some of `c r u d s`: create, read (vread and instance history too), update
            (patch too), delete, search (type history too).
        search: Search parameters that a resource must meet (`?category=...`).
    """

    level: Level
    type: str
    permissions: frozenset[str]
    search: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks, through which client, with what limits.

    Attributes:
        name: Account name, or the client's id for Backend Services; what the audit shows.
        roles: Names of roles in the role table; none only for `LOCAL`.
        fhir_user: `Practitioner/123`, `Patient/9` ...; "" for systems.
        client: OAuth client id, "" without one.
        scopes: What the client was granted; None: whatever the roles may.
        patient: Logical id of the launch context's patient, "" without.
        encounter: Logical id of the launch context's encounter, "" without.
        patients: Logical ids of the patients the person is confined to (a patient: itself, a
            relative: whom it acts for); None: not confined by patient.
        organizations: Logical ids of the branches the person is confined to; None: all.
        grant: Id of the authorization that the token came from; revoking it ends the token.
    """

    name: str
    roles: frozenset[str] = frozenset()
    fhir_user: str = ""
    client: str = ""
    scopes: tuple[Scope, ...] | None = None
    patient: str = ""
    encounter: str = ""
    patients: frozenset[str] | None = None
    organizations: frozenset[str] | None = None
    grant: str = ""


LOCAL = Principal("local")
"""Whoever sits at the machine: the command line, and everyone while `auth` is `off`."""
