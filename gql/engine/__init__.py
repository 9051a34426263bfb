"""Carries out operations by plans: what a selection asks for is worked out once, and written as a function of its own.

`bindings` says how a field gets its value, `planning` makes plans, `writing` turns their plain parts into code,
`careful` does the same work step by step where something is amiss, `running` carries a plan out, and `failures` tells
what went wrong and where.
"""
