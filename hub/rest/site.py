"""The FastAPI application: everything over HTTP that is not `/fhir`, health or metrics.

Imported by `hub.rest.pages` on the first request that needs it, since FastAPI takes 0.4 s to
import. Administration and sign-in pages join it later.
"""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, RedirectResponse

from hub.rest.docs_page import page
from hub.rest.service import Service

# Nothing on these pages needs a script, a frame or another server.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"


def build(service: Service) -> FastAPI:
    """The application.

    Args:
        service: For the pages' content.
    """
    site = FastAPI(title="FHIR hub", version="0.1.0", docs_url=None, redoc_url=None)

    @site.get("/", include_in_schema=False)
    async def start() -> RedirectResponse:
        return RedirectResponse("/docs")

    @site.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return HTMLResponse(page(service), headers={"content-security-policy": _POLICY})

    return site
