"""The pure core of the release automation: values in, values out.

Names, paths, manifests, plans and decisions. Nothing here imports Salt, runs a
command, or reads a clock: whoever calls brings what was observed.
"""
