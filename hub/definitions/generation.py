"""Names the state of the definition tables; written by `hub.definitions.build`."""

GENERATION = "aa21e9d6191fe9dc"
