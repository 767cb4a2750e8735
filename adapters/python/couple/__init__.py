"""couple: one neural simulation on several simulators at once.

This package is the Python side: components that live in a Python process. ``couple.nest`` is NEST.
"""
