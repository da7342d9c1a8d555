"""Going live: the ways to do it, pools, switching, and what is checked before."""
