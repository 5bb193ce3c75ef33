"""Deterministic synthetic data of a Chinese family-doctor centre: nobody in it exists.

Called by the `demo` command, `serve --demo`, the benchmarks and the tests. Every resource is
valid R4; the same seed gives the same bytes, and more patients only append.
"""
