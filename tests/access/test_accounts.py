"""Accounts: one per name in any case, verified in the same time whether or not there is one."""

from __future__ import annotations

import asyncio
import time

import pytest

from hub.access import passwords as password_rules
from hub.access.accounts import ROLES, AccountRefused
from hub.access.passwords import PasswordRefused, Passwords, check_password, new_password
from hub.errors import Unavailable
from tests.access.conftest import NOW, PASSWORD, Process


async def test_the_right_password_gives_the_account(hub: Process) -> None:
    made = await hub.account("Li.Wei@centre", display="李伟", fhir_user="Practitioner/1")
    assert await hub.accounts.verify("li.wei@CENTRE", PASSWORD, NOW) == made
    assert made.name == "Li.Wei@centre"
    assert PASSWORD not in str(made)
    assert made.password.startswith("$argon2id$")


async def test_anything_else_gives_nothing(hub: Process) -> None:
    await hub.account()
    for name, password in [
        ("li", ""),
        ("li", PASSWORD + " "),
        ("li", PASSWORD.upper()),
        ("li", PASSWORD + "x" * 300),
        ("li", "\ud800"),
        ("other", PASSWORD),
        ("", PASSWORD),
        ("li\x00", PASSWORD),
        ("' OR 1=1 --", PASSWORD),
        ("x" * 5000, PASSWORD),
        ("李", PASSWORD),
    ]:
        assert await hub.accounts.verify(name, password, NOW) is None


async def test_a_password_is_the_same_from_any_keyboard(hub: Process) -> None:
    await hub.accounts.add("li", "Ａbc密码é12", NOW, roles=("nurse",))
    assert await hub.accounts.verify("li", "Abc密码e\u030112", NOW)


async def test_an_unknown_name_costs_as_much_as_a_known_one(hub: Process) -> None:
    await hub.account()
    await hub.account("off")
    await hub.accounts.disable("off", NOW)

    async def took(name: str) -> float:
        times = []
        for _ in range(7):
            began = time.process_time()
            assert await hub.accounts.verify(name, "wrong", NOW) is None
            times.append(time.process_time() - began)
        return min(times)

    known = await took("li")
    for name in ("nobody", "off", "?"):
        assert 0.5 < await took(name) / known < 2


async def test_names_differ_by_more_than_case(hub: Process) -> None:
    await hub.account("li")
    with pytest.raises(AccountRefused, match="access-account-exists"):
        await hub.account("LI")
    found = await asyncio.gather(*(hub.account("wang") for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(one, AccountRefused) for one in found) == 4


@pytest.mark.parametrize("name", ["", " ", "a b", ".a", "@a", "a/b", "李", "a\n", "x" * 65, "a'b"])
async def test_what_is_no_name_is_refused(hub: Process, name: str) -> None:
    with pytest.raises(AccountRefused, match="access-account-name"):
        await hub.account(name)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"roles": ["king"]}, "access-role-unknown"),
        ({"roles": ["system"]}, "access-role-unknown"),
        ({"roles": []}, "access-role-missing"),
        ({"fhir_user": "Observation/1"}, "access-fhir-user"),
        ({"fhir_user": "Patient/../x"}, "access-fhir-user"),
        ({"display": "x" * 201}, "access-display"),
        ({"display": "a\x1b[31m"}, "access-display"),
    ],
)
async def test_what_cannot_be_an_account_is_refused(
    hub: Process, more: dict[str, object], message: str
) -> None:
    given: dict[str, object] = {"roles": ROLES[:1], **more}
    with pytest.raises(AccountRefused, match=message):
        await hub.accounts.add("li", PASSWORD, NOW, **given)  # type: ignore[arg-type]


async def test_a_disabled_account_cannot_log_in_until_it_is_enabled(hub: Process) -> None:
    await hub.account()
    assert (await hub.accounts.disable("LI", NOW + 1)).since == NOW + 1
    assert await hub.accounts.verify("li", PASSWORD, NOW) is None
    await hub.accounts.enable("li", NOW + 2)
    assert await hub.accounts.verify("li", PASSWORD, NOW)


async def test_a_new_password_replaces_the_old_one(hub: Process) -> None:
    await hub.account()
    await hub.accounts.set_password("li", "another one", NOW, must_change=True)
    assert await hub.accounts.verify("li", PASSWORD, NOW) is None
    found = await hub.accounts.verify("li", "another one", NOW)
    assert found
    assert found.must_change


async def test_accounts_are_listed_by_name_and_removed(hub: Process) -> None:
    for name in ("wang", "Li", "an"):
        await hub.account(name)
    assert [one.name async for one in hub.accounts.all(NOW)] == ["an", "Li", "wang"]
    await hub.accounts.remove("LI", NOW)
    assert [one.name async for one in hub.accounts.all(NOW)] == ["an", "wang"]
    for change in (hub.accounts.remove, hub.accounts.disable, hub.accounts.enable):
        with pytest.raises(AccountRefused, match="access-account-missing"):
            await change("li", NOW)


@pytest.mark.parametrize(
    ("password", "message"),
    [
        ("short", "access-password-short"),
        ("x" * 257, "access-password-long"),
        ("aaaaaaaaaa", "access-password-easy"),
        ("Practitioner", "access-password-easy"),
        ("renoititcarp", "access-password-easy"),
    ],
)
def test_easy_passwords_are_refused(password: str, message: str) -> None:
    with pytest.raises(PasswordRefused, match=message):
        check_password(password, "practitioner")


def test_made_passwords_are_good_and_different() -> None:
    made = {new_password() for _ in range(100)}
    assert len(made) == 100
    for password in made:
        check_password(password, "li")


async def test_too_many_logins_at_a_time_are_put_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(password_rules, "MOST_WAITING", 3)
    passwords = Passwords()
    await passwords.verify("x", None)
    found = await asyncio.gather(
        *(passwords.verify("x", None) for _ in range(6)), return_exceptions=True
    )
    passwords.close()
    assert [isinstance(one, Unavailable) for one in found] == [False] * 3 + [True] * 3
