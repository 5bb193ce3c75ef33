"""Names the state of the definition tables; written by `hub.definitions.build`."""

GENERATION = "1f471a604dfbd9c9"
