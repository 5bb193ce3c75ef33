"""The page that `/docs` shows: what the API offers, made from the route table.

Plain HTML without scripts or anything from elsewhere, so that it works without the Internet.
Called by `hub.rest.site`.
"""

from __future__ import annotations

from html import escape

from hub.rest.routes import ROUTES
from hub.rest.service import Service

_STYLE = """
body{font:16px/1.5 system-ui,"Noto Sans SC",sans-serif;margin:0 auto;max-width:60rem;padding:2rem}
code{background:#f2f4f7;border-radius:4px;padding:.1em .3em}
table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #dde;padding:.35rem .6rem;
text-align:left;vertical-align:top}.types a{display:inline-block;min-width:15rem}
@media(prefers-color-scheme:dark){body{background:#15181d;color:#dde}code{background:#262b33}
a{color:#8bf}td,th{border-color:#333a44}}
"""
_EXAMPLES = (
    ("Patient?name=小明&birthdate=lt1960", "Patients by part of the name and birth date"),
    ("Observation?code=85354-9&date=ge2026-03-01&_sort=-date", "Blood pressures, newest first"),
    ("Patient?_revinclude=Observation:subject&_count=5", "Patients with their observations"),
    ("Encounter?patient.name=张", "Encounters of patients found by name"),
    ("Patient?name=a&_explain=true", "How a search is understood and run"),
    ("metadata?_pretty=true", "The CapabilityStatement"),
)


def page(service: Service) -> str:
    """The page as HTML.

    Args:
        service: For types, operations and the base.
    """
    base = escape(service.settings.base)
    routes = "".join(
        f"<tr><td><code>{escape(method)} /fhir{escape(route.template)}</code></td>"
        f"<td>{escape(one.name)}</td></tr>"
        for route in ROUTES
        for method, one in route.methods.items()
        if method != "HEAD"
    )
    operations = "".join(
        f"<tr><td><code>${escape(one.name)}</code></td>"
        f"<td>{escape(', '.join(sorted(one.levels)))}</td>"
        f"<td>{escape(', '.join(sorted(one.types)) or 'all types')}</td></tr>"
        for one in service.operations.values()
    )
    examples = "".join(
        f'<tr><td><a href="/fhir/{escape(url)}"><code>{escape(url)}</code></a></td>'
        f"<td>{escape(text)}</td></tr>"
        for url, text in _EXAMPLES
    )
    types = "".join(f'<a href="/fhir/{one}">{one}</a>' for one in sorted(service.types))
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>FHIR hub</title><style>{_STYLE}</style>
<h1>FHIR R4 hub</h1>
<p>FHIR base: <a href="/fhir/metadata"><code>{base}</code></a> ·
<a href="/health/ready">health</a> · <a href="/metrics">metrics</a></p>
<h2>Try</h2><table>{examples}</table>
<h2>Interactions</h2>
<p>JSON and XML (<code>Accept</code> or <code>_format</code>), <code>_pretty</code>,
<code>_summary</code>, <code>_elements</code>; <code>Prefer: return=minimal</code>,
<code>handling=strict</code>; errors in English or Chinese by <code>Accept-Language</code>.</p>
<table><tr><th>Request<th>Interaction</tr>{routes}</table>
<h2>Operations</h2><table><tr><th>Name<th>Level<th>Types</tr>{operations}</table>
<h2>Resource types</h2><p class="types">{types}</p>
"""
