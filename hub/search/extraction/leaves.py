"""Which closure indexes a FHIR type under a search parameter type.

The table of https://hl7.org/fhir/R4/search.html#ptypes; a pair that is not in it gives no rows
(the string of a `performed[x]` is no date). Called by `hub.search.extraction.walker`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hub.search.extraction import dates, numbers, references, strings, tokens, uris
from hub.search.extraction.found import Visit

Factory = Callable[[tuple[int, ...]], Visit]
TokenFactory = Callable[[tuple[int, ...], tokens.Fold | None], Visit]

TOKENS: Mapping[str, TokenFactory] = {
    "CodeableConcept": tokens.codeable_concept,
    "Coding": tokens.coding,
    "Identifier": tokens.identifier,
    "ContactPoint": tokens.contact_point,
    "boolean": tokens.boolean,
    **dict.fromkeys(
        ("code", "string", "id", "uri", "url", "canonical", "oid", "uuid", "markdown"), tokens.text
    ),
}
"""Data types of token parameters."""

LEAVES: Mapping[tuple[str, str], Factory] = {
    ("string", "string"): strings.text,
    ("string", "markdown"): strings.text,
    ("string", "HumanName"): strings.human_name,
    ("string", "Address"): strings.address,
    ("string", "CodeableConcept"): strings.concept,
    ("string", "Coding"): strings.concept,
    ("date", "date"): dates.moment,
    ("date", "dateTime"): dates.moment,
    ("date", "instant"): dates.moment,
    ("date", "Period"): dates.period,
    ("date", "Timing"): dates.timing,
    ("number", "integer"): numbers.number,
    ("number", "positiveInt"): numbers.number,
    ("number", "unsignedInt"): numbers.number,
    ("number", "decimal"): numbers.number,
    ("number", "Range"): numbers.number_range,
    **{
        ("quantity", name): numbers.quantity
        for name in ("Quantity", "Age", "Duration", "Count", "Distance")
    },
    ("quantity", "Money"): numbers.money,
    ("quantity", "Range"): numbers.quantity_range,
    ("quantity", "SampledData"): numbers.sampled_data,
    ("reference", "canonical"): references.canonical,
    **{("reference", name): references.uri for name in ("uri", "url", "oid", "uuid")},
    ("reference", "Resource"): references.resource,
    ("uri", "canonical"): uris.canonical,
    **{("uri", name): uris.uri for name in ("uri", "url", "oid", "uuid")},
    ("special", "Location.position"): uris.position,
}
"""All other pairs of parameter type and FHIR type, but for references: those are gathered."""

CASE_SENSITIVE = frozenset(["Identifier", "code", "id", "uri", "url", "canonical", "oid", "uuid"])
"""Token types whose values are compared as written; FHIR's own codes are case-sensitive."""


def is_indexed(parameter_type: str, fhir_type: str) -> bool:
    """Whether values of a FHIR type are indexed under a parameter of this type."""
    if parameter_type == "token":
        return fhir_type in TOKENS
    if parameter_type == "reference" and fhir_type == "Reference":
        return True
    return (parameter_type, fhir_type) in LEAVES
