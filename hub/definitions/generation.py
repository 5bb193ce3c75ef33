"""Names the state of the definition tables; written by `hub.definitions.build`."""

GENERATION = "9b40709940d9801d"
