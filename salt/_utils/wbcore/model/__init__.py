"""What is known of the site: what was observed, what the ledger holds, who serves what."""
