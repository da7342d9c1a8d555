"""The nodes: jobs that they are given, what they answer, and the events between."""
