"""Disk space: what fits, what may be removed, and what is removed to make room."""
