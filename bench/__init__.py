"""Measurements on the lab."""
