"""Loading files of resources into the record: streamed, resumable, idempotent, with a report.

Called by the `load` command, `serve --demo` and the benchmarks; enters the record through
`hub.interactions` like everybody else.
"""
