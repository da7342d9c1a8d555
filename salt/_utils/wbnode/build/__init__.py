"""Builds on the development server: surveyed, measured, indexed and announced."""
