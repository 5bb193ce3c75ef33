"""What a resource is made of: JSON and XML text, dates, quantities, references.

A resource stays a dict in its JSON form throughout the hub.
"""
