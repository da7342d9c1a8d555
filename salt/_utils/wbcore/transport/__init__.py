"""Transport: which files travel, as which parcels, on which routes, and by which rsync command."""
