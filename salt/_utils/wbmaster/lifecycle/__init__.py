"""The lifecycle of a run: begin, step, end; what it will cost, and when it is refused."""
