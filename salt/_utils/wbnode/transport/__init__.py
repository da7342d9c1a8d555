"""Transport on a node: datasets are pulled, unpacked, patched, verified, and packed for others."""
