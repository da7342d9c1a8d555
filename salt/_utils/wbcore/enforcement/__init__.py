"""Enforcement: when nodes apply their states and read their datasets again."""
