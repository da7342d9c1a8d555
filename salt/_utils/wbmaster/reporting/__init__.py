"""Reporting: runs in words, on screens, by mail and webhook, and as metrics."""
