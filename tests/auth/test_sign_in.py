"""An app asks, a person logs in and agrees, the app gets its tokens."""

from __future__ import annotations

import httpx
import lxml.html
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.auth.site import APP_URI, NATIVE_URI, SCOPE, WEB_URI, Site, Visitor, returned, words


def test_a_patient_lets_an_app_read_measurements(site: Site, visitor: Visitor) -> None:
    page = visitor.ask()
    assert page.status_code == 200
    assert "Log in to use Blood pressure." in words(page)
    page = visitor.log_in(page, "zhang")
    text = words(page)
    assert "May Blood pressure do this?" in text
    assert "See measurements and laboratory results of this person" in text
    assert "张小明" in text
    answer = returned(visitor.agree(page))
    assert answer["state"] == "s-1"
    assert answer["iss"] == site.url
    reply = visitor.exchange(answer["code"])
    assert reply.status_code == 200
    assert reply.headers["cache-control"] == "no-store"
    tokens = reply.json()
    assert tokens["patient"] == "p1"
    assert tokens["token_type"] == "Bearer"
    assert tokens["expires_in"] == 900
    assert tokens["scope"] == SCOPE
    assert tokens["need_patient_banner"] is True
    assert httpx.get(tokens["smart_style_url"]).json()["color_text"]
    bearer = {"authorization": f"Bearer {tokens['access_token']}"}
    read = httpx.get(f"{site.base}/Patient/p1", headers=bearer)
    assert read.json()["birthDate"] == "1940-05-06"
    assert httpx.get(f"{site.base}/Patient/p2", headers=bearer).status_code == 404
    kinds = [(one["event"], one["ok"], one.get("account")) for one in site.events]
    assert kinds == [
        ("login", True, "zhang"),
        ("authorize", True, "zhang"),
        ("token", True, "zhang"),
    ]
    assert site.events[2]["patient"] == "p1"


def test_the_id_token_says_who_it_is(site: Site, visitor: Visitor) -> None:
    tokens = visitor.tokens("doctor", scope="openid fhirUser profile", aud="", nonce="n-1")
    keys = KeySet.import_key_set(httpx.get(f"{site.url}/auth/jwks").json())
    claims = jwt.decode(tokens["id_token"], keys, algorithms=["RS256"]).claims
    assert claims["iss"] == site.url
    assert claims["aud"] == "app"
    assert claims["sub"] == "doctor"
    assert claims["nonce"] == "n-1"
    assert claims["fhirUser"] == f"{site.base}/Practitioner/d1"
    assert claims["name"] == "Doctor"
    bearer = {"authorization": f"Bearer {tokens['access_token']}"}
    told = httpx.get(f"{site.url}/auth/userinfo", headers=bearer).json()
    assert told["sub"] == claims["sub"]
    assert told["fhirUser"] == claims["fhirUser"]


def test_a_doctor_finds_the_patient_by_name(site: Site, visitor: Visitor) -> None:
    page = visitor.log_in(visitor.ask(), "doctor")
    assert "Choose whose record Blood pressure shall open." in words(page)
    request = str(page.url).partition("request=")[2]
    found = visitor.http.get("/auth/patient", params={"request": request, "name": "小"})
    assert "张小明 male · 1940-05-06" in words(found)
    both = visitor.http.get("/auth/patient", params={"request": request, "name": "li"})
    assert "Anna Li" in words(both)
    assert "<b>Bo</b> Li" in words(both)  # as text
    assert "<b>Bo" not in both.text
    none = visitor.http.get("/auth/patient", params={"request": request, "name": "nobody"})
    assert "There is nobody of that name" in words(none)
    page = visitor.submit(both, patient="p2")
    assert "Anna Li" in words(page)
    tokens = visitor.exchange(returned(visitor.agree(page))["code"]).json()
    assert tokens["patient"] == "p2"
    assert tokens["expires_in"] == 3600


def test_a_relative_opens_the_record_of_whom_it_acts_for(visitor: Visitor) -> None:
    page = visitor.log_in(visitor.ask(), "daughter")
    assert "张小明" in words(page)
    assert visitor.exchange(returned(visitor.agree(page))["code"]).json()["patient"] == "p1"


def test_a_relative_of_two_picks_one_of_them(visitor: Visitor) -> None:
    page = visitor.log_in(visitor.ask(), "niece")
    text = words(page)
    assert "Anna Li" in text
    assert "张小明" in text
    assert "Bo" not in text
    assert "Search" not in text
    assert "You may not open this record." in words(visitor.submit(page, patient="p3"))
    page = visitor.submit(page, patient="p2")
    assert visitor.exchange(returned(visitor.agree(page))["code"]).json()["patient"] == "p2"


def test_nobody_picks_a_patient_who_is_not_theirs(site: Site, visitor: Visitor) -> None:
    page = visitor.log_in(visitor.ask(), "doctor")
    found = visitor.http.get(str(page.url), params={**page.url.params, "name": "li"})
    reply = visitor.submit(found, patient="p9")
    assert "You may not open this record." in words(reply)


def test_each_wish_can_be_unticked(visitor: Visitor) -> None:
    page = visitor.log_in(visitor.ask(), "zhang")
    reply = visitor.submit(page, scope=["launch/patient", "patient/Observation.rs"], answer="allow")
    tokens = visitor.exchange(returned(reply)["code"]).json()
    assert tokens["scope"] == "launch/patient patient/Observation.rs"
    assert "refresh_token" not in tokens
    assert "id_token" not in tokens


@pytest.mark.parametrize("values", [{"answer": "refuse"}, {"answer": "allow", "scope": []}])
def test_a_person_who_refuses_grants_nothing(
    site: Site, visitor: Visitor, values: dict[str, str]
) -> None:
    page = visitor.log_in(visitor.ask(), "zhang")
    answer = returned(visitor.submit(page, **values))
    assert answer["error"] == "access_denied"
    assert answer["state"] == "s-1"
    assert answer["iss"] == site.url
    assert "code" not in answer
    assert not site.audited("authorize")[0]["ok"]


def test_what_was_agreed_to_is_not_asked_again(visitor: Visitor) -> None:
    visitor.code("zhang")
    assert "code" in returned(visitor.follow(visitor.ask()))
    # Other scopes, or the app's wish to ask, bring the page again.
    assert visitor.follow(visitor.ask(scope=SCOPE + " patient/Condition.rs")).status_code == 200
    assert visitor.follow(visitor.ask(prompt="consent")).status_code == 200


def test_an_app_that_others_can_pretend_to_be_is_always_asked_about(visitor: Visitor) -> None:
    asked = {"client_id": "native", "redirect_uri": NATIVE_URI}
    visitor.code("zhang", **asked)
    page = visitor.follow(visitor.ask(**asked))
    assert "an app on this device (127.0.0.1)" in words(page)


def test_our_own_pages_are_not_asked_about(visitor: Visitor) -> None:
    page = visitor.ask(client_id="console", scope="openid user/*.cruds online_access")
    assert "code" in returned(visitor.log_in(page, "doctor"))


@pytest.mark.parametrize(
    ("prompt", "error"), [("none", "consent_required"), ("login", ""), ("select_account", "")]
)
def test_an_app_says_whether_people_are_asked(visitor: Visitor, prompt: str, error: str) -> None:
    assert returned(visitor.ask(prompt="none"))["error"] == "login_required"
    visitor.log_in(visitor.http.get("/auth/login"), "zhang")
    reply = visitor.ask(prompt=prompt)
    if error:
        assert returned(reply)["error"] == error
    else:
        assert b'name="password"' in reply.content
        assert "May Blood pressure do this?" in words(visitor.log_in(reply, "zhang"))


def test_a_doctor_is_not_sent_to_the_picker_when_nobody_may_be_asked(visitor: Visitor) -> None:
    visitor.log_in(visitor.http.get("/auth/login"), "doctor")
    assert returned(visitor.ask(prompt="none"))["error"] == "interaction_required"


def test_a_login_that_is_too_old_is_asked_for_again(site: Site, visitor: Visitor) -> None:
    visitor.log_in(visitor.http.get("/auth/login"), "zhang")
    assert visitor.ask(max_age="60").status_code == 303
    site.shift = 61
    assert b'name="password"' in visitor.ask(max_age="60").content


def test_a_session_ends_after_its_time(site: Site, visitor: Visitor) -> None:
    visitor.log_in(visitor.http.get("/auth/login"), "zhang")
    assert visitor.http.get("/auth/login").status_code == 303
    site.shift = 12 * 3600 + 1
    assert visitor.http.get("/auth/login").status_code == 200


def test_an_app_may_ask_by_a_form(site: Site, visitor: Visitor) -> None:
    asked = visitor.ask().request.url.query.decode()
    kind = {"content-type": "application/x-www-form-urlencoded"}
    reply = visitor.http.post("/auth/authorize", content=asked, headers=kind)
    assert reply.status_code == 303
    assert b'name="username"' in visitor.follow(reply).content


def test_the_query_of_a_redirect_uri_is_kept(visitor: Visitor) -> None:
    page = visitor.ask(client_id="web", redirect_uri=WEB_URI)
    answer = returned(visitor.agree(visitor.log_in(page, "zhang")))
    assert answer["from"] == "hub"
    assert answer["code"]


@pytest.mark.parametrize(
    ("scope", "granted"),
    [
        ("launch/patient patient/*.read", "launch/patient patient/Observation.rs"),
        ("launch/patient patient/Observation.read", "launch/patient patient/Observation.read"),
        (
            "launch/patient patient/Observation.rs?category=laboratory patient/Foo.rs",
            "launch/patient patient/Observation.rs?category=laboratory",
        ),
    ],
)
def test_an_app_gets_what_it_registered_for(visitor: Visitor, scope: str, granted: str) -> None:
    assert visitor.tokens(client_id="limited", scope=scope)["scope"] == granted


def test_an_app_that_may_have_nothing_of_what_it_asks_is_told(visitor: Visitor) -> None:
    for scope in ("system/*.cruds", "patient/Nothing.rs", ""):
        answer = returned(visitor.ask(scope=scope))
        assert answer["error"] == "invalid_scope", scope


def test_a_password_that_must_be_changed_is_changed_first(site: Site, visitor: Visitor) -> None:
    accounts = site.desk.accounts
    made = accounts.add("fresh", "first pass", site.now, roles=["doctor"], must_change=True)
    site.run(made)
    page = visitor.log_in(visitor.ask(scope="openid"), "fresh", "first pass")
    assert "choose a password that only you know" in words(page)
    # Nothing else works before.
    assert "choose a password" in words(visitor.follow(visitor.ask(scope="openid")))
    assert "not the same" in words(visitor.submit(page, new="second pass", again="third pass"))
    assert "have already" in words(visitor.submit(page, new="first pass", again="first pass"))
    assert "at least 8" in words(visitor.submit(page, new="short", again="short"))
    page = visitor.submit(page, new="second pass", again="second pass")
    assert "May Blood pressure do this?" in words(page)
    assert "code" in returned(visitor.agree(page))
    assert site.visitor().log_in(site.visitor().ask(), "fresh", "first pass").status_code != 303


def test_a_changed_password_ends_all_other_sessions(site: Site, visitor: Visitor) -> None:
    site.run(site.desk.accounts.add("mover", "first pass", site.now - 9, roles=["doctor"]))
    other = site.visitor()
    other.log_in(other.http.get("/auth/login"), "mover", "first pass")
    visitor.log_in(visitor.http.get("/auth/login"), "mover", "first pass")
    site.shift = 5
    page = visitor.http.get("/auth/password")
    wrong = visitor.submit(page, old="not it", new="second pass", again="second pass")
    assert "until now is not right" in words(wrong)
    done = visitor.submit(page, old="first pass", new="second pass", again="second pass")
    assert done.url.path == "/"
    assert visitor.http.get("/auth/login").status_code == 303
    assert other.http.get("/auth/login").status_code == 200


def test_logging_out_ends_what_lasts_until_then(site: Site, visitor: Visitor) -> None:
    asked = {"client_id": "console", "scope": "openid user/*.rs online_access"}
    tokens = visitor.tokens("doctor", **asked)
    assert tokens["refresh_token"]
    page = visitor.http.get("/auth/logout")
    assert "Do you want to log out?" in words(page)
    assert "You are logged out" in words(visitor.submit(page))
    assert visitor.ask(**asked).status_code == 200  # the login page
    again = site.token(
        grant_type="refresh_token", refresh_token=tokens["refresh_token"], client_id="console"
    )
    assert again.json()["error"] == "invalid_grant"
    assert site.audited("logout")[0]["account"] == "doctor"


def test_what_lasts_until_the_log_out_ends_with_the_next_persons_login(
    site: Site, visitor: Visitor
) -> None:
    asked = {"client_id": "console", "scope": "openid user/*.rs online_access"}
    first = visitor.tokens("doctor", **asked)
    again = {"grant_type": "refresh_token", "client_id": "console"}
    # The same person logs in again: nothing ends.
    visitor.log_in(visitor.ask(**asked, prompt="login"), "doctor")
    first = site.token(**again, refresh_token=first["refresh_token"]).json()
    visitor.log_in(visitor.ask(**asked, prompt="login"), "admin")
    told = site.token(**again, refresh_token=first["refresh_token"]).json()
    assert told["error"] == "invalid_grant"


def test_a_redirect_uri_of_this_page_only(visitor: Visitor) -> None:
    page = visitor.ask()
    policy = page.headers["content-security-policy"]
    assert "form-action 'self' https://app.example.org;" in policy
    assert APP_URI.startswith("https://app.example.org/")


def test_people_see_what_they_allowed_and_end_it(site: Site, visitor: Visitor) -> None:
    tokens = visitor.tokens()
    other = site.visitor()
    theirs = other.tokens("daughter")
    page = visitor.http.get("/auth/apps")
    assert "Blood pressure See measurements and laboratory results" in words(page)
    grants = set(lxml.html.fromstring(page.content).xpath("//button[@name='grant']/@value"))
    told = {"token": theirs["access_token"], "client_id": "app"}
    for grant in grants:
        page = visitor.submit(page, grant=grant)
    assert "You have allowed no app." in words(page)
    refused = {"token": tokens["access_token"], "client_id": "app"}
    assert site.post("/auth/introspect", refused).json() == {"active": False}
    assert site.post("/auth/introspect", told).json()["active"] is True
    assert visitor.follow(visitor.ask()).status_code == 200  # and must ask again
    # Nobody ends what others allowed.
    page = other.http.get("/auth/apps")
    assert other.submit(page, grant=grants.pop()).status_code == 404
    theirs_id = lxml.html.fromstring(page.content).xpath("//button[@name='grant']/@value")[0]
    mine = site.visitor()
    mine.tokens()
    assert mine.submit(mine.http.get("/auth/apps"), grant=theirs_id).status_code == 404
    assert site.post("/auth/introspect", told).json()["active"] is True
