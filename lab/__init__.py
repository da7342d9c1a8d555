"""The lab: a whole WormBase cluster on one machine (see README.md beside this file)."""
