"""Search: URL to query, resource to index rows, and the rules between; knows no database.

Spec: https://hl7.org/fhir/R4/search.html
"""
