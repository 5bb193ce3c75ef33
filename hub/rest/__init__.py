"""The REST edge: HTTP only, no FHIR rules; everything goes through `hub.interactions`."""
