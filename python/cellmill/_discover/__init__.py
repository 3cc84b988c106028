"""Reads Python modules statically: steps, parameters and the facts that closures are computed from.

Invariant: nothing of the project is ever imported or run here; text in, JSON out.
"""
