"""A hub's front door on a real socket, with people, apps, and visitors with browsers.

The endpoints, the dispatcher behind them and a memory store in one process; the clock of the
endpoints can be moved.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets
import socket
import threading
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import lxml.html
import msgspec
import uvicorn
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from hub.access.clients import Client
from hub.access.front_desk import FrontDesk, open_desk
from hub.access.person import PersonReader
from hub.app import build_door, build_service
from hub.auth.app import build
from hub.context import Context
from hub.interactions import Interactions
from hub.rest.authenticate import Guard
from hub.rest.dispatcher import Dispatcher, RequestIds
from hub.rest.metrics import Metrics
from hub.rest.origin import Edge
from hub.settings import Settings
from hub.storage.memory.store import MemoryStore

T = TypeVar("T")

PASSWORD = "correct horse"
APP_URI = "https://app.example.org/done"
WEB_URI = "https://web.example.org/done?from=hub"
NATIVE_URI = "http://127.0.0.1:9999/done"
SCOPE = "launch/patient openid fhirUser offline_access patient/Observation.rs patient/Patient.r"
EC = ECKey.generate_key("P-384", {"kid": "ec", "use": "sig"}, private=True)
RSA = RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"}, private=True)
KEYS = msgspec.json.encode(
    {"keys": [key.as_dict(private=False) | {"kid": key.kid} for key in (EC, RSA)]}
).decode()

RECORD = Path(__file__).parents[1] / "cases/auth/record.ndjson"
PEOPLE = {
    "doctor": (("doctor",), "Practitioner/d1"),
    "admin": (("admin",), ""),
    "zhang": (("patient",), "Patient/p1"),
    "daughter": (("relative",), "RelatedPerson/r1"),
    "niece": (("relative",), "Person/niece"),
}
CLIENTS = (
    Client(id="app", name="Blood pressure", redirect_uris=(APP_URI,)),
    Client(id="native", name="Native app", redirect_uris=(NATIVE_URI, "com.example.app:/done")),
    Client(
        id="limited",
        name="Limited app",
        redirect_uris=(APP_URI,),
        scope="launch/patient patient/Observation.rs",
    ),
    Client(
        id="signing",
        name="Signing app",
        type="confidential-asymmetric",
        redirect_uris=(APP_URI,),
        jwks=KEYS,
    ),
    Client(
        id="service",
        name="Reports",
        type="confidential-asymmetric",
        scope="system/Observation.rs system/Patient.rs",
        jwks=KEYS,
        grant_types=("client_credentials",),
    ),
    Client(
        id="ehr",
        name="Hospital EHR",
        type="confidential-asymmetric",
        scope="system/*.rs launch",
        jwks=KEYS,
        grant_types=("client_credentials",),
    ),
    Client(
        id="launched",
        name="Growth chart",
        redirect_uris=(APP_URI,),
        launch_url="https://app.example.org/launch",
    ),
    Client(id="console", name="Console", redirect_uris=(APP_URI,), first_party=True),
)


@dataclass
class Site:
    """A hub that answers.

    Attributes:
        url: Its address.
        desk: Accounts, clients, grants.
        events: What went to the audit, in order.
        secrets: Secrets of confidential clients by id.
        shift: Seconds that the endpoints' clock is ahead.
    """

    url: str
    desk: FrontDesk
    door: Interactions
    loop: asyncio.AbstractEventLoop
    events: list[dict[str, Any]] = field(default_factory=list)
    port: int = 0
    secrets: dict[str, str] = field(default_factory=dict)
    shift: float = 0
    browsers: list[httpx.Client] = field(default_factory=list)

    @property
    def base(self) -> str:
        return self.url + "/fhir"

    @property
    def now(self) -> int:
        return int((time.time() + self.shift) * 1000)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something in the hub's own loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    @cached_property
    def machine(self) -> httpx.Client:
        """A client that many requests share, for making one takes longer than ten requests."""
        return httpx.Client(base_url=self.url, timeout=30)

    def visitor(self, **headers: str) -> Visitor:
        """Somebody with an empty browser."""
        http = httpx.Client(base_url=self.url, headers=headers, timeout=30)
        self.browsers.append(http)
        return Visitor(self, http)

    async def forget(self) -> None:
        """No failed login, agreement or registration so far counts."""
        ledger = self.door.store.ledger
        for kind in ("failures", "agreement", "rate"):
            for record in await ledger.records(1, kind, 0):
                await ledger.take(1, kind, record.key, now=0)

    def close_browsers(self) -> None:
        """Everybody leaves."""
        while self.browsers:
            self.browsers.pop().close()

    def post(self, path: str, data: Any = None, **more: Any) -> httpx.Response:
        """A request of an app."""
        return self.machine.post(path, data=data, **more)

    def token(self, **data: str) -> httpx.Response:
        """A token request."""
        return self.post("/auth/token", data)

    def assertion(self, client: str = "service", *, alg: str = "ES384", **claims: Any) -> str:
        """A client's assertion; a claim of None is left out."""
        key = claims.pop("key", EC if alg.startswith("ES") else RSA)
        header = {"alg": alg, "kid": key.kid, "typ": "JWT"} | claims.pop("header", {})
        now = int(time.time() + self.shift)
        made = {
            "iss": client,
            "sub": client,
            "aud": self.url + "/auth/token",
            "exp": now + 240,
            "jti": secrets.token_urlsafe(),
        } | claims
        made = {name: value for name, value in made.items() if value is not None}
        return jwt.encode(header, made, key, algorithms=[header["alg"]])

    def service(self, assertion: str = "", **data: str) -> httpx.Response:
        """A token request of Backend Services."""
        return self.token(
            **{
                "grant_type": "client_credentials",
                "scope": "system/Observation.rs",
                "client_assertion_type": ASSERTION,
                "client_assertion": assertion or self.assertion(),
            }
            | data
        )

    def audited(self, event: str) -> list[dict[str, Any]]:
        """Events of a kind so far."""
        return [one for one in self.events if one["event"] == event]


ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass
class Visitor:
    """Somebody at a browser; pages are answered as they came, never followed by themselves."""

    site: Site
    http: httpx.Client
    verifier: str = "v" * 43

    def ask(self, **parameters: str) -> httpx.Response:
        """An app's authorization request; a parameter of "" is left out."""
        challenge = hashlib.sha256(self.verifier.encode()).digest()
        asked = {
            "response_type": "code",
            "client_id": "app",
            "redirect_uri": APP_URI,
            "scope": SCOPE,
            "state": "s-1",
            "aud": self.site.base,
            "code_challenge": base64.urlsafe_b64encode(challenge).decode().rstrip("="),
            "code_challenge_method": "S256",
        } | parameters
        kept = {name: value for name, value in asked.items() if value}
        return self.http.get("/auth/authorize?" + urlencode(kept))

    def follow(self, reply: httpx.Response) -> httpx.Response:
        """Go where the hub sends, as long as that is the hub itself."""
        while reply.status_code == 303 and reply.headers["location"].startswith("/"):
            reply = self.http.get(reply.headers["location"])
        return reply

    def submit(self, page: httpx.Response, **values: str | list[str]) -> httpx.Response:
        """Fill in the page's (last) form and send it; a ticked box stays so unless it is named."""
        document = lxml.html.fromstring(page.content)
        form = document.forms[-1]
        data: dict[str, Any] = {}
        for name, value in form.form_values():
            data.setdefault(name, []).append(value)
        return self.follow(self.http.post(form.action, data=data | values))

    def log_in(
        self, page: httpx.Response, name: str = "doctor", password: str = PASSWORD
    ) -> httpx.Response:
        """Type name and password."""
        return self.submit(page, username=name, password=password)

    def agree(self, page: httpx.Response) -> httpx.Response:
        """Allow all that is asked."""
        return self.submit(page, answer="allow")

    def code(self, name: str = "zhang", **parameters: str) -> str:
        """All of it: log in, agree, and the code that the app gets."""
        reply = self.follow(self.ask(**parameters))
        if reply.status_code == 200 and b'name="username"' in reply.content:
            reply = self.log_in(reply, name)
        if reply.status_code == 200 and "/auth/patient" in str(reply.url):
            reply = self.submit(reply, patient="p1")
        if reply.status_code == 200:
            reply = self.agree(reply)
        return returned(reply)["code"]

    def exchange(self, code: str, **data: str) -> httpx.Response:
        """A code for tokens."""
        asked = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": APP_URI,
            "client_id": "app",
            "code_verifier": self.verifier,
        } | data
        return self.site.token(**{name: value for name, value in asked.items() if value})

    def tokens(self, name: str = "zhang", **parameters: str) -> dict[str, Any]:
        """What an app gets in the end."""
        client = parameters.get("client_id", "app")
        uri = parameters.get("redirect_uri", APP_URI)
        answer = self.exchange(self.code(name, **parameters), client_id=client, redirect_uri=uri)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


def returned(reply: httpx.Response) -> dict[str, str]:
    """The parameters that the app gets, by way of the browser."""
    assert reply.status_code == 303, reply.text
    query = parse_qs(urlsplit(reply.headers["location"]).query, strict_parsing=True)
    assert all(len(values) == 1 for values in query.values())
    return {name: values[0] for name, values in query.items()}


def words(page: httpx.Response) -> str:
    """What a person reads."""
    document = lxml.html.fromstring(page.content)
    return " ".join(document.find("body").text_content().split())


@contextmanager
def serving(**settings: Any) -> Iterator[Site]:
    """A hub until the block ends."""
    # Named as TCP, or asyncio leaves Nagle's algorithm on and every answer waits 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    made = Settings(store="memory", auth="on", port=port, **settings)
    started: list[Site] = []
    loop = asyncio.new_event_loop()
    server: list[uvicorn.Server] = []

    async def serve() -> None:
        site, application = await _open(made, loop)
        config = uvicorn.Config(application, log_level="warning", lifespan="off")
        server.append(uvicorn.Server(config))
        started.append(site)
        await server[0].serve([listener])
        site.desk.close()
        await site.door.store.close()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        deadline = time.monotonic() + 30
        while not (server and server[0].started):
            assert thread.is_alive()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield started[0]
    finally:
        if server:
            server[0].should_exit = True
        if started:
            started[0].machine.close()
        thread.join(30)
        loop.close()
        listener.close()


async def _open(settings: Settings, loop: asyncio.AbstractEventLoop) -> tuple[Site, Any]:
    store = MemoryStore()
    door = build_door(store, settings)
    desk = open_desk(store.ledger, 1)
    person = PersonReader(store, 1, base=settings.base)
    verifier = desk.verifier(person, settings.site, settings.base)
    site = Site(settings.site, desk, door, loop, port=settings.port)

    def record(event: str, **about: Any) -> None:
        site.events.append({"event": event} | about)

    front = build(
        desk,
        door,
        settings,
        person=person,
        verifier=verifier,
        record=record,
        clock=lambda: time.time() + site.shift,
    )
    service = build_service(door, settings)
    fhir = Dispatcher(
        service, Edge(settings), Metrics(), None, RequestIds(), b"/fhir", Guard(verifier)
    )

    async def application(scope: Any, receive: Any, send: Any) -> None:
        is_front = not scope["path"].startswith("/fhir/") or "/.well-known/" in scope["path"]
        await (front if is_front else fhir)(scope, receive, send)

    now = site.now - 1000
    for name, (roles, who) in PEOPLE.items():
        await desk.accounts.add(
            name, PASSWORD, now, roles=roles, fhir_user=who, display=name.title()
        )
    for client in CLIENTS:
        await desk.clients.add(client, now)
    web = Client(
        id="web", name="Web app", type="confidential-symmetric", redirect_uris=(WEB_URI, APP_URI)
    )
    _, site.secrets["web"] = await desk.clients.add(web, now)
    for line in RECORD.read_text("utf-8").splitlines():
        resource = msgspec.json.decode(line)
        await door.update(Context(), resource["resourceType"], resource["id"], resource)
    return site, application
