"""The FHIR R4 interoperability hub."""
