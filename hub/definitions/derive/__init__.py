"""Derives the definition tables from the package; called by `hub.definitions.build`."""
