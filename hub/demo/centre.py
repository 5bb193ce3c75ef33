"""The centre, its three branches, the hospital above them, their places and their staff."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from hub.demo.identity import phone
from hub.demo.names import names

Resource = dict[str, Any]

NAMESPACE = uuid.UUID("7a0b6a9e-5d0b-4f6e-9c3a-0d8b1a6f2e11")
ORGANIZATION_SYSTEM = "https://demo.fhir-hub.example/organization"
STAFF_SYSTEM = "https://demo.fhir-hub.example/staff"

SNOMED = "http://snomed.info/sct"
PRACTITIONER_ROLE = "http://terminology.hl7.org/CodeSystem/practitioner-role"


def identity(seed: int, *steps: object) -> str:
    """A logical id that depends on nothing but the seed and the steps."""
    return str(uuid.uuid5(NAMESPACE, "/".join(map(str, (seed, *steps)))))


def concept(system: str, code: str, display: str, text: str = "") -> Resource:
    """A CodeableConcept with one coding; text is the Chinese wording."""
    coded: Resource = {"coding": [{"system": system, "code": code, "display": display}]}
    return coded | {"text": text} if text else coded


def reference(resource: Resource, display: str = "") -> Resource:
    """A literal reference to a resource."""
    target: Resource = {"reference": f"{resource['resourceType']}/{resource['id']}"}
    return target | {"display": display} if display else target


@dataclass(frozen=True, slots=True)
class Site:
    """An Organization with its Location and the division digits of its residents."""

    organization: Resource
    location: Resource
    division: str


@dataclass(frozen=True, slots=True)
class Doctor:
    """A Practitioner in a PractitionerRole at a site."""

    practitioner: Resource
    role: Resource
    site: Site

    @property
    def kind(self) -> str:
        """`doctor` or `nurse`."""
        return str(self.role["code"][0]["coding"][0]["code"])

    @property
    def name(self) -> str:
        """Name in Han characters."""
        return str(self.practitioner["name"][0]["text"])


@dataclass(frozen=True, slots=True)
class Centre:
    """What all patients share."""

    centre: Site
    branches: tuple[Site, ...]
    hospital: Site
    doctors: tuple[Doctor, ...]
    specialists: tuple[Doctor, ...]
    manager: Doctor

    def resources(self) -> Iterator[Resource]:
        """All resources, targets before those that refer to them."""
        sites = (self.centre, *self.branches, self.hospital)
        yield from (site.organization for site in sites)
        yield from (site.location for site in sites)
        staff = (*self.doctors, *self.specialists, self.manager)
        yield from (doctor.practitioner for doctor in staff)
        yield from (doctor.role for doctor in staff)


SITES = (
    ("centre", "梧桐家庭医生中心", "Wutong Family Doctor Centre", "000100", 30.0101, 120.0101),
    ("east", "梧桐家庭医生中心东门分部", "Wutong East Gate Branch", "000101", 30.0204, 120.0417),
    ("lake", "梧桐家庭医生中心湖滨分部", "Wutong Lakeside Branch", "000102", 29.9871, 119.9902),
    ("hill", "梧桐家庭医生中心南山分部", "Wutong South Hill Branch", "000103", 29.9415, 120.0733),
    ("hospital", "梧桐市人民医院", "Wutong People's Hospital", "000100", 30.0302, 120.0023),
)

SPECIALTIES = {
    "family": ("419772000", "Family practice", "全科医学"),
    "endocrinology": ("394583002", "Endocrinology", "内分泌科"),
    "cardiology": ("394579002", "Cardiology", "心血管内科"),
    "ophthalmology": ("394594003", "Ophthalmology", "眼科"),
}
DOCTORS_PER_BRANCH = 4
NURSES_PER_BRANCH = 2


def _site(seed: int, row: tuple[str, str, str, str, float, float], parent: Resource | None) -> Site:
    key, name, english, division, latitude, longitude = row
    kind = (
        ("prov", "Healthcare Provider")
        if key in ("centre", "hospital")
        else (
            "dept",
            "Hospital Department",
        )
    )
    organization: Resource = {
        "resourceType": "Organization",
        "id": identity(seed, "organization", key),
        "identifier": [{"system": ORGANIZATION_SYSTEM, "value": key}],
        "active": True,
        "type": [
            concept("http://terminology.hl7.org/CodeSystem/organization-type", kind[0], kind[1])
        ],
        "name": name,
        "alias": [english],
    }
    if parent is not None:
        organization["partOf"] = reference(parent)
    location: Resource = {
        "resourceType": "Location",
        "id": identity(seed, "location", key),
        "status": "active",
        "name": name,
        "alias": [english],
        "mode": "instance",
        "position": {"longitude": Decimal(str(longitude)), "latitude": Decimal(str(latitude))},
        "managingOrganization": reference(organization),
    }
    return Site(organization, location, division)


def _doctor(seed: int, site: Site, index: int, specialty: str, role: str) -> Doctor:
    random = Random(f"{seed}:staff:{site.organization['id']}:{specialty}:{role}:{index}")
    gender = random.choice(("male", "female"))
    born = date(1966, 1, 1) + timedelta(days=random.randrange(30 * 365))
    number = f"{site.division}-{specialty[:3].upper()}{role[0].upper()}{index:02d}"
    practitioner: Resource = {
        "resourceType": "Practitioner",
        "id": identity(seed, "practitioner", site.organization["id"], specialty, role, index),
        "identifier": [{"system": STAFF_SYSTEM, "value": number}],
        "active": True,
        "name": names(random, gender),
        "telecom": [{"system": "phone", "value": phone(random), "use": "work"}],
        "gender": gender,
        "birthDate": born.isoformat(),
        "communication": [concept("urn:ietf:bcp:47", "zh-CN", "Chinese (China)")],
    }
    code, display, text = SPECIALTIES[specialty]
    practitioner_role: Resource = {
        "resourceType": "PractitionerRole",
        "id": identity(seed, "role", practitioner["id"]),
        "active": True,
        "practitioner": reference(practitioner, practitioner["name"][0]["text"]),
        "organization": reference(site.organization),
        "code": [concept(PRACTITIONER_ROLE, role, role.capitalize())],
        "specialty": [concept(SNOMED, code, display, text)],
        "location": [reference(site.location)],
    }
    return Doctor(practitioner, practitioner_role, site)


def make_centre(seed: int) -> Centre:
    """The centre of a seed.

    Args:
        seed: Any integer.
    """
    centre = _site(seed, SITES[0], None)
    branches = tuple(_site(seed, row, centre.organization) for row in SITES[1:4])
    hospital = _site(seed, SITES[4], None)
    doctors = tuple(
        _doctor(seed, branch, index, "family", role)
        for branch in branches
        for role, count in (("doctor", DOCTORS_PER_BRANCH), ("nurse", NURSES_PER_BRANCH))
        for index in range(count)
    )
    specialists = tuple(
        _doctor(seed, hospital, index, specialty, "doctor")
        for specialty in ("endocrinology", "cardiology", "ophthalmology")
        for index in range(2)
    )
    manager = _doctor(seed, centre, 0, "family", "doctor")
    manager.role["code"].append({"text": "中心主任"})
    return Centre(centre, branches, hospital, doctors, specialists, manager)
