"""The terminology service: what codes mean, which value sets hold them, what they map to.

Called by the operations, search and validation; content comes by `shapes.ContentSource`.
"""
