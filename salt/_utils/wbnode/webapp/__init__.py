"""The webapp on a node: its checkout, and its preflight."""
