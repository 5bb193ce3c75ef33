"""`python -m hub` is `fhir-hub`."""

from hub.cli import main

main()
