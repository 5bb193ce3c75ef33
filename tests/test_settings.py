"""Settings: documented, read strictly, refused when unsafe."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest

from hub.settings import (
    Settings,
    SettingsError,
    documentation,
    from_environment,
    is_loopback,
    size,
)


def test_every_setting_is_documented() -> None:
    for item in fields(Settings):
        assert item.metadata["text"].endswith((".", ")")), item.name


def test_the_page_of_settings_is_current() -> None:
    page = Path(__file__).parents[1] / "docs" / "settings.md"
    assert page.read_text() == documentation(), "run: python -m hub.settings > docs/settings.md"


def test_the_environment_is_read_by_type() -> None:
    found = from_environment(
        {
            "HUB_PORT": "9000",
            "HUB_BODY_LIMIT": "5 MB",
            "HUB_GZIP": "off",
            "HUB_SEARCH_DEADLINE": "2.5",
            "HUB_CORS": "https://a.example, https://b.example",
            "HUB_DATA": "/srv/hub",
            "HUB_ZONE": "",
            "PATH": "/bin",
        }
    )
    assert found.port == 9000
    assert found.body_limit == 5 * 1024**2
    assert found.gzip is False
    assert found.search_deadline == 2.5
    assert found.cors == ("https://a.example", "https://b.example")
    assert found.data == Path("/srv/hub")
    assert found.zone == "Asia/Shanghai"


def test_the_command_line_overrides_the_environment() -> None:
    found = from_environment({"HUB_PORT": "9000", "HUB_WORKERS": "2"}, port=9001, workers=None)
    assert (found.port, found.workers) == (9001, 2)


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("HUB_PORT", "eighty", "HUB_PORT"),
        ("HUB_PORT", "65536", "HUB_PORT"),
        ("HUB_WORKERS", "0", "HUB_WORKERS"),
        ("HUB_GZIP", "perhaps", "HUB_GZIP"),
        ("HUB_AUTH", "basic", "HUB_AUTH"),
        ("HUB_STORE", "postgres", "HUB_STORE"),
        ("HUB_LOG_LEVEL", "loud", "HUB_LOG_LEVEL"),
        ("HUB_ZONE", "Middle/Earth", "HUB_ZONE"),
        ("HUB_ZONE", "../etc/passwd", "HUB_ZONE"),
        ("HUB_TRUSTED_PROXIES", "proxy", "HUB_TRUSTED_PROXIES"),
        ("HUB_PUBLIC_URL", "hub.example.org", "HUB_PUBLIC_URL"),
        ("HUB_PUBLIC_URL", "https://hub.example.org/fhir", "/fhir"),
        ("HUB_CORS", "app", "HUB_CORS"),
        ("HUB_DEFAULT_COUNT", "5000", "HUB_DEFAULT_COUNT"),
        ("HUB_BODY_LIMIT", "1GB", "HUB_BODY_BUDGET"),
        ("HUB_SEARCH_DEADLINE", "nan", "HUB_SEARCH_DEADLINE"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(name: str, value: str, word: str) -> None:
    with pytest.raises(SettingsError, match=word):
        from_environment({name: value})


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "hub.example.org"])
def test_only_loopback_is_listened_on_without_authentication(host: str) -> None:
    with pytest.raises(SettingsError, match="HUB_AUTH=off"):
        Settings(host=host, auth="off")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.0.1", "localhost", "::1"])
def test_loopback_addresses_are_recognised(host: str) -> None:
    assert is_loopback(host)
    assert Settings(host=host, auth="off").host == host


def test_any_page_may_use_the_api_once_it_needs_a_token() -> None:
    assert Settings(auth="off").origins == ()
    assert Settings(auth="on").origins == ("*",)
    assert Settings(auth="on", cors=("none",)).origins == ()
    named = ("https://app.example.org",)
    assert Settings(auth="on", cors=named).origins == Settings(auth="off", cors=named).origins


def test_the_issuer_is_the_address_without_fhir() -> None:
    assert Settings(auth="off").site == "http://127.0.0.1:8080"


def test_the_memory_store_has_one_process() -> None:
    with pytest.raises(SettingsError, match="HUB_WORKERS"):
        Settings(store="memory", workers=2)


def test_the_base_comes_from_the_public_url_or_the_address() -> None:
    assert Settings().base == "http://127.0.0.1:8080/fhir"
    assert Settings(host="::1", port=1).base == "http://[::1]:1/fhir"
    public = replace(Settings(), public_url="https://hub.example.org/")
    assert public.base == "https://hub.example.org/fhir"


@pytest.mark.parametrize(
    ("text", "bytes_"), [("0", 0), ("64KB", 65536), ("1 gb", 1024**3), ("7b", 7)]
)
def test_sizes_take_units(text: str, bytes_: int) -> None:
    assert size(text) == bytes_


@pytest.mark.parametrize("text", ["", "-1", "1.5MB", "MB", "1TB"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no whole number"):
        size(text)
