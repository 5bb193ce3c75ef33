"""The command line explains itself, quickly, and its page says what it says."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest
import typer

from hub.cli import app
from tests.commands.conftest import Run

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"
GROUP = typer.main.get_command(app)
COMMANDS = sorted(GROUP.commands)  # type: ignore[attr-defined]
SUBCOMMANDS = sorted(
    (name, sub)
    for name, command in GROUP.commands.items()  # type: ignore[attr-defined]
    for sub in getattr(command, "commands", ())
)


def test_alone_it_shows_its_commands(run: Run) -> None:
    done = run()
    for name in COMMANDS:
        assert f" {name} " in done.out + done.err


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(run: Run, name: str) -> None:
    done = run(name, "-h")
    assert done.code == 0
    assert f"hub {name} [OPTIONS]" in done.out
    assert "Example: fhir-hub " in done.out


@pytest.mark.parametrize(("name", "sub"), SUBCOMMANDS)
def test_every_subcommand_explains_itself(run: Run, name: str, sub: str) -> None:
    done = run(name, sub, "-h")
    assert done.code == 0
    assert f"hub {name} {sub} [OPTIONS]" in done.out
    assert f"Example: fhir-hub {name} {sub}" in done.out


def test_help_comes_at_once(run: Run) -> None:
    took = []
    for _ in range(5):
        before = _seconds()
        run("--help")
        took.append(_seconds() - before)
    assert min(took) < 0.6, "0.25 s on an idle machine"


def _seconds() -> float:
    """CPU of the commands so far: what else the machine does counts little."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_it_knows_its_version(run: Run) -> None:
    assert run("--version").out.startswith("fhir-interop-hub ")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_is_documented(name: str) -> None:
    page = PAGE.read_text()
    assert f"## {name}\n" in page
    section = page.split(f"## {name}\n")[1].split("\n## ")[0]
    command = GROUP.commands[name]  # type: ignore[attr-defined]
    subcommands = getattr(command, "commands", {})
    for sub in subcommands:
        assert f"`{sub}" in section, f"{name} {sub} is not in docs/cli.md"
    for parameter in [one for part in (command, *subcommands.values()) for one in part.params]:
        for option in (*parameter.opts, *parameter.secondary_opts):
            shown = f"`{option}" if option.startswith("-") else (parameter.metavar or option)
            assert shown in section, f"{name} {option} is not in docs/cli.md"
        if parameter.param_type_name == "option":
            assert parameter.help


def test_the_page_names_nothing_that_is_not_there() -> None:
    sections = [line[3:] for line in PAGE.read_text().splitlines() if line.startswith("## ")]
    assert sorted(one for one in sections if one.islower()) == COMMANDS


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nope"], "No such command"),
        (["load"], "PATHS"),
        (["load", "nothing.ndjson"], "nothing.ndjson: no such file"),
        (["load", "."], "No .json, .ndjson or .xml file"),
        (["load", "http://127.0.0.1:8080/fhir/Patient"], "save a URL's answer first"),
        (["load", "a.json", "--language", "fr"], "--language takes en or zh"),
        (["load", "notes.txt"], "notes.txt: not .json"),
        (["load", "a.json", "--report", "no/where.ndjson"], "--report"),
        (["export", "out"], "data holds no store. Name the hub's folder"),
        (["export", "."], "not empty"),
        (["export", "out", "--type", "Patiens"], "Patiens is no R4 resource type; Patient?"),
        (["reindex", "--type", "x"], "no R4 resource type"),
        (["check"], "data holds no store. Name the hub's folder"),
        (["explain", "Patient?name=x"], "data holds no store. Name the hub's folder"),
        (["explain", "Patient/1"], "Give a search"),
        (["backup", "out"], "data holds no store. Name the hub's folder"),
        (["backup", "."], "is there already"),
        (["restore", "nothing"], "nothing is no backup"),
        (["demo", "--patients", "-1"], "--patients"),
        (["demo", "--out", "no/where"], "no/where: No such file"),
        (["demo", "--data", "/proc/nothing"], "/proc/nothing: "),
        (["account", "list"], "data holds no store"),
        (["account", "add", "li"], "--role"),
        (["account", "add", "a b", "-r", "doctor", "--generate"], "begins with a letter"),
        (["account", "add", "li", "-r", "king", "--generate"], "king is no role"),
        (["account", "add", "li", "-r", "doctor"], "at least 8 characters"),
        (["client", "list"], "data holds no store"),
        (["client", "add", "App"], "needs 1 to 10 redirect URIs"),
        (["client", "add", "App", "--redirect-uri", "http://a.org/"], "A redirect URI is https"),
        (["client", "add", "App", "--service"], "cannot use the grant client_credentials"),
        (["client", "add", "App", "--jwks", "none.json"], "none.json: No such file"),
        (["client", "add", "App", "--jwks", "a.json", "--service"], "The key set cannot be used"),
        (["client", "add", "App", "--jwks", "a.json", "--secret"], "not both"),
        (["serve", "--auth", "off", "--host", "0.0.0.0"], "reachable by others"),
        (["serve", "--port", "70000"], "HUB_PORT must be between"),
        (["serve", "--workers", "0"], "--workers"),
        (["serve", "--auth", "maybe"], "HUB_AUTH must be one of"),
        (["serve", "--data", "/proc/nothing"], "/proc/nothing: "),
        (["serve", "--data", "notes.txt"], "notes.txt: a file, not a folder"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_line(
    run: Run, tmp_path: Path, arguments: list[str], words: str
) -> None:
    (tmp_path / "notes.txt").write_text("x")
    if "a.json" in arguments:
        (tmp_path / "a.json").write_text("{}")
    done = run(*arguments)
    assert done.code == 2
    assert words in done.err
    assert len(done.err.splitlines()) < 8


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"zone": "Nowhere/City"}, "HUB_ZONE"),
        ({"body_limit": "huge"}, "HUB_BODY_LIMIT: huge is no whole number"),
        ({"search_deadline": "soon"}, "HUB_SEARCH_DEADLINE: soon is no number"),
        ({"gzip": "perhaps"}, "HUB_GZIP: perhaps is neither true nor false"),
        ({"store": "memory"}, "this command needs sqlite"),
    ],
)
def test_a_setting_that_cannot_be_used_is_told(
    run: Run, settings: dict[str, str], words: str
) -> None:
    done = run("demo", "--patients", "0", **settings)
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    assert words in done.err


def test_a_misspelt_setting_is_told(run: Run) -> None:
    done = run("serve", "--auth", "maybe", prot="8081", shared="x")
    assert done.err.splitlines()[0] == "HUB_PROT is no setting and does nothing; HUB_PORT?"
    assert len(done.err.splitlines()) == 2


def test_what_the_hub_refuses_is_told_in_the_language_of_the_terminal(run: Run) -> None:
    run("demo", "--patients", "0")
    assert "未知的修饰符" in run("explain", "Patient?name:nonsense=x", locale="zh_CN.UTF-8").err
