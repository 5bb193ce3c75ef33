"""What a message from a hospital costs: generator, MLLP senders, figures."""
