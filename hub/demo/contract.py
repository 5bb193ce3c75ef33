"""The family-doctor contract as CarePlan with its CareTeam, and the referral to the hospital."""

from __future__ import annotations

from datetime import date, timedelta

from hub.demo.centre import Centre, Doctor, Resource, concept, identity, reference

CONTRACT_SYSTEM = "https://demo.fhir-hub.example/contract"
CATEGORY_SYSTEM = "https://demo.fhir-hub.example/careplan-category"
SNOMED = "http://snomed.info/sct"

SERVICES = {
    "hypertension": (
        ("home-bp", "家庭血压监测", "Home blood pressure monitoring"),
        ("quarterly", "每季度面对面随访", "Quarterly follow-up visit"),
    ),
    "diabetes": (
        ("hba1c", "每半年糖化血红蛋白检测", "HbA1c every six months"),
        ("fundus", "每年眼底检查", "Yearly fundus examination"),
    ),
    "": (("checkup", "每年健康体检", "Yearly health check"),),
}


def contract(
    seed: int, number: int, patient: Resource, doctor: Doctor, start: date, problems: list[Resource]
) -> list[Resource]:
    """A CareTeam and the CarePlan that is the contract.

    Args:
        seed: The data set's seed.
        number: The patient's number.
        patient: Patient.
        doctor: Family doctor in charge.
        start: First day; it runs a year.
        problems: The patient's Conditions.
    """
    subject = reference(patient, patient["name"][0]["text"])
    period = {
        "start": start.isoformat(),
        "end": (start + timedelta(days=364)).isoformat(),
    }
    team: Resource = {
        "resourceType": "CareTeam",
        "id": identity(seed, "careteam", number),
        "status": "active",
        "name": "家庭医生签约团队",
        "subject": subject,
        "period": period,
        "participant": [{"member": reference(doctor.practitioner, doctor.name)}],
        "managingOrganization": [reference(doctor.site.organization)],
    }
    kinds = [problem["code"]["text"] for problem in problems]
    wanted = [
        key
        for key, text in (("hypertension", "高血压"), ("diabetes", "2型糖尿病"))
        if text in kinds
    ] + [""]
    plan: Resource = {
        "resourceType": "CarePlan",
        "id": identity(seed, "contract", number),
        "identifier": [{"system": CONTRACT_SYSTEM, "value": f"{start.year}-{number:06d}"}],
        "status": "active",
        "intent": "plan",
        "category": [
            concept(
                CATEGORY_SYSTEM, "family-doctor-contract", "Family doctor contract", "家庭医生签约"
            )
        ],
        "title": "家庭医生签约服务协议",
        "subject": subject,
        "period": period,
        "created": start.isoformat(),
        "author": reference(doctor.practitioner, doctor.name),
        "careTeam": [reference(team)],
        "addresses": [reference(problem) for problem in problems],
        "activity": [
            {
                "detail": {
                    "kind": "ServiceRequest",
                    "code": concept("https://demo.fhir-hub.example/service", code, english, text),
                    "status": "in-progress",
                    "description": text,
                }
            }
            for key in wanted
            for code, text, english in SERVICES[key]
        ],
    }
    if not problems:
        del plan["addresses"]
    return [team, plan]


def referral(
    seed: int,
    number: int,
    patient: Resource,
    encounter: Resource,
    centre: Centre,
    doctor: Doctor,
    problem: Resource,
) -> Resource:
    """A ServiceRequest that sends the patient to the hospital's specialist."""
    sweet = problem["code"]["text"] == "2型糖尿病"
    wanted = "内分泌科" if sweet else "心血管内科"
    specialist = next(
        one for one in centre.specialists if one.role["specialty"][0]["text"] == wanted
    )
    return {
        "resourceType": "ServiceRequest",
        "id": identity(seed, "referral", number),
        "status": "active",
        "intent": "order",
        "category": [concept(SNOMED, "3457005", "Patient referral", "转诊")],
        "priority": "routine",
        "code": concept(SNOMED, "306206005", "Referral to service", f"转诊至{wanted}"),
        "subject": reference(patient, patient["name"][0]["text"]),
        "encounter": reference(encounter),
        "authoredOn": encounter["period"]["end"],
        "requester": reference(doctor.practitioner, doctor.name),
        "performer": [
            reference(specialist.practitioner, specialist.name),
            reference(centre.hospital.organization),
        ],
        "reasonReference": [reference(problem)],
    }
