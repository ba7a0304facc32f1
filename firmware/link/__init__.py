"""The acquirer: messages, working keys, one TLS connection."""
