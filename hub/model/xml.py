"""FHIR XML in and out, lossless and guarded (https://hl7.org/fhir/R4/xml.html).

Driven by the definitions, so that every R4 type is covered. Importing this loads lxml; called
by REST and the loaders when XML is asked for.
"""

from __future__ import annotations

from hub.model.xml_read import parse
from hub.model.xml_write import serialize

__all__ = ["parse", "serialize"]
