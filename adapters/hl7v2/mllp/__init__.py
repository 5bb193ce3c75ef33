"""MLLP: messages over TCP, framed by control characters."""
