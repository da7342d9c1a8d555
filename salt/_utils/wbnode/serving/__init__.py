"""What the servers of this node serve, learnt from their answers and their processes."""
