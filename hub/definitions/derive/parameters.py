"""SearchParameter and CompartmentDefinition to their tables.

https://hl7.org/fhir/R4/searchparameter.html and
https://hl7.org/fhir/R4/compartmentdefinition.html. Called by `hub.definitions.build`.
"""

from __future__ import annotations

from hub.definitions.derive.package import Artifact, of_type
from hub.definitions.shapes import SearchParameter, SearchParameterComponent

_ANY = 145


def assign_keys(urls: list[str], known: dict[str, int]) -> dict[str, int]:
    """Give each SearchParameter its key: a known url keeps its own, new ones follow in order.

    Args:
        urls: All canonicals.
        known: The committed keys; a url that vanished keeps its key reserved.
    """
    keys = dict(known)
    last = max(keys.values(), default=0)
    for url in sorted(set(urls) - keys.keys()):
        last += 1
        keys[url] = last
    return keys


def derive_search_parameters(
    artifacts: list[Artifact], corrections: Artifact, keys: dict[str, int]
) -> list[SearchParameter]:
    """Every SearchParameter of the package, sorted by key.

    Args:
        artifacts: The package.
        corrections: corrections.toml.
        keys: Canonical to key, complete.
    """
    corrected = {row["url"]: row for row in corrections["search_parameter"]}
    components = {
        (row["url"], row["definition"]): row["expression"] for row in corrections["component"]
    }
    found = [
        SearchParameter(
            key=keys[item["url"]],
            url=item["url"],
            code=item["code"],
            type=item["type"],
            base=tuple(item.get("base", ())),
            expression=corrected.get(item["url"], item).get("expression", ""),
            targets=_targets(item),
            components=tuple(
                SearchParameterComponent(
                    part["definition"],
                    components.get((item["url"], part["definition"]), part["expression"]),
                )
                for part in item.get("component", ())
            ),
            description=" ".join(item.get("description", "").split()),
        )
        for item in of_type(artifacts, "SearchParameter")
    ]
    return sorted(found, key=lambda row: row.key)


def _targets(item: Artifact) -> tuple[str, ...]:
    """Target types; empty for any, which the package writes as all types but Parameters."""
    targets = tuple(item.get("target", ()))
    return () if "Resource" in targets or len(targets) >= _ANY else targets


def derive_compartments(
    artifacts: list[Artifact], corrections: Artifact
) -> dict[str, dict[str, tuple[str, ...]]]:
    """Compartment name to resource type to the codes of the parameters that link it.

    Args:
        artifacts: The package.
        corrections: corrections.toml, with the additions.
    """
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for item in of_type(artifacts, "CompartmentDefinition"):
        if not item["url"].startswith("http://hl7.org/fhir/CompartmentDefinition/"):
            continue
        if item["url"].endswith("/example"):
            continue
        name = item["code"]
        rows = {row["code"]: tuple(row["param"]) for row in item["resource"] if row.get("param")}
        own = tuple(code for code in rows.get(name, ()) if code != "{def}")
        found[name] = {**rows, name: ("{def}", *own)}
    for row in corrections["compartment"]:
        members = found[row["compartment"]]
        members[row["type"]] = (*members.get(row["type"], ()), *row["parameters"])
    return {name: dict(sorted(rows.items())) for name, rows in sorted(found.items())}
