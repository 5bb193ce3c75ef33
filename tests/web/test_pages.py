"""The console over HTTP: what is open to everyone, and what needs whom."""

from __future__ import annotations

import json
import re

import httpx
import pytest

from hub.web.pages import FILES
from tests.rest.running import RunningHub


def get(hub: RunningHub, path: str, token: str = "", **headers: str) -> httpx.Response:
    if token:
        headers["authorization"] = f"Bearer {token}"
    return httpx.get(hub.url + path, headers=headers, timeout=30)


def test_the_page_is_open_and_holds_nothing_of_the_record(guarded: RunningHub) -> None:
    page = get(guarded, "/")
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert 'data-auth="on"' in page.text
    assert "小明" not in page.text


def test_the_page_runs_only_scripts_of_the_hub_and_in_no_frame(guarded: RunningHub) -> None:
    headers = get(guarded, "/").headers
    policy = headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


def test_the_page_has_no_inline_script(guarded: RunningHub) -> None:
    page = get(guarded, "/").text
    assert not re.search(r"<script(?![^>]* src=)|<style|\son\w+=|style=", page)


@pytest.mark.parametrize(
    ("wanted", "language"),
    [("zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"), ("en-GB", "en"), ("de", "en"), ("", "en")],
)
def test_the_page_comes_in_the_language_that_is_wanted(
    guarded: RunningHub, wanted: str, language: str
) -> None:
    page = get(guarded, "/", **{"accept-language": wanted})
    assert f'<html lang="{language}"' in page.text


def test_files_of_this_version_are_kept_for_ever_others_asked_for_again(
    guarded: RunningHub,
) -> None:
    page = get(guarded, "/").text
    for name in FILES:
        found = re.search(rf'"(console/{re.escape(name)}\?v=\w+)"', page)
        assert found
        kept = get(guarded, f"/{found[1]}")
        assert kept.status_code == 200
        assert "immutable" in kept.headers["cache-control"]
        assert get(guarded, f"/console/{name}?v=old").headers["cache-control"] == "no-cache"
        assert kept.headers["content-encoding"] == "gzip"
        plain = get(guarded, f"/{found[1]}", **{"accept-encoding": "identity"})
        assert "content-encoding" not in plain.headers
        assert plain.content == kept.content


@pytest.mark.parametrize(
    "path",
    ["/console", "/console/", "/console/../console.js", "/console/pages.py", "/console/me/x"],
)
def test_nothing_else_is_served(guarded: RunningHub, path: str) -> None:
    with httpx.Client() as client:
        request = client.build_request("GET", guarded.url)
        request.url = request.url.copy_with(raw_path=path.encode())
        assert client.send(request).status_code == 404


def test_only_reading_is_possible(guarded: RunningHub) -> None:
    assert httpx.post(guarded.url + "/console/me").status_code == 405
    head = httpx.head(guarded.url + "/")
    assert head.status_code == 200
    assert not head.content


@pytest.mark.parametrize("path", ["/console/me", "/console/status"])
@pytest.mark.parametrize("authorization", ["", "Bearer x", "Basic eDp5", "Bearer"])
def test_without_a_good_token_nothing_is_told(
    guarded: RunningHub, path: str, authorization: str
) -> None:
    answer = get(guarded, path, **({"authorization": authorization} if authorization else {}))
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.json() == {"status": 401, "detail": "Log in first."}


@pytest.mark.parametrize(
    ("name", "status"), [("admin", 200), ("chen", 200), ("li", 403), ("zhang", 403)]
)
def test_administrators_and_managers_see_how_the_hub_runs(
    guarded: RunningHub, tokens: dict[str, str], name: str, status: int
) -> None:
    answer = get(guarded, "/console/status", tokens[name])
    assert answer.status_code == status
    assert answer.headers["cache-control"] == "no-store"


def test_who_is_refused_the_status_is_in_the_audit(
    guarded: RunningHub, tokens: dict[str, str]
) -> None:
    assert get(guarded, "/console/status", tokens["li"]).status_code == 403
    noted = guarded.audited(
        "subtype=console-status", lambda one: '"li"' in json.dumps(one["agent"])
    )
    assert {one["outcome"] for one in noted} == {"4"}


def test_the_status_tells_what_the_store_tells(guarded: RunningHub, tokens: dict[str, str]) -> None:
    found = get(guarded, "/console/status", tokens["admin"]).json()
    assert found["checks"] == {"store": "ok", "writer": "ok", "disk": "ok"}
    assert found["store"]["resources"]["Patient"] == 3
    assert found["store"]["backend"] == "sqlite"
    assert [one["id"] for one in found["processes"]] == [guarded.process.pid]
    assert found["processes"][0]["requests"] > 0
    assert found["auth"] == "on"
    assert found["jobs"]["renewing"] is False


def test_everyone_is_told_who_they_are(guarded: RunningHub, tokens: dict[str, str]) -> None:
    found = get(guarded, "/console/me", tokens["zhang"]).json()
    assert found["name"] == "zhang"
    assert found["roles"] == ["patient"]
    assert found["fhirUser"] == "Patient/zhang"
    assert found["patients"] == ["zhang"]
    assert found["status"] is False


def test_an_app_that_registered_itself_is_on_nobodys_front_page(
    guarded: RunningHub, tokens: dict[str, str]
) -> None:
    app = {
        "client_name": "Lab results",
        "redirect_uris": ["https://evil.example/done"],
        "token_endpoint_auth_method": "none",
        "initiate_login_uri": "https://evil.example/launch",
    }
    made = httpx.post(f"{guarded.url}/auth/register", json=app, timeout=30)
    assert made.status_code == 201
    shown = {
        one["launchUrl"] for one in get(guarded, "/console/me", tokens["zhang"]).json()["apps"]
    }
    assert "https://evil.example/launch" not in shown


def test_refusals_are_said_in_chinese_too(guarded: RunningHub, tokens: dict[str, str]) -> None:
    answer = get(guarded, "/console/status", tokens["li"], **{"accept-language": "zh-CN"})
    assert answer.json()["detail"] == "只有系统管理员和管理人员可以查看运行信息。"


def test_without_authentication_the_page_says_so_and_tells_everything(
    unguarded: RunningHub,
) -> None:
    assert 'data-auth="off"' in get(unguarded, "/").text
    assert get(unguarded, "/console/me").json()["name"] == "local"
    assert get(unguarded, "/console/status").json()["auth"] == "off"


def test_a_foreign_name_of_the_host_is_refused_without_authentication(
    unguarded: RunningHub,
) -> None:
    assert get(unguarded, "/console/status", host="rebound.example").status_code == 400
