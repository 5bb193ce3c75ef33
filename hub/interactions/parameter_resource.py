"""A SearchParameter resource as the parameter it defines.

Called by `hub.interactions.registry` and `hub.interactions.search_parameters`.
Spec: https://hl7.org/fhir/R4/searchparameter.html
"""

from __future__ import annotations

from typing import Any

from hub.definitions import (
    SearchParameter,
    SearchParameterComponent,
    is_resource_type,
)
from hub.errors import Unprocessable, fault

_BASES = frozenset(("Resource", "DomainResource"))


def parameter_of(resource: dict[str, Any], key: int) -> SearchParameter:
    """Read a valid SearchParameter resource.

    Args:
        resource: A SearchParameter that passed validation.
        key: The key the store gave it; 0 while it has none.

    Raises:
        Unprocessable: No expression, or a base that is no resource type.
    """
    expression = resource.get("expression", "")
    if not expression:
        location = "SearchParameter.expression"
        raise Unprocessable(fault("required", "search-parameter-no-expression", location))
    bases = tuple(resource.get("base", ()))
    for n, base in enumerate(bases):
        if base not in _BASES and not is_resource_type(base):
            location = f"SearchParameter.base[{n}]"
            raise Unprocessable(fault("value", "search-parameter-base", location))
    return SearchParameter(
        key=key,
        url=resource["url"],
        code=resource["code"],
        type=resource["type"],
        base=bases,
        expression=expression,
        targets=tuple(resource.get("target", ())),
        components=tuple(
            SearchParameterComponent(part["definition"].partition("|")[0], part["expression"])
            for part in resource.get("component", ())
        ),
        description=resource.get("description", ""),
    )
