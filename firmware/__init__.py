"""The terminal: what a merchant can do, and nothing of chips, pins or boards."""
