"""The map language: what v2 messages, segments, fields and tables become in FHIR, as YAML.

Taught in docs/hl7v2/mapping.md. `grammar` reads the one-line expressions, `files` the YAML and a
site's overrides; `segment_maps`, `datatype_maps` and `compiler` turn both into closures, for
segments of a usual shape (`shapes`) once more (`variants`); `memory` keeps what they made of texts.
`reading` puts segments into groups, `run` is the state of one conversion. Called by
`adapters.hl7v2.to_fhir`.
"""
