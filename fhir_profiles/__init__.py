"""Profiles and their tooling: packages, snapshots, and the sources of the hub's own profiles."""
