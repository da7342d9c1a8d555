"""The webapp on a node: its service, its checkout, and its preflight."""

# The unit that runs what is live.
SERVICE = "wormbase-starman"
