"""A browser without scripts, one request at a time, and an app that sends people through it."""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import httpx

Pairs = list[tuple[str, str]]


@dataclass
class Form:
    """A form of a page: where it leads, what stands in it, its buttons."""

    action: str
    fields: Pairs = field(default_factory=list)
    buttons: Pairs = field(default_factory=list)

    def value(self, name: str) -> str:
        """What stands in a field."""
        return dict(self.fields)[name]

    def filled(self, **values: str) -> Pairs:
        """What is sent when fields hold other values."""
        kept = [(name, value) for name, value in self.fields if name not in values]
        return kept + list(values.items())


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Form] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        about = {name: value or "" for name, value in attributes}
        if tag == "form":
            self.found.append(Form(about.get("action", "")))
        elif self.found and about.get("name"):
            pair = about["name"], about.get("value", "")
            if tag == "button":
                self.found[-1].buttons.append(pair)
            elif tag == "input" and (
                about.get("type") not in ("checkbox", "radio") or "checked" in about
            ):
                self.found[-1].fields.append(pair)


def forms(page: httpx.Response) -> list[Form]:
    """The forms of a page that are sent by POST or lead anywhere."""
    reader = _Forms()
    reader.feed(page.text)
    return reader.found


class Visitor:
    """Somebody with cookies of their own."""

    def __init__(self, site: str) -> None:
        """Come.

        Args:
            site: The hub's address.
        """
        self.site = site
        self.http = httpx.Client(timeout=30)

    def open(self, url: str, **more: Any) -> httpx.Response:
        """Get a page; redirects are followed as long as they stay at the hub."""
        return self._followed(self.http.get(urljoin(self.site, url), **more))

    def send(self, page: httpx.Response, pairs: Pairs, action: str, **more: Any) -> httpx.Response:
        """Send a form of a page."""
        url = urljoin(str(page.url), action)
        headers = {"content-type": "application/x-www-form-urlencoded"} | more
        return self._followed(self.http.post(url, content=urlencode(pairs), headers=headers))

    def log_in(self, page: httpx.Response, name: str, password: str) -> httpx.Response:
        """Fill the login form."""
        form = next(one for one in forms(page) if "password" in dict(one.fields))
        return self.send(page, form.filled(username=name, password=password), form.action)

    def allow(self, page: httpx.Response) -> httpx.Response:
        """Agree on the consent page, with what is ticked there."""
        form = next(one for one in forms(page) if ("answer", "allow") in one.buttons)
        return self.send(page, [*form.fields, ("answer", "allow")], form.action)

    def close(self) -> None:
        """Leave."""
        self.http.close()

    def _followed(self, answer: httpx.Response) -> httpx.Response:
        for _ in range(10):
            place = urljoin(str(answer.url), answer.headers.get("location", ""))
            if not answer.is_redirect or urlsplit(place)[:2] != urlsplit(self.site)[:2]:
                return answer
            answer = self.http.get(place)
        raise AssertionError(f"A ring of redirects at {answer.url}")


@dataclass
class App:
    """A public client and what it remembers of one authorization."""

    site: str
    client_id: str
    redirect_uri: str
    scope: str = "launch/patient patient/*.rs offline_access"
    state: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    @property
    def challenge(self) -> str:
        """PKCE's, S256."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    def request(self, **changed: str | None) -> dict[str, str]:
        """The authorization request; None leaves a parameter out."""
        asked: dict[str, str | None] = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": self.scope,
            "state": self.state,
            "aud": f"{self.site}/fhir",
            "code_challenge": self.challenge,
            "code_challenge_method": "S256",
        }
        return {name: value for name, value in (asked | changed).items() if value is not None}

    def address(self, **changed: str | None) -> str:
        """Where the person is sent."""
        return f"{self.site}/auth/authorize?{urlencode(self.request(**changed))}"

    def code(self, visitor: Visitor, name: str, password: str) -> str:
        """A code, after a person has logged in (if need be) and agreed."""
        page = visitor.open(self.address())
        if any("password" in dict(one.fields) for one in forms(page)):
            page = visitor.log_in(page, name, password)
        if not page.is_redirect:
            page = visitor.allow(page)
        return returned(page)["code"]

    def token(self, **form: str | None) -> httpx.Response:
        """Ask the token endpoint."""
        sent = {"client_id": self.client_id} | form
        kept = {name: value for name, value in sent.items() if value is not None}
        return httpx.post(f"{self.site}/auth/token", data=kept, timeout=30)

    def redeem(self, code: str, **changed: str | None) -> httpx.Response:
        """Trade a code for tokens."""
        form: dict[str, str | None] = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": self.verifier,
        }
        return self.token(**form | changed)

    def refresh(self, token: str, **more: str | None) -> httpx.Response:
        """Trade a refresh token for the next ones."""
        return self.token(grant_type="refresh_token", refresh_token=token, **more)


def returned(answer: httpx.Response) -> dict[str, str]:
    """What an app is told by a redirect."""
    assert answer.is_redirect, f"{answer.status_code} {answer.text[:500]}"
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    return {name: values[0] for name, values in query.items()}
