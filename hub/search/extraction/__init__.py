"""From a SearchParameter's expression to closures that find its values in a resource.

`routes` reads the expression, `walker` makes one pass over a resource of it, the other modules
turn an element into index rows, one module per search parameter type. Entry: `hub.search.extract`.
"""
