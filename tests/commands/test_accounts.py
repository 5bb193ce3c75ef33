"""Accounts and clients from the command line, beside a hub that runs."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import time
from pathlib import Path

import pytest
from joserfc.jwk import ECKey

from hub.access.front_desk import open_desk
from hub.access.grants import Grant
from hub.access.tokens import TokenRefused
from hub.storage.sqlite.store import open_store
from tests.access.plain_person import plain_person
from tests.commands.conftest import Run, start

ADD = ("account", "add", "Li.Wei", "--role", "doctor", "--fhir-user", "Practitioner/42")
APP = ("client", "add", "App", "--id", "app", "--redirect-uri", "https://app.example.org/cb")


def _now() -> int:
    return int(time.time() * 1000)


def _enter(folder: Path, password: str, *arguments: str) -> tuple[int, str, str]:
    """Run a command with a line on standard input."""
    process = start(folder, *arguments, stdin=subprocess.PIPE)
    out, err = process.communicate(password + "\n", timeout=60)
    return process.returncode, out, err


def test_a_made_password_is_shown_once(run: Run, tmp_path: Path) -> None:
    done = run(*ADD, "--display", "李伟", "--generate")
    assert done.code == 0
    assert "Practitioner/42 is not in the record yet" in done.err
    found = re.search(r"^password: (\S{19})$", done.out, re.MULTILINE)
    assert found
    assert run("account", "list").out == "Li.Wei\tdoctor\tPractitioner/42\tnew\t李伟\n"

    async def logs_in() -> bool:
        store = open_store(tmp_path / "data")
        desk = open_desk(store.ledger, 1)
        account = await desk.accounts.verify("li.wei", found[1], _now())
        desk.close()
        await store.close()
        return account is not None and account.must_change

    assert asyncio.run(logs_in())
    assert run("check").code == 0


def test_an_accounts_life(run: Run, tmp_path: Path) -> None:
    assert _enter(tmp_path, "a good password", *ADD)[0] == 0
    assert (
        "There is an account LI.WEI already"
        in run("account", "add", "LI.WEI", "-r", "nurse", "--generate").err
    )
    assert run("account", "disable", "li.wei").out == "Account Li.Wei is disabled.\n"
    assert "\tdisabled" in run("account", "list").out
    assert run("account", "enable", "li.wei").code == 0
    assert "\tactive" in run("account", "list").out
    code, out, err = _enter(tmp_path, "short", "account", "password", "li.wei")
    assert (code, out) == (2, "")
    assert "at least 8" in err
    assert "password: " in run("account", "password", "li.wei", "--generate").out
    assert run("account", "remove", "li.wei").code == 0
    assert run("account", "list").out == ""
    assert "There is no account li.wei" in run("account", "remove", "li.wei").err


def test_a_clients_life(run: Run, tmp_path: Path) -> None:
    done = run(*APP, "--secret")
    assert re.fullmatch(r"client_id: app\nclient_secret: \S{43}\n", done.out)
    key = ECKey.generate_key("P-384", {"kid": "one"}, private=True)
    keys = {"keys": [{**key.as_dict(private=False), "kid": "one"}]}
    (tmp_path / "lab.json").write_text(json.dumps(keys))
    done = run(
        "client", "add", "实验室", "--service", "--jwks", "lab.json", "--scope", "system/*.rs"
    )
    assert re.fullmatch(r"client_id: \S+\n", done.out)
    listed = run("client", "list").out
    assert "app\tconfidential-symmetric\tauthorization_code,refresh_token\thttps://app" in listed
    assert "confidential-asymmetric\tclient_credentials\t-\t实验室" in listed
    assert run("client", "remove", "app").code == 0
    assert "There is no client app" in run("client", "remove", "app").err
    assert run("check").code == 0


async def test_a_change_ends_the_tokens_of_a_hub_that_runs(run: Run, tmp_path: Path) -> None:
    store = open_store(tmp_path / "data")
    await store.listen()
    desk = open_desk(store.ledger, 1)
    done = await asyncio.to_thread(run, *ADD, "--generate")
    assert done.code == 0
    assert (await asyncio.to_thread(run, *APP)).code == 0
    now = _now()
    names = {"issuer": "https://hub.example.org", "audience": "https://hub.example.org/fhir"}
    verifier = desk.verifier(plain_person(lambda _: ()), **names)
    grant = await desk.grants.start(Grant(client="app", account="li.wei"), now)
    token = (await desk.issuer(**names).access_token(grant, 600, now)).encode()
    assert (await verifier.verify(token, now)).fhir_user == "Practitioner/42"
    assert (await asyncio.to_thread(run, "account", "disable", "li.wei")).code == 0
    with pytest.raises(TokenRefused, match="revoked"):
        await verifier.verify(token, now + 1000)
    rows = await store.audit_records(1, 0, 100)
    assert [(row.interaction, *row.entities) for _, _, row in rows] == [
        ("account-add", "account/Li.Wei"),
        ("client-add", "client/app"),
        ("account-disable", "account/Li.Wei"),
    ]
    desk.close()
    await store.close()
