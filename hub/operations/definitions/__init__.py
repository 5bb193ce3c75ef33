"""OperationDefinitions of the hub's own operations, a file each, without `url`.

Their url is below the base, where `hub.interactions.published_operation` answers with them.
Called by the modules of those operations.
"""

from __future__ import annotations

from importlib.resources import files


def own_definition(name: str) -> bytes:
    """The JSON of an OperationDefinition.

    Args:
        name: The operation's, without the `$`.
    """
    return files("hub.operations.definitions").joinpath(f"{name}.json").read_bytes()
