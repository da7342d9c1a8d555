"""Planning: what a request or a landing leads to, and what has to hold before."""
