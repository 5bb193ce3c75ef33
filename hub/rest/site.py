"""The FastAPI application: everything over HTTP that is not `/fhir`, health or metrics.

Imported by `hub.rest.pages` on the first request that needs it, since FastAPI takes 0.4 s to
import.
"""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse

from hub.rest import negotiation
from hub.rest.docs_page import page
from hub.rest.docs_words import NOWHERE
from hub.rest.service import Service

# Nothing on these pages needs a script, a frame or another server.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"


def build(service: Service, tenant: int) -> FastAPI:
    """The application.

    Args:
        service: For the pages' content.
        tenant: Tenant key for the store's facts.
    """
    site = FastAPI(openapi_url=None)
    is_off = service.settings.auth == "off"

    @site.api_route("/docs", methods=["GET", "HEAD"], include_in_schema=False)
    async def docs(request: Request) -> HTMLResponse:
        language = _language(request)
        # A browser that opens this page brings no token: it is shown nothing of the record.
        counts = (await service.door.store.info(tenant)).resources if is_off else None
        headers = {
            "content-security-policy": _POLICY,
            "content-language": language,
            "vary": "accept-language",
        }
        return HTMLResponse(page(service, counts, language), headers=headers)

    @site.exception_handler(404)
    async def nowhere(request: Request, _: Exception) -> JSONResponse:
        base = service.settings.base
        words = NOWHERE.to(_language(request)).format(base=base, site=base.removesuffix("/fhir"))
        problem = {"status": 404, "detail": words}
        return JSONResponse(problem, 404, media_type="application/problem+json")

    return site


def _language(request: Request) -> str:
    return negotiation.language(request.headers.get("accept-language", "").encode("latin-1"))
