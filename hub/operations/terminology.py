"""The terminology operations, each loaded when it is first called: a start does without them.

One file each has what they do; this is what the table of operations knows of them.
Spec: https://hl7.org/fhir/R4/terminology-service.html
"""

from __future__ import annotations

from importlib import import_module

from hub.context import Context
from hub.interactions import Interactions
from hub.interactions.operation import (
    OPEN,
    OnType,
    Operation,
    OperationAnswer,
    OperationRequest,
    Run,
)
from hub.operations.definitions import own_definition

_R4 = "http://hl7.org/fhir/OperationDefinition/"


def _later(module: str, name: str) -> Run:
    """A function of a module of this package that is imported on its first call."""

    async def run(door: Interactions, ctx: Context, request: OperationRequest) -> OperationAnswer:
        found: Run = getattr(import_module(f"hub.operations.{module}"), name)
        return await found(door, ctx, request)

    return run


EXPAND = Operation(
    "expand",
    f"{_R4}ValueSet-expand",
    frozenset({"type", "instance"}),
    _later("expand", "expand_value_set"),
    frozenset({"ValueSet"}),
    needs=OPEN,
)

VALIDATE_CODE = Operation(
    "validate-code",
    f"{_R4}ValueSet-validate-code",
    frozenset({"type", "instance"}),
    _later("validate_code", "validate_code"),
    frozenset({"ValueSet", "CodeSystem"}),
    on_types=(
        (
            "CodeSystem",
            OnType(f"{_R4}CodeSystem-validate-code", frozenset({"type", "instance"})),
        ),
    ),
    needs=OPEN,
)

BATCH_VALIDATE_CODE = Operation(
    "batch-validate-code",
    "OperationDefinition/batch-validate-code",
    frozenset({"type"}),
    _later("validate_code", "batch_validate_code"),
    frozenset({"ValueSet"}),
    document=own_definition("batch-validate-code"),
    needs=OPEN,
)

LOOKUP = Operation(
    "lookup",
    f"{_R4}CodeSystem-lookup",
    frozenset({"type"}),
    _later("lookup", "lookup_code"),
    frozenset({"CodeSystem"}),
    needs=OPEN,
)

SUBSUMES = Operation(
    "subsumes",
    f"{_R4}CodeSystem-subsumes",
    frozenset({"type", "instance"}),
    _later("subsumes", "subsumes_code"),
    frozenset({"CodeSystem"}),
    needs=OPEN,
)

TRANSLATE = Operation(
    "translate",
    f"{_R4}ConceptMap-translate",
    frozenset({"type", "instance"}),
    _later("translate", "translate"),
    frozenset({"ConceptMap"}),
    needs=OPEN,
)
