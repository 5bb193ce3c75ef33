"""The R4 definition tables: types, search parameters, compartments, codes, conformance.

Derived from hl7.fhir.r4.core 4.0.1 by `hub.definitions.build`; decoded on first use. Every layer
above reads them through these functions.
"""

from __future__ import annotations

from hub.definitions.generation import GENERATION
from hub.definitions.parameters import (
    compartment,
    compartment_names,
    left_out_parameters,
    search_parameters,
    search_parameters_of,
    special_parameters,
)
from hub.definitions.published import conformance, conformance_urls, conformance_versions
from hub.definitions.shapes import (
    Binding,
    BoundCodes,
    Constraint,
    Element,
    ElementType,
    SearchParameter,
    SearchParameterComponent,
    TypeDefinition,
)
from hub.definitions.types import (
    ancestors,
    is_resource_type,
    resource_types,
    type_definition,
    type_kind,
    type_names,
)
from hub.definitions.value_sets import bound_codes

__all__ = [
    "GENERATION",
    "Binding",
    "BoundCodes",
    "Constraint",
    "Element",
    "ElementType",
    "SearchParameter",
    "SearchParameterComponent",
    "TypeDefinition",
    "ancestors",
    "bound_codes",
    "compartment",
    "compartment_names",
    "conformance",
    "conformance_urls",
    "conformance_versions",
    "is_resource_type",
    "left_out_parameters",
    "resource_types",
    "search_parameters",
    "search_parameters_of",
    "special_parameters",
    "type_definition",
    "type_kind",
    "type_names",
]
