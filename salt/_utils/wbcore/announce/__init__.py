"""Announcements: what is new in a release, the mail and the blog post."""
