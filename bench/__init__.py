"""Benchmarks: `python -m bench` starts the hub itself, loads data, drives it and reports."""
