"""A random record of two branches, and who may see what of it, by brute force.

`is_visible` is written anew from docs/access/policy.md over plain JSON: no limit, criterion or
index row of the hub is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from hub.access.scopes import resource_scopes
from hub.principal import Principal

Resource = dict[str, Any]

BRANCHES = ("north", "south")
PATIENTS = ("p1", "p2", "p3", "p4", "p5")
CATEGORIES = ("vital-signs", "laboratory", "survey")
ONLY = "user/Observation.rs?category="
CODES = ("a", "b", "c")

_IN_RECORD = {
    "Observation": ("subject", "performer"),
    "Condition": ("subject", "asserter"),
    "Encounter": ("subject",),
    "Task": ("for",),
    "List": ("subject", "source"),
    "RelatedPerson": ("patient",),
    "Composition": ("subject", "author"),
}
"""Where a resource names the patients in whose compartment it is."""

_ABOUT = {type: names[0] for type, names in _IN_RECORD.items()}
_OPEN = frozenset(("Organization", "Location", "Practitioner", "Questionnaire"))


def _references(resource: Resource, name: str) -> Iterator[str]:
    value = resource.get(name, [])
    for element in value if isinstance(value, list) else [value]:
        yield element["reference"]


def _is_in_branch(patient: str, branches: frozenset[str], by_name: dict[str, Resource]) -> bool:
    if not patient.startswith("Patient/"):
        return False
    found = by_name.get(patient, {}).get("managingOrganization")
    return found is not None and found["reference"].removeprefix("Organization/") in branches


def _in_reach(one: Resource, who: Principal, by_name: dict[str, Resource]) -> bool:
    type = one["resourceType"]
    if "patient" in who.roles:
        return _is_of_patients(one, who.patients or frozenset())
    if not who.roles & {"doctor", "manager"} or who.organizations is None or type in _OPEN:
        return True
    branches = who.organizations
    if type == "Patient":
        return _is_in_branch(f"Patient/{one['id']}", branches, by_name)
    if type == "Encounter" and "serviceProvider" in one:
        return one["serviceProvider"]["reference"].removeprefix("Organization/") in branches
    if type not in _ABOUT:
        return False
    about = _references(one, _ABOUT[type])
    return any(_is_in_branch(name, branches, by_name) for name in about)


def _is_of_patients(one: Resource, patients: frozenset[str]) -> bool:
    type = one["resourceType"]
    if type in _OPEN:
        return True
    if type == "Patient":
        return one["id"] in patients
    names = (name for field in _IN_RECORD.get(type, ()) for name in _references(one, field))
    return any(name.partition("/")[::2] in {("Patient", id) for id in patients} for name in names)


def is_visible(one: Resource, who: Principal, by_name: dict[str, Resource]) -> bool:
    """Whether somebody finds a resource by searching.

    Args:
        one: The resource.
        who: A principal of `principals`.
        by_name: All resources by `Type/id`.
    """
    if not _in_reach(one, who, by_name):
        return False
    for scope in who.scopes or ():
        if (scope.level == "system") != ("system" in who.roles):
            continue
        if "s" not in scope.permissions or scope.type not in ("*", one["resourceType"]):
            continue
        if scope.level == "patient" and not _is_of_patients(one, frozenset((who.patient,))):
            continue
        category = dict(scope.search).get("category")
        codings = [coding["code"] for item in one.get("category", ()) for coding in item["coding"]]
        if category is None or category in codings:
            return True
    return who.scopes is None


def principals() -> tuple[Principal, ...]:
    """Everybody who is limited in some way."""

    def made(role: str, scope: str, patient: str = "", **more: Any) -> Principal:
        return Principal(
            "who",
            frozenset((role,)),
            scopes=resource_scopes(scope),
            patient=patient,
            grant="g",
            **more,
        )

    north, one = frozenset(("north",)), frozenset(("p1",))
    return (
        made("patient", "patient/*.rs", "p1", patients=one),
        made("patient", "user/*.cruds", patients=one),
        made("patient", "user/*.rs", patients=frozenset(("p1", "p3"))),
        made("patient", "patient/*.rs", "p2", patients=one),
        made(
            "patient",
            "patient/Observation.rs?category=laboratory patient/Patient.rs",
            "p1",
            patients=one,
        ),
        made("doctor", "user/*.cruds", organizations=north),
        made("doctor", "user/*.cruds", organizations=frozenset(BRANCHES)),
        made("doctor", "user/*.cruds", organizations=frozenset()),
        made("doctor", "patient/*.rs", "p1", organizations=north),
        made(
            "doctor",
            "patient/Observation.rs user/Encounter.rs user/Patient.rs",
            "p2",
            organizations=north,
        ),
        made(
            "manager",
            "user/Observation.rs?category=survey user/*.r user/Patient.s",
            organizations=north,
        ),
        made(
            "admin",
            f"{ONLY}survey {ONLY}laboratory user/List.s",
        ),
        made("system", "system/Patient.rs system/Observation.s"),
        made("system", "user/*.cruds"),
    )


def record(random: Random) -> list[Resource]:
    """All resources; references lead to what is there, across patients and branches."""
    found: list[Resource] = [
        {"resourceType": "Organization", "id": branch, "name": branch} for branch in BRANCHES
    ]
    found.append({"resourceType": "Practitioner", "id": "d", "name": [{"family": "d"}]})
    found.append(
        {
            "resourceType": "Location",
            "id": "room",
            "name": "room",
            "managingOrganization": {"reference": "Organization/north"},
        }
    )
    found.append({"resourceType": "Questionnaire", "id": "q", "status": "active"})
    for number, id in enumerate(PATIENTS):
        patient: Resource = {
            "resourceType": "Patient",
            "id": id,
            "name": [{"family": random.choice(CODES)}],
            "gender": random.choice(("male", "female")),
        }
        if number < 4:
            patient["managingOrganization"] = {"reference": f"Organization/{BRANCHES[number % 2]}"}
        if number == 2:
            patient["link"] = [{"other": {"reference": "Patient/p1"}, "type": "seealso"}]
        found.append(patient)

    def someone(*others: str) -> dict[str, str]:
        return {"reference": random.choice([*(f"Patient/{id}" for id in PATIENTS), *others])}

    for number in range(8):
        encounter: Resource = {
            "resourceType": "Encounter",
            "id": f"e{number}",
            "status": "finished",
            "class": {"code": "AMB"},
            "subject": someone(),
        }
        if random.random() < 0.7:
            branch = random.choice(BRANCHES)
            encounter["serviceProvider"] = {"reference": f"Organization/{branch}"}
        found.append(encounter)
    for number in range(24):
        category = random.choice(CATEGORIES)
        observation: Resource = {
            "resourceType": "Observation",
            "id": f"o{number}",
            "status": random.choice(("final", "amended")),
            "category": [{"coding": [{"system": "c", "code": category}]}],
            "code": {"coding": [{"system": "s", "code": random.choice(CODES)}]},
            "effectiveDateTime": f"2026-01-{random.randint(1, 28):02d}",
        }
        if random.random() < 0.9:
            observation["subject"] = someone("Location/room")
        if random.random() < 0.3:
            observation["performer"] = [someone("Practitioner/d")]
        if random.random() < 0.6:
            observation["encounter"] = {"reference": f"Encounter/e{random.randrange(8)}"}
        found.append(observation)
    for number in range(6):
        found += [
            {
                "resourceType": "Condition",
                "id": f"c{number}",
                "subject": someone(),
                "code": {"coding": [{"system": "s", "code": random.choice(CODES)}]},
                "encounter": {"reference": f"Encounter/e{random.randrange(8)}"},
            },
            {
                "resourceType": "Task",
                "id": f"t{number}",
                "status": "requested",
                "intent": "order",
                "for": someone(),
                "focus": {"reference": f"Observation/o{random.randrange(24)}"},
            },
            {
                "resourceType": "List",
                "id": f"l{number}",
                "status": "current",
                "mode": "working",
                "subject": someone(),
                "entry": [
                    {"item": {"reference": f"Observation/o{random.randrange(24)}"}}
                    for _ in range(3)
                ],
            },
            {
                "resourceType": "RelatedPerson",
                "id": f"r{number}",
                "patient": someone(),
            },
            {
                "resourceType": "Composition",
                "id": f"k{number}",
                "status": "final",
                "type": {"text": "x"},
                "date": "2026-01-01",
                "title": "x",
                "subject": someone(),
                "author": [someone("Practitioner/d")],
                "section": [
                    {"title": "x", "entry": [{"reference": f"Observation/o{random.randrange(24)}"}]}
                ],
            },
        ]
    found.append(
        {
            "resourceType": "Group",
            "id": "g",
            "type": "person",
            "actual": True,
            "member": [{"entity": {"reference": f"Patient/{id}"}} for id in PATIENTS],
        }
    )
    return found
