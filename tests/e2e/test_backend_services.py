"""authlib's own client as Backend Services: `private_key_jwt` by either algorithm of SMART.

Spec: SMART App Launch 2.2, backend-services and client-confidential-asymmetric.
"""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc.jwk import ECKey, RSAKey

from tests.e2e.commands import fhir_hub
from tests.rest.running import RunningHub, running

with warnings.catch_warnings():
    # authlib says that it likes httpx's successor better.
    warnings.simplefilter("ignore")
    from authlib.integrations.base_client import OAuthError
    from authlib.integrations.httpx_client import OAuth2Client

SCOPE = "system/Patient.rs system/Observation.cruds"
OBSERVATION = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
    "subject": {"reference": "Patient/p"},
}
KEYS = {
    "ES384": ECKey.generate_key("P-384", {"kid": "lab-ec"}),
    "RS384": RSAKey.generate_key(2048, {"kid": "lab-rsa"}),
}


@dataclass(frozen=True)
class Site:
    """A running hub and the laboratory that is registered there."""

    hub: RunningHub
    client_id: str

    @property
    def token_endpoint(self) -> str:
        found = httpx.get(f"{self.hub.url}/fhir/.well-known/smart-configuration").json()
        return str(found["token_endpoint"])

    def laboratory(
        self, algorithm: str, *, key: Any = None, kid: str = "", scope: str = SCOPE, **claims: Any
    ) -> OAuth2Client:
        """authlib's client; SMART lets an assertion live five minutes, authlib's own an hour."""
        key = key or KEYS[algorithm]
        method = PrivateKeyJWT(
            token_endpoint=self.token_endpoint,
            alg=algorithm,
            headers={"kid": kid or key.kid},
            claims={"exp": int(time.time()) + 240} | claims,
        )
        client = OAuth2Client(
            self.client_id,
            key,
            token_endpoint_auth_method="private_key_jwt",
            scope=scope,
            base_url=f"{self.hub.url}/fhir",
        )
        client.register_client_auth_method(method)
        return client

    def fetch(self, client: OAuth2Client) -> dict[str, Any]:
        found: dict[str, Any] = client.fetch_token(
            self.token_endpoint, grant_type="client_credentials"
        )
        return found


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("services")
    jwks = folder / "lab.json"
    public = [key.as_dict(private=False) for key in KEYS.values()]
    jwks.write_text(json.dumps({"keys": public}))
    with running(folder, auth="on") as hub:
        printed = fhir_hub(
            folder / "data", "client", "add", "Laboratory",
            "--service", "--jwks", str(jwks), "--scope", SCOPE,
        )  # fmt: skip
        hub.client.put("/Patient/p", json={"resourceType": "Patient", "id": "p"}).raise_for_status()
        yield Site(hub, printed.split("client_id: ")[1].split()[0])


@pytest.mark.parametrize("algorithm", KEYS)
def test_a_service_reads_and_writes_what_its_scopes_say(site: Site, algorithm: str):
    with site.laboratory(algorithm) as laboratory:
        token = site.fetch(laboratory)
        assert token["token_type"] == "Bearer"
        assert 0 < token["expires_in"] <= 300
        assert set(token["scope"].split()) == set(SCOPE.split())
        assert "refresh_token" not in token
        made = laboratory.post("/Observation", json=OBSERVATION)
        assert made.status_code == 201, made.text
        id = made.json()["id"]
        assert laboratory.get(f"/Observation/{id}").status_code == 200
        assert laboratory.get("/Observation?subject=Patient/p").json()["entry"]
        assert laboratory.get("/Patient/p").status_code == 200


def test_a_service_does_no_more_than_its_scopes_say(site: Site):
    with site.laboratory("ES384") as laboratory:
        site.fetch(laboratory)
        assert laboratory.delete("/Patient/p").status_code == 403
        assert laboratory.get("/Condition").status_code == 403
        assert laboratory.get("/AuditEvent").status_code == 403
        chained = laboratory.get("/Observation?subject:Patient.organization.name=x")
        assert chained.status_code in (400, 403) or not chained.json().get("entry")


def test_a_service_may_ask_for_less(site: Site):
    with site.laboratory("ES384", scope="system/Patient.r") as laboratory:
        assert site.fetch(laboratory)["scope"] == "system/Patient.r"
        assert laboratory.get("/Patient/p").status_code == 200
        assert laboratory.get("/Patient").status_code == 403


@pytest.mark.parametrize("scope", ["system/Condition.rs", "user/*.rs", "openid", "system/"])
def test_a_service_gets_no_scope_that_it_did_not_register(site: Site, scope: str):
    with site.laboratory("ES384", scope=scope) as laboratory:
        with pytest.raises(OAuthError) as refused:
            site.fetch(laboratory)
        assert refused.value.error == "invalid_scope"


def test_of_a_scope_for_everything_a_service_gets_what_it_registered(site: Site):
    with site.laboratory("ES384", scope="system/*.cruds") as laboratory:
        assert set(site.fetch(laboratory)["scope"].split()) == set(SCOPE.split())


STRANGER = ECKey.generate_key("P-384", {"kid": "lab-ec"})
WRONG: dict[str, dict[str, Any]] = {
    "another key under a registered kid": {"key": STRANGER},
    "an unknown kid": {"kid": "no-such-key"},
    "a kid of the other key": {"kid": "lab-rsa"},
    "an audience that is not the token endpoint": {"aud": "https://other.example.org/token"},
    "the FHIR base as audience": {"aud": "{url}/fhir"},
    "several audiences": {"aud": ["{url}/auth/token", "https://other.example.org"]},
    "another client as issuer": {"iss": "somebody"},
    "another client": {"iss": "somebody", "sub": "somebody"},
    "a day of life": {"exp": int(time.time()) + 86_400},
    "an end in the past": {"exp": int(time.time()) - 60},
    "a beginning in the future": {"nbf": int(time.time()) + 86_400},
    "no jti": {"jti": ""},
    "a jti without end": {"jti": "x" * 4000},
}


@pytest.mark.parametrize("what", WRONG)
def test_an_assertion_with_something_wrong_gets_nothing(site: Site, what: str):
    changed = {
        name: json.loads(json.dumps(value).replace("{url}", site.hub.url))
        if name not in ("key", "kid")
        else value
        for name, value in WRONG[what].items()
    }
    since = time.time() - 1
    with site.laboratory("ES384", **changed) as laboratory, pytest.raises(OAuthError) as refused:
        site.fetch(laboratory)
    assert refused.value.error == "invalid_client"
    assert refusals(site, since)


def test_an_assertion_counts_once(site: Site):
    since = time.time() - 1
    # authlib keeps the claims it is given, its first jti among them.
    with site.laboratory("ES384", jti="only-once") as laboratory:
        assert site.fetch(laboratory)["access_token"]
        with pytest.raises(OAuthError) as refused:
            site.fetch(laboratory)
    assert refused.value.error == "invalid_client"
    assert refusals(site, since)


def test_an_algorithm_outside_of_smart_is_refused(site: Site):
    with site.laboratory("RS384") as laboratory:
        method = PrivateKeyJWT(site.token_endpoint, alg="RS256", headers={"kid": "lab-rsa"})
        laboratory.register_client_auth_method(method)
        with pytest.raises(OAuthError) as refused:
            site.fetch(laboratory)
    assert refused.value.error == "invalid_client"


def test_a_removed_service_is_out_at_once(site: Site, tmp_path: Path):
    jwks = tmp_path / "other.json"
    key = ECKey.generate_key("P-384", {"kid": "other"})
    jwks.write_text(json.dumps({"keys": [key.as_dict(private=False)]}))
    data = site.hub.log.parent / "data"
    fhir_hub(data, "client", "add", "Other", "--service", "--jwks", str(jwks), "--id", "other")
    other = Site(site.hub, "other")
    with other.laboratory("ES384", key=key, scope="system/Patient.rs") as service:
        other.fetch(service)
        assert service.get("/Patient/p").status_code == 200
        fhir_hub(data, "client", "remove", "other")
        time.sleep(1.1)
        assert service.get("/Patient/p").status_code == 401


def refusals(site: Site, since: float) -> list[Any]:
    """AuditEvents of refused tokens since a time."""
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(since))
    deadline = time.monotonic() + 5
    while True:
        query = {"date": f"ge{moment}", "subtype": "token", "outcome": "4,8"}
        found = site.hub.client.get("/AuditEvent", params=query).json().get("entry", [])
        if found or time.monotonic() > deadline:
            return list(found)
        time.sleep(0.1)
