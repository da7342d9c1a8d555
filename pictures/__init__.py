"""Makes the pictures of docs/ from a real lab: ``bin/pictures``."""
