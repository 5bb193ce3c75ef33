"""What brings code systems into the hub from files; used by `fhir-hub terminology load`."""
