"""Validation of R4 resources (https://hl7.org/fhir/R4/validation.html).

`hub.validation.validator.Validator` is the door. A fast pass, generated per type, only says
whether a resource is beyond doubt; a second pass, run only when it is not, walks the resource and
says what is wrong and where. Called by interactions, `$validate`, the loader and adapters.
"""
