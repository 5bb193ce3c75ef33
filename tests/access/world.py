"""A small record that many may see parts of, and whom it is asked by.

Two branches, north and south, below hq; ann, bob and olga belong to north, cat to south. The ids
say whose a resource is.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from hub.access.clients import Client
from hub.access.front_desk import FrontDesk
from hub.access.grants import Grant

Resource = dict[str, Any]

_STAFF = {"doctor": "north", "southern": "south", "boss": "hq", "chief": "north"}
BRANCHES = {"ann": "north", "bob": "north", "olga": "north", "cat": "south"}
VITAL = "vital-signs"
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
PDF = "JVBERi0="
TYPE = "application/pdf"


def ref(target: str) -> dict[str, str]:
    """A reference."""
    return {"reference": target}


def made(resource_type: str, id: str, /, **content: Any) -> Resource:
    """A resource."""
    return {"resourceType": resource_type, "id": id} | content


def observation(id: str, subject: str, category: str = VITAL, **more: Any) -> Resource:
    """An Observation."""
    return made(
        "Observation",
        id,
        status="final",
        category=[{"coding": [{"system": CATEGORY, "code": category}]}],
        code={"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
        subject=ref(f"Patient/{subject}"),
        effectiveDateTime="2026-03-01T08:00:00+08:00",
        valueQuantity={"value": 70, "unit": "/min"},
        **more,
    )


def world() -> list[Resource]:
    """All resources, each after those that it refers to."""
    found = [
        made("Organization", "hq", name="hq"),
        made("Organization", "north", name="north", partOf=ref("Organization/hq")),
        made("Organization", "south", name="south", partOf=ref("Organization/hq")),
        made("Location", "room", name="room", managingOrganization=ref("Organization/north")),
        made("PlanDefinition", "plan", status="active", title="hypertension"),
        made("ValueSet", "set", status="active", url="http://example.org/set", name="Set"),
    ]
    for name, branch in _STAFF.items():
        found += [
            made("Practitioner", name, name=[{"family": name}]),
            made(
                "PractitionerRole",
                f"role-{name}",
                practitioner=ref(f"Practitioner/{name}"),
                organization=ref(f"Organization/{branch}"),
            ),
        ]
    for name, branch in BRANCHES.items():
        found += _record(name, branch)
    found += [
        observation("shared", "ann", performer=[ref("Patient/bob")]),
        made(
            "QuestionnaireResponse",
            "qr-cat",
            status="completed",
            subject=ref("Patient/cat"),
            author=ref("Patient/ann"),
        ),
        made("QuestionnaireResponse", "qr-ann", status="completed", subject=ref("Patient/ann")),
        made(
            "Group",
            "both",
            type="person",
            actual=True,
            member=[{"entity": ref("Patient/ann")}, {"entity": ref("Patient/cat")}],
        ),
        made("Binary", "loose", contentType=TYPE, data=PDF),
    ]
    for name, status in (("son", "active"), ("nephew", "inactive")):
        found += [
            made("RelatedPerson", name, active=True, patient=ref("Patient/olga")),
            made(
                "Consent",
                f"for-{name}",
                status=status,
                scope={"coding": [{"code": "patient-privacy"}]},
                category=[{"coding": [{"code": "59284-0"}]}],
                patient=ref("Patient/olga"),
                policyRule={"coding": [{"code": "OPTOUT"}]},
                provision={
                    "type": "permit",
                    "actor": [
                        {"role": {"text": "proxy"}, "reference": ref(f"RelatedPerson/{name}")}
                    ],
                },
            ),
        ]
    return found


def _record(name: str, branch: str) -> list[Resource]:
    patient, organization = f"Patient/{name}", f"Organization/{branch}"
    return [
        made(
            "Patient",
            name,
            name=[{"family": name}],
            identifier=[{"system": "urn:x", "value": name}],
            managingOrganization=ref(organization),
        ),
        made(
            "Encounter",
            f"enc-{name}",
            status="finished",
            **{"class": {"code": "AMB"}},
            subject=ref(patient),
            serviceProvider=ref(organization),
        ),
        observation(f"obs-{name}", name, encounter=ref(f"Encounter/enc-{name}")),
        observation(f"lab-{name}", name, "laboratory"),
        made("Condition", f"con-{name}", subject=ref(patient), code={"text": "cough"}),
        made(
            "Task",
            f"task-{name}",
            status="requested",
            intent="order",
            **{"for": ref(patient)},
        ),
        made(
            "Binary",
            f"bin-{name}",
            contentType="application/pdf",
            securityContext=ref(patient),
            data=PDF,
        ),
        made(
            "DocumentReference",
            f"doc-{name}",
            status="current",
            subject=ref(patient),
            content=[{"attachment": {"url": f"Binary/bin-{name}"}}],
        ),
        made(
            "Composition",
            f"comp-{name}",
            status="final",
            type={"text": "summary"},
            subject=ref(patient),
            date="2026-03-01",
            author=[ref("Practitioner/boss")],
            title="summary",
            section=[{"title": "values", "entry": [ref(f"Observation/obs-{name}")]}],
        ),
        made(
            "List",
            f"list-{name}",
            status="current",
            mode="working",
            subject=ref(patient),
            entry=[{"item": ref(f"Observation/obs-{name}")}],
        ),
        made(
            "Provenance",
            f"prov-{name}",
            target=[ref(f"Observation/obs-{name}")],
            recorded="2026-03-01T08:00:00Z",
            agent=[{"who": ref("Practitioner/boss")}],
        ),
    ]


def moved() -> list[Resource]:
    """Earlier versions of resources that were first written about the wrong patient."""
    return [observation("moved", "cat"), observation("moved", "ann")]


GONE = (observation("gone-ann", "ann"), observation("gone-cat", "cat"))
"""Resources that are deleted."""


class Who(NamedTuple):
    """Somebody who asks: account, its role and person, scopes and patient of the launch."""

    role: str
    fhir_user: str
    scope: str
    patient: str = ""


VITALS = f"patient/Observation.rs?category={VITAL}"

WHO = {
    "admin": Who("admin", "", "user/*.cruds"),
    "clerk": Who("admin", "", "user/Patient.rs user/Observation.rs?category=laboratory"),
    "boss": Who("manager", "Practitioner/boss", "user/*.cruds"),
    "chief": Who("manager", "Practitioner/chief", "user/*.cruds"),
    "doctor": Who("doctor", "Practitioner/doctor", "user/*.cruds"),
    "southern": Who("doctor", "PractitionerRole/role-southern", "user/*.cruds"),
    "stray": Who("doctor", "Practitioner/stray", "user/*.cruds"),
    "app": Who("doctor", "Practitioner/doctor", "patient/*.cruds", "ann"),
    "nurse": Who("nurse", "Practitioner/doctor", "user/*.cruds"),
    "ann": Who("patient", "Patient/ann", "patient/*.cruds", "ann"),
    "ann1": Who("patient", "Patient/ann", "patient/*.read", "ann"),
    "annv": Who(
        "patient",
        "Patient/ann",
        "patient/Observation.rs?category=vital-signs patient/Patient.r",
        "ann",
    ),
    "annc": Who("patient", "Patient/ann", "patient/Observation.c", "ann"),
    "thief": Who("patient", "Patient/ann", "patient/*.cruds", "cat"),
    "bob": Who("patient", "Patient/bob", "user/*.cruds"),
    "son": Who("relative", "RelatedPerson/son", "patient/*.cruds", "olga"),
    "nephew": Who("relative", "RelatedPerson/nephew", "patient/*.cruds", "olga"),
    "lab": Who("system", "", "system/Observation.cruds system/Patient.rs"),
    "bulk": Who("system", "", "system/*.cruds"),
}
"""Who asks, by name; those of role system are services."""


async def let_in(desk: FrontDesk, base: str, now: int) -> dict[str, str]:
    """Accounts, clients and grants of everybody in `WHO`.

    Returns:
        An access token of each, by name.
    """
    issuer = desk.issuer(base.removesuffix("/fhir"), base)
    app = Client(id="app", name="app", redirect_uris=("https://app.example.org/cb",))
    await desk.clients.add(app, now)
    tokens = {}
    for name, who in WHO.items():
        account, client = name, "app"
        if who.role == "system":
            account, client = "", name
            await desk.clients.add(Client(id=name, name=name, grant_types=()), now)
        else:
            await desk.accounts.add(
                name, f"secret of {name} 1", now, roles=[who.role], fhir_user=who.fhir_user
            )
        grant = Grant(client=client, account=account, scope=who.scope, patient=who.patient)
        tokens[name] = await issuer.access_token(await desk.grants.start(grant, now), 3600, now)
    return tokens
