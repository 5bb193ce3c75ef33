"""The audit chain as FHIR resources; the rows are written by the store with each commit."""
