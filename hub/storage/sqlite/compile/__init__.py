"""From a search to SQL: one module per kind of criterion.

Each criterion becomes a `Leaf`: sources, which list the rows that meet it, and a probe, which
tests a row at hand. `logic` joins leaves with and, or and not and chooses which one drives;
`order` makes the page's statement. Entry: `hub.storage.sqlite.search`.
"""
