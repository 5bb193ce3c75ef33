"""`Prefer: handling=strict` where no search reads the parameters.

Called by the handlers of reads, writes, Bundles and capabilities; searches, histories and
operations know their own. Spec: https://hl7.org/fhir/R4/search.html#errors
"""

from __future__ import annotations

from hub.interactions.url import only
from hub.rest.exchange import Request
from hub.rest.headers import preference


def refuse_unknown(request: Request, *known: str) -> None:
    """Refuse parameters without effect when the client wants that.

    Args:
        request: Its parameters.
        *known: Names that have an effect, besides `_format` and `_pretty`.

    Raises:
        BadRequest: There is another one (`parameter-unknown`).
    """
    if request.parameters and preference(request.headers.get(b"prefer")).strict:
        only(known, request.parameters)
