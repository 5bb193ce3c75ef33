"""Storage: the port and the stores that implement it."""
