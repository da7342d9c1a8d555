"""What a node does with its own disk and services; a module for each thing."""
