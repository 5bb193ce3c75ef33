"""Names the state of the definition tables; written by `hub.definitions.build`."""

GENERATION = "f1a97e2acc06a448"
