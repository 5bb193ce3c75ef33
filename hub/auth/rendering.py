"""The pages' frame: templates, words in the person's language, and headers that keep them safe.

A page works without scripts, is never framed and never kept. Its forms may lead to our own
addresses and to where the app's answer goes: browsers apply form-action to redirects too.
Called by the pages.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from hub.auth.exchange import LANGUAGES, Call, Header, Refused, Reply, pairs
from hub.auth.parts import Parts
from hub.auth.sessions import Browser
from hub.messages import render

PAGES = Path(__file__).parent / "pages"
YEAR = 365 * 24 * 3600


@lru_cache(maxsize=1)
def templates() -> Environment:
    """The templates, read once."""
    return Environment(
        loader=FileSystemLoader(PAGES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@lru_cache(maxsize=1)
def style() -> tuple[str, bytes]:
    """The style sheet: a hash for its address, and its content."""
    content = (PAGES / "style.css").read_bytes()
    return hashlib.sha256(content).hexdigest()[:16], content


def page(
    parts: Parts,
    call: Call,
    template: str,
    *,
    status: int = 200,
    browser: Browser | None = None,
    here: str = "",
    origin: str = "",
    headers: tuple[Header, ...] = (),
    **values: Any,
) -> Reply:
    """A page.

    Args:
        parts: Ours.
        call: The request.
        template: Its name.
        status: HTTP status.
        browser: Who is logged in.
        here: Path and query that show this page again, for the language switch; the request's
            own when empty.
        origin: Where its form may lead beside our own addresses.
        headers: More headers.
        **values: What the template needs.
    """
    language = call.language
    token, cookies = parts.sessions.form_token(call, browser)

    def words(message: str, **arguments: object) -> str:
        return render(message, arguments, language)

    content = (
        templates()
        .get_template(f"{template}.html")
        .render(
            t=words,
            language=language,
            tag=LANGUAGES[language],
            token=token,
            prefix=parts.prefix,
            style=style()[0],
            switches=_switches(parts, here or _here(call), language),
            account=browser.account if browser else None,
            **values,
        )
    )
    safe = (
        ("content-type", "text/html; charset=utf-8"),
        ("content-language", LANGUAGES[language]),
        ("cache-control", "no-store"),
        ("content-security-policy", _policy(origin)),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "same-origin"),
        ("vary", "accept-language, cookie"),
    )
    chosen = call.switched
    kept: tuple[Header, ...] = ()
    if chosen:
        secure = "; Secure" if parts.settings.site.startswith("https:") else ""
        cookie = f"hub-lang={chosen}; Path=/; Max-Age={YEAR}; HttpOnly; SameSite=Lax{secure}"
        kept = (("set-cookie", cookie),)
    return Reply(status, (*safe, *cookies, *kept, *headers), content.encode())


def problem(
    parts: Parts, call: Call, message: str, status: int = 400, **arguments: object
) -> Reply:
    """A page that says what is wrong, and leads nowhere."""
    return page(parts, call, "problem", status=status, message=message, arguments=arguments)


def _here(call: Call) -> str:
    """The request's own path and query; a path that is none of ours (`//evil`) is no link."""
    return f"{call.path}?{call.query}" if call.path.startswith("/auth/") else "/auth/login"


def _policy(origin: str) -> str:
    return (
        "default-src 'none'; style-src 'self'; img-src data:; "
        f"form-action 'self'{' ' + origin if origin else ''}; "
        "base-uri 'none'; frame-ancestors 'none'"
    )


def _switches(parts: Parts, here: str, language: str) -> list[tuple[str, str, str, bool]]:
    """The languages: code, tag, address, whether it is this one."""
    path, _, query = here.partition("?")
    try:
        kept = [(name, value) for name, value in pairs(query) if name != "lang"]
    except Refused:  # which is what the page is about
        kept = []
    return [
        (code, tag, f"{parts.prefix}{path}?{urlencode([*kept, ('lang', code)])}", code == language)
        for code, tag in LANGUAGES.items()
    ]
