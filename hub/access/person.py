"""From an account and a grant to a principal: who somebody is in the record, and whose.

A patient's account is confined to that Patient. A relative's to the patients whose RelatedPerson
it is, as long as that is active and in its period and an active Consent of the patient permits
it: ending either ends access as soon as the principal is made anew (`tokens.KEPT`). Staff is
confined to the branches of its PractitionerRoles and what is part of them. What cannot be made
out gives nothing. The record is read as the hub itself, without limits.
Called by `hub.access.tokens`.
Spec: https://hl7.org/fhir/R4/relatedperson.html, consent.html, practitionerrole.html
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from hub.access.accounts import Account
from hub.access.grants import Grant
from hub.access.roles import roles
from hub.access.scopes import resource_scopes
from hub.context import utc_now
from hub.definitions import search_parameters_of
from hub.model import body, dates, json
from hub.model.reference import parse
from hub.principal import Principal
from hub.search.query import And, Match, Query, ReferenceValue, TokenValue, Value
from hub.storage.port import DeadlineExceeded, Store, Stored, StoreUnavailable

LEVELS = 8
"""How deep branches of branches are followed."""

MOST = 1000
"""Most resources of one kind that are looked at for one person."""

Resource = dict[str, Any]
_RESTRICTING = (
    "class",
    "code",
    "data",
    "dataPeriod",
    "modifierExtension",
    "purpose",
    "securityLabel",
)
"""What makes a Consent permit only a part: that is not honoured yet, so it permits nothing."""


class PersonReader:
    """Makes the principals of a tenant; see the module."""

    def __init__(
        self,
        store: Store,
        tenant: int = 1,
        *,
        zone: str = "Asia/Shanghai",
        base: str = "",
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """Put the parts together.

        Args:
            store: The record.
            tenant: Tenant key.
            zone: Zone of dates without an offset.
            base: The hub's own FHIR base; references below it are local.
            clock: For periods.
        """
        self._store, self._tenant = store, tenant
        self._zone, self._base, self._clock = zone, base, clock

    async def __call__(self, account: Account | None, grant: Grant) -> Principal:
        """The principal of a grant.

        Args:
            account: Who granted; None for Backend Services.
            grant: The grant, with the token's own scopes.

        Raises:
            StoreUnavailable: The record cannot be read.
        """
        scopes = resource_scopes(grant.scope)
        if account is None:
            return Principal(
                grant.client,
                frozenset(("system",)),
                "",
                grant.client,
                scopes,
                grant.patient,
                grant.encounter,
                grant=grant.id,
            )
        reaches = {roles()[name].reach for name in account.roles if name in roles()}
        patients: frozenset[str] | None = None
        organizations: frozenset[str] | None = None
        try:
            if "patients" in reaches:
                patients = await self._patients(account)
            if "branches" in reaches:
                organizations = await self._organizations(account.fhir_user)
        except DeadlineExceeded as error:
            raise StoreUnavailable("it takes too long to find out who somebody is") from error
        return Principal(
            account.name,
            frozenset(account.roles) - {"system"},
            account.fhir_user,
            grant.client,
            scopes,
            grant.patient,
            grant.encounter,
            patients,
            organizations,
            grant.id,
        )

    # --- patients and relatives --------------------------------------------------------------

    async def _patients(self, account: Account) -> frozenset[str]:
        """Whom a person is or acts for."""
        found: set[str] = set()
        async for type, id in self._identities(account.fhir_user):
            if type == "Patient" and "patient" in account.roles:
                found.add(id)
            elif type == "RelatedPerson" and "relative" in account.roles:
                patient = await self._acts_for(id)
                if patient:
                    found.add(patient)
        return frozenset(found)

    async def _identities(self, fhir_user: str) -> AsyncIterator[tuple[str, str]]:
        """Type and id of whom an account is; a Person is whom it links to."""
        type, _, id = fhir_user.partition("/")
        if type != "Person":
            yield type, id
            return
        person = await self._read(type, id)
        if person is None or person.get("active") is False:
            return
        for link in person.get("link", ()):
            yield self._target(link.get("target"))

    async def _acts_for(self, id: str) -> str:
        """The patient a RelatedPerson may act for now, "" if none."""
        relative = await self._read("RelatedPerson", id)
        if relative is None or not self._is_valid(relative):
            return ""
        type, patient = self._target(relative.get("patient"))
        if type != "Patient" or await self._read(type, patient) is None:
            return ""
        is_permitted = False
        async for consent in self._matching(
            "Consent",
            ("patient", ReferenceValue("Patient", patient)),
            ("status", TokenValue(None, "active")),
        ):
            base = "permit" if _is_opt_in(consent) else ""
            said = self._said(consent.get("provision"), ("RelatedPerson", id), base)
            if "deny" in said:
                return ""
            # What modifies it may turn a permission around.
            is_permitted |= "permit" in said and "modifierExtension" not in consent
        return patient if is_permitted else ""

    def _said(
        self,
        provision: object,
        actor: tuple[str, str],
        base: str = "",
        is_meant: bool = False,
        depth: int = 0,
    ) -> set[str]:
        """What a provision, with those within it, says of an actor: permit, deny, nothing.

        Args:
            provision: Consent.provision.
            actor: Type and id.
            base: What it says when it has no type itself, as a root one may.
            is_meant: What stands around it is about the actor, and so is what names nobody.
            depth: How deep it stands.
        """
        if not isinstance(provision, dict) or depth > LEVELS:
            return set()
        if not self._is_in(provision.get("period")):
            return set()
        actors = [self._target(one.get("reference")) for one in provision.get("actor", ())]
        is_meant = actor in actors or (is_meant and not actors)
        said: set[str] = set()
        for inner in provision.get("provision", ()):
            said |= self._said(inner, actor, "", is_meant, depth + 1)
        type = provision.get("type", base)
        if is_meant and (type == "deny" or not _is_restricted(provision)):
            said.add(type)
        return said

    # --- staff -------------------------------------------------------------------------------

    async def _organizations(self, fhir_user: str) -> frozenset[str]:
        """The branches somebody works for, and all that is part of them."""
        direct: set[str] = set()
        async for role in self._practitioner_roles(fhir_user):
            type, id = self._target(role.get("organization"))
            if self._is_valid(role) and type == "Organization":
                direct.add(id)
        found, level = set(direct), direct
        for _ in range(LEVELS):
            if not level or len(found) > MOST:
                break
            parents = [ReferenceValue("Organization", id) for id in sorted(level)]
            below = {
                str(one["id"]) async for one in self._matching("Organization", ("partof", *parents))
            }
            level = below - found
            found |= below
        return frozenset(found)

    async def _practitioner_roles(self, fhir_user: str) -> AsyncIterator[Resource]:
        type, _, id = fhir_user.partition("/")
        if type == "PractitionerRole":
            role = await self._read(type, id)
            if role is not None:
                yield role
        elif type == "Practitioner":
            practitioner = await self._read(type, id)
            if practitioner is None or practitioner.get("active") is False:
                return
            own = ("practitioner", ReferenceValue("Practitioner", id))
            async for role in self._matching("PractitionerRole", own):
                yield role

    # --- the record --------------------------------------------------------------------------

    async def _read(self, type: str, id: str) -> Resource | None:
        stored = await self._store.read(self._tenant, type, id) if id else None
        return None if stored is None or stored.deleted else _content(stored)

    async def _matching(
        self, type: str, *wanted: tuple[str, *tuple[Value, ...]]
    ) -> AsyncIterator[Resource]:
        """Resources that have one of the values of each parameter."""
        parameters = search_parameters_of(type)
        criteria = tuple(Match(parameters[code], tuple(values)) for code, *values in wanted)
        query = Query((type,), And(criteria), count=MOST)
        page = await self._store.search(self._tenant, query)
        for stored in page.matches:
            yield _content(stored)

    def _target(self, element: object) -> tuple[str, str]:
        """Type and id of a local reference; "" when it is none."""
        text = element.get("reference") if isinstance(element, dict) else None
        parts = parse(text if isinstance(text, str) else "", self._base)
        return (parts.type, parts.id) if parts.kind == "relative" else ("", "")

    def _is_valid(self, resource: Mapping[str, Any]) -> bool:
        """Whether it is active and in its period."""
        return resource.get("active") is not False and self._is_in(resource.get("period"))

    def _is_in(self, period: object) -> bool:
        """Whether now is within a period; no period is always."""
        if period is None:
            return True
        if not isinstance(period, dict):
            return False
        now = dates.microseconds(self._clock())
        return all(_holds(period, self._zone, now))


def _is_restricted(provision: Mapping[str, Any]) -> bool:
    """Whether a permission is for a part only, or not for looking at the record."""
    if any(name in provision for name in _RESTRICTING):
        return True
    actions = [
        coding.get("code")
        for one in provision.get("action", ())
        for coding in one.get("coding", ())
    ]
    return "action" in provision and "access" not in actions


def _is_opt_in(consent: Resource) -> bool:
    """Whether its rule is to permit, as far as its root provision has no type of its own."""
    rule = consent.get("policyRule") or {}
    return any(coding.get("code") == "OPTIN" for coding in rule.get("coding", ()))


def _holds(period: Mapping[str, Any], zone: str, now: int) -> Iterator[bool]:
    start, end = period.get("start"), period.get("end")
    try:
        yield start is None or dates.parse(start, zone)[0] <= now
        yield end is None or now < dates.parse(end, zone)[1]
    except ValueError:
        yield False


def _content(stored: Stored) -> Resource:
    joined = body.join(stored.type, stored.id, stored.version, stored.updated, stored.tail)
    return json.load(joined)
