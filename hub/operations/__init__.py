"""The operations: one file each, and the table that REST and bundles dispatch by.

Adding an operation adds a file and a line to `OPERATIONS`.
Spec: https://hl7.org/fhir/R4/operations.html
"""

from __future__ import annotations

from types import MappingProxyType

from hub.interactions.operation import Operation, Operations
from hub.operations.convert import CONVERT
from hub.operations.document import DOCUMENT
from hub.operations.everything import EVERYTHING
from hub.operations.expunge import EXPUNGE
from hub.operations.fhirpath import FHIRPATH
from hub.operations.lastn import LASTN
from hub.operations.meta import META
from hub.operations.meta_add import META_ADD
from hub.operations.meta_delete import META_DELETE
from hub.operations.refer import REFER
from hub.operations.send_document import SEND_DOCUMENT
from hub.operations.terminology import (
    BATCH_VALIDATE_CODE,
    EXPAND,
    LOOKUP,
    SUBSUMES,
    TRANSLATE,
    VALIDATE_CODE,
)
from hub.operations.validate import VALIDATE

_ALL: tuple[Operation, ...] = (
    BATCH_VALIDATE_CODE,
    CONVERT,
    DOCUMENT,
    EVERYTHING,
    EXPAND,
    EXPUNGE,
    FHIRPATH,
    LASTN,
    LOOKUP,
    META,
    META_ADD,
    META_DELETE,
    REFER,
    SEND_DOCUMENT,
    SUBSUMES,
    TRANSLATE,
    VALIDATE,
    VALIDATE_CODE,
)

OPERATIONS: Operations = MappingProxyType({operation.name: operation for operation in _ALL})
