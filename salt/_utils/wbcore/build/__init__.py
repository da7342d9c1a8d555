"""Builds: what a sealed one contains, and whether its contents are plausible."""
