"""Names the state of the definition tables; written by `hub.definitions.build`."""

GENERATION = "20ceebb167c780cf"
