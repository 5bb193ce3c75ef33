"""HL7v2: hospital systems send messages to the record and get messages from it."""
