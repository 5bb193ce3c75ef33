"""The functions of FHIRPath, a module for each section of the specification.

Each module has a table `FUNCTIONS` of name to `Function`; `functions` is all of them. A new
function is a builder and a line in its module's table.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from hub.fhirpath.functions import (
    boundaries,
    combining,
    conversion,
    existence,
    fhir,
    filtering,
    mathematics,
    strings,
    subsetting,
    terminology,
    tree,
    types,
    utility,
)
from hub.fhirpath.site import Function


@cache
def functions() -> Mapping[str, Function]:
    """All functions by name."""
    return {
        **existence.FUNCTIONS,
        **filtering.FUNCTIONS,
        **subsetting.FUNCTIONS,
        **combining.FUNCTIONS,
        **conversion.FUNCTIONS,
        **strings.FUNCTIONS,
        **mathematics.FUNCTIONS,
        **tree.FUNCTIONS,
        **types.FUNCTIONS,
        **utility.FUNCTIONS,
        **boundaries.FUNCTIONS,
        **fhir.FUNCTIONS,
        **terminology.FUNCTIONS,
    }
