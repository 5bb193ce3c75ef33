"""The app of the tests, on an origin of its own: pages around the npm library `fhirclient`.

The library is taken as it is published, by `npm pack`, checked against the hash in
`fhirclient.toml` and kept in `.cache`; nothing of it is installed or run outside of the browser.
"""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import tarfile
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlencode, urlsplit

_HERE = Path(__file__).parent
_CACHE = _HERE.parents[2] / ".cache"


class LibraryMissing(Exception):
    """npm or its registry is not at hand."""


def library() -> bytes:
    """The library in one file, for browsers.

    Raises:
        LibraryMissing: It is not in the cache and cannot be had.
    """
    wanted = tomllib.loads((_HERE / "fhirclient.toml").read_text(encoding="utf-8"))
    archive = _CACHE / f"fhirclient-{wanted['version']}.tgz"
    if not archive.exists():
        _download(f"fhirclient@{wanted['version']}")
    digest = hashlib.sha512(archive.read_bytes()).digest()
    if f"sha512-{base64.b64encode(digest).decode()}" != wanted["integrity"]:
        raise AssertionError(f"{archive} is not what was published")
    with tarfile.open(archive) as files:
        member = files.extractfile(wanted["bundle"])
        assert member is not None
        return member.read()


def _download(package: str) -> None:
    if shutil.which("npm") is None:
        raise LibraryMissing("npm is not on this machine")
    _CACHE.mkdir(exist_ok=True)
    done = subprocess.run(
        ["npm", "pack", package, "--pack-destination", str(_CACHE), "--silent"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode:
        raise LibraryMissing(f"npm pack {package}: {done.stderr.strip()[-300:]}")


@dataclass(slots=True)
class App:
    """The app, where it is served.

    Attributes:
        url: Its origin.
        registered: What its EHR launch page knows of itself: `clientId` and `scope`.
    """

    url: str
    registered: dict[str, str] = field(default_factory=dict)

    @property
    def redirect_uri(self) -> str:
        """Where codes are sent."""
        return f"{self.url}/app.html"

    @property
    def launch_url(self) -> str:
        """Where an EHR opens it."""
        return f"{self.url}/ehr.html"

    def start(self, client_id: str, scope: str, iss: str) -> str:
        """Address a person opens to begin by themselves."""
        query = urlencode({"client_id": client_id, "scope": scope, "iss": iss})
        return f"{self.url}/launch.html?{query}"


@contextmanager
def serving(port: int = 0) -> Iterator[App]:
    """The app until the block ends.

    Args:
        port: TCP port; 0 takes a free one.

    Raises:
        LibraryMissing: The library cannot be had.
    """
    files = {"/fhir-client.js": library()}
    files |= {f"/{page.name}": page.read_bytes() for page in (_HERE / "pages").iterdir()}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            body = files.get(path)
            if path == "/registered.js":
                body = f"const REGISTERED = {json.dumps(app.registered)};".encode()
            if path == "/favicon.ico":
                body = b""
            self.send_response(404 if body is None else 200)
            kind = "text/javascript" if path.endswith(".js") else "text/html; charset=utf-8"
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    # Another host name than the hub's: what browsers keep apart by site is kept apart.
    app = App(f"http://localhost:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield app
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
