"""From the parameters of a URL to the AST: one module per part of the grammar.

Entry: `hub.search.parse`. Spec: https://hl7.org/fhir/R4/search.html
"""
