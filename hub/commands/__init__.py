"""The commands of `fhir-hub`, one file each. Mounted by `hub.cli`."""
