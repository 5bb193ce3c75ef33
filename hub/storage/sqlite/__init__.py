"""The SQLite store: one file, one writer, many readers.

`open_store` in `hub.storage.sqlite.store` is the way in.
"""
