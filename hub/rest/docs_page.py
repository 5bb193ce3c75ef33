"""The page that `/docs` shows: what is in the record, and what the API offers.

Made from the route table, in English or Chinese. Plain HTML without scripts or anything from
elsewhere, so that it works without the Internet. Called by `hub.rest.site`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape

from hub.rest.docs_words import EXAMPLES, INTERACTIONS, PAGE
from hub.rest.routes import ROUTES
from hub.rest.service import Service

_STYLE = """
body{font:16px/1.5 system-ui,"Noto Sans CJK SC","Microsoft YaHei",sans-serif;margin:0 auto;
max-width:60rem;padding:2rem}
code{background:#f2f4f7;border-radius:4px;padding:.1em .3em;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #dde;padding:.35rem .6rem;
text-align:left;vertical-align:top}td:first-child{width:60%}
.off{background:#fde8e8;color:#7a1212;border:2px solid #b42318;border-radius:6px;padding:.6rem 1rem}
.types{display:grid;grid-template-columns:repeat(auto-fill,minmax(15rem,1fr));gap:0 1rem}
@media(max-width:40rem){body{padding:1rem}th{display:none}
td,td:first-child{display:block;width:auto;border:0;padding:.1rem 0}
tr{display:block;border-bottom:1px solid #dde;padding:.4rem 0}.types{line-height:2}}
@media(prefers-color-scheme:dark){body{background:#15181d;color:#dde}code{background:#262b33}
a{color:#8bf}td,th,tr{border-color:#333a44}}
"""


def page(service: Service, counts: Mapping[str, int] | None, language: str) -> str:
    """The page as HTML.

    Args:
        service: For types, operations and the base.
        counts: Resources of each type that the record holds; None when whoever sees the page may
            not know, and cannot follow a link into the record either.
        language: `en` or `zh`.
    """
    words = {name: one.to(language) for name, one in PAGE.items()}
    link = _no_link if counts is None else _link
    types = "".join(
        link(f"{one}?_pretty=true", f"<span>{one}</span>") for one in sorted(service.types)
    )
    examples = _table(
        (), ((link(url, _code(_short(url))), text.to(language)) for url, text in EXAMPLES)
    )
    routes = _table(
        (words["request"], words["meaning"]),
        (
            (_code(f"{method} /fhir{route.template}"), INTERACTIONS[one.name].to(language))
            for route in ROUTES
            for method, one in route.methods.items()
            if method != "HEAD"
        ),
    )
    operations = _table(
        (words["name"], words["levels"], words["types"]),
        (
            (
                _code(f"${one.name}"),
                ", ".join(words[level] for level in sorted(one.levels)),
                ", ".join(sorted(one.types)) or words["all types"],
            )
            for one in service.operations.values()
        ),
    )
    return f"""<!doctype html>
<html lang="{"zh-CN" if language == "zh" else "en"}"><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">
<title>{words["title"]}</title><style>{_STYLE}</style>
<h1>{words["title"]}</h1>
<p>{words["base"]}: <a href="/fhir/metadata?_pretty=true">{_code(service.settings.base)}</a> ·
<a href="/health/ready">{words["health"]}</a> · <a href="/metrics">{words["metrics"]}</a></p>
{_entrance(words) if counts is None else _held(counts, words)}
<h2>{words["try"]}</h2>{examples}
<h2>{words["interactions"]}</h2><p>{words["formats"]}</p>{routes}
<h2>{words["operations"]}</h2>{operations}
<h2>{words["resource types"]}</h2><div class="types">{types}</div>
"""


def _entrance(words: Mapping[str, str]) -> str:
    """How to get in."""
    return f"<p>{words['login']}</p>"


def _held(counts: Mapping[str, int], words: Mapping[str, str]) -> str:
    """That everyone is let in, and what there is to see."""
    held = sorted((count, one) for one, count in counts.items() if count)
    found = "".join(
        f'<span><a href="/fhir/{one}?_pretty=true">{one}</a> {count:,}</span>'
        for count, one in reversed(held)
    )
    return (
        f'<p class="off" role="alert">{words["off"]}</p>'
        f'<h2>{words["held"]}</h2><div class="types">{found or words["empty"]}</div>'
    )


def _link(url: str, shown: str) -> str:
    return f'<a href="/fhir/{escape(url)}">{shown}</a>'


def _no_link(_: str, shown: str) -> str:
    return shown


def _code(text: str) -> str:
    return f"<code>{escape(text)}</code>"


def _short(url: str) -> str:
    """An example as it is shown: that it is printed nicely goes without saying."""
    return url.replace("&_pretty=true", "").replace("?_pretty=true", "")


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A table of cells that are HTML already."""
    top = "".join(f"<th>{cell}</th>" for cell in head)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table>{f'<tr>{top}</tr>' if head else ''}{body}</table>"
