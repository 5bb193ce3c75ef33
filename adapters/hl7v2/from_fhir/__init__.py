"""The record as HL7 v2 messages: one module per message and per segment.

Pure: each takes resources and gives segments as data (`shape`); `building` writes them by
the tables of hl7apy. Called by `adapters.hl7v2.outbox`.
"""
