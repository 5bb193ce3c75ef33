"""Adapters that bring other systems in and out through `hub.interactions`: HL7v2 first."""
