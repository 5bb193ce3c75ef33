"""The Consent by which an old resident lets a son or daughter see the record and act in it."""

from __future__ import annotations

from datetime import date, timedelta

from hub.demo.centre import Resource, concept, identity, reference

ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
CONSENT_SCOPE = "http://terminology.hl7.org/CodeSystem/consentscope"
PARTICIPATION = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
LOINC = "http://loinc.org"


def proxy_consent(
    seed: int, number: int, patient: Resource, relative: Resource, today: date
) -> Resource:
    """An active Consent: nobody but the one it names.

    Args:
        seed: The data set's seed.
        number: The patient's number.
        patient: Patient.
        relative: RelatedPerson.
        today: The data set's last day.
    """
    given = today - timedelta(days=30 + number % 300)
    return {
        "resourceType": "Consent",
        "id": identity(seed, "proxy", number),
        "status": "active",
        "scope": concept(CONSENT_SCOPE, "patient-privacy", "Privacy Consent"),
        "category": [concept(LOINC, "59284-0", "Patient Consent", "家属代办授权")],
        "patient": reference(patient, patient["name"][0]["text"]),
        "dateTime": given.isoformat(),
        "organization": [patient["managingOrganization"]],
        "policyRule": concept(ACT_CODE, "OPTOUT", "opt-out"),
        "provision": {
            "type": "permit",
            "period": {"start": given.isoformat()},
            "actor": [
                {
                    "role": concept(PARTICIPATION, "IRCP", "information recipient"),
                    "reference": reference(relative, relative["name"][0]["text"]),
                }
            ],
        },
    }
