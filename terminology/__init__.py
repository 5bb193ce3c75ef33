"""What codes mean: code systems, value sets and concept maps for clients and for the hub."""
