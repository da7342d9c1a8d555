"""Going live: what counts as served, how a canary is compared, and the epoch of a change-over."""
